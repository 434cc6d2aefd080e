"""What excuses a gradient that looks wrong: a `tf.stop_gradient`, or a tie with right sides.

`tf.stop_gradient` makes a part of it constant, and a Cholesky factor takes matrices for symmetric.
"""

from __future__ import annotations

import numpy as np

from losscheck.cases.blocks import CaseBlock, spread
from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.gradient.differences import at_an_edge, at_points
from losscheck.evidence.gradient.second_look import WRONG
from losscheck.model import Array
from losscheck.numerics.ladder import derivatives
from losscheck.numerics.verdict import Agreement, compare
from losscheck.program.held import Factor, Held
from losscheck.program.inner import rounding
from losscheck.program.tracing.wiring import Node, Wiring

FEW = 32  # elements that are differentiated of a loss that runs one case a call; all excused, the
NEIGHBOUR = 2.0**-16  # relative distance at which an isolated tie is told from a wrong gradient
INSIDE = 2.0**-6  # the same from an edge, where predictions crowd and so do their ties
DISTANCES = (NEIGHBOUR, NEIGHBOUR, 2.0**-12, 2.0**-8, INSIDE)


# others are, too
def stops(graph: Wiring) -> tuple[Node, ...]:
    """List the operations that keep parts which depend on the prediction from the gradient."""
    depends = graph.depends(graph.prediction)
    return tuple(
        node
        for node in graph.forward
        if node.type == "StopGradient" and not depends.isdisjoint(node.inputs)
    )


def factored(graph: Wiring) -> tuple[Node, ...]:
    """List the Cholesky factors of matrices that depend on the prediction, in order."""
    depends = graph.depends(graph.prediction)
    return tuple(
        node
        for node in graph.forward
        if node.type == "Cholesky" and not depends.isdisjoint(node.inputs)
    )


def frozen(
    evidence: Evidence,
    instance: Instance,
    block: CaseBlock,
    gradient: Array,
    wrong: Array,
    scale: float,
    *,
    mirrored: bool = False,
) -> Array:
    """Differentiate where the gradient is wrong, with the parts that are cut off held.

    Parameters
    ----------
    gradient
        (N, n) float64.
    wrong
        (N·n,) bool.
    scale
        The ordinary size of a gradient element.
    mirrored
        Whether matrices that are factored move with their mirror images, besides.

    Returns
    -------
    Array
        (N·n,) bool: the gradient is not wrong so.
    """
    right = np.zeros(wrong.shape, bool)
    program = evidence.programs.double_graph(instance.shapes)
    every = index = np.flatnonzero(wrong)
    if not len(index) or program is None:
        return right
    graph = program.wiring
    held = tuple(dict.fromkeys(tensor for node in stops(graph) for tensor in node.outputs))
    factors = [
        Factor(matrix=node.inputs[0], factor=node.outputs[0])
        for node in (factored(graph) if mirrored else ())
    ]
    if not (factors if mirrored else held):
        return right
    still = Held(program, held, factors)
    if still.slow:
        index = spread(index, FEW)
    agrees = _agreeing(evidence, instance, still, block, gradient, index, scale)
    if len(index) < len(every) and agrees.all():
        index, agrees = every, np.ones(len(every), bool)
    right[index] = agrees
    return right


def _agreeing(
    evidence: Evidence,
    instance: Instance,
    still: Held,
    block: CaseBlock,
    gradient: Array,
    index: Array,
    scale: float,
) -> Array:
    """(K,) bool: elements of the gradient that are right with what is cut off held."""
    program = still.program
    case, coordinate = np.divmod(index, gradient.shape[1])
    rows, row = np.unique(case, return_inverse=True)
    cases = block.take(rows)
    x = np.asarray(cases.inputs[program.prediction], np.float64).reshape(len(rows), -1)
    at = x[row, coordinate]
    low, high = evidence.edges(coordinate)
    evaluate, agrees = still.along(cases.inputs), np.zeros(len(index), bool)
    floor = evidence.programs.floor(instance.shapes)
    noise = np.zeros(len(rows))
    for attempt in range(2):  # the second one, which costs more, knows what rounding may do
        some = np.flatnonzero(~agrees)
        if attempt:
            noise = rounding(program, cases.inputs)
        found = derivatives(
            evaluate,
            row[some],
            coordinate[some],
            at[some],
            np.fmin(low, at)[some],
            np.fmax(high, at)[some],
            rounding=noise[row[some]],
        )
        outcome = compare(gradient.ravel()[index[some]], found, floor, scale).outcome
        agrees[some] = ~np.isin(outcome, (Agreement.MISMATCH, Agreement.OUTSIDE))
        if agrees.all() or still.slow:
            break
    return agrees


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
