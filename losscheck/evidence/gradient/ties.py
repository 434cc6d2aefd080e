"""Whether a gradient is wrong at a tie alone, and right a little to both sides."""

from __future__ import annotations

import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.gradient.differences import at_an_edge, at_points
from losscheck.evidence.gradient.second_look import WRONG
from losscheck.evidence.gradient.stop_gradient import frozen
from losscheck.model import Array
from losscheck.numerics.verdict import Agreement, compare

NEIGHBOUR = 2.0**-16  # relative distance at which an isolated tie is told from a wrong gradient
INSIDE = 2.0**-6  # the same from an edge, where predictions crowd and so do their ties


def ties(
    evidence: Evidence, instance: Instance, block: CaseBlock, index: Array, n: int, scale: float
) -> tuple[Array, Array]:
    """Say which wrong coordinates are right around, and which are wrong there, too.

    All coordinates are moved, each by an amount of its own: one that is moved alone may stay on the
    tie of another. At an edge of the domain the side that is there has the say. What
    `tf.stop_gradient` cuts off may be held there, too.
    """
    case, coordinate = np.divmod(index, n)
    name = evidence.spec.prediction.name
    rng = np.random.default_rng(evidence.seed)
    rows = np.arange(len(case))
    low, high = evidence.edges(np.arange(n))
    edge = at_an_edge(evidence, block).reshape(len(block), n)[case, coordinate]
    far = np.where(edge, INSIDE, NEIGHBOUR)
    right, wrong = np.zeros(len(index), bool), np.zeros(len(index), bool)
    for sign in (-1.0, 1.0):
        moved = block.take(case)
        flat = np.array(moved.inputs[name], np.float64).reshape(len(case), -1)
        here = flat[rows, coordinate]
        step = far[:, None] * np.fmax(1.0, np.abs(flat)) * rng.uniform(0.5, 1.0, flat.shape)
        inward = np.where((flat + sign * step < low) | (flat + sign * step > high), -sign, sign)
        flat = flat + inward * step
        ends = low[coordinate], high[coordinate]
        flat[rows, coordinate] = np.clip(here + sign * step[rows, coordinate], *ends)
        there = flat[rows, coordinate]
        inputs = {**moved.inputs, name: flat.reshape(moved.inputs[name].shape)}
        cases = CaseBlock(inputs=inputs, ranges=moved.ranges)
        gradient = evidence.double(cases)[1].reshape(len(case), -1)
        found = at_points(evidence, instance, cases, rows, coordinate, there)
        floor = evidence.programs.floor(instance.shapes)
        outcome = compare(gradient[rows, coordinate], found, floor, scale).outcome
        off = np.zeros(gradient.shape, bool)
        off[rows, coordinate] = np.isin(outcome, WRONG)
        held = frozen(evidence, instance, cases, gradient, off.ravel(), scale)
        outcome[held.reshape(off.shape)[rows, coordinate]] = Agreement.VERIFIED
        moved_on = np.abs(there - here) > 0.25 * step[rows, coordinate]  # not held by the edge
        right |= moved_on & (outcome == Agreement.VERIFIED)
        wrong |= moved_on & np.isin(outcome, WRONG)
    return np.asarray(right & ~wrong), wrong
