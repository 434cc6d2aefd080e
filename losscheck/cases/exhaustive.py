"""Every half-precision number: 120,064 predictions that leave no gap for a fault to hide in."""

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
_BITS = np.arange(1 << 16, dtype=np.uint16)
_PATTERNS = {  # every number of a half type, as float32
    "float16": _BITS.view(np.float16).astype(np.float32),
    "bfloat16": (_BITS.astype(np.uint32) << np.uint32(16)).view(np.float32),
}
HALVES = {name: numbers[np.isfinite(numbers)] for name, numbers in _PATTERNS.items()}
_EVERY = np.unique(np.concatenate([a.view(np.uint32) for a in HALVES.values()])).view(np.float32)


def half_numbers(domain: Domain, dtype: str) -> Array:
    """Give every float16 and every bfloat16 number inside an elementwise domain.

    Parameters
    ----------
    domain
        Such as `real`.
    dtype
        The float type to give them in; a half type holds its own numbers alone.

    Returns
    -------
    Array
        (k,) in the storage dtype, ascending; 0 and -0 are two numbers.
    """
    numbers = cast(HALVES.get(dtype, _EVERY).astype(np.float64), dtype)
    numbers = numbers[np.lexsort((~np.signbit(numbers), numbers))]
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
    every = np.sort(HALVES.get(dtype, _EVERY)).astype(np.float64)
    parts = every[(every >= 0) & (every <= 1)]
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


def halves_met(pred: Variable, block: CaseBlock, dtype: str) -> dict[str, tuple[int, int]]:
    """Count the numbers of each half type among predictions, and those inside the domain.

    Parameters
    ----------
    block
        What `exhaustive` gave: its first round has every prediction once.

    Returns
    -------
    dict
        Half type -> how many of its numbers were met, of how many; both zeros count.
    """
    every = predictions(pred, dtype)
    assert every is not None
    inside = every.reshape(len(every), -1)[:, 0]
    met = block.inputs[pred.name][: len(every)].reshape(min(len(every), len(block)), -1)[:, 0]
    return {name: (int(holds(met).sum()), int(holds(inside).sum())) for name, holds in _IS.items()}


def _is_float16(numbers: Array) -> Array:
    with np.errstate(over="ignore"):
        return np.asarray(numbers.astype(np.float16).astype(np.float64) == numbers)


def _is_bfloat16(numbers: Array) -> Array:
    single = numbers.astype(np.float32)
    return np.asarray(((single.view(np.uint32) & 0xFFFF) == 0) & (single == numbers))


_IS = {"float16": _is_float16, "bfloat16": _is_bfloat16}
