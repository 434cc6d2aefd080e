"""What rounding inside a loss, and inside its gradient, may explain of a gradient that looks wrong.

Both cost more than a look at every coordinate may, and are asked for where something is at stake.
"""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gather import Evidence, Instance
from losscheck.model import Array
from losscheck.numerics.ladder import derivatives
from losscheck.numerics.verdict import SAFETY, Agreement, Comparison, compare
from losscheck.program.batch import Program
from losscheck.program.programs import along
from losscheck.program.rounding import rounding

WRONG: Final = (Agreement.MISMATCH, Agreement.OUTSIDE)

NEIGHBOURS: Final = 4
"""Numbers next to x, on either side, at which the gradient is taken again: its rounding is another
one at each, and a kink at x does not come between those of one side."""


def second_look(
    evidence: Evidence,
    instance: Instance,
    block: CaseBlock,
    gradient: Array,
    comparison: Comparison,
    scale: float,
    among: Array | None = None,
) -> Comparison:
    """Take back what rounding explains.

    Parameters
    ----------
    block
        N cases.
    gradient
        (N, n) float64, as it was judged.
    comparison
        Of its N·n coordinates.
    scale
        The ordinary size of the gradient.
    among
        (N·n,) bool: the coordinates to look at, those that are wrong where it is None.

    Returns
    -------
    Comparison
        Coordinates that were wrong are inconclusive, or verified within a larger bound, where the
        rounding of the loss or that of the gradient itself explains the difference.
    """
    index = np.flatnonzero(np.isin(comparison.outcome, WRONG) if among is None else among)
    program = evidence.programs.double(instance.shapes)
    if not len(index) or not isinstance(program, Program):
        return comparison
    case, coordinate = np.divmod(index, gradient.shape[1])
    picked = block.take(case)
    name, rows = program.prediction, np.arange(len(case))
    x = np.asarray(picked.inputs[name], np.float64).reshape(len(case), -1)[rows, coordinate]
    low, high = evidence.box
    found = derivatives(
        along(program, picked.inputs),
        rows,
        coordinate,
        x,
        np.fmin(low, x),
        np.fmax(high, x),
        rounding=rounding(program, picked.inputs),
    )
    floor = evidence.programs.floor(instance.shapes)
    judged = compare(gradient.ravel()[index], found, floor, scale)
    noise = _scatter(evidence, picked, coordinate)
    explained = comparison.difference[index] <= comparison.bound[index] + SAFETY * noise
    outcome = comparison.outcome.copy()
    # A staircase of rounding hides a slope that the larger error of the second look allows for.
    right = ~np.isin(judged.outcome, WRONG)
    outcome[index[right]] = judged.outcome[right]
    outcome[index[explained & ~right]] = Agreement.INCONCLUSIVE
    return attrs.evolve(comparison, outcome=outcome)


def _scatter(evidence: Evidence, block: CaseBlock, coordinate: Array) -> Array:
    """(N,) by how much the gradient in a coordinate of each case differs between neighbours."""
    name, rows = evidence.spec.prediction.name, np.arange(len(block))
    flat = np.array(block.inputs[name], np.float64).reshape(len(block), -1)
    most = np.zeros(len(block))
    for end in (-np.inf, np.inf):
        moved, slopes = flat.copy(), []
        for _ in range(NEIGHBOURS):
            moved[rows, coordinate] = np.nextafter(moved[rows, coordinate], end)
            inputs = {**block.inputs, name: moved.reshape(block.inputs[name].shape)}
            slopes.append(evidence.double(CaseBlock(inputs, block.ranges))[1].reshape(flat.shape))
        most = np.fmax(most, np.ptp([slope[rows, coordinate] for slope in slopes], axis=0))
    return most
