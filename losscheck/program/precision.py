"""A traced graph as portable text (GraphDef), rewritten from float32 to another precision.

Rewriting works for every graph, hard-cast ones included, but keeps constants as float32 rounded
them: a bound on its results needs a floor of 2^-22 relative (two float32 half-ulps).
"""

from __future__ import annotations

from typing import Any

from losscheck.program.quiet import tensorflow

FLOATS = {"float16": 19, "bfloat16": 14, "float32": 1, "float64": 2}  # types.proto


def graph_def(graph: Any) -> Any:
    """Give the GraphDef of a function's graph, its library of functions included.

    The user's own assertions are left out: one case that breaks one would fail its whole block.
    """
    definition = graph.as_graph_def(add_shapes=False)
    for node in (*definition.node, *(n for f in definition.library.function for n in f.node_def)):
        if node.op == "Assert":
            node.op = "NoOp"
            node.attr.clear()
            kept = [name for name in node.input if name.startswith("^")]
            del node.input[:]
            node.input.extend(kept)
    return definition


def rewrite(definition: Any, dtype: str) -> Any:
    """Turn every float32 of a GraphDef into another float: types, constants and functions."""
    tf = tensorflow()
    result = tf.compat.v1.GraphDef()
    result.CopyFrom(definition)
    new = FLOATS[dtype]
    # A function of the same name is registered already, with float32 inside: rename them all.
    renamed = {f.signature.name: f"{f.signature.name}_{dtype}" for f in result.library.function}
    for node in list(result.node):
        if node.op == "ReadVariableOp" and node.attr["dtype"].type == FLOATS["float32"]:
            _cast_after(result, node, new)
        else:
            _rewrite_node(node, new, renamed)
    for function in result.library.function:
        _rewrite_function(function, new, renamed)
    for link in result.library.gradient:
        link.function_name = renamed.get(link.function_name, link.function_name)
        link.gradient_func = renamed.get(link.gradient_func, link.gradient_func)
    return result


def _cast_after(definition: Any, node: Any, new: int) -> None:
    """Leave a read of a float32 variable as it is (its memory is float32) and cast what it read."""
    cast = definition.node.add()
    cast.name, node.name = node.name, f"{node.name}/float32"
    cast.op = "Cast"
    cast.input.append(node.name)
    cast.attr["SrcT"].type = FLOATS["float32"]
    cast.attr["DstT"].type = new


def _rewrite_function(function: Any, new: int, renamed: dict[str, str]) -> None:
    function.signature.name = renamed[function.signature.name]
    for argument in (*function.signature.input_arg, *function.signature.output_arg):
        if argument.type == FLOATS["float32"]:
            argument.type = new
    for node in function.node_def:
        _rewrite_node(node, new, renamed)


def _rewrite_node(node: Any, new: int, renamed: dict[str, str]) -> None:
    tf = tensorflow()
    for attribute in node.attr.values():
        kind = attribute.WhichOneof("value")
        if kind == "type" and attribute.type == FLOATS["float32"]:
            attribute.type = new
        elif kind == "tensor" and attribute.tensor.dtype == FLOATS["float32"]:
            numbers = tf.make_ndarray(attribute.tensor)
            proto = tf.make_tensor_proto(
                numbers, dtype=tf.dtypes.as_dtype(new), shape=numbers.shape
            )
            attribute.tensor.CopyFrom(proto)
        elif kind == "func" and attribute.func.name in renamed:
            attribute.func.name = renamed[attribute.func.name]
        elif kind == "list":
            _rewrite_list(attribute.list, new, renamed)


def _rewrite_list(values: Any, new: int, renamed: dict[str, str]) -> None:
    for i, kind in enumerate(values.type):
        if kind == FLOATS["float32"]:
            values.type[i] = new
    for function in values.func:
        function.name = renamed.get(function.name, function.name)


def keeps_float64(graph: Any, inputs: Any, output: Any) -> bool:
    """Say whether a graph traced in float64 computes in float64 all the way from inputs to output.

    A loss that casts to float32 by hand still traces in float64; its result then has float32's
    digits only.
    """
    tf = tensorflow()
    reached = {tensor.op.name for tensor in inputs}
    for op in graph.get_operations():  # in order of creation: inputs come before their users
        if not any(i.op.name in reached for i in op.inputs):
            continue
        if op.type in _SHAPE_OPS:
            continue
        reached.add(op.name)
        narrow = (tf.float32, tf.float16, tf.bfloat16)
        if any(o.dtype in narrow for o in op.outputs):
            return False
    return bool(output.dtype == tf.float64)


_SHAPE_OPS = frozenset({"Shape", "ShapeN", "Size", "Rank", "BroadcastGradientArgs"})
