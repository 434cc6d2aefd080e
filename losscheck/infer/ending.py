"""What the last operations of a model say of the values that its output takes."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from losscheck.program.tracing.wiring import Node, Wiring

# Hand their first input on, value by value; what reorders or picks keeps an elementwise domain.
SAME = frozenset(
    {"Identity", "IdentityN", "Cast", "StopGradient", "PreventGradient", "EnsureShape"}
)
PICKING = frozenset({"Reshape", "Squeeze", "ExpandDims", "Transpose", "StridedSlice", "GatherV2"})
DOMAINS = {
    "Sigmoid": ("probability", "a sigmoid"),
    "Tanh": ("[-1, 1]", "a tanh"),
    "Softplus": ("nonnegative", "a softplus"),
    "Exp": ("nonnegative", "an exp"),
    "Relu": ("nonnegative", "a relu"),
    "Relu6": ("[0, 6]", "a relu6"),
    "Abs": ("nonnegative", "an absolute value"),
    "Square": ("nonnegative", "a square"),
    "Sqrt": ("nonnegative", "a square root"),
}
LINEAR = frozenset({"MatMul", "BatchMatMulV2", "Einsum", "Conv2D", "Conv3D", "BiasAdd"})
SUMS = frozenset({"AddV2", "Add", "BiasAdd"})


@attrs.frozen
class Ending:
    """The domain of an output, and why; "" where the graph does not say.

    `unbounded` says that it takes every number, so that a domain which the loss alone suggests must
    not narrow it.
    """

    domain: str = ""
    why: str = ""
    unbounded: bool = False


def ending(graph: Wiring) -> Ending:
    """Read the end of a model's graph.

    Parameters
    ----------
    graph
        Of one output, which is its value.
    """
    node, moved = _last(graph)
    if node.type in DOMAINS:
        domain, what = DOMAINS[node.type]
        return Ending(domain, f"the model's output ends in {what}")
    if node.type == "Softmax" and not moved:  # over the last axis, which the output still has
        return Ending("simplex", "the model's output ends in a softmax")
    if not moved and _normalised(graph, node):
        return Ending("unit_vector", "the model's output is divided by its length")
    if _linear(graph, node):
        return Ending("", "the model's output ends in a linear layer", unbounded=True)
    return Ending()


def _last(graph: Wiring) -> tuple[Node, bool]:
    """The operation that made the numbers of the output, and whether axes were moved since."""
    node, moved = graph.producer(graph.value), False
    while node.inputs and node.type in SAME | PICKING:
        moved |= node.type in PICKING
        node = graph.producer(node.inputs[0])
    return node, moved


def _linear(graph: Wiring, node: Node) -> bool:
    if node.type in SUMS:
        return any(_through(graph, tensor, LINEAR.__contains__) for tensor in node.inputs)
    return node.type in LINEAR


def _through(graph: Wiring, tensor: str, wanted: Callable[[str], bool]) -> bool:
    node = graph.producer(tensor)
    while node.inputs and node.type in SAME | PICKING:
        node = graph.producer(node.inputs[0])
    return wanted(node.type)


def _normalised(graph: Wiring, node: Node) -> bool:
    """Say whether it divides by the root of the sum of squares, or multiplies by 1 over it."""
    wanted = {"Mul": "Rsqrt", "RealDiv": "Sqrt", "DivNoNan": "Sqrt"}.get(node.type)
    if wanted is None:
        return False
    for tensor, other in (node.inputs, node.inputs[::-1]):
        root = graph.producer(other)
        if root.type in ("Maximum", "AddV2") and wanted == "Sqrt":  # a guard outside of the root
            root = graph.producer(root.inputs[0])
        if root.type == wanted and _sum_of_squares(graph, root.inputs[0], tensor):
            return True
    return False


def _sum_of_squares(graph: Wiring, tensor: str, of: str) -> bool:
    node = graph.producer(tensor)
    if node.type in ("Maximum", "AddV2"):  # what keeps the root from 0
        node = graph.producer(node.inputs[0])
    if node.type != "Sum":
        return False
    square = graph.producer(node.inputs[0])
    return square.type in ("Square", "Mul") and set(square.inputs) == {of}
