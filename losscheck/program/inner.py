"""Numbers inside a graph: their slopes, to drive one somewhere, and what rounding them does.

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
from losscheck.program.tracing.wiring import SHAPE_OPS

BLOCK = 1 << 19
"""Numbers of the arguments that are run at a time, as in `program.batch`."""
COARSE = frozenset({"CTCLoss", "CTCLossV2"})  # kernels whose float64 results are sums in float32
COARSER = float(np.finfo(np.float32).eps / np.finfo(np.float64).eps)


@attrs.frozen(eq=False)
class Driver:
    """Follows tensors inside a traced loss."""

    tensors: tuple[str, ...]  # their names, each of a known shape
    shapes: tuple[tuple[int, ...], ...]  # of one case of each
    names: tuple[str, ...]
    # Compiled: the arguments in call order and a cotangent a tensor -> the tensors, and the sum of
    # all slopes that the cotangents ask for, in every argument.
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


def rounding(program: Program, inputs: Inputs) -> Array:
    """Bound the rounding of a loss by what each of its operations may add to it.

    Parameters
    ----------
    program
        The loss in float64.
    inputs
        (N, *shape) an argument.

    Returns
    -------
    Array
        (N,) float64: eps times the sum, over all numbers between the prediction and the value, of
        the number times the slope of the value in it; eps times the largest of the numbers where
        TensorFlow cannot say what the slopes are.

    Notes
    -----
    To first order this is the running error bound of J. H. Wilkinson (Error analysis revisited,
    1986). It tells exp(300) inside a logarithm, whose rounding the logarithm takes out again, from
    1e17 inside a difference, or a cosine, where nothing does.

    The slopes are those of the gradient that is being judged. One that is wrong by a factor scales
    the bound by that factor, and is still out by the factor itself.
    """
    twin, tensor = _bounded(program)
    epsilon = np.finfo(np.float64).eps
    if tensor is None:
        return epsilon * _largest(program, inputs)
    (found,) = twin.fetch([tensor], inputs)
    return np.asarray(found, np.float64) * epsilon


@remembered
def _bounded(program: Program) -> tuple[Program, str | None]:
    """A twin with the sum in its graph, and the name of it; None if it cannot be built.

    A custom gradient may hold on to tensors of the graph that it was traced in; an op may have no
    gradient.
    """
    twin = program.twin()
    ones = {name: np.ones((1, *shape)) for name, shape in program.shapes.items()}
    try:
        with silence():
            tensor = _bound(twin)
            twin.fetch([tensor], ones)
    except Exception:
        return program, None
    return twin, tensor


def _largest(program: Program, inputs: Inputs) -> Array:
    """(N,) the largest number between the inputs of a loss and its value."""
    facts = program.wiring
    names = [tensor for node in facts.forward for tensor in node.floats]
    n = len(next(iter(inputs.values())))
    arrays = program.fetch(names, inputs)
    sizes = [np.abs(a.reshape(n, -1).astype(float)).max(axis=1, initial=0) for a in arrays]
    return np.asarray(np.nan_to_num(np.max(sizes, axis=0), nan=0.0, posinf=0.0))


def _bound(program: Program) -> str:
    """Add the sum to the graph; give the name of its tensor."""
    tf = tensorflow()
    facts = program.wiring
    depends = facts.depends(program.prediction) - {facts.arguments[program.prediction]}
    graph = program.graph
    known = [
        (graph.get_tensor_by_name(name), COARSER if node.type in COARSE else 1.0)
        for node in facts.forward
        if node.type not in SHAPE_OPS
        for name in node.outputs
        if name in depends
    ]
    known = [(tensor, factor) for tensor, factor in known if tensor.dtype == tf.float64]
    with graph.as_default():
        value = graph.get_tensor_by_name(facts.value)
        slopes = tf.gradients(value, [tensor for tensor, _ in known])
        parts = [
            factor * tf.reduce_sum(tf.abs(tf.math.multiply_no_nan(tensor, slope)))
            for (tensor, factor), slope in zip(known, slopes, strict=True)
            if slope is not None
        ]
        return str(tf.add_n(parts).name)
