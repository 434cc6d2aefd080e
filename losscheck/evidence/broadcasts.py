"""Broadcasts that nobody wrote down, read off the shapes of the graph."""

from __future__ import annotations

from losscheck.program.wiring import Wiring

_ELEMENTWISE = frozenset(
    {
        "Add", "AddV2", "Sub", "Mul", "RealDiv", "DivNoNan", "MulNoNan", "Maximum", "Minimum",
        "Pow",
        "SquaredDifference", "Equal", "NotEqual", "Less", "LessEqual", "Greater", "GreaterEqual",
        "LogicalAnd", "LogicalOr", "SelectV2", "Xlogy", "Xdivy", "Atan2", "FloorDiv", "FloorMod",
    }
)  # fmt: skip


def rank_promotion(graph: Wiring, argument: str) -> str | None:
    """Find the first operation on an argument that gives an operand further axes by itself."""
    depends = graph.depends(argument)
    for node in graph.forward:
        if node.type in _ELEMENTWISE and not depends.isdisjoint(node.inputs):
            ranks = {len(shape) for t in node.inputs if (shape := _shape(graph, t))}
            if len(ranks) > 1:  # scalars are no matter of rank
                return node.name
    return None


def constant_broadcast(graph: Wiring) -> str | None:
    """Find a product of something of width 1 with a wider constant, summed afterwards.

    The sum of such a product is the sum of the constant times the thing: nobody writes the
    constant out for that, so its width says how wide the prediction was meant to be.
    """
    for node in graph.forward:
        if node.type != "Mul" or node.shapes[0] is None:
            continue
        shapes = {t: _shape(graph, t) for t in node.inputs}
        constant = [t for t in node.inputs if not _depends(graph, t)]
        other = [t for t in node.inputs if _depends(graph, t)]
        if len(constant) != 1 or len(other) != 1:
            continue
        wide, thin = shapes[constant[0]], shapes[other[0]]
        if not wide or not thin or wide[-1] == 1 or thin[-1] != 1:
            continue
        if all(
            user.type in ("Sum", "Mean")
            for user in graph.consumers.get(node.outputs[0], ())
            if not user.backward and user.type not in ("Shape", "Size")
        ):
            return node.name
    return None


def _depends(graph: Wiring, tensor: str) -> bool:
    return any(tensor in graph.depends(name) for name in graph.arguments)


def _shape(graph: Wiring, tensor: str) -> tuple[int | None, ...] | None:
    node = graph.producer(tensor)
    return node.shapes[node.outputs.index(tensor)]
