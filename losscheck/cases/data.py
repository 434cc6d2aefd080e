"""Cases from the user's data: their rows at the sizes of an instance, and points near them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.cases.problem import Problem, Variable
from losscheck.cases.relations import moves
from losscheck.domains import OUTSIDE, layout
from losscheck.domains.floats import cast, step_magnitude
from losscheck.domains.labels import ClassIndex
from losscheck.model import Argument, Array, Inputs
from losscheck.settings.shapes import parse

# Share of the budget that rows take at most, on top of it, and as much again the points near them.
SHARE = 0.05
FEWEST = 64  # cases, however small the budget


@attrs.frozen(eq=False)
class Rows:
    """The rows of data at the sizes of an instance."""

    cases: CaseBlock  # groups of rows as they are, and points near them
    own: int  # how many cases at the head are rows as they are
    used: int  # how many different rows there are in them
    reason: str = ""  # why there are none, or which numbers of a row stand for it


def from_data(
    problem: Problem,
    arguments: Sequence[Argument],
    rows: Mapping[str, Array],
    limit: int,
    seed: int,
) -> Rows:
    """Make cases of data, and of points near them.

    A case of a batch holds neighbouring rows. Where the instance is narrower than a row, some of
    the numbers of a row are taken, the same ones of every argument, unless a row is one thing.

    Parameters
    ----------
    rows
        For each argument (N, ...), whose axes are those of its shape.
    limit
        Cases of rows, at most; there are up to twice as many beside them.
    """
    nothing = Rows(problem.nothing(), 0, 0, "the rows are larger or smaller than these sizes")
    rng = np.random.default_rng((seed, 7))
    windows = _windows(problem, arguments, rows)
    if windows is None or limit < 1:
        return nothing
    total = len(next(iter(rows.values())))
    batch = problem.variables[0].samples
    groups = _groups(rows, total, batch, limit, rng)
    cropped = any(free for free in windows.values())
    count = min(limit, len(groups) * math.prod(free + 1 for free in windows.values()))
    chosen = groups[np.arange(count) % len(groups)]
    offsets = {letter: rng.integers(free + 1, size=count) for letter, free in windows.items()}
    inputs = {
        argument.name: _taken(rows[argument.name], argument, problem, chosen, offsets)
        for argument in arguments
    }
    usable = _usable(problem, inputs)
    if not usable.any():
        return attrs.evolve(nothing, reason="no row lies in the domains at these sizes")
    inputs = {name: array[usable] for name, array in inputs.items()}
    own = problem.judge(inputs)
    reasons = ["windows of the rows, at the same places of every argument"] if cropped else []
    if not usable.all():
        reasons.append(f"{int((~usable).sum()):,} left out, with labels of no class")
    near = [problem.judge(other) for other in _near(problem, inputs, limit, rng)]
    used = len(np.unique(chosen[usable]))
    return Rows(CaseBlock.concat([own, *near]), len(own), used, "; ".join(reasons))


def _usable(problem: Problem, inputs: Inputs) -> Array:
    """(n,) bool: the case lies in the domains; a label of no class is for LC206 alone."""
    usable = np.ones(len(next(iter(inputs.values()))), bool)
    for variable in problem.variables:
        values = cast(inputs[variable.name], problem.dtype)
        usable &= variable.classify(values, problem.dtype, problem.classes) < OUTSIDE
        if isinstance(variable.domain, ClassIndex):
            labels = layout.flat(values)
            usable &= ((labels >= 0) & (labels < problem.classes)).all(axis=1)
    return usable


def _windows(
    problem: Problem, arguments: Sequence[Argument], rows: Mapping[str, Array]
) -> dict[str, int] | None:
    """How far a window may move along each letter, None where the rows do not fit."""
    windows: dict[str, int] = {}
    for argument, variable in zip(arguments, problem.variables, strict=True):
        dims = parse(argument.shape).dims
        for axis, dim in enumerate(dims[1:], 1):
            free = rows[argument.name].shape[axis] - variable.shape[axis]
            whole = axis == len(dims) - 1 and not variable.domain.elementwise
            classes = axis == len(dims) - 1 and argument.role == "y_pred" and _indexed(problem)
            if free < 0 or (free and (whole or classes or not isinstance(dim, str))):
                return None
            if isinstance(dim, str):
                windows[dim] = free
    return windows


def _indexed(problem: Problem) -> bool:
    return any(isinstance(variable.domain, ClassIndex) for variable in problem.variables)


def _groups(
    rows: Mapping[str, Array], total: int, batch: int, limit: int, rng: np.random.Generator
) -> Array:
    """(groups, batch) numbers of neighbouring rows; those with the ends of arguments among them.

    Where there are fewer rows than a batch has, they repeat.
    """
    if total < batch:
        return np.resize(np.arange(total), (1, batch))
    first = np.arange(0, total - batch + 1, batch)
    if total % batch:
        first = np.append(first, total - batch)  # the last rows, some of them once more
    if len(first) > limit:
        ends = [place for array in rows.values() for place in _ends(array)]
        kept = np.unique(np.searchsorted(first, ends, side="right") - 1)[:limit]
        others = np.setdiff1d(np.arange(len(first)), kept)
        more = rng.choice(others, limit - len(kept), replace=False)
        first = first[np.sort(np.concatenate([kept, more]))]
    return first[:, np.newaxis] + np.arange(batch)


def _ends(array: Array) -> tuple[int, int]:
    """The rows with the least and the greatest number."""
    flat = array.reshape(len(array), -1)
    return int(flat.min(axis=1).argmin()), int(flat.max(axis=1).argmax())


def _taken(
    array: Array,
    argument: Argument,
    problem: Problem,
    chosen: Array,
    offsets: Mapping[str, Array],
) -> Array:
    """(n, *shape) the chosen rows of an argument, through the windows."""
    variable = next(v for v in problem.variables if v.name == argument.name)
    count, rank = len(chosen), len(variable.shape)
    index = [chosen.reshape(count, -1, *(1,) * (rank - 1))]
    for axis, dim in enumerate(parse(argument.shape).dims[1:], 1):
        along = np.arange(variable.shape[axis]).reshape(1, -1)
        if isinstance(dim, str):
            along = offsets[dim].reshape(-1, 1) + along
        index.append(along.reshape(len(along), *(1,) * axis, -1, *(1,) * (rank - 1 - axis)))
    return np.asarray(array[tuple(index)])


def _near(
    problem: Problem, inputs: Inputs, limit: int, rng: np.random.Generator
) -> Iterator[dict[str, Array]]:
    """Points near rows: an ulp and a little away, and the ends of the data amid other rows."""
    free = [v for v in problem.variables if v.continuous]
    changes = sum(len(list(moves(v, problem.dtype))) for v in free)
    each = max(1, min(len(inputs[problem.variables[0].name]), limit // max(1, changes)))
    some = {name: array[:: max(1, len(array) // each)][:each] for name, array in inputs.items()}
    for variable in free:
        for move in moves(variable, problem.dtype):
            moved = move(some[variable.name].astype(np.float64), rng)
            yield {**some, variable.name: moved}
        if variable.domain.elementwise:
            yield from _extremes(variable, inputs, some, problem.dtype, rng)


def _extremes(
    variable: Variable, inputs: Inputs, some: Inputs, dtype: str, rng: np.random.Generator
) -> Iterator[dict[str, Array]]:
    """The ends of the data of an argument, everywhere and at one place of other rows."""
    values = inputs[variable.name].astype(np.float64)
    ends = np.array([values.min(), values.max()])
    tokens = np.concatenate([step_magnitude(ends, steps, dtype) for steps in (-1, 0, 1)])
    count = len(some[variable.name])
    if not count:
        return
    beside = {name: array[rng.integers(count, size=len(tokens))] for name, array in some.items()}
    yield {**beside, variable.name: layout.fill(tokens, variable.shape)}
    background = beside[variable.name].astype(np.float64)
    yield {**beside, variable.name: layout.plant(background, tokens, rng.random(len(tokens)))}
