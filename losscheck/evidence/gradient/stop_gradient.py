"""Whether a gradient that is wrong is right for what TensorFlow takes the loss for.

`tf.stop_gradient` makes a part of it constant, and a Cholesky factor takes matrices for symmetric.
"""

from __future__ import annotations

import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gather import Evidence, Instance
from losscheck.model import Array
from losscheck.numerics.ladder import derivatives
from losscheck.numerics.verdict import Agreement, compare
from losscheck.program.held import Factor, Held
from losscheck.program.rounding import rounding
from losscheck.program.tracing.wiring import Node, Wiring

FEW = 32  # elements that are differentiated of a loss that runs one case a call; all excused, the
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
        index = index[np.unique(np.linspace(0, len(index) - 1, min(len(index), FEW)).astype(int))]
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
