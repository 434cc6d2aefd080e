"""A loss that assigns variables or draws random numbers, as a function of what they held before.

Its graph is given the numbers of its variables and hands on what it assigns: nothing is left in the
user's variables, every case starts from the same state, and cases can be run in blocks. What is
read after an assignment has no gradient, as in TensorFlow. A variable that is assigned in a branch
or a loop, or that random numbers are drawn by, is replaced by another one.

A loss that draws anew in every call has no derivative to compare with, and none of its cases can be
run again. An operation that takes its seed from outside becomes one that is given it; of one that
is given its seed already, only the dtype matters: float64 draws other numbers than float32, so a
program in float64 casts what the float32 one draws.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
# Operation -> the one that takes a seed, and which of its inputs that is.
HELD = {
    "RandomUniform": ("StatelessRandomUniform", 1),
    "RandomStandardNormal": ("StatelessRandomNormal", 1),
    "TruncatedNormal": ("StatelessTruncatedNormal", 1),
    "RandomUniformInt": ("StatelessRandomUniformInt", 1),
    "Multinomial": ("StatelessMultinomial", 2),
}
_PREFIXES = ("StatelessRandom", "StatelessTruncatedNormal", "StatelessMultinomial", "Random")
_SETTINGS = frozenset({"StatelessRandomGetKeyCounter", "StatelessRandomGetAlg"})  # are not drawn


@attrs.frozen(eq=False)
class Stateless:
    """A graph without assignments to what is outside."""

    graph: Any
    captures: Captures
    assigned: tuple[Reading, ...] = ()  # what it did assign
    # Names of the operations that read what was assigned before.
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


def drawing(op: str) -> bool:
    """Whether an operation of this type gives random numbers."""
    return op in HELD or (op.startswith(_PREFIXES) and op not in _SETTINGS)


def hold(definition: Any) -> bool:
    """Give a seed to every operation that takes it from outside; say whether there was one.

    The gradient that was traced refers to what is drawn by name, and so goes along.
    """
    numbered = list(enumerate(_holdable(definition)))
    for number, (nodes, node, inside) in numbered:
        seed = nodes.add()
        seed.name, seed.op = f"{node.name}/held_seed", "Const"
        seed.attr["dtype"].type = tensorflow().int32.as_datatype_enum
        numbers = tensorflow().make_tensor_proto([1, number], dtype="int32")
        seed.attr["value"].tensor.CopyFrom(numbers)
        _given(node, f"{seed.name}:output:0" if inside else seed.name)
    return bool(numbered)


def _given(node: Any, seed: str) -> None:
    """Make a node draw by a seed, the name of a tensor."""
    op, place = HELD[node.op]
    data = [name for name in node.input if not name.startswith("^")]
    controls = [name for name in node.input if name.startswith("^")]
    del node.input[:]
    node.input.extend([*data[:place], seed, *data[place:], *controls])
    node.op = op
    node.attr["Tseed"].type = tensorflow().int32.as_datatype_enum
    if "Tout" in node.attr:
        node.attr["dtype"].type = node.attr["Tout"].type
    for name in ("seed", "seed2", "Tout"):
        node.attr.pop(name, None)


def _holdable(definition: Any) -> Iterator[tuple[Any, Any, bool]]:
    """Nodes to be given a seed: those they stand among, and whether that is a function's body."""
    bodies = [(function.node_def, True) for function in definition.library.function]
    for nodes, inside in ((definition.node, False), *bodies):
        for node in list(nodes):
            if node.op in HELD:
                yield nodes, node, inside
