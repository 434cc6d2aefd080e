"""What is read of a TensorFlow op, and TensorFlow's own kernels for what is no arithmetic.

Ops that only move elements run in TensorFlow on the positions of the elements, so their meaning is
TensorFlow's own, to the last attribute.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.eager import context, execute

from losscheck.program.exact.number import ONE, ZERO

Values = NDArray[Any]  # numbers where the tensor is floating, otherwise what the tensor holds

INT64 = tf.int64.as_datatype_enum


class Unknown(Exception):  # noqa: N818 - an answer, not a fault: the truth was not found
    """The truth could not be computed; the message says which op or which limit is behind it."""


class Node:
    """One op of a graph; what TensorFlow is slow to tell is asked once."""

    def __init__(self, op: Any) -> None:
        self.op = op
        self.type: str = op.type
        self.name: str = op.name
        inputs, outputs = list(op.inputs), list(op.outputs)
        self.inputs = [(tensor.op.name, tensor.value_index) for tensor in inputs]
        self.input_dtypes = [tensor.dtype.base_dtype for tensor in inputs]
        self.dtypes = [tensor.dtype.base_dtype for tensor in outputs]
        dtypes = self.input_dtypes + self.dtypes
        self.complex = any(dtype.is_complex for dtype in dtypes)
        self.floating = self.complex or any(dtype.is_floating for dtype in dtypes)
        self.plain = all(exactly(dtype) or dtype.is_integer or dtype.is_bool for dtype in dtypes)
        self._attrs: dict[str, Any] = {}

    def __str__(self) -> str:
        return f"{self.type} ({self.name})"

    def attr(self, name: str) -> Any:
        """Return an attribute of the op."""
        if name not in self._attrs:
            self._attrs[name] = self.op.get_attr(name)
        return self._attrs[name]

    @cached_property
    def kernel_attrs(self) -> tuple[Any, ...]:
        """The attributes as TensorFlow's eager runtime takes them, floating types as int64."""
        flat: list[Any] = []
        for attr in self.op.op_def.attr:
            value = self.attr(attr.name)
            if attr.type == "type":
                value = _kernel_type(value)
            elif attr.type == "list(type)":
                value = [_kernel_type(dtype) for dtype in value]
            flat += [attr.name, value]
        return tuple(flat)


def exactly(dtype: tf.DType) -> bool:
    """Whether elements of a dtype are held as exact numbers."""
    return bool(dtype.is_floating or dtype.is_complex)


def _kernel_type(dtype: tf.DType) -> int:
    return INT64 if exactly(dtype) else int(dtype.as_datatype_enum)


def run_kernel(node: Node, inputs: Sequence[Values]) -> list[Values]:
    """Run the op itself in TensorFlow, on integers where it takes floating tensors.

    Raises
    ------
    Unknown
        If the op has a state, handles what is no number, or refuses its inputs.
    """
    if node.op.op_def.is_stateful or not node.plain:
        raise Unknown(f"{node}: no exact evaluation is known for this op")
    try:
        tensors = [tf.constant(value) for value in inputs]
        outputs = execute.execute(
            node.type, len(node.dtypes), tensors, node.kernel_attrs, context.context()
        )
    except (tf.errors.OpError, ValueError, TypeError) as error:
        raise Unknown(f"{node}: {error}") from error
    return [np.asarray(tensor) for tensor in outputs]


def move(node: Node, inputs: Sequence[Values]) -> list[Values]:
    """Run an op that moves, drops or repeats elements, or fills in zeros and ones."""
    pool, positions = [np.array([ZERO, ONE], object)], []
    start = 2  # TensorFlow's zeros and ones are the positions of ours
    for values, dtype in zip(inputs, node.input_dtypes, strict=True):
        if not exactly(dtype):
            positions.append(values)
            continue
        stop = start + values.size
        positions.append(np.arange(start, stop, dtype=np.int64).reshape(values.shape))
        pool.append(values.ravel())
        start = stop
    everything = np.concatenate(pool)
    outputs = run_kernel(node, positions)
    return [
        np.asarray(everything[output], object) if exactly(dtype) else output
        for output, dtype in zip(outputs, node.dtypes, strict=True)
    ]
