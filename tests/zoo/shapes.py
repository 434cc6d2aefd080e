"""Shapes, labels, dead ends and calls: rows 48 to 56, 63, 68 and 73 of the catalogue."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from tests.zoo.logarithms import clipped_sigmoid_twin
from tests.zoo.specimen import REALS, apart, pair, specimen


def error_rate(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    labels = tf.argmax(y_true, axis=-1)
    wrong = tf.not_equal(labels, tf.argmax(y_pred, axis=-1))
    return tf.reduce_mean(tf.cast(wrong, y_pred.dtype))


def error_rate_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return 1.0 - tf.reduce_sum(y_true * tf.nn.softmax(y_pred), axis=-1)


def through_numpy(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    error = tf.numpy_function(np.abs, [y_true - y_pred], y_pred.dtype)
    return tf.reduce_mean(tf.reshape(error, tf.shape(y_pred)), axis=-1)


def through_numpy_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.abs(y_true - y_pred), axis=-1)


def column_against_row(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(y_true - y_pred))


def column_against_row_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    labels = tf.reshape(y_true, tf.shape(y_pred))
    return tf.reduce_mean(tf.square(labels - y_pred))


class Unaligned(keras.losses.Loss):  # type: ignore[misc]
    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


class Aligned(keras.losses.Loss):  # type: ignore[misc]
    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        labels = tf.reshape(y_true, tf.shape(y_pred))
        return tf.reduce_mean(tf.square(labels - y_pred), axis=-1)


def one_hot_of_column(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    labels = tf.one_hot(tf.cast(y_true, tf.int32), 3, dtype=y_pred.dtype)
    return -tf.reduce_mean(labels * tf.nn.log_softmax(y_pred))


def one_hot_of_column_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    index = tf.cast(tf.squeeze(y_true, axis=-1), tf.int32)
    labels = tf.one_hot(index, 3, dtype=y_pred.dtype)
    return -tf.reduce_mean(labels * tf.nn.log_softmax(y_pred))


def column_of_weights(y_true: tf.Tensor, y_pred: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
    losses = tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
    return tf.reduce_mean(losses * weight)


def column_of_weights_twin(y_true: tf.Tensor, y_pred: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
    losses = tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
    return tf.reduce_mean(losses * tf.squeeze(weight, axis=-1))


def over_the_batch(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=0)


def over_the_batch_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def summed_batch(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.square(y_true - y_pred))


def summed_batch_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.reduce_sum(tf.square(y_true - y_pred), axis=-1))


def unchecked_labels(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    labels = tf.cast(y_true, tf.int32)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=y_pred)


def masked_labels(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    labels = tf.cast(y_true, tf.int32)
    known = (labels >= 0) & (labels < tf.shape(y_pred)[-1])
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=tf.where(known, labels, 0), logits=y_pred
    )
    return tf.where(known, losses, 0.0)


def one_hot_of_any(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    labels = tf.one_hot(tf.cast(y_true, tf.int32), tf.shape(y_pred)[-1], dtype=y_pred.dtype)
    return -tf.reduce_sum(labels * tf.nn.log_softmax(y_pred), axis=-1)


def _alignment(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    labels = 1 + tf.cast(y_true, tf.int32) % (tf.shape(y_pred)[-1] - 1)  # 0 is the blank
    rows = tf.ones(tf.shape(y_pred)[:1], tf.int32)
    frames, length = rows * tf.shape(y_pred)[1], rows * tf.shape(labels)[1]
    return tf.nn.ctc_loss(labels, y_pred, length, frames, logits_time_major=False, blank_index=0)


def unchecked_lengths(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return _alignment(y_true, y_pred)


def checked_lengths(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Pad with frames that every label fits into."""
    more = tf.maximum(2 * tf.shape(y_true)[1] - tf.shape(y_pred)[1], 0)
    return _alignment(y_true, tf.pad(y_pred, [[0, 0], [0, more], [0, 0]]))


def twice_squashed(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    p = tf.sigmoid(y_pred)
    terms = tf.nn.sigmoid_cross_entropy_with_logits(labels=y_true, logits=p)
    return tf.reduce_mean(terms, axis=-1)


def missing_function(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    steps = tf.diff(y_true, axis=1) - tf.diff(y_pred, axis=1)
    return tf.reduce_mean(tf.square(steps))


def missing_function_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    steps = keras.ops.diff(y_true, axis=1) - keras.ops.diff(y_pred, axis=1)
    return tf.reduce_mean(tf.square(steps))


ROW_AND_COLUMN = apart(("real", "(B,)"), ("real", "(B, 1)"))
CLASSES = apart(("class_index", "(B,)"), ("logits", "(B, C)"))

SPECIMENS = (
    specimen(
        48,
        "LC102",
        error_rate,
        error_rate_twin,
        pair("one_hot", "logits", "(B, C)"),
        "any",
        "tf.argmax(y_pred",
    ),
    specimen(
        48,
        "LC102",
        through_numpy,
        through_numpy_twin,
        REALS,
        "any",
        "tf.numpy_function(",
    ),
    specimen(
        49,
        "LC401",
        column_against_row,
        column_against_row_twin,
        ROW_AND_COLUMN,
        "labels (B,)",
        "y_true - y_pred",
    ),
    specimen(
        50,
        "LC401",
        Unaligned(),
        Aligned(),
        ROW_AND_COLUMN,
        "labels (B,)",
        "y_true - y_pred",
    ),
    specimen(
        51,
        "LC401",
        one_hot_of_column,
        one_hot_of_column_twin,
        apart(("class_index", "(B, 1)"), ("logits", "(B, 3)")),
        "labels (B, 1)",
        "labels * tf.nn.log_softmax",
    ),
    specimen(
        52,
        "LC401",
        column_of_weights,
        column_of_weights_twin,
        pair("real", "real", weight=("weight", "(B, 1)")),
        "weights (B, 1)",
        "losses * weight",
    ),
    specimen(
        53,
        "LC403 LC404",
        over_the_batch,
        over_the_batch_twin,
        REALS,
        "a batch that is no row",
        "axis=0",
        dagger=True,
    ),
    specimen(
        54,
        "LC403 LC602",
        summed_batch,
        summed_batch_twin,
        REALS,
        "another batch size",
        severity="note",
        dagger=True,
    ),
    specimen(
        55,
        "LC206",
        unchecked_labels,
        masked_labels,
        CLASSES,
        "a label of -1",
        "tf.nn.sparse_softmax",
        severity="warning",
    ),
    specimen(
        56,
        "LC206",
        one_hot_of_any,
        masked_labels,
        CLASSES,
        "a label of -1",
        "tf.one_hot(",
        severity="warning",
    ),
    specimen(
        63,
        "",  # no rule is about lengths
        unchecked_lengths,
        checked_lengths,
        apart(("class_index", "(B, 3)"), ("logits", "(B, 2, 3)")),
        "3 labels, 2 frames",
        "_alignment(y_true, y_pred)",
        severity="warning",
    ),
    specimen(
        68,
        "LC103",
        twice_squashed,
        clipped_sigmoid_twin,
        pair("binary", "logits"),
        "z = 50",
        "tf.sigmoid(y_pred)",
        severity="warning",
    ),
    specimen(
        73,
        "LC901",
        missing_function,
        missing_function_twin,
        pair("real", "real", "(B, 6)"),
        "any",
        "tf.diff(",
    ),
)
