"""Relations: predictions beside their labels, perfect ones, samples beside each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product

import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.cases.problem import Change, Problem, Variable
from losscheck.domains.floats import step_magnitude
from losscheck.domains.labels import ClassIndex
from losscheck.domains.rows import one_hot
from losscheck.model import Array, Inputs, Range

# A move of the values of one argument, (n, ...) to (n, ...).
Move = Callable[[Array, np.random.Generator], Array]
# The same in place.
Edit = Callable[[Array, np.random.Generator], None]

# How near a near-duplicate is, relative or absolute: a squared distance by way of
# a² + b² - 2ab keeps one digit in float32 at the first, and none at the second.
_NEAR = (1e-3, 1e-4)
# How far a confident probability stays from 0 and 1: rounds to 1 in float32, Keras' epsilon,
# what a trained model gives.
_DOUBT = (0.0, 2.0**-24, 1e-7, 1e-6, 1e-4, 1e-3)
# Logits of growing confidence: ordinary, sigmoid rounds to 1 (20), exp overflows in float32 (89),
# exp(-x) is 0 there (104), and far beyond.
_CONFIDENCE = (1.0, 10.0, 20.0, 89.0, 104.0, 1e3, 1e4)


def relations(problem: Problem, limit: int, seed: int) -> CaseBlock:
    """Bring every relation about, in ordinary cases and in working ones.

    What falls outside a domain is dropped: opposites of probabilities, zero rows of a simplex.

    Returns
    -------
    CaseBlock
        Empty where the domains and shapes allow no relation.
    """
    found = changes(problem)
    if not found:
        return problem.nothing()
    rng = np.random.default_rng((seed, 3))
    half = max(1, limit // len(found) // 2)
    base = [problem.draw(half, reach, rng) for reach in (Range.ORDINARY, Range.WORKING)]
    inputs = {name: np.concatenate([part[name] for part in base]) for name in base[0]}
    changed = [{**inputs, **change(inputs, rng)} for change in found]
    return problem.judge(
        {name: np.concatenate([case[name] for case in changed]) for name in inputs}
    )


def changes(problem: Problem) -> tuple[Change, ...]:
    """List the relations that these arguments can have."""
    return (
        *_beside_labels(problem),
        *perfect(problem),
        *(change for variable in problem.variables for change in _samples(variable, problem)),
        *_same_sample(problem),
        *(change for variable in problem.variables for change in degenerate(variable)),
    )


def _beside_labels(problem: Problem) -> Iterator[Change]:
    """y_pred equal to y_true, opposite to it, and near it."""
    if problem.pair is None:
        return
    true, pred = problem.pair

    def beside(move: Move) -> Change:
        return lambda inputs, rng: {pred.name: move(inputs[true.name], rng)}

    yield beside(lambda label, rng: label)
    yield beside(lambda label, rng: -label)
    if pred.domain.bounds == (0.0, 1.0):
        yield beside(lambda label, rng: 1.0 - label)
    yield from map(beside, pred.domain.relatives())
    for move in moves(pred, problem.dtype):
        yield beside(move)


def moves(variable: Variable, dtype: str) -> Iterator[Move]:
    """Small steps away from values: relative, absolute and by an ulp; kept inside the domain."""
    domain = variable.domain

    def near(size: float, relative: bool, values: Array, rng: np.random.Generator) -> Array:
        signed = size * rng.choice([-1.0, 1.0], size=values.shape)
        moved = values * (1.0 + signed) if relative else values + signed
        return domain.project(domain.clip(moved))

    def by_ulps(steps: int, values: Array, rng: np.random.Generator) -> Array:
        return step_magnitude(values, steps, dtype)

    for size in _NEAR:
        yield partial(near, size, True)
        yield partial(near, size, False)
    for steps in (-1, 1):
        yield partial(by_ulps, steps)


def _samples(variable: Variable, problem: Problem) -> Iterator[Change]:
    """Equal, near and zero samples, constant arrays, rows of equal entries."""
    if not variable.continuous or variable.size == 1:
        return
    name, domain = variable.name, variable.domain

    def edit(put: Edit) -> Change:
        def change(inputs: Inputs, rng: np.random.Generator) -> dict[str, Array]:
            values = inputs[name].astype(np.float64)
            put(values, rng)
            return {name: values}

        return change

    def level(values: Array, rng: np.random.Generator) -> None:
        values[...] = domain.project(np.repeat(values[..., :1], values.shape[-1], axis=-1))

    def constant(values: Array, rng: np.random.Generator) -> None:
        first = values.reshape(len(values), -1)[:, 0].reshape(-1, *(1 for _ in variable.shape))
        values[...] = domain.project(np.broadcast_to(first, values.shape))

    def nothing(values: Array, rng: np.random.Generator) -> None:
        values[...] = 0.0

    yield from (edit(constant), edit(nothing))
    if variable.shape[-1] > 1 and len(variable.shape) > 1:
        yield edit(level)
    if variable.samples > 1:
        yield from map(edit, _between_samples(variable, problem.dtype))


def _between_samples(variable: Variable, dtype: str) -> Iterator[Edit]:
    """Equal, near and zero samples of an argument that has two or more."""

    def all_equal(values: Array, rng: np.random.Generator) -> None:
        values[...] = values[:, :1]

    def two_equal(values: Array, rng: np.random.Generator) -> None:
        values[:, 1] = values[:, 0]

    def one_zero(values: Array, rng: np.random.Generator) -> None:
        values[:, 0] = 0.0

    def two_near(move: Move, values: Array, rng: np.random.Generator) -> None:
        values[:, 1] = move(values[:, 0], rng)

    yield from (all_equal, two_equal, one_zero)
    for move in moves(variable, dtype):
        yield partial(two_near, move)


def _same_sample(problem: Problem) -> Iterator[Change]:
    """Every argument repeats its first sample: a batch of one sample, many times."""
    batched = [variable for variable in problem.variables if variable.samples > 1]
    if len(batched) > 1:
        yield lambda inputs, rng: {
            variable.name: np.repeat(inputs[variable.name][:, :1], variable.samples, axis=1)
            for variable in batched
        }


def degenerate(variable: Variable) -> Iterator[Change]:
    """List what can be wrong with labels or weights as a whole.

    Yields
    ------
    Change
        Of this argument alone.
    """
    yield from _labels(variable)
    yield from _weights(variable)


def _labels(variable: Variable) -> Iterator[Change]:
    """One label everywhere, and one label missing."""
    if not variable.domain.integral or variable.slots == 1 or variable.domain.name == "count":
        return
    name, pool = variable.name, variable.usual

    def rewrite(everywhere: bool, inputs: Inputs, rng: np.random.Generator) -> dict[str, Array]:
        values = inputs[name].reshape(len(inputs[name]), variable.slots, -1)
        tokens = pool.reshape(len(pool), -1)
        old, new = rng.integers(len(tokens), size=(2, len(values)))
        hit = (values == tokens[old][:, np.newaxis]).all(axis=2, keepdims=True) | everywhere
        changed = np.where(hit, tokens[new][:, np.newaxis], values)
        return {name: changed.reshape(inputs[name].shape)}

    yield partial(rewrite, True)
    yield partial(rewrite, False)


def _weights(variable: Variable) -> Iterator[Change]:
    """Weights or masks that are zero everywhere, in one sample, in half the places, and equal."""
    if variable.role != "weight" and variable.domain.name != "mask":
        return
    name = variable.name

    def scale(keep: Callable[[Array, np.random.Generator], Array]) -> Change:
        return lambda inputs, rng: {name: inputs[name] * keep(inputs[name], rng)}

    yield scale(lambda values, rng: np.zeros(values.shape))
    yield lambda inputs, rng: {name: np.ones(inputs[name].shape)}
    if variable.size > 1:
        yield scale(lambda values, rng: rng.integers(2, size=values.shape))
    if variable.samples > 1:
        first = np.arange(variable.samples) == 0
        first = first.reshape(-1, *(1 for _ in variable.shape[1:]))
        yield scale(lambda values, rng: first)
        yield scale(lambda values, rng: ~first)


def perfect(problem: Problem) -> Iterator[Change]:
    """List perfect and worst predictions, where the domains say what right is.

    Yields
    ------
    Change
        Of the prediction.
    """
    true, pred = problem.with_role("y_true"), problem.with_role("y_pred")
    if true is None or pred is None or pred.domain.integral or not labelled(true, pred):
        return

    def predict(
        answer: Callable[[Array], Array], inputs: Inputs, rng: np.random.Generator
    ) -> dict[str, Array]:
        return {pred.name: answer(target(inputs[true.name], true, pred))}

    low, high = pred.domain.bounds
    if math.isfinite(low) and math.isfinite(high):
        for doubt, right in product(_DOUBT, (True, False)):
            yield partial(predict, partial(_probability, pred, doubt, right))
    elif math.isinf(low) and math.isinf(high) and pred.domain.elementwise:
        for size in _CONFIDENCE:
            yield partial(predict, partial(_logit, size))
            yield partial(predict, partial(_logit, -size))


def labelled(true: Variable, pred: Variable) -> bool:
    """Whether the label says which prediction is right."""
    if isinstance(true.domain, ClassIndex):
        column = true.shape[-1:] == (1,) and pred.shape[:-1] == true.shape[:-1]
        return column or pred.shape[:-1] == true.shape
    if true.domain.width is not None or pred.domain.width is not None:
        return False  # what is right differs from column to column
    return true.shape == pred.shape and true.domain.bounds in {(0.0, 1.0), (-1.0, 1.0)}


def target(label: Array, true: Variable, pred: Variable) -> Array:
    """Give the right probabilities (n, *prediction) of labels (n, *label)."""
    if isinstance(true.domain, ClassIndex):
        width = pred.shape[-1]
        classes = np.clip(label, 0, width - 1).astype(int).reshape(-1, *pred.shape[:-1])
        return one_hot(classes, width)
    low, high = true.domain.bounds
    return (label - low) / (high - low)


def _logit(size: float, target: Array) -> Array:
    """Give logits of one size, of the sign of the right class; negative sizes are wrong."""
    return size * (2.0 * target - 1.0)


def _probability(pred: Variable, doubt: float, right: bool, target: Array) -> Array:
    """Move from the right probabilities, or from wrong ones, a little towards the others."""
    wrong = np.roll(target, 1, axis=-1) if pred.domain.name == "simplex" else 1.0 - target
    near, far = (target, wrong) if right else (wrong, target)
    low, high = pred.domain.bounds
    return low + (high - low) * ((1.0 - doubt) * near + doubt * far)
