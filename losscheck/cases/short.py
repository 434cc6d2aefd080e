"""A few hundred cases for what runs one case a call: corners, relations, and some of each range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.cases.corners import corners
from losscheck.cases.problem import Problem
from losscheck.cases.relations import relations
from losscheck.model import Argument, Range
from losscheck.settings import shapes

# Shares of the cases; what they leave is drawn from the working range.
_ORDINARY, _CORNERS, _RELATIONS = 0.1, 0.5, 0.2


def short(
    arguments: Sequence[Argument],
    sizes: Mapping[str, int],
    *,
    dtype: str,
    classes: int,
    seed: int,
    count: int,
) -> CaseBlock:
    """Generate about `count` ordinary and working cases, none of them extreme."""
    at = {argument.name: shapes.parse(argument.shape).at(sizes) for argument in arguments}
    problem = Problem.of(arguments, at, dtype, classes)
    rng = np.random.default_rng((seed, 7))
    parts = [
        problem.judge(problem.draw(max(1, int(count * _ORDINARY)), Range.ORDINARY, rng)),
        corners(problem, int(count * _CORNERS), seed),
        relations(problem, int(count * _RELATIONS), seed),
    ]
    rest = max(1, count - sum(map(len, parts)))
    parts.append(problem.judge(problem.draw(rest, Range.WORKING, rng)))
    block = CaseBlock.concat(parts)
    return block.take(block.ranges <= Range.WORKING).distinct()
