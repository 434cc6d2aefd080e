"""Rolls, written so that a block of cases can be rolled.

TensorFlow vectorizes a roll along an axis that is counted from behind into one along the axis
before it: rolled along the last axis, a block of cases is rolled over its cases.
"""

from __future__ import annotations

from typing import Any

from losscheck.program.quiet import tensorflow


def count_from_the_front(definition: Any, graph: Any) -> None:
    """Write the axes of rolls as they are counted from the front.

    Parameters
    ----------
    definition
        The GraphDef of a part of `graph`; it is changed.
    graph
        Where the ranks are known.
    """
    tf = tensorflow()
    for node in list(definition.node):
        if node.op != "Roll":
            continue
        tensors = graph.get_operation_by_name(node.name).inputs
        rank, axis = tensors[0].shape.rank, tf.get_static_value(tensors[2])
        if rank is None or axis is None:
            continue
        axes = definition.node.add(name=f"{node.name}/from_front", op="Const")
        axes.attr["dtype"].type = tensors[2].dtype.as_datatype_enum
        axes.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(axis % rank))
        node.input[2] = axes.name
