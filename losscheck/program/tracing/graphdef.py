"""A traced graph as portable text (GraphDef), rewritten from float32 to another precision.

The complex numbers of a spectrum go along: complex64 is made of float32s, complex128 of float64s.

Rewriting works for every graph, hard-cast ones included, but keeps constants as float32 rounded
them: a bound on its results needs a floor of 2^-22 relative (two float32 half-ulps).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from losscheck.program.quiet import tensorflow
from losscheck.program.running.stateless import drawing, hold
from losscheck.program.tracing.resized import resized_by_products

FLOATS = {"float16": 19, "bfloat16": 14, "float32": 1, "float64": 2}  # types.proto
COMPLEX = {"float32": 8, "float64": 18}  # what is made of two of them; halves make none
ASSIGNING = frozenset({"AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp"})
# What takes numbers in a type of its own, as a variable or as bits: its type, and which input.
TAKING = {**dict.fromkeys(ASSIGNING, ("dtype", 1)), "Bitcast": ("T", 0)}


def graph_def(graph: Any) -> Any:
    """Give the GraphDef of a function's graph, its library of functions included.

    The user's own assertions are left out: one case that breaks one would fail its whole block. So
    is what says beside which operation one has to run: that one may be an argument of a part. What
    draws random numbers draws the same in every run.
    """
    definition = graph.as_graph_def(add_shapes=False)
    reads = {f"^{node.name}" for node in definition.node if node.op == "ReadVariableOp"}
    for node in definition.node:
        node.attr.pop("_class", None)
        if not reads.isdisjoint(node.input) and not node.op.startswith("Assign"):
            kept = [name for name in node.input if name not in reads]  # a read has no effect
            del node.input[:]
            node.input.extend(kept)
    asserts = [node for node in _nodes(definition) if node.op == "Assert"]
    for node in asserts:
        node.op = "NoOp"
        node.attr.clear()
        controls = [name for name in node.input if name.startswith("^")]
        del node.input[:]
        node.input.extend(controls)
    if hold(definition) or asserts:
        _rename_functions(definition, "repeatable")
    return definition


def doubled(definition: Any, graph: Any, *, halves: bool = False) -> Any:
    """Give a float32 graph in float64; kernels that resize, which know float32 alone, spelt out.

    Parameters
    ----------
    definition
        The GraphDef of `graph`, which knows the shapes.
    halves
        As in `rewrite`.
    """
    return rewrite(resized_by_products(definition, graph), "float64", halves=halves)


def rewrite(definition: Any, dtype: str, *, halves: bool = False) -> Any:
    """Turn every float32 of a GraphDef into another float: types, constants and functions.

    With `halves`, every float16 and bfloat16 is turned into it as well: what a mixed precision
    policy casts to and back.
    """
    if halves:
        for half in ("float16", "bfloat16"):
            definition = _rewritten(definition, half, dtype, f"{dtype}_from_{half}")
    return _rewritten(definition, "float32", dtype, dtype)


def _rewritten(definition: Any, old: str, dtype: str, suffix: str) -> Any:
    tf = tensorflow()
    result = tf.compat.v1.GraphDef()
    result.CopyFrom(definition)
    turn = turned(old, dtype)
    for node in list(result.node):
        if _stays(node, turn):
            _cast_after(result.node, node, turn)
        elif _takes(node, turn):
            _cast_before(result.node, node, turn)
        else:
            rewrite_node(node, turn)
    for function in result.library.function:
        _rewrite_function(function, turn)
    _rename_functions(result, suffix)
    return result


def _nodes(definition: Any) -> list[Any]:
    """All nodes of a graph, those of its functions included."""
    inside = [node for function in definition.library.function for node in function.node_def]
    return [*definition.node, *inside]


def _rename_functions(definition: Any, suffix: str) -> None:
    """Give functions that were changed other names: those of before are registered already."""
    renamed = {}
    for function in definition.library.function:
        renamed[function.signature.name] = f"{function.signature.name}_{suffix}"
        function.signature.name = renamed[function.signature.name]
    for node in _nodes(definition):
        node.op = renamed.get(node.op, node.op)  # a call by name, as in the loops of ctc_loss
        for attribute in node.attr.values():
            for used in (attribute.func, *attribute.list.func):
                if used.name in renamed:
                    used.name = renamed[used.name]
    for link in definition.library.gradient:
        link.function_name = renamed.get(link.function_name, link.function_name)
        link.gradient_func = renamed.get(link.gradient_func, link.gradient_func)


Turn = Mapping[int, int]  # from types of `FLOATS` and `COMPLEX` to others


def turned(old: str, new: str) -> Turn:
    """What becomes of which type where one float becomes another."""
    turn = {FLOATS[old]: FLOATS[new]}
    if old in COMPLEX and new in COMPLEX:
        turn[COMPLEX[old]] = COMPLEX[new]
    return turn


def _stays(node: Any, turn: Turn) -> bool:
    """Whether a node gives what it gave, which is cast: the memory of a variable is what it is.

    Another type would draw other random numbers.
    """
    kept = node.op == "ReadVariableOp" or drawing(node.op)
    return kept and node.attr["dtype"].type in turn


def _cast_after(nodes: Any, node: Any, turn: Turn) -> None:
    """Leave a node as it is and cast what it gives, under its name."""
    cast = nodes.add()
    cast.name, node.name = node.name, f"{node.name}/float32"
    cast.op = "Cast"
    cast.input.append(node.name)
    read = node.attr["dtype"].type
    cast.attr["SrcT"].type, cast.attr["DstT"].type = read, turn[read]


def _takes(node: Any, turn: Turn) -> bool:
    """Whether a node takes a number in a type of its own: a variable's, or one whose bits count."""
    return node.op in TAKING and node.attr[TAKING[node.op][0]].type in turn


def _cast_before(nodes: Any, node: Any, turn: Turn, output: str = "") -> None:
    """Leave a node as it is, and cast what it takes."""
    attribute, place = TAKING[node.op]
    cast = nodes.add()
    cast.name, cast.op = f"{node.name}/given", "Cast"
    cast.input.append(node.input[place])
    node.input[place] = f"{cast.name}{output}"
    kept = node.attr[attribute].type
    cast.attr["SrcT"].type, cast.attr["DstT"].type = turn[kept], kept


def _rewrite_function(function: Any, turn: Turn) -> None:
    for argument in (*function.signature.input_arg, *function.signature.output_arg):
        argument.type = turn.get(argument.type, argument.type)
    drawn = [node for node in function.node_def if _stays(node, turn)]
    for node in list(function.node_def):
        if _takes(node, turn):
            _cast_before(function.node_def, node, turn, ":y:0")
        elif node not in drawn:
            rewrite_node(node, turn)
    for node in drawn:  # in a function, inputs are named by what an operation calls its outputs
        name, output = node.name, "value" if node.op == "ReadVariableOp" else "output"
        _cast_after(function.node_def, node, turn)
        function.node_def[-1].input[0] = f"{node.name}:{output}:0"
        for user in function.node_def:
            for i, given in enumerate(user.input):
                if given == f"{name}:{output}:0":
                    user.input[i] = f"{name}:y:0"
        for result, given in function.ret.items():
            if given == f"{name}:{output}:0":
                function.ret[result] = f"{name}:y:0"


def rewrite_node(node: Any, turn: Turn) -> None:
    """Turn types into others in a node, constants included."""
    tf = tensorflow()
    for attribute in node.attr.values():
        kind = attribute.WhichOneof("value")
        if kind == "type":
            attribute.type = turn.get(attribute.type, attribute.type)
        elif kind == "tensor" and attribute.tensor.dtype in turn:
            numbers = tf.make_ndarray(attribute.tensor)
            new = tf.dtypes.as_dtype(turn[attribute.tensor.dtype])
            proto = tf.make_tensor_proto(numbers, dtype=new, shape=numbers.shape)
            attribute.tensor.CopyFrom(proto)
        elif kind == "list":
            for i, member in enumerate(attribute.list.type):
                attribute.list.type[i] = turn.get(member, member)


def keeps_float64(graph: Any, inputs: Any, output: Any) -> bool:
    """Say whether a graph traced in float64 computes in float64 all the way from inputs to output.

    A loss that casts to float32 by hand still traces in float64; its result then has float32's
    digits only, and so does one that casts in the body of a loop or of a branch.
    """
    tf = tensorflow()
    narrow = (tf.float32, tf.float16, tf.bfloat16, tf.complex64)
    if _narrowing(graph, [dtype.as_datatype_enum for dtype in narrow]):
        return False
    reached = {tensor.op.name for tensor in inputs}
    for op in graph.get_operations():  # in order of creation: inputs come before their users
        if not any(i.op.name in reached for i in op.inputs):
            continue
        if op.type in _SHAPE_OPS:
            continue
        reached.add(op.name)
        if any(o.dtype in narrow for o in op.outputs):
            return False
    return bool(output.dtype == tf.float64)


def _narrowing(graph: Any, narrow: Sequence[int]) -> bool:
    """Whether a function that the graph calls casts to one of these types."""
    wide = (FLOATS["float64"], COMPLEX["float64"])
    return any(
        node.op == "Cast" and node.attr["DstT"].type in narrow and node.attr["SrcT"].type in wide
        for function in graph.as_graph_def().library.function
        for node in function.node_def
    )


_SHAPE_OPS = frozenset({"Shape", "ShapeN", "Size", "Rank", "BroadcastGradientArgs"})
