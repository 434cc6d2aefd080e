"""Whether a gradient that is wrong is right for the loss that `tf.stop_gradient` makes of it."""

from __future__ import annotations

import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gather import Evidence, Instance
from losscheck.model import Array
from losscheck.numerics.ladder import derivatives
from losscheck.numerics.verdict import Agreement, compare
from losscheck.program.batch import Program
from losscheck.program.held import Held
from losscheck.program.wiring import Node, Wiring


def stops(graph: Wiring) -> tuple[Node, ...]:
    """List the operations that keep parts which depend on the prediction from the gradient."""
    depends = graph.depends(graph.prediction)
    return tuple(
        node
        for node in graph.forward
        if node.type == "StopGradient" and not depends.isdisjoint(node.inputs)
    )


def frozen(
    evidence: Evidence,
    instance: Instance,
    block: CaseBlock,
    gradient: Array,
    wrong: Array,
    scale: float,
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

    Returns
    -------
    Array
        (N·n,) bool: the gradient is not wrong so.
    """
    right = np.zeros(wrong.shape, bool)
    program = evidence.programs.double(instance.shapes)
    index = np.flatnonzero(wrong)
    if not len(index) or not isinstance(program, Program):
        return right
    graph = program.wiring
    held = tuple(dict.fromkeys(tensor for node in stops(graph) for tensor in node.outputs))
    if not held:
        return right
    case, coordinate = np.divmod(index, gradient.shape[1])
    rows, row = np.unique(case, return_inverse=True)
    cases = block.take(rows)
    x = np.asarray(cases.inputs[program.prediction], np.float64).reshape(len(rows), -1)
    at = x[row, coordinate]
    low, high = evidence.edges(coordinate)
    try:
        found = derivatives(
            Held(program, held).along(cases.inputs),
            row,
            coordinate,
            at,
            np.fmin(low, at),
            np.fmax(high, at),
        )
    except Exception:  # a graph that cannot be vectorised: nothing excuses the gradient
        return right
    floor = evidence.programs.floor(instance.shapes)
    outcome = compare(gradient.ravel()[index], found, floor, scale).outcome
    right[index] = ~np.isin(outcome, (Agreement.MISMATCH, Agreement.OUTSIDE))
    return right
