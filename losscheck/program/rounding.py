"""How far the rounding of every number inside a loss carries to its value."""

from __future__ import annotations

import weakref
from typing import Any, Final

import numpy as np

from losscheck.model import Array, Inputs
from losscheck.program.batch import Program
from losscheck.program.quiet import silence, tensorflow
from losscheck.program.wiring import SHAPE_OPS, wiring

_BOUNDS: Final[weakref.WeakKeyDictionary[Program, str]] = weakref.WeakKeyDictionary()


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
        the number times the slope of the value in it. NaN where TensorFlow cannot say.

    Notes
    -----
    To first order this is the running error bound of J. H. Wilkinson (Error analysis revisited,
    1986). It tells exp(300) inside a logarithm, whose rounding the logarithm takes out again, from
    1e17 inside a difference, or a cosine, where nothing does.

    The slopes are those of the gradient that is being judged. One that is wrong by a factor scales
    the bound by that factor, and is still out by the factor itself.
    """
    n = len(next(iter(inputs.values())))
    try:
        with silence():
            if program not in _BOUNDS:
                _BOUNDS[program] = _bound(program)
            (found,) = program.fetch([_BOUNDS[program]], inputs)
    except Exception:  # an op without a gradient outside the function that it was traced in
        return np.full(n, np.nan)
    return np.asarray(found, np.float64) * np.finfo(np.float64).eps


def _bound(program: Program) -> str:
    """Add the sum to the graph; give the name of its tensor."""
    tf = tensorflow()
    facts = wiring(program.traced, program.names, program.prediction)
    depends = facts.depends(program.prediction) - {facts.arguments[program.prediction]}
    graph = program.graph
    tensors: list[Any] = [
        graph.get_tensor_by_name(name)
        for node in facts.forward
        if node.type not in SHAPE_OPS
        for name in node.outputs
        if name in depends
    ]
    tensors = [t for t in tensors if t.dtype == tf.float64]
    with graph.as_default():
        value = graph.get_tensor_by_name(facts.value)
        slopes = tf.gradients(value, tensors)
        parts = [
            tf.reduce_sum(tf.abs(tf.math.multiply_no_nan(tensor, slope)))
            for tensor, slope in zip(tensors, slopes, strict=True)
            if slope is not None
        ]
        return str(tf.add_n(parts).name)
