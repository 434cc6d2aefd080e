"""Sound regression losses: finite in value and gradient over the working range of their domains.

Every constant added or clamped to is named; each leaves ordinary values alone by several orders of
magnitude and is large enough that its reciprocal, squared, still fits float32.
"""

from __future__ import annotations

import math

import tensorflow as tf

FLOOR = 1e-6  # of a variance or a squared norm
SCALE_FLOOR = 1e-3  # of a denominator in the units of the target
LOG_2 = math.log(2.0)
WING_WIDTH, WING_CURVATURE = 10.0, 2.0  # the values of the wing loss paper, in pixels
WING_OFFSET = WING_WIDTH - WING_WIDTH * math.log1p(WING_WIDTH / WING_CURVATURE)
TWEEDIE_POWER = 1.5  # between 1 (Poisson) and 2 (gamma)
QUANTILE = 0.9
HUBER_DELTA = 2.0


def squared_distance(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.square(y_true - y_pred), axis=-1)


def euclidean_distance(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    squared = tf.reduce_sum(tf.square(y_true - y_pred), axis=-1)
    return tf.sqrt(tf.maximum(squared, FLOOR))


def root_mean_square(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.sqrt(tf.reduce_mean(tf.square(y_true - y_pred)) + FLOOR)


def pinball(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    error = y_true - y_pred
    return tf.reduce_mean(tf.maximum(QUANTILE * error, (QUANTILE - 1.0) * error), axis=-1)


def charbonnier(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.sqrt(tf.square(y_true - y_pred) + FLOOR))


def wing(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    size = tf.abs(y_true - y_pred)
    near = WING_WIDTH * tf.math.log1p(size / WING_CURVATURE)
    return tf.reduce_mean(tf.where(size < WING_WIDTH, near, size - WING_OFFSET))


def huber(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    size = tf.abs(y_true - y_pred)
    far = HUBER_DELTA * (size - 0.5 * HUBER_DELTA)
    return tf.reduce_mean(tf.where(size <= HUBER_DELTA, 0.5 * tf.square(size), far), axis=-1)


def log_cosh(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    size = tf.abs(y_true - y_pred)
    # Both are exact. The first cancels near 0, the second has no digits left beyond tanh = 1.
    far = size + tf.math.softplus(-2.0 * size) - LOG_2
    near = -0.5 * tf.math.log1p(-tf.square(tf.tanh(tf.minimum(size, 1.0))))
    return tf.reduce_mean(tf.where(size < 1.0, near, far))


def cauchy(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.math.log1p(tf.square(y_true - y_pred)))


def squared_log_error(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(tf.math.log1p(y_pred) - tf.math.log1p(y_true)))


def relative_error(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.abs(y_true - y_pred) / tf.maximum(tf.abs(y_true), SCALE_FLOOR))


def masked_mean(y_true: tf.Tensor, y_pred: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    squares = tf.reduce_sum(mask * tf.square(y_true - y_pred))
    return tf.math.divide_no_nan(squares, tf.reduce_sum(mask))


def weighted_squares(y_true: tf.Tensor, y_pred: tf.Tensor, sample_weights: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(sample_weights[:, tf.newaxis] * tf.square(y_true - y_pred))


def poisson_log_rate(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.exp(y_pred) - y_true * y_pred


def poisson_rate(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(y_pred - y_true * tf.math.log(tf.maximum(y_pred, 1e-12)), axis=-1)


def gaussian_nll(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    mean, raw = y_pred[:, :1], y_pred[:, 1:]
    variance = tf.math.softplus(raw) + SCALE_FLOOR
    return 0.5 * tf.reduce_mean(tf.math.log(variance) + tf.square(y_true - mean) / variance)


def tweedie_log_mean(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    down, up = 1.0 - TWEEDIE_POWER, 2.0 - TWEEDIE_POWER
    return tf.reduce_mean(tf.exp(up * y_pred) / up - y_true * tf.exp(down * y_pred) / down)


def _centred(x: tf.Tensor) -> tf.Tensor:
    return x - tf.reduce_mean(x, axis=-1, keepdims=True)


def pearson(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    labels, guesses = _centred(y_true), _centred(y_pred)
    covariance = tf.reduce_mean(labels * guesses, axis=-1)
    spreads = [tf.sqrt(tf.reduce_mean(tf.square(x), axis=-1) + FLOOR) for x in (labels, guesses)]
    return 1.0 - covariance / spreads[0] / spreads[1]


def concordance(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    labels, guesses = _centred(y_true), _centred(y_pred)
    covariance = tf.reduce_mean(labels * guesses, axis=-1)
    shift = tf.reduce_mean(y_true, axis=-1) - tf.reduce_mean(y_pred, axis=-1)
    spread = tf.reduce_mean(tf.square(labels) + tf.square(guesses), axis=-1)
    return 1.0 - 2.0 * covariance / (spread + tf.square(shift) + SCALE_FLOOR)
