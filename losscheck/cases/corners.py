"""Corners: the landmarks of all arguments crossed with each other."""

from __future__ import annotations

import math

import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.cases.problem import Problem
from losscheck.domains import layout
from losscheck.model import Array, Range

# Ordinary cases that a landmark is planted into; more of them would add nothing to a corner.
_BACKGROUNDS = 1024


def corners(problem: Problem, limit: int, seed: int) -> CaseBlock:
    """Cross the landmarks of the arguments.

    A case of one token an argument holds one combination. Larger ones hold it three ways:
    everywhere, at one place amid ordinary values (the same place in every argument), and scattered
    at random over all places. Where there are more combinations than `limit` allows, half of a
    random choice of them is working at most, so that extreme values do not hide the others.

    Parameters
    ----------
    limit
        The number of cases, at most.
    """
    rng = np.random.default_rng((seed, 1))
    fills = _combinations(problem, limit if problem.single else limit // 3, rng)
    blocks = [_filled(problem, fills)]
    if not problem.single:
        planted = _combinations(problem, limit // 3, rng)
        blocks += [_planted(problem, planted, rng), _scattered(problem, limit // 3, rng)]
    return problem.judge(
        {
            variable.name: np.concatenate([block[variable.name] for block in blocks])
            for variable in problem.variables
        }
    )


def all_corners(problem: Problem) -> int:
    """Count the combinations of landmarks, one an argument."""
    return math.prod(len(variable.tokens) for variable in problem.variables)


def _combinations(problem: Problem, limit: int, rng: np.random.Generator) -> dict[str, Array]:
    """Give tokens for each argument (k, ...): every combination, or a random choice of them."""
    sizes = [len(variable.tokens) for variable in problem.variables]
    total = all_corners(problem)
    if total <= limit:
        indices = np.unravel_index(np.arange(total), sizes)
        pairs = zip(problem.variables, indices, strict=True)
        return {variable.name: variable.tokens[index] for variable, index in pairs}
    half = limit // 2
    return {
        variable.name: np.concatenate(
            [
                pool[rng.integers(len(pool), size=count)]
                for pool, count in ((variable.usual, half), (variable.tokens, limit - half))
            ]
        )
        for variable in problem.variables
    }


def _filled(problem: Problem, tokens: dict[str, Array]) -> dict[str, Array]:
    return {
        variable.name: layout.fill(tokens[variable.name], variable.shape)
        for variable in problem.variables
    }


def _planted(
    problem: Problem, tokens: dict[str, Array], rng: np.random.Generator
) -> dict[str, Array]:
    count = len(tokens[problem.variables[0].name])
    ordinary = problem.draw(min(count, _BACKGROUNDS), Range.ORDINARY, rng)
    chosen = rng.integers(min(count, _BACKGROUNDS), size=count)
    place = rng.random(count)
    return {
        name: layout.plant(values[chosen], tokens[name], place) for name, values in ordinary.items()
    }


def _scattered(problem: Problem, limit: int, rng: np.random.Generator) -> dict[str, Array]:
    half = limit // 2
    return {
        variable.name: np.concatenate(
            [
                layout.scatter(pool, count, variable.shape, rng)
                for pool, count in ((variable.usual, half), (variable.tokens, limit - half))
            ]
        )
        for variable in problem.variables
    }
