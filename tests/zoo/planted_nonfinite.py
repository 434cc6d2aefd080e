"""Faults that give NaN or Inf, or hide it, each beside its sound twin."""

from __future__ import annotations

import math

import tensorflow as tf

FLOOR = 1e-6  # of a probability or a squared norm


def bare_masked_mean(y_true: tf.Tensor, y_pred: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    squares = mask * tf.square(y_true - y_pred)
    return tf.reduce_sum(squares) / tf.reduce_sum(mask)


def bare_masked_mean_twin(y_true: tf.Tensor, y_pred: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    squares = mask * tf.square(y_true - y_pred)
    return tf.math.divide_no_nan(tf.reduce_sum(squares), tf.reduce_sum(mask))


def bare_softplus(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.math.log(1.0 + tf.exp(y_pred)) - y_true * y_pred)


def bare_softplus_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    against = (1.0 - 2.0 * y_true) * y_pred
    return tf.reduce_mean(tf.math.softplus(against))


def guarded_log(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    log = tf.where(y_pred > FLOOR, tf.math.log(y_pred), math.log(FLOOR))
    return -tf.reduce_sum(y_true * log, axis=-1)


def guarded_log_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    log = tf.math.log(tf.maximum(y_pred, FLOOR))
    return -tf.reduce_sum(y_true * log, axis=-1)


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


def late_clamp(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Cosine distance whose clamp comes after the root: XLA's gradient multiplies 0 by Inf."""
    labels = tf.math.l2_normalize(y_true, axis=-1)
    squared = tf.reduce_sum(tf.square(y_pred), axis=-1, keepdims=True)
    inverse = tf.minimum(tf.math.rsqrt(squared), 1.0 / math.sqrt(FLOOR))
    return 1.0 - tf.reduce_sum(labels * y_pred * inverse, axis=-1)


def late_clamp_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    labels = tf.math.l2_normalize(y_true, axis=-1)
    squared = tf.reduce_sum(tf.square(y_pred), axis=-1, keepdims=True)
    inverse = tf.math.rsqrt(tf.maximum(squared, FLOOR))
    return 1.0 - tf.reduce_sum(labels * y_pred * inverse, axis=-1)
