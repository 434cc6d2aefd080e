"""The operation at fault as it ran, and the one that made NaN of the infinity that it gave."""

from __future__ import annotations

import numpy as np

from losscheck.advice.ran import Ran
from losscheck.findings.blame import Values
from losscheck.model import Array
from losscheck.program.tracing.wiring import Node, Wiring

FOLLOWED = 64  # operations that an infinity is followed through


def ran(graph: Wiring, node: Node, values: Values) -> Ran | None:
    """Give an operation with its numbers of a case; None where not all of them are known."""
    outcome = values.get(node.outputs[0]) if node.outputs else None
    operands = [_known(graph, tensor, values) for tensor in node.inputs]
    if outcome is None or not operands:
        return None
    known = tuple(array for array in operands if array is not None)
    if len(known) < len(operands):
        return None
    return Ran(
        op=node.type,
        operands=known,
        outcome=np.asarray(outcome),
        dtype=str(np.asarray(outcome).dtype),
    )


def made_nan(graph: Wiring, node: Node, values: Values) -> Ran | None:
    """Follow an infinity until an operation makes NaN of it; None where none does.

    Parameters
    ----------
    node
        The operation that gave the infinity.
    values
        Every floating-point tensor of the case.
    """
    seen: set[str] = set()
    queue = list(node.outputs)
    while queue and len(seen) < FOLLOWED:
        tensor = queue.pop(0)
        for user in graph.consumers.get(tensor, ()):
            if user.name in seen or not user.outputs or user.outputs[0] not in values:
                continue
            seen.add(user.name)
            came = np.asarray(values[user.outputs[0]], np.float64)
            if np.isnan(came).any():
                return ran(graph, user, values)
            if np.isinf(came).any():
                queue.extend(user.outputs)
    return None


def _known(graph: Wiring, tensor: str, values: Values) -> Array | None:
    constant = graph.producer(tensor).constant
    return values.get(tensor) if constant is None else constant
