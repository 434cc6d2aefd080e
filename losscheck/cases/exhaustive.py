"""Every half-precision number: 63,488 predictions that leave no gap for a fault to hide in."""

from __future__ import annotations

import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.cases.problem import Problem
from losscheck.cases.variable import Variable
from losscheck.domains import OUTSIDE, Domain, layout
from losscheck.domains.floats import cast
from losscheck.model import Array, Range

# Ordinary cases from which the arguments besides label and prediction are taken.
_BACKGROUNDS = 1024
_PATTERNS = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
_EVERY = np.sort(_PATTERNS[np.isfinite(_PATTERNS)])


def half_numbers(domain: Domain, dtype: str) -> Array:
    """Give every float16 number inside an elementwise domain.

    Parameters
    ----------
    domain
        Such as `real`.
    dtype
        The float type to give them in; in bfloat16 several of them round to the same number.

    Returns
    -------
    Array
        (k,) in the storage dtype, ascending.
    """
    numbers = cast(_EVERY.astype(np.float64), dtype)
    return numbers[domain.classify(numbers, dtype) < OUTSIDE]


def predictions(pred: Variable, dtype: str) -> Array | None:
    """Give every half-precision prediction: (k, *shape), or None where a case holds more.

    A prediction of one number takes them all; a row of two classes is (p, 1 - p).
    """
    if pred.domain.integral or pred.slots != 1:
        return None
    if pred.domain.elementwise:
        return half_numbers(pred.domain, dtype).reshape(-1, *pred.shape)
    if pred.domain.name != "simplex" or pred.size != 2:
        return None
    parts = _EVERY[(_EVERY >= 0) & (_EVERY <= 1)].astype(np.float64)
    return np.stack([parts, 1.0 - parts], axis=-1).reshape(-1, *pred.shape)


def exhaustive(problem: Problem, limit: int, seed: int) -> CaseBlock:
    """Cross every half-precision prediction with the landmarks of the label.

    Where there is no room for all labels beside every prediction, the labels take turns, so that
    neighbouring predictions meet different ones; where there is none for all predictions, they
    are thinned evenly.

    Parameters
    ----------
    limit
        The number of cases, at most.

    Returns
    -------
    CaseBlock
        Empty where a case holds more than one number or row of two, or where there is no room.
    """
    pred, true = problem.with_role("y_pred"), problem.with_role("y_true")
    values = None if pred is None else predictions(pred, problem.dtype)
    if pred is None or values is None or limit < 1:
        return problem.nothing()
    if len(values) > limit:
        values = values[np.linspace(0, len(values) - 1, limit).astype(int)]
    rng = np.random.default_rng((seed, 2))
    labels = len(true.tokens) if true is not None else 1
    rounds = max(1, min(labels, limit // len(values)))
    number = np.tile(np.arange(len(values)), rounds)
    turn = np.repeat(np.arange(rounds), len(values))
    ordinary = problem.draw(_BACKGROUNDS, Range.ORDINARY, rng)
    chosen = rng.integers(_BACKGROUNDS, size=len(number))
    inputs = {name: drawn[chosen] for name, drawn in ordinary.items()}
    inputs[pred.name] = values[number]
    if true is not None:
        # Turns are spread over the labels, which are sorted: with few turns they lie far apart.
        shift = turn * (labels // rounds)
        inputs[true.name] = layout.fill(true.tokens[(number + shift) % labels], true.shape)
    return problem.judge(inputs)
