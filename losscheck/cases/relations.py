"""Relations: predictions beside their labels, samples beside each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.cases.degenerate import degenerate
from losscheck.cases.perfect import perfect
from losscheck.cases.problem import Problem
from losscheck.cases.variable import Change, Variable
from losscheck.domains.floats import step_magnitude
from losscheck.model import Array, Inputs, Range

# A move of the values of one argument, (n, ...) to (n, ...).
Move = Callable[[Array, np.random.Generator], Array]
# The same in place.
Edit = Callable[[Array, np.random.Generator], None]

# How near a near-duplicate is, relative or absolute: a squared distance by way of
# a² + b² - 2ab keeps one digit in float32 at the first, and none at the second.
_NEAR = (1e-3, 1e-4)


def relations(problem: Problem, limit: int, seed: int) -> CaseBlock:
    """Bring every relation about, in ordinary cases and in working ones.

    What falls outside a domain is dropped: opposites of probabilities, zero rows of a simplex.

    Parameters
    ----------
    limit
        The number of cases, at most.

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
