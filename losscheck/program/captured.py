"""What a loss took from outside: tensors, and the variables that it reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs
import numpy as np

from losscheck.model import Array
from losscheck.program.quiet import tensorflow


@attrs.frozen(eq=False)
class Reading:
    """What is read from a variable, at the time when it is asked for."""

    resource: Any  # its handle
    dtype: Any  # tf.DType

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """The numbers that it holds now."""
        read = tensorflow().raw_ops.ReadVariableOp(resource=self.resource, dtype=self.dtype)
        return np.asarray(read.numpy(), dtype)


def captured(graph: Any, captures: Iterable[tuple[Any, Any]]) -> dict[str, Any]:
    """What fills the captured places of a graph, by the name of a tensor.

    A variable that is only read is filled in behind the operation that reads it, so that no handle
    is left; one that is more than read leaves all as they are.

    Parameters
    ----------
    graph
        The graph that runs; the names in it are those of the traced one.
    captures
        (tensor outside, placeholder inside)
    """
    found: dict[str, Any] = {}
    whole = {inner.name: outer for outer, inner in captures}
    for name, outer in whole.items():
        if outer.dtype != tensorflow().resource:
            found[name] = outer
            continue
        readers = graph.get_tensor_by_name(name).consumers()
        if any(op.type != "ReadVariableOp" for op in readers):
            return whole
        for op in readers:
            found[op.outputs[0].name] = Reading(outer, op.outputs[0].dtype)
    return found
