"""Images that are resized, written as products with matrices, so that more digits can be had.

TensorFlow resizes an image to float32 whatever it is given, and so does the gradient. Both are
linear in the image, along its rows and along its columns by themselves. What each kernel does to
one row and to one column is measured, once, and takes the kernel's place.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np

from losscheck.model import Array
from losscheck.program.quiet import silence, tensorflow

LONGEST = 1 << 12  # numbers along a side of an image: a matrix has as many rows and columns
_SIDES = (1, 2)  # axes of an image (batch, height, width, channels)


@attrs.frozen(kw_only=True)
class _Kernel:
    """A kernel that resizes."""

    backward: bool  # whether it is the gradient of one
    scaled: bool = False  # whether it is told by how much to scale and to move the image


_KERNELS = {
    "ResizeBilinear": _Kernel(backward=False),
    "ResizeBilinearGrad": _Kernel(backward=True),
    "ResizeBicubic": _Kernel(backward=False),
    "ResizeBicubicGrad": _Kernel(backward=True),
    "ResizeArea": _Kernel(backward=False),
    "ScaleAndTranslate": _Kernel(backward=False, scaled=True),
    "ScaleAndTranslateGrad": _Kernel(backward=True, scaled=True),
}


def resized_by_products(definition: Any, graph: Any) -> Any:
    """Write each resizing of a graph as products with what it does to rows and to columns.

    Parameters
    ----------
    definition
        The GraphDef of `graph`, in float32; it stays as it is.
    graph
        Where the shapes are known. What is resized within a function is left as it is.
    """
    if not any(node.op in _KERNELS for node in definition.node):
        return definition
    result = type(definition)()
    result.CopyFrom(definition)
    for node in list(result.node):
        if node.op in _KERNELS:
            matrices = _measured(node, graph)
            if matrices is not None:
                _replace(result, node, matrices)
    return result


def _measured(node: Any, graph: Any) -> list[Array] | None:
    """What a kernel does to columns and to rows, a matrix each: (from, to); None if unknown."""
    tf = tensorflow()
    op, kernel = graph.get_operation_by_name(node.name), _KERNELS[node.op]
    if kernel.backward and op.outputs[0].dtype != tf.float32:
        return None
    given, made = op.inputs[0].shape, op.outputs[0].shape
    sides = [(given[axis], made[axis]) for axis in _SIDES] if given.rank and made.rank else []
    if not sides or any(n is None or n > LONGEST for side in sides for n in side):
        return None
    found = [_constant(tensor) for tensor in op.inputs[2:]] if kernel.scaled else []
    settings = [setting for setting in found if setting is not None]
    if len(settings) < len(found):
        return None
    with tf.init_scope(), silence():
        return [
            _along(op, axis, *side, [s[axis - 1] for s in settings])
            for axis, side in zip(_SIDES, sides, strict=True)
        ]


def _constant(tensor: Any) -> Array | None:
    """What a tensor is whatever the loss is given; None where it depends on that."""
    tf = tensorflow()
    session = tf.compat.v1.Session(graph=tensor.graph)
    with silence(), contextlib.suppress(tf.errors.OpError), session:
        return np.asarray(session.run(tensor))
    return None


def _along(op: Any, axis: int, start: int, end: int, settings: Sequence[Array]) -> Array:
    """(start, end) what becomes of each number of a row, or of a column, of ones elsewhere."""
    tf = tensorflow()
    shape, size = [start, 1, 1, 1], [1, 1]
    shape[axis], size[axis - 1] = start, end
    images = tf.constant(np.eye(start, dtype=np.float32).reshape(shape))
    kernel = _KERNELS[op.type]
    options = {
        name: op.get_attr(name)
        for name in ("align_corners", "half_pixel_centers", "kernel_type", "antialias")
        if name in op.node_def.attr
    }
    if kernel.scaled:
        pair = np.asarray([[1.0, 1.0], [0.0, 0.0]], np.float32)
        pair[:, axis - 1] = settings
        options["scale"], options["translation"] = pair
    if kernel.backward:
        options["original_image"] = tf.zeros((start, *size, 1))
        made = _raw(op.type)(grads=images, **options)
    else:
        made = _raw(op.type)(images=images, size=size, **options)
    return np.asarray(made).reshape(start, end)


def _raw(name: str) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(tensorflow().raw_ops, name)
    return found


def _replace(definition: Any, node: Any, matrices: Sequence[Array]) -> None:
    """Multiply the columns and the rows of an image, in place of a kernel and under its name."""
    tensor = node.input[0]
    float32 = tensorflow().float32.as_datatype_enum
    if not _KERNELS[node.op].backward:
        tensor = _float(definition, node, tensor, float32)
    controls = [name for name in node.input if name.startswith("^")]
    for axis, matrix in zip(("h", "w"), matrices, strict=True):
        last = axis == "w"
        product = node if last else definition.node.add(name=f"{node.name}/columns")
        numbers = definition.node.add(name=f"{node.name}/{axis}", op="Const")
        numbers.attr["dtype"].type = float32
        numbers.attr["value"].tensor.CopyFrom(tensorflow().make_tensor_proto(matrix))
        product.op = "Einsum"
        product.attr.clear()
        product.attr["T"].type = float32
        product.attr["N"].i = 2
        product.attr["equation"].s = f"nhwc,{axis}k->{'nhwc'.replace(axis, 'k')}".encode()
        del product.input[:]
        product.input.extend([tensor, numbers.name, *(controls if last else ())])
        tensor = product.name


def _float(definition: Any, node: Any, tensor: str, float32: int) -> str:
    """What is resized as float32, which a kernel makes of it by itself."""
    given = node.attr["T"].type
    if given == float32:
        return tensor
    cast = definition.node.add(name=f"{node.name}/float32", op="Cast", input=[tensor])
    cast.attr["SrcT"].type, cast.attr["DstT"].type = given, float32
    return str(cast.name)
