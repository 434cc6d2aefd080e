"""What branches and loops hand to their gradients: optional values and lists of tensors.

Both are tuples here, of whatever the tensors hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import zip_longest
from typing import Any

import numpy as np

from losscheck.program.exact.arithmetic import Arithmetic
from losscheck.program.exact.complex import NOTHING, Complex, exact, plus
from losscheck.program.exact.node import Node, Unknown, Values, exactly
from losscheck.program.exact.number import ZERO, box
from losscheck.program.exact.ops import lift

Held = tuple[Any, ...]


def _pop(_: Arithmetic, node: Node, inputs: Sequence[Any]) -> list[Any]:
    held: Held = inputs[0]
    if not held:
        raise Unknown(f"{node}: the list is empty")
    return [held[:-1], held[-1]]


def _set(_: Arithmetic, __: Node, inputs: Sequence[Any]) -> list[Held]:
    held, place = inputs[0], int(inputs[1])
    longer = held + (None,) * (place + 1 - len(held))
    return [(*longer[:place], inputs[2], *longer[place + 1 :])]


def _element(node: Node, element: Any, shape: Any) -> Any:
    """Return an element of a list; one that was never set is zeros, as gradients have it."""
    if element is not None:
        return element
    if np.ndim(shape) == 0 or np.any(np.asarray(shape) < 0):
        raise Unknown(f"{node}: an element of unknown shape was never set")
    zeros = np.zeros(shape, np.int64)
    dtype = node.attr("element_dtype")
    if exactly(dtype):
        return exact(zeros, dtype)
    return zeros.astype(dtype.as_numpy_dtype)


def _get(_: Arithmetic, node: Node, inputs: Sequence[Any]) -> list[Any]:
    return [_element(node, inputs[0][int(inputs[1])], inputs[2])]


def _stack(_: Arithmetic, node: Node, inputs: Sequence[Any]) -> list[Any]:
    held: Held = inputs[0]
    shape = _element_shape(held) if any(element is not None for element in held) else inputs[1]
    if not held:
        raise Unknown(f"{node}: the list is empty")
    return [np.stack([_element(node, element, shape) for element in held])]


def _element_shape(held: Held) -> Values:
    """Return the shape of what a list holds, as a tensor: -1 where it holds nothing yet."""
    shapes = [np.shape(element) for element in held if element is not None]
    return np.array(shapes[0] if shapes else -1, np.int32)


def _shape_of(_: Arithmetic, node: Node, inputs: Sequence[Any]) -> Values:
    return _element_shape(inputs[0]).astype(node.dtypes[0].as_numpy_dtype)


def _zeros_like(_: Arithmetic, __: Node, inputs: Sequence[Any]) -> list[Any]:
    """Return zeros in place of a tensor, or of each element of a list."""

    def zeros(value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, tuple):
            return tuple(zeros(element) for element in value)
        if value.dtype != object:
            return np.zeros_like(value)
        nothing = NOTHING if any(isinstance(x, Complex) for x in value.flat) else ZERO
        return np.full(value.shape, nothing, object)

    return [zeros(inputs[0])]


def _add_n(a: Arithmetic, _: Node, inputs: Sequence[Any]) -> list[Any]:
    """Return the sum of tensors, or of lists element by element."""

    def add(x: Any, y: Any) -> Any:
        if x is None or y is None:
            return y if x is None else x
        if isinstance(x, tuple):
            return tuple(add(one, other) for one, other in zip_longest(x, y))
        return lift(a, plus, x, y) if x.dtype == object else np.asarray(x + y)

    return [reduce(add, inputs)]


VARIANTS: dict[str, Any] = {
    "AccumulateNV2": _add_n,
    "AddN": _add_n,
    "EmptyTensorList": lambda a, node, inputs: [()],
    "OptionalFromValue": lambda a, node, inputs: [tuple(inputs)],
    "OptionalGetValue": lambda a, node, inputs: list(inputs[0]),
    "OptionalHasValue": lambda a, node, inputs: np.array(bool(inputs[0])),
    "OptionalNone": lambda a, node, inputs: [()],
    "TensorListElementShape": _shape_of,
    "TensorListFromTensor": lambda a, node, inputs: [tuple(box(row) for row in inputs[0])],
    "TensorListGetItem": _get,
    "TensorListLength": lambda a, node, inputs: np.array(len(inputs[0]), np.int32),
    "TensorListPopBack": _pop,
    "TensorListPushBack": lambda a, node, inputs: [(*inputs[0], inputs[1])],
    "TensorListReserve": lambda a, node, inputs: [(None,) * int(inputs[1])],
    "TensorListSetItem": _set,
    "TensorListStack": _stack,
    "ZerosLike": _zeros_like,
}
