"""Faults that give NaN or Inf, or hide it, each beside its sound twin."""

from __future__ import annotations

import tensorflow as tf

FLOOR = 1e-6  # of a probability or a squared norm


def root_miss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    miss = tf.where(y_true > 0.5, 1.0 - y_pred, y_pred)
    return tf.reduce_mean(tf.sqrt(miss))


def root_miss_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    miss = tf.where(y_true > 0.5, 1.0 - y_pred, y_pred)
    return tf.reduce_mean(tf.sqrt(miss + FLOOR))


def dropped_overflow(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    squares = tf.square(y_true - y_pred)
    kept = tf.where(tf.math.is_finite(squares), squares, tf.zeros_like(squares))
    return tf.reduce_mean(kept)


def dropped_overflow_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(y_true - y_pred))
