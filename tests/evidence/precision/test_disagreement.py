"""Values that differ between modes by no more than the rounding of what they are made of."""

from __future__ import annotations

import attrs
import tensorflow as tf

from losscheck.evidence.precision.disagreement import compared
from tests.desks import desk

GIVEN = ("[0, 4]", "(B, 3)")


def _nothing(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    # 0 but for the rounding of sums, in which XLA takes another order.
    x = tf.minimum(y_pred, y_true) + 0.2 * y_pred + 0.2 * y_true
    return tf.reduce_mean(tf.concat([x, -x], axis=-1), axis=-1)


def test_what_cancels_whatever_the_inputs_are_differs_by_rounding() -> None:
    found = desk(_nothing, y_true=GIVEN, y_pred=GIVEN).get("modes")
    assert {sweep.mode for sweep in found} == {"eager", "xla"}
    assert any((sweep.graph.totals != sweep.other.totals).any() for sweep in found)
    assert not any(sweep.value_apart.any() for sweep in found)


def test_a_value_that_is_off_by_more_than_rounding_is_apart() -> None:
    evidence = desk(_nothing, y_true=GIVEN, y_pred=GIVEN).evidence
    graph = evidence.main_sweep
    off = attrs.evolve(graph, totals=graph.totals + 1e-4)
    assert compared("xla", graph, off, evidence.rounded).value_apart.any()
    near = attrs.evolve(graph, totals=graph.totals + 1e-8)
    assert not compared("xla", graph, near, evidence.rounded).value_apart.any()
