"""`tf.test.compute_gradient`, which returns two Jacobians and leaves the verdict to its user."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.family import Array, Family
from benchmarks.spaces import tensorflow_space
from benchmarks.tools.base import Answer, Outcome

BOUND = 1e-3
"""The commonest bound on the largest error in TensorFlow's own tests."""

CLOSE = 1e-6
"""rtol and atol of `tf.test.TestCase.assertAllClose`, which the documentation's example uses."""


class TensorFlow:
    """`tf.test.compute_gradient` in one dtype, through a tf.function.

    Parameters
    ----------
    dtype
        "float64", or "float32" as TensorFlow's users mostly have it.
    bound
        On the largest error; None for assertAllClose with its defaults.
    """

    def __init__(self, dtype: str, bound: float | None = None) -> None:
        self.dtype = dtype
        self.bound = bound
        how = "assertAllClose" if bound is None else f"error < {bound:g}"
        self.name = f"tf.test.compute_gradient, {dtype}, {how}"
        self.criterion = (
            f"assertAllClose fails with its rtol = atol = {CLOSE:g}, as in the docstring's example"
            if bound is None
            else f"largest error not below {bound:g}, as in most of TensorFlow's own tests"
        )

    def answer(self, family: Family, gradients: Sequence[Array]) -> Answer:
        """Take its numeric Jacobian once a point; the planted gradients in its own dtype."""
        numeric, seconds = _numeric(family, self.dtype)
        outcome = np.array([self._judge(gradient, numeric) for gradient in gradients], np.int8)
        return Answer(outcome=outcome, seconds=seconds)

    def _judge(self, gradient: Array, numeric: Array) -> Array:
        theoretical = gradient.astype(self.dtype).astype(np.float64)
        error = np.abs(theoretical - numeric)
        allowed = CLOSE + CLOSE * np.abs(numeric) if self.bound is None else self.bound
        within = error <= allowed  # NaN is not
        return np.where(within.all(axis=1), Outcome.RIGHT, Outcome.WRONG)


@functools.cache  # two criteria judge the same numbers
def _numeric(family: Family, dtype: str) -> tuple[Array, float]:
    """(N, n) its numeric gradients, and the seconds of a coordinate."""
    run = _runner(family, dtype)
    run(family.points[0], family.truth[0])
    start = time.perf_counter()
    numeric = [
        run(point, slopes) for point, slopes in zip(family.points, family.truth, strict=True)
    ]
    seconds = time.perf_counter() - start
    return np.array(numeric, np.float64), seconds / family.points.size


def _runner(family: Family, dtype: str) -> Callable[[Array, Array], Array]:
    import tensorflow as tf

    space = tensorflow_space()
    slopes = tf.Variable(np.zeros(family.points.shape[1]), dtype=dtype)

    @tf.custom_gradient
    def planted(x: Any) -> Any:
        def backward(upstream: Any, variables: Any = None) -> Any:
            return upstream * slopes, [None] * len(variables or ())

        return family.value(space, x), backward

    @tf.function(autograph=False)
    def loss(x: Any) -> Any:
        return planted(x)

    def run(point: Array, gradient: Array) -> Array:
        slopes.assign(gradient.astype(dtype))
        (theoretical,), (numeric,) = tf.test.compute_gradient(loss, [tf.constant(point, dtype)])
        if not np.array_equal(theoretical.ravel(), gradient.astype(dtype)):
            raise AssertionError(f"the planted gradient of {family.name} did not reach TensorFlow")
        return np.asarray(numeric.ravel())

    return run
