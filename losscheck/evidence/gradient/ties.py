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
DISTANCES = (NEIGHBOUR, NEIGHBOUR, 2.0**-12, 2.0**-8, INSIDE)


def ties(
    evidence: Evidence, instance: Instance, block: CaseBlock, index: Array, n: int, scale: float
) -> tuple[Array, Array]:
    """Say which wrong coordinates are right around, and which are wrong there, too.

    All coordinates are moved, each by an amount of its own: one that is moved alone may stay on the
    tie of another. At an edge of the domain the side that is there has the say. What
    `tf.stop_gradient` cuts off may be held there, too. Where many are equal, some pair may stay too
    close for any step to tell: then others are tried, further away.
    """
    right, wrong = np.zeros(len(index), bool), np.zeros(len(index), bool)
    rng = np.random.default_rng(evidence.seed)
    for distance in DISTANCES:
        some = np.flatnonzero(~right & ~wrong)
        if not len(some):
            break
        around = _Around(evidence, instance, block, index[some], n, distance, rng)
        for sign in (-1.0, 1.0):
            found = around.compared(sign, scale)
            right[some] |= found[0]
            wrong[some] |= found[1]
    return np.asarray(right & ~wrong), wrong


class _Around:
    """Points a little beside others, to both sides of a coordinate."""

    def __init__(
        self,
        evidence: Evidence,
        instance: Instance,
        block: CaseBlock,
        index: Array,
        n: int,
        distance: float,
        rng: np.random.Generator,
    ) -> None:
        self._evidence = evidence
        self._instance = instance
        self._name = evidence.spec.prediction.name
        case, self._coordinate = np.divmod(index, n)
        self._block = block.take(case)
        self._rng = rng
        self._ends = evidence.edges(np.arange(n))
        edge = at_an_edge(evidence, block).reshape(len(block), n)[case, self._coordinate]
        self._far = np.where(edge, np.fmax(INSIDE, distance), distance)

    def compared(self, sign: float, scale: float) -> tuple[Array, Array]:
        """(K,) bool each: the gradient is right on this side, and is wrong there."""
        evidence, instance, column = self._evidence, self._instance, self._coordinate
        rows = np.arange(len(column))
        low, high = self._ends
        flat = np.array(self._block.inputs[self._name], np.float64).reshape(len(rows), -1)
        here = flat[rows, column]
        step = self._far[:, None] * np.fmax(1.0, np.abs(flat))
        step *= self._rng.uniform(0.5, 1.0, flat.shape)
        inward = np.where((flat + sign * step < low) | (flat + sign * step > high), -sign, sign)
        flat = flat + inward * step
        ends = low[column], high[column]
        flat[rows, column] = np.clip(here + sign * step[rows, column], *ends)
        there = flat[rows, column]
        moved = flat.reshape(self._block.inputs[self._name].shape)
        cases = CaseBlock({**self._block.inputs, self._name: moved}, self._block.ranges)
        gradient = evidence.double(cases)[1].reshape(len(rows), -1)
        found = at_points(evidence, instance, cases, rows, column, there)
        floor = evidence.programs.floor(instance.shapes)
        outcome = compare(gradient[rows, column], found, floor, scale).outcome
        off = np.zeros(gradient.shape, bool)
        off[rows, column] = np.isin(outcome, WRONG)
        held = frozen(evidence, instance, cases, gradient, off.ravel(), scale)
        outcome[held.reshape(off.shape)[rows, column]] = Agreement.VERIFIED
        moved_on = np.abs(there - here) > 0.25 * step[rows, column]  # not held by the edge
        right = moved_on & (outcome == Agreement.VERIFIED)
        return right, moved_on & np.isin(outcome, WRONG)
