"""Products of matrices and rolls, written so that a block of cases can go through them.

TensorFlow's oneDNN kernel of BatchMatMulV2 writes outside of its memory where one operand has
the batch axes (N, 1) and the other is stretched along N, and the process ends with it (TensorFlow
2.21 on processors with AVX-512). Vectorizing a batch of one gives just that. A matrix that is the
same for every sample is multiplied by all rows at once instead, which is the same product.

TensorFlow vectorizes a roll along an axis that is counted from behind into one along the axis
before it: rolled along the last axis, a block of cases is rolled over its cases.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from losscheck.program.quiet import tensorflow


def flatten_products(definition: Any, graph: Any) -> None:
    """Write each product with one matrix for all samples as a product of two matrices.

    Parameters
    ----------
    definition
        The GraphDef of a part of `graph`; it is changed.
    graph
        Where the shapes are known.
    """
    for node in list(definition.node):
        if node.op != "BatchMatMulV2" or node.attr["adj_x"].b:
            continue
        left, right = (_shape(graph, name) for name in node.input[:2])
        if left is None or right is None or len(left) < 3 or len(right) > len(left):
            continue
        if math.prod(right[:-2]) == 1:
            _flatten(definition, node, left, right)


def _flatten(definition: Any, node: Any, left: Sequence[int], right: Sequence[int]) -> None:
    kind, transposed = node.attr["T"].type, node.attr["adj_y"].b
    rows = _reshaped(definition, f"{node.name}/rows", node.input[0], kind, (-1, left[-1]))
    matrix = node.input[1]
    if len(right) > 2:
        matrix = _reshaped(definition, f"{node.name}/matrix", matrix, kind, right[-2:])
    product = definition.node.add(name=f"{node.name}/product", op="MatMul", input=[rows, matrix])
    product.attr["T"].type = kind
    product.attr["transpose_b"].b = transposed
    width = right[-2] if transposed else right[-1]
    shape = _sizes(definition, f"{node.name}/shape", (*left[:-1], width))
    controls = [name for name in node.input if name.startswith("^")]
    node.op = "Reshape"
    node.attr.clear()
    node.attr["T"].type = kind
    node.attr["Tshape"].type = tensorflow().int32.as_datatype_enum
    del node.input[:]
    node.input.extend([product.name, shape, *controls])


def _reshaped(definition: Any, name: str, tensor: str, kind: int, shape: Sequence[int]) -> str:
    sizes = _sizes(definition, f"{name}/shape", shape)
    node = definition.node.add(name=name, op="Reshape", input=[tensor, sizes])
    node.attr["T"].type = kind
    node.attr["Tshape"].type = tensorflow().int32.as_datatype_enum
    return name


def _sizes(definition: Any, name: str, sizes: Sequence[int]) -> str:
    node = definition.node.add(name=name, op="Const")
    node.attr["dtype"].type = tensorflow().int32.as_datatype_enum
    proto = tensorflow().make_tensor_proto(list(sizes), dtype="int32")
    node.attr["value"].tensor.CopyFrom(proto)
    return name


def _shape(graph: Any, name: str) -> tuple[int, ...] | None:
    """The shape of a node's input, where all of it is known."""
    try:
        tensor = graph.get_tensor_by_name(name if ":" in name else f"{name}:0")
    except KeyError:  # out of the body of a function
        return None
    known = tensor.shape.is_fully_defined()
    return tuple(tensor.shape) if known else None


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
