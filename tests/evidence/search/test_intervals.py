"""The bounds of inner numbers hold, and exclude what the domains exclude."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from losscheck.evidence.search.guided import intervals
from losscheck.program.running.program import Program
from losscheck.program.tracing.trace import Call, trace
from losscheck.program.tracing.wiring import wiring

SHAPE = (2, 3)


@pytest.mark.parametrize(
    ("inner", "low", "high"),
    [
        (lambda x: tf.clip_by_value(x, 0.25, 0.75), 0.25, 0.75),
        (lambda x: 1.0 + tf.square(x - 1.0), 1.0, 5.0),
        (lambda x: 2.0 / (1.5 - x / 4.0), 2.0 / 1.75, 1.6),
        (lambda x: tf.exp(-tf.abs(x)), np.exp(-1.0), 1.0),
        (lambda x: tf.reduce_sum(x * x + 0.5, axis=-1), 0.5, np.inf),
        (lambda x: tf.maximum(x, 0.5) - tf.minimum(x, 0.0), 0.5, 2.0),
        (lambda x: tf.where(x > 0.0, x + 3.0, tf.sigmoid(x)), 0.0, 4.0),
        (lambda x: tf.math.cumsum(x), -np.inf, np.inf),
    ],
)
def test_bounds_by_hand(inner: Callable[[Any], Any], low: float, high: float) -> None:
    # Each pair of ends follows from x between -1 and 1 by hand.
    call = Call(function=inner, names=("y_pred",), positional=1, prediction="y_pred")
    traced = trace(call, {"y_pred": (SHAPE, "float32")})
    graph = wiring(traced, call.names, call.prediction)
    found = intervals(graph, {"y_pred": (-1.0, 1.0)})[graph.value]
    assert found == pytest.approx((low, high), rel=1e-6)
    points = np.random.default_rng(0).uniform(-1.0, 1.0, (256, *SHAPE))
    (values,) = Program(traced, call).fetch([graph.value], {"y_pred": points})
    assert (values >= low - 1e-6).all()
    assert (values <= high + 1e-6).all()
