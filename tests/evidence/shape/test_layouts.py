"""Layouts: what is broadcast by accident, and what the user writes out on purpose."""

from __future__ import annotations

import tensorflow as tf

from losscheck.evidence.shape.layouts import LayoutRun
from tests.desks import desk

REAL = ("real", "(B, D)")
WEIGHT = ("weight", "(B,)")


def _runs(function: object, form: str, **arguments: object) -> list[LayoutRun]:
    return [run for run in desk(function, **arguments).get("layouts") if run.form == form]  # type: ignore[arg-type]


def test_weights_per_sample_against_a_column_differ_and_the_product_is_named() -> None:
    def loss(y_true: tf.Tensor, y_pred: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(weights * tf.square(y_true - y_pred))

    runs = _runs(loss, "weights", y_true=REAL, y_pred=REAL, weights=WEIGHT)
    wrong = [run for run in runs if run.differs]
    assert wrong
    assert all(run.broadcast is not None and run.broadcast.op == "Mul" for run in wrong)
    assert any(run.error is not None for run in runs)  # three outputs against four samples


def test_weights_that_are_written_out_are_left_alone() -> None:
    def loss(y_true: tf.Tensor, y_pred: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(weights[:, tf.newaxis] * tf.square(y_true - y_pred))

    runs = _runs(loss, "weights", y_true=REAL, y_pred=REAL, weights=WEIGHT)
    assert runs
    assert not any(run.differs or run.error for run in runs)


def test_weights_that_are_normalised_couple_the_batch_and_are_left_alone() -> None:
    def loss(y_true: tf.Tensor, y_pred: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        errors = tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
        return tf.reduce_sum(weights * errors) / tf.reduce_sum(weights)

    runs = _runs(loss, "weights", y_true=REAL, y_pred=REAL, weights=WEIGHT)
    assert runs
    assert not any(run.differs or run.error for run in runs)


def test_a_static_batch_size_fails_where_it_is_unknown() -> None:
    def loss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        rows = y_pred.shape[0] * 1
        return tf.reduce_sum(tf.square(y_true - y_pred)) / rows

    (run,) = _runs(loss, "unknown-batch", y_true=REAL, y_pred=REAL)
    assert run.error is not None
    assert run.error.location is not None
    assert "y_pred.shape[0]" in run.error.location.source


def test_a_dynamic_batch_size_is_fine() -> None:
    def loss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        rows = tf.cast(tf.shape(y_pred)[0], y_pred.dtype)
        return tf.reduce_sum(tf.square(y_true - y_pred)) / rows

    (run,) = _runs(loss, "unknown-batch", y_true=REAL, y_pred=REAL)
    assert run.error is None
