"""How far the rounding of every number inside a loss carries to its value."""

from __future__ import annotations

import numpy as np

from losscheck.model import Array, Inputs
from losscheck.program.quiet import silence, tensorflow
from losscheck.program.running.program import Program
from losscheck.program.running.runnable import remembered
from losscheck.program.tracing.wiring import SHAPE_OPS

COARSE = frozenset({"CTCLoss", "CTCLossV2"})  # kernels whose float64 results are sums in float32
COARSER = float(np.finfo(np.float32).eps / np.finfo(np.float64).eps)


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
