"""Losses as they stand in other people's code: what each taught, held."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import losscheck
from losscheck.model import LossReport
from tests.verdicts import codes, errors, found

UNIT, REAL = ("[0, 1]", "(B, D)"), ("real", "(B, D)")
CENTERS = tf.constant(np.random.default_rng(0).normal(size=(3, 4)), tf.float32)


def _check(
    loss: object, y_true: object, y_pred: object, *select: str, **others: object
) -> LossReport:
    """Check a loss; where one rule is what it taught, that rule alone is asked."""
    arguments = {"y_true": y_true, "y_pred": y_pred, **others}
    return losscheck.check(loss, arguments=arguments, select=select)  # type: ignore[arg-type]


def test_an_absolute_error_at_the_edge_of_its_domain_is_no_mismatch() -> None:
    report = _check(lambda y_true, y_pred: tf.reduce_mean(tf.abs(y_true - y_pred)), UNIT, UNIT)
    assert errors(report) == []
    assert not found(report, "LC101")


def test_a_float32_constant_in_the_loss_keeps_it_in_blocks() -> None:
    # tf.maximum(0.0, x) does not trace in float64; the float32 graph is rewritten instead.
    def overlap(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        size = tf.maximum(0.0, tf.minimum(y_true, y_pred))
        return 1.0 - tf.reduce_mean(tf.math.divide_no_nan(size, tf.maximum(y_true, y_pred)))

    report = _check(overlap, UNIT, UNIT)
    assert errors(report) == []
    assert report.cases >= 100_000


def test_a_spread_that_is_zero_has_a_nan_gradient() -> None:
    def spread(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        hinge = tf.nn.relu(1 - tf.sqrt(tf.math.reduce_variance(y_pred, 0)))
        return tf.reduce_mean(hinge) + tf.reduce_mean(tf.square(y_true - y_pred))

    report = _check(spread, ("real", "(B, 4)"), ("real", "(B, 4)"), "LC203")
    assert found(report, "LC203", "error", "tf.sqrt")


@pytest.mark.slow
def test_a_table_of_its_own_says_how_many_classes_there_are() -> None:
    def center(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        nearest = tf.gather(CENTERS, tf.cast(y_true, tf.int32))
        return tf.reduce_sum(tf.square(y_pred - nearest), axis=-1)

    assert errors(_check(center, ("class_index", "(B,)"), ("real", "(B, 4)"))) == []


def test_a_pole_is_an_infinity_and_no_jump() -> None:
    def log_error(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.math.log(tf.abs(y_true - y_pred)))

    report = _check(log_error, REAL, REAL, "LC105", "LC202")
    assert found(report, "LC202", "error", "tf.math.log")
    assert not found(report, "LC105")


def test_numpy_on_tensors_is_not_traceable() -> None:
    report = losscheck.check(lambda y_true, y_pred: np.mean((y_true - y_pred) ** 2))
    assert codes(report, "error") == {"LC501"}


def test_lines_inside_a_tf_function_that_the_loss_calls_are_known() -> None:
    @tf.function
    def cosine(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(a * b, -1) / (tf.norm(a, axis=-1) * tf.norm(b, axis=-1))

    report = _check(lambda y_true, y_pred: 1 - cosine(y_true, y_pred), REAL, REAL, "LC201")
    assert found(report, "LC201", "error", "tf.reduce_sum(a * b, -1) /")


def test_a_head_of_two_parameters_has_a_loss_of_the_labels_shape() -> None:
    def normal(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        scale = tf.nn.softplus(y_pred[:, 1:]) + 1e-3
        return tf.math.log(scale) + 0.5 * tf.square((y_true - y_pred[:, :1]) / scale)

    report = _check(normal, ("real", "(B, 1)"), ("real", "(B, 2)"), "LC404")
    assert not found(report, "LC404")


def test_an_assertion_of_the_losss_own_stops_nothing() -> None:
    def guarded(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        tf.debugging.assert_less_equal(y_pred, 0.999)
        return tf.reduce_mean(tf.square(y_true - y_pred))

    assert errors(_check(guarded, UNIT, UNIT)) == []


def test_one_hot_of_a_column_is_broadcast_whatever_is_declared() -> None:
    def cross_entropy(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        labels = tf.one_hot(tf.cast(y_true, tf.int32), 3)
        return -tf.reduce_mean(labels * tf.nn.log_softmax(y_pred))

    column = _check(cross_entropy, ("class_index", "(B, 1)"), ("logits", "(B, 3)"), "LC4")
    assert found(column, "LC401", "error", "labels * tf.nn.log_softmax")
    flat = _check(cross_entropy, ("class_index", "(B,)"), ("logits", "(B, 3)"), "LC4")
    assert errors(flat) == []


def test_a_column_of_weights_against_losses_per_sample_is_broadcast() -> None:
    def weighted(y_true: tf.Tensor, y_pred: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
        per_sample = tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
        return tf.reduce_mean(per_sample * weight)

    column = _check(weighted, REAL, REAL, "LC4", weight=("weight", "(B, 1)"))
    assert found(column, "LC401", "error", "per_sample * weight")
    assert errors(_check(weighted, REAL, REAL, "LC4", weight=("weight", "(B,)"))) == []


def test_large_numbers_that_cancel_decide_nothing_about_the_gradient() -> None:
    # At an anchor of 4e8 both squares are 1.6e17, whose neighbours in float64 are 32 apart.
    def triplet(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        anchor, positive, negative = tf.split(y_pred, 3, axis=-1)
        near = tf.reduce_sum(tf.square(anchor - positive), axis=-1)
        far = tf.reduce_sum(tf.square(anchor - negative), axis=-1)
        return tf.reduce_mean(tf.maximum(near - far + 1.0, 0.0))

    report = _check(triplet, ("real", "(B, 1)"), ("real", "(B, 6)"), "LC101")
    assert not found(report, "LC101", "error")
