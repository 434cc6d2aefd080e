"""Losses of depth, of robust errors, of tags in a row, and of equations."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

SMALL = 1e-7  # of a disparity
QUADRATIC_FROM = 0.2  # of the largest error
POINTS = (0.0, 0.25, 0.5, 0.75, 1.0)
TERMS, STEPS, TAGS = 5, 4, 3
TRANSITIONS = ((0.5, -0.2, -1.0), (0.1, 0.3, 0.0), (-0.4, 0.2, 0.6))


def edge_aware_smoothness(y_true: Any, y_pred: Any) -> Any:
    """Slopes of a disparity over its mean, which count less at edges of the image (y_true)."""
    flat = y_pred / (tf.reduce_mean(y_pred, axis=[1, 2], keepdims=True) + SMALL)

    def along(shifted: Any, kept: Any) -> Any:
        (image, moved_image), (depth, moved) = shifted, kept
        edge = tf.reduce_mean(tf.abs(moved_image - image), axis=-1, keepdims=True)
        return tf.reduce_mean(tf.abs(moved - depth) * tf.exp(-edge), axis=[1, 2, 3])

    down = along((y_true[:, :-1], y_true[:, 1:]), (flat[:, :-1], flat[:, 1:]))
    across = along((y_true[:, :, :-1], y_true[:, :, 1:]), (flat[:, :, :-1], flat[:, :, 1:]))
    return down + across


def reverse_huber(y_true: Any, y_pred: Any) -> Any:
    """Absolute error, and squares of errors above a fifth of the largest."""
    error = tf.abs(y_true - y_pred)
    edge = QUADRATIC_FROM * tf.reduce_max(error)
    squares = (tf.square(error) + tf.square(edge)) / (2.0 * edge)
    return tf.reduce_mean(tf.where(error <= edge, error, squares), axis=-1)


def general_robust(y_true: Any, y_pred: Any, alpha: Any) -> Any:
    """One family of robust errors, from Cauchy's (alpha 0) to squares (alpha 2)."""
    error, rest = y_pred - y_true, tf.abs(alpha - 2.0)
    powers = rest / alpha * (tf.pow(tf.square(error) / rest + 1.0, alpha / 2.0) - 1.0)
    return tf.reduce_mean(powers, axis=-1)


def tags_in_a_row(y_true: Any, y_pred: Any) -> Any:
    """Likelihood of a row of tags under a chain: all rows' weights, less that of the labels."""
    moves = tf.constant(TRANSITIONS, y_pred.dtype)
    chosen = tf.one_hot(tf.cast(y_true, tf.int32), TAGS, dtype=y_pred.dtype)
    score = tf.reduce_sum(chosen * y_pred, axis=[1, 2])
    steps = tf.matmul(chosen[:, :-1], moves)
    score += tf.reduce_sum(steps * chosen[:, 1:], axis=[1, 2])
    total = y_pred[:, 0]
    for t in range(1, STEPS):
        total = tf.reduce_logsumexp(total[:, :, tf.newaxis] + moves, axis=1) + y_pred[:, t]
    return tf.reduce_logsumexp(total, axis=-1) - score


def oscillator(y_true: Any, y_pred: Any) -> Any:
    """How far a polynomial is from u'' = -u at five points, and from its start (y_true)."""
    place = tf.ones_like(y_pred[:, :1]) * tf.constant(POINTS, y_pred.dtype)
    with tf.GradientTape() as outer:
        outer.watch(place)
        with tf.GradientTape() as inner:
            inner.watch(place)
            height = tf.zeros_like(place)
            for k in reversed(range(TERMS)):
                height = height * place + y_pred[:, k : k + 1]
        slope = inner.gradient(height, place)
    bend = outer.gradient(slope, place)
    start = tf.stack([height[:, 0], slope[:, 0]], axis=-1)
    off = tf.reduce_mean(tf.square(bend + height), axis=-1)
    return off + tf.reduce_sum(tf.square(start - y_true), axis=-1)
