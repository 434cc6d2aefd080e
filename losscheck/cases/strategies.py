"""Mixtures: Hypothesis describes blocks of cases, NumPy fills them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.cases.problem import Problem
from losscheck.cases.recipes import Mood, Recipe, recipes
from losscheck.cases.relations import changes
from losscheck.cases.variable import Change, Variable
from losscheck.model import Argument, Array, Range

# Blocks a run: enough for every relation and every pair of ranges to come up; one costs Hypothesis
# about 0.4 ms.
_BLOCKS = 64
# A quarter more than asked for: what falls outside the domains is dropped.
_SPARE = 1.25


def mixtures(
    arguments: Sequence[Argument],
    shapes: Mapping[str, tuple[int, ...]],
    count: int,
    seed: int,
    dtype: str = "float32",
    *,
    classes: int = 2,
) -> CaseBlock:
    """Draw cases that mix ranges, landmarks, magnitudes and relations.

    Parameters
    ----------
    arguments
        Of the loss.
    shapes
        The shape of one case of each argument.
    count
        The number of cases, at most.
    seed
        The same seed gives the same cases.
    dtype
        The float type of every input.
    classes
        The number of classes of `class_index` arguments.

    Returns
    -------
    CaseBlock
        Cases inside the domains, with their ranges; fewer than `count` where much was dropped.
    """
    return mixed(Problem.of(arguments, shapes, dtype, classes), count, seed)


def mixed(problem: Problem, count: int, seed: int) -> CaseBlock:
    """Draw the mixtures of a problem; see `mixtures`."""
    rng = np.random.default_rng((seed, 4))
    blocks = recipes(len(problem.variables), blocks_of(count), seed)
    room = -(-int(count * _SPARE) // len(blocks))
    found = changes(problem)
    # What overflows is outside every domain, and dropped.
    with np.errstate(over="ignore", invalid="ignore"):
        drawn = [_expand(problem, recipe, found, room, rng) for recipe in blocks]
        judged = problem.judge(
            {
                variable.name: np.concatenate([case[variable.name] for case in drawn])
                for variable in problem.variables
            }
        )
    return judged.take(np.sort(rng.permutation(len(judged))[:count]))


def blocks_of(count: int) -> int:
    """How many blocks Hypothesis describes for so many cases, at most."""
    return max(1, min(_BLOCKS, count // 16))


def _expand(
    problem: Problem,
    recipe: Recipe,
    found: Sequence[Change],
    room: int,
    rng: np.random.Generator,
) -> dict[str, Array]:
    """Fill a block: for each argument (room, *shape)."""
    inputs = {
        variable.name: _drawn(variable, mood, problem, room, rng)
        for variable, mood in zip(problem.variables, recipe.moods, strict=True)
    }
    number, none = divmod(recipe.relation, 2)
    if found and not none:
        inputs |= found[number % len(found)](inputs, rng)
    return inputs


def _drawn(
    variable: Variable, mood: Mood, problem: Problem, room: int, rng: np.random.Generator
) -> Array:
    domain = variable.domain
    # 2^-31 keeps logarithms and quantiles of the points finite.
    points = np.maximum(rng.random((room, domain.dimensions(variable.shape))), 2.0**-31)
    values = variable.draw(points, mood.reach, problem.dtype, problem.classes, rng)
    if domain.movable and not domain.integral:
        values = domain.clip(values * mood.magnitude)
    slots = values.reshape(room, variable.slots, -1)
    special = rng.random(slots.shape[:2]) < mood.special
    pool = variable.tokens if mood.reach is Range.EXTREME else variable.usual
    pool = pool.reshape(len(pool), -1)
    slots = np.where(
        special[..., np.newaxis], pool[rng.integers(len(pool), size=special.shape)], slots
    )
    return slots.reshape(values.shape)
