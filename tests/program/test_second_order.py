"""The slope of a loss as a loss: its value is g·v and its gradient H·v, in every way of running."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from losscheck.program.derived import DIRECTION, slope
from losscheck.program.modes import Runner
from losscheck.program.programs import Programs
from losscheck.program.tracing.trace import Call
from tests.program.calling import call

X = np.asarray([[0.5, -1.0, 2.0]])
V = np.asarray([[1.0, -1.0, 1.0]])
INPUTS = {"y_true": np.zeros_like(X), "y_pred": X, DIRECTION: V}
SHAPES = {name: array.shape for name, array in INPUTS.items()}


def coupled(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    total = tf.reduce_sum(y_pred, axis=-1)
    return total**3 + tf.reduce_sum(tf.math.exp(y_pred) + y_true, axis=-1)


SLOPE = 3 * X.sum() ** 2 * V.sum() + (np.exp(X) * V).sum()
PRODUCT = 6 * X.sum() * V.sum() + np.exp(X) * V


def weighted(y_true: tf.Tensor, y_pred: tf.Tensor, *, power: float) -> tf.Tensor:
    return tf.reduce_sum(y_pred**power + y_true)


@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
def test_value_and_gradient_of_one_case(mode: str) -> None:
    single = Runner(slope(call(coupled))).run(INPUTS, mode)
    np.testing.assert_allclose(single.value, SLOPE)
    np.testing.assert_allclose(single.gradient, PRODUCT)


def test_a_block_of_cases_in_float64() -> None:
    programs = Programs(slope(call(coupled)))
    outcome = programs.double(SHAPES).run({n: np.stack([a, a]) for n, a in INPUTS.items()})
    np.testing.assert_allclose(outcome.total, [SLOPE, SLOPE])
    np.testing.assert_allclose(outcome.gradient, [PRODUCT, PRODUCT])


def test_constants_and_keywords_stay_those_of_the_loss() -> None:
    own = Call(
        function=weighted,
        names=("y_true", "y_pred"),
        positional=1,
        prediction="y_pred",
        constants={"power": 2.0},
    )
    single = Runner(slope(own)).run(INPUTS, "graph")
    np.testing.assert_allclose(single.gradient, 2.0 * V)


def test_operations_derived_twice_have_the_users_line() -> None:
    traced = Programs(slope(call(coupled))).at(SHAPES).traced
    assert traced is not None
    product = next(
        op for op in traced.graph.get_operations() if op.name.startswith("gradients_1/gradients/")
    )
    location = traced.origins.location(product.name)
    assert location is not None
    assert location.direction == "backward"
    assert location.source in (
        "    total = tf.reduce_sum(y_pred, axis=-1)",
        "    return total**3 + tf.reduce_sum(tf.math.exp(y_pred) + y_true, axis=-1)",
    )
    assert "gradients" not in traced.origins.forward_name(product.name)
