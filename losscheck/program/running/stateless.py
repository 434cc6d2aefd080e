"""A loss that assigns variables, as a function of what they held before.

Its graph is given the numbers of its variables and hands on what it assigns: nothing is left in the
user's variables, every case starts from the same state, and cases can be run in blocks. What is
read after an assignment has no gradient, as in TensorFlow. A variable that is assigned in a branch
or a loop, or that random numbers are drawn by, is replaced by another one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from losscheck.program.quiet import silence, tensorflow
from losscheck.program.running.blockwise import BRANCHES, CALLS
from losscheck.program.running.state import Reading, Stand

ASSIGNING = {"AssignVariableOp": "", "AssignAddVariableOp": "AddV2", "AssignSubVariableOp": "Sub"}
DRAWING = (
    "Rng",
    "StatefulRandom",
    "StatefulStandardNormal",
    "StatefulTruncated",
    "StatefulUniform",
)
CALLING = BRANCHES | CALLS | {"Case", "StatelessCase", "While", "StatelessWhile"}
Captures = tuple[tuple[Any, Any], ...]  # (tensor outside, placeholder inside)


@attrs.frozen(eq=False)
class Stateless:
    """A graph without assignments to what is outside.

    Attributes
    ----------
    assigned
        What it did assign.
    reread
        Names of the operations that read what was assigned before.
    """

    graph: Any
    captures: Captures
    assigned: tuple[Reading, ...] = ()
    reread: frozenset[str] = frozenset()


def stateless(graph: Any, captures: Captures) -> Stateless:
    """Take assignments out of a graph; one whose variables are only read stays as it is."""
    if all(outer.dtype != tensorflow().resource for outer, _ in captures):
        return Stateless(graph, captures)
    changed = {
        inner.op.name: Reading(outer, dtype)
        for outer, inner in captures
        if (dtype := _changed(graph, outer, inner)) is not None
    }
    held = {
        inner.op.name: changed[inner.op.name]
        for _, inner in captures
        if inner.op.name in changed and _uses(inner) <= {"ReadVariableOp", *ASSIGNING}
    }
    outside = {
        inner.op.name: held[inner.op.name].now()
        if inner.op.name in held
        else Stand(changed[inner.op.name], draws=_draws(graph, inner))
        for _, inner in captures
        if inner.op.name in changed
    }
    definition, reread = _rewritten(graph, held)
    made = _imported(definition) if held else graph
    given = (
        (outside.get(inner.op.name, outer), made.get_tensor_by_name(inner.name))
        for outer, inner in captures
    )
    return Stateless(made, tuple(given), tuple(changed.values()), frozenset(reread))


def _uses(inner: Any) -> set[str]:
    return {str(op.type) for op in inner.consumers()}


def _changed(graph: Any, outer: Any, inner: Any) -> Any:
    """The dtype of a variable that the graph may change; None of everything else."""
    if outer.dtype != tensorflow().resource or _uses(inner) <= {"ReadVariableOp"}:
        return None
    data = getattr(outer, "_handle_data", None)  # tables and queues have none
    if data is None or not data.is_set or len(data.shape_and_type) != 1:
        return None
    if not any(kind.startswith(("Assign", *DRAWING)) for kind in _within(graph, inner)):
        return None
    return tensorflow().as_dtype(data.shape_and_type[0].dtype)


def _draws(graph: Any, inner: Any) -> bool:
    return any(kind.startswith(DRAWING) for kind in _within(graph, inner))


def _within(graph: Any, inner: Any) -> set[str]:
    """What a variable goes into; in branches and loops, whatever is done there."""
    kinds = _uses(inner)
    if not kinds & CALLING:
        return kinds
    functions = graph.as_graph_def().library.function
    return kinds | {str(node.op) for function in functions for node in function.node_def}


def _imported(definition: Any) -> Any:
    tf = tensorflow()
    graph = tf.Graph()
    with silence(), graph.as_default():
        tf.graph_util.import_graph_def(definition, name="")
    return graph


def _rewritten(graph: Any, held: Mapping[str, Reading]) -> tuple[Any, list[str]]:
    """The definition of a graph with what is held in the place of what is read, and rereads."""
    definition, reread = graph.as_graph_def(), []
    nodes = {node.name: node for node in definition.node}
    latest: dict[str, str] = {}  # what a variable was assigned last
    for op in graph.get_operations():  # in the order in which Python ran
        place = op.inputs[0].op.name if len(op.inputs) else op.name
        if place not in held:
            continue
        node, before = nodes[op.name], latest.get(place)
        if op.type == "Placeholder":
            node.attr["dtype"].type = held[place].dtype.as_datatype_enum
            node.attr["shape"].shape.CopyFrom(held[place].now().shape.as_proto())
        elif op.type == "ReadVariableOp":
            _become(node, "StopGradient" if before else "Identity", [before or place])
            reread += [node.name] if before else []
        else:
            summed = ASSIGNING[op.type]
            operands = [before or place] if summed else []
            _become(node, summed or "Identity", [*operands, op.inputs[1].name])
            latest[place] = node.name
    return definition, reread


def _become(node: Any, kind: str, inputs: Sequence[str]) -> None:
    """Make a node another operation on numbers of the same dtype."""
    dtype = node.attr["dtype"].type
    waits = [name for name in node.input if name.startswith("^")]
    node.op = kind
    node.attr.clear()
    node.attr["T"].type = dtype
    node.input[:] = [*inputs, *waits]
