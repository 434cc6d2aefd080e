"""The operations at which a loss may change over: comparisons, and those with a kink."""

from __future__ import annotations

import attrs

from losscheck.program.wiring import Node, Wiring

COMPARISONS = frozenset({"Less", "LessEqual", "Greater", "GreaterEqual", "Maximum", "Minimum"})
KINKED = frozenset({"Abs", "Relu", "Relu6", "LeakyRelu", "Sign", "ClipByValue"})


@attrs.frozen(eq=False)
class Decider:
    """A quantity whose sign decides: left minus right, or left alone."""

    node: Node
    left: str
    right: str | None


def deciders_of(graph: Wiring) -> list[Decider]:
    """List the deciding quantities that depend on the prediction."""
    depends = graph.depends(graph.prediction)
    found = []
    for node in graph.forward:
        inputs = [t for t in node.inputs if _floating(graph, t)]
        if depends.isdisjoint(inputs):
            continue
        if node.type in COMPARISONS and len(inputs) == 2:
            found.append(Decider(node, inputs[0], inputs[1]))
        elif node.type == "ClipByValue":
            found += [Decider(node, inputs[0], bound) for bound in inputs[1:3]]
        elif node.type in KINKED:
            found.append(Decider(node, inputs[0], None))
    return found


def _floating(graph: Wiring, tensor: str) -> bool:
    node = graph.producer(tensor)
    return node.dtypes[node.outputs.index(tensor)].startswith("float")


def joins(graph: Wiring, node: Node) -> str:
    """Say whether a comparison chooses between two formulas in the prediction."""
    depends = graph.depends(graph.prediction)
    followed = set(node.outputs)
    for user in graph.forward:
        if followed.isdisjoint(user.inputs):
            continue
        if user.type in ("SelectV2", "Select") and user.inputs[0] in followed:
            branches = user.inputs[1:3]
            return "branches" if all(t in depends for t in branches) else "selection"
        if user.type in ("LogicalAnd", "LogicalOr", "LogicalNot", "Identity", "Cast", "Reshape"):
            followed.update(user.outputs)
    return (
        "branches"
        if node.type in ("Maximum", "Minimum", "Abs", "Relu", "ClipByValue")
        else "selection"
    )
