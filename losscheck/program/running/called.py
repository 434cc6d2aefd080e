"""A graph behind the call of a function, as in a training step.

In the graph of a function TensorFlow rewrites more than in that of a session: it makes log(1 + x) a
log1p, for one. The function is written down as TensorFlow stores it, since tracing one takes longer
than all else about it.
"""

from __future__ import annotations

from typing import Any

from losscheck.program.quiet import tensorflow
from losscheck.program.running.execution import Cut

_NAME = "case"


def called(cut: Cut) -> Cut:
    """The same tensors, given by the call of a function."""
    tf = tensorflow()
    given = [cut.graph.get_tensor_by_name(name) for name in (*cut.feeds, *cut.captured)]
    wanted = [cut.graph.get_tensor_by_name(name) for name in cut.tensors]
    function = _function(cut.graph, given, wanted)

    definition = tf.compat.v1.GraphDef()
    definition.CopyFrom(_library(cut.graph))
    definition.library.function.append(function)
    for i, tensor in enumerate(given):
        node = definition.node.add(name=f"given_{i}", op="Placeholder")
        node.attr["dtype"].type = tensor.dtype.as_datatype_enum
        node.attr["shape"].shape.CopyFrom(tensor.shape.as_proto())
    stateful = function.signature.is_stateful
    call = definition.node.add(
        name=_NAME,
        op="StatefulPartitionedCall" if stateful else "PartitionedCall",
        input=[f"given_{i}" for i in range(len(given))],
    )
    call.attr["Tin"].list.type.extend(tensor.dtype.as_datatype_enum for tensor in given)
    call.attr["Tout"].list.type.extend(tensor.dtype.as_datatype_enum for tensor in wanted)
    call.attr["f"].func.name = _NAME
    graph = tf.Graph()
    with graph.as_default():
        tf.graph_util.import_graph_def(definition, name="")
    names = [f"given_{i}:0" for i in range(len(given))]
    return Cut(
        graph=graph,
        feeds=tuple(names[: len(cut.feeds)]),
        tensors=tuple(f"{_NAME}:{i}" for i in range(len(wanted))),
        captured=dict(zip(names[len(cut.feeds) :], cut.captured.values(), strict=True)),
    )


def _function(graph: Any, given: list[Any], wanted: list[Any]) -> Any:
    """The definition of a function from some tensors of a graph to others."""
    from tensorflow.python.framework.graph_to_function_def import graph_to_function_def

    function = graph_to_function_def(graph, _between(graph, given, wanted), given, wanted)
    function.signature.name = _NAME
    for i, tensor in enumerate(given):  # TensorFlow rewrites only what it knows the shapes of
        shapes = function.arg_attr[i].attr["_output_shapes"].list.shape
        shapes.add().CopyFrom(tensor.shape.as_proto())
    return function


def _between(graph: Any, given: list[Any], wanted: list[Any]) -> list[Any]:
    """The operations that lead from some tensors to others, in order of creation."""
    names = {tensor.name for tensor in given}
    places = {tensor.op.name for tensor in given if tensor.op.type == "Placeholder"}
    stack = [tensor.op for tensor in wanted if tensor.name not in names]
    found: set[str] = set()
    while stack:
        op = stack.pop()
        if op.name in found or op.name in places:
            continue
        found.add(op.name)
        stack.extend(tensor.op for tensor in op.inputs if tensor.name not in names)
        stack.extend(op.control_inputs)
    return [op for op in graph.get_operations() if op.name in found]


def _library(graph: Any) -> Any:
    """The functions that a graph calls, without its operations."""
    definition = graph.as_graph_def()
    del definition.node[:]
    return definition
