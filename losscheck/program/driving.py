"""Numbers inside a graph and their slopes: what it takes to drive one of them somewhere.

One compiled function serves every tensor that is followed. Each case says by a cotangent (a one at
the element it is after, zeros elsewhere) which slope it asks for, so that cases that are after
different numbers run side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np

from losscheck.model import Array, Inputs
from losscheck.program.quiet import silence, tensorflow
from losscheck.program.running.program import Program
from losscheck.program.running.runnable import remembered

BLOCK = 1 << 19
"""Numbers of the arguments that are run at a time, as in `program.batch`."""


@attrs.frozen(eq=False)
class Driver:
    """Follows tensors inside a traced loss.

    Parameters
    ----------
    tensors
        Their names, each of a known shape.
    shapes
        Of one case of each.
    run
        Compiled: the arguments in call order and a cotangent a tensor -> the tensors, and the sum
        of all slopes that the cotangents ask for, in every argument.
    """

    tensors: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    names: tuple[str, ...]
    run: Callable[..., Any]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Elements of each tensor."""
        return tuple(int(np.prod(shape)) for shape in self.shapes)

    def follow(
        self, inputs: Inputs, cotangents: Sequence[Array] | None = None
    ) -> tuple[list[Array], dict[str, Array]]:
        """Evaluate the tensors, and what the cotangents ask for.

        Parameters
        ----------
        inputs
            (N, *shape) an argument.
        cotangents
            (N, elements) a tensor; zeros where nothing is asked for.

        Returns
        -------
        tuple
            The tensors, (N, elements) float64 each, and the slopes, (N, *shape) float64 an
            argument.
        """
        arrays = [np.asarray(inputs[name], np.float32) for name in self.names]
        n = len(arrays[0])
        asked = cotangents or [np.zeros((n, size), np.float32) for size in self.sizes]
        arrays += [
            np.asarray(array, np.float32).reshape(n, *shape)
            for array, shape in zip(asked, self.shapes, strict=True)
        ]
        rows = max(1, BLOCK // max(1, sum(int(np.prod(a.shape[1:])) for a in arrays)))
        with silence():
            parts = [
                [np.asarray(result) for result in self.run(*(a[i : i + rows] for a in arrays))]
                for i in range(0, n, rows)
            ]
        found = [np.concatenate(column).astype(np.float64) for column in zip(*parts, strict=True)]
        split = len(self.tensors)
        values = [array.reshape(n, -1) for array in found[:split]]
        return values, dict(zip(self.names, found[split:], strict=True))


@remembered
def driver(program: Program, tensors: tuple[str, ...]) -> Driver | None:
    """Compile what follows tensors of a float32 program; None where TensorFlow cannot.

    The slopes are added to a twin of the graph: a custom gradient may hold on to tensors of the
    graph that it was traced in, and an operation may have no gradient.
    """
    try:
        with silence():
            return _driver(program.twin(), tensors)
    except Exception:  # each version of TensorFlow says otherwise what it cannot take
        return None


def _driver(twin: Program, tensors: tuple[str, ...]) -> Driver:
    tf = tensorflow()
    graph = twin.graph
    with graph.as_default():
        ends = [graph.get_tensor_by_name(name) for name in tensors]
        starts = [graph.get_tensor_by_name(p.name) for p in twin.traced.placeholders]
        asked = [tf.compat.v1.placeholder(end.dtype, end.shape) for end in ends]
        zero = tf.UnconnectedGradients.ZERO
        slopes = tf.gradients(ends, starts, grad_ys=asked, unconnected_gradients=zero)
        slopes = [tf.identity(tf.convert_to_tensor(slope)) for slope in slopes]
    shapes = tuple(tuple(int(size) for size in end.shape) for end in ends)
    outputs = (*tensors, *(slope.name for slope in slopes))
    probe = [np.ones((1, *twin.shapes[name]), np.float32) for name in twin.names]
    probe += [np.ones((1, *shape), np.float32) for shape in shapes]
    run = twin.blocks(outputs, tuple(a.name for a in asked), probe)
    run(*probe)
    return Driver(tensors, shapes, twin.names, run)
