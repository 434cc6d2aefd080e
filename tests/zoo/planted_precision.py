"""Losses that lose their digits, each with a twin that keeps them."""

from __future__ import annotations

import tensorflow as tf


def cosine_gap(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """1 - cos(d) agrees with 0 in float32 below d = 2e-4; over d^2 it is 0 or 6, not 0.5."""
    d = y_pred - y_true
    return tf.reduce_mean((1.0 - tf.cos(d)) / d**2, axis=-1)


def cosine_gap_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    d = y_pred - y_true
    near = tf.abs(d) < 0.1
    safe = tf.where(near, 1.0, d)
    series = 0.5 - d**2 / 24.0 + d**4 / 720.0
    far = 2.0 * tf.square(tf.sin(0.5 * safe) / safe)
    return tf.reduce_mean(tf.where(near, series, far), axis=-1)


def expanded_distance(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """The square of a near-duplicate's distance is rounding, and its root has any slope."""
    a = tf.reduce_sum(y_true * y_true, axis=-1)
    b = tf.reduce_sum(y_pred * y_pred, axis=-1)
    squares = a + b - 2.0 * tf.reduce_sum(y_true * y_pred, axis=-1)
    return tf.sqrt(tf.maximum(squares, 1e-12))


def expanded_distance_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    squares = tf.reduce_sum(tf.square(y_true - y_pred), axis=-1)
    return tf.sqrt(tf.maximum(squares, 1e-12))


def one_pass_deviation(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """The mean of squares minus the square of the mean, where all errors are nearly the same."""
    e = y_pred - y_true
    m = tf.reduce_mean(e, axis=-1)
    return tf.sqrt(tf.maximum(tf.reduce_mean(e * e, axis=-1) - m * m, 1e-12))


def one_pass_deviation_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    e = y_pred - y_true
    return tf.sqrt(tf.maximum(tf.math.reduce_variance(e, axis=-1), 1e-12))


def shifted_root(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Loses all digits below 2e-4, of values that matter to nobody."""
    d = y_pred - y_true
    return tf.reduce_mean(tf.sqrt(1.0 + d * d) - 1.0, axis=-1)


def linear_exponential(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    d = y_pred - y_true
    return tf.reduce_mean(tf.exp(d) - d - 1.0, axis=-1)


def bare_log_cosh(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.math.log(tf.cosh(y_pred - y_true)), axis=-1)


def bare_log_one_plus(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.math.log(1.0 + tf.abs(y_pred - y_true)), axis=-1)
