"""Losses of what a network holds inside: its spread, its neighbours, its codes."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

OFF_DIAGONAL = 5e-3
BATCH_SIZE = 8
ORDER = 1.01  # of Renyi's entropy
LEAST_SHARE = 1e-10
CODES = ((1.0, 0.5), (-1.0, 1.0), (-0.5, -1.5), (2.0, -1.0))
COMMITMENT = 0.25


def _standardised(values: Any) -> Any:
    return (values - tf.reduce_mean(values, axis=0)) / tf.math.reduce_std(values, axis=0)


def redundancy(y_true: Any, y_pred: Any) -> Any:
    """How far the correlations of two views are from the identity matrix."""
    count = tf.cast(tf.shape(y_pred)[0], y_pred.dtype)
    cross = tf.matmul(_standardised(y_true), _standardised(y_pred), transpose_a=True) / count
    same = tf.linalg.diag_part(cross)
    others = tf.reduce_sum(tf.square(cross)) - tf.reduce_sum(tf.square(same))
    return tf.reduce_sum(tf.square(same - 1.0)) + OFF_DIAGONAL * others


def _spread_and_overlap(values: Any) -> Any:
    count = tf.cast(tf.shape(values)[0], values.dtype)
    centred = values - tf.reduce_mean(values, axis=0)
    spread = tf.sqrt(tf.reduce_mean(tf.square(centred), axis=0) + 1e-4)
    covariance = tf.matmul(centred, centred, transpose_a=True) / tf.maximum(count - 1.0, 1.0)
    off = covariance - tf.linalg.diag(tf.linalg.diag_part(covariance))
    overlap = tf.reduce_sum(tf.square(off)) / values.shape[-1]
    return 25.0 * tf.reduce_mean(tf.nn.relu(1.0 - spread)) + overlap


def variance_kept(y_true: Any, y_pred: Any) -> Any:
    """Two views that agree, each column of which varies and none of which repeats another."""
    agreement = tf.reduce_mean(tf.square(y_true - y_pred))
    return 25.0 * agreement + _spread_and_overlap(y_true) + _spread_and_overlap(y_pred)


def _kernel(values: Any) -> Any:
    points = tf.reshape(values, [BATCH_SIZE, -1])
    apart = tf.reduce_sum(tf.square(points[:, tf.newaxis] - points[tf.newaxis]), axis=-1)
    return tf.exp(-apart / 2.0) / BATCH_SIZE


def _entropy(kernel: Any) -> Any:
    sizes = tf.abs(tf.linalg.eigvalsh(kernel))
    return tf.math.log(tf.reduce_sum(tf.pow(sizes, ORDER))) / ((1.0 - ORDER) * math.log(2.0))


def shared_information(y_true: Any, y_pred: Any) -> Any:
    """Mutual information of inputs and codes by the eigenvalues of their kernels."""
    inputs, codes = _kernel(y_true), _kernel(y_pred)
    return _entropy(inputs) + _entropy(codes) - _entropy(inputs * codes * BATCH_SIZE)


def _squares(points: Any) -> Any:
    return tf.reduce_sum(tf.square(points[:, tf.newaxis] - points[tf.newaxis]), axis=-1)


def _shares(near: Any) -> Any:
    others = near * (1.0 - tf.eye(tf.shape(near)[0], dtype=near.dtype))
    return tf.math.divide_no_nan(others, tf.reduce_sum(others))


def neighbours_kept(y_true: Any, y_pred: Any) -> Any:
    """Divergence of who is near to whom in a map from who is near in the data."""
    wanted = _shares(tf.exp(-_squares(y_true) / 2.0))
    found = _shares(1.0 / (1.0 + _squares(y_pred)))
    ratio = tf.math.log((wanted + LEAST_SHARE) / (found + LEAST_SHARE))
    return tf.reduce_sum(wanted * ratio)


def nearest_code(y_true: Any, y_pred: Any) -> Any:
    """What the nearest code makes of a prediction, and how far the prediction is from it."""
    codes = tf.constant(CODES, y_pred.dtype)
    apart = tf.reduce_sum(tf.square(y_pred[:, tf.newaxis] - codes), axis=-1)
    code = tf.gather(codes, tf.argmin(apart, axis=-1))
    passed_on = y_pred + tf.stop_gradient(code - y_pred)
    made = tf.reduce_mean(tf.square(y_true - passed_on), axis=-1)
    return made + COMMITMENT * tf.reduce_mean(tf.square(tf.stop_gradient(code) - y_pred), axis=-1)


def hard_frequencies(y_true: Any, y_pred: Any) -> Any:
    """Squared errors of a spectrum, those weighted more (by a weight held) that are larger."""
    error = tf.signal.fft2d(tf.complex(y_true - y_pred, tf.zeros_like(y_pred)))
    squares = tf.square(tf.math.real(error)) + tf.square(tf.math.imag(error))
    size = tf.sqrt(tf.stop_gradient(squares))
    weight = tf.math.divide_no_nan(size, tf.reduce_max(size, axis=[1, 2], keepdims=True))
    return tf.reduce_mean(weight * squares, axis=[1, 2])
