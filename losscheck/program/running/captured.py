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

    def now(self) -> Any:
        """The tensor that it holds now."""
        return tensorflow().raw_ops.ReadVariableOp(resource=self.resource, dtype=self.dtype)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """The numbers that it holds now."""
        return np.asarray(self.now().numpy(), dtype)


class Stand:
    """A variable in the place of one of the user's, which a loss changes where nothing sees it.

    Parameters
    ----------
    reading
        What the user's holds.
    draws
        Whether random numbers are drawn by it: then each run draws others, as with the user's. Any
        other is before each run what the user's was.
    """

    def __init__(self, reading: Reading, *, draws: bool) -> None:
        tf = tensorflow()
        self.dtype = tf.resource
        self._initial = reading.now()
        self._variable = tf.Variable(self._initial, trainable=False)
        self._draws = draws

    @property
    def handle(self) -> Any:
        """What takes the place of the user's in a graph."""
        return self._variable.handle

    def reset(self) -> None:
        """Let it be what the user's variable was."""
        if not self._draws:
            self._variable.assign(self._initial)


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
