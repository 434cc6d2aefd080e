"""Losses of sequences: strokes, alignments, events, and labels that come one by one."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

LEAST_DENSITY = 1e-20
SOFTNESS, BAND = 0.1, 1  # of the least of three ways; how far from the diagonal a way may lead
LONG, SHORT = 6, 4  # steps of the two series
FRAMES, LABELS, BLANK = 3, 2, 0


def pen_strokes(y_true: Any, y_pred: Any) -> Any:
    """Likelihood of a step of a pen under normal distributions of two correlated coordinates."""
    share, along, up, wide, high, together = tf.split(y_pred, 6, axis=-1)
    wide, high, rho = tf.exp(wide), tf.exp(high), tf.tanh(together)
    right, above = (y_true[:, :1] - along) / wide, (y_true[:, 1:] - up) / high
    z = tf.square(right) + tf.square(above) - 2.0 * rho * right * above
    rest = 1.0 - tf.square(rho)
    density = tf.exp(-z / (2.0 * rest)) / (2.0 * math.pi * wide * high * tf.sqrt(rest))
    total = tf.reduce_sum(tf.nn.softmax(share, axis=-1) * density, axis=-1)
    return -tf.math.log(tf.maximum(total, LEAST_DENSITY))


def banded_warping(y_true: Any, y_pred: Any) -> Any:
    """Soft dynamic time warping of a series to a shorter one, in a band about the diagonal."""
    nowhere = tf.fill(tf.shape(y_pred)[:1], tf.constant(math.inf, y_pred.dtype))
    cost = {(i, j): nowhere for i in range(LONG + 1) for j in range(SHORT + 1)}
    cost[0, 0] = tf.zeros_like(y_pred[:, 0])
    for i in range(1, LONG + 1):
        for j in range(1, SHORT + 1):
            if abs(i - j) > BAND:
                continue
            ways = tf.stack([cost[i - 1, j - 1], cost[i - 1, j], cost[i, j - 1]], axis=-1)
            least = -SOFTNESS * tf.reduce_logsumexp(-ways / SOFTNESS, axis=-1)
            cost[i, j] = tf.square(y_true[:, i - 1] - y_pred[:, j - 1]) + least
    return cost[LONG, SHORT]


def next_event(y_true: Any, y_pred: Any) -> Any:
    """Likelihood of the time until an event whose rate rises or falls exponentially."""
    past, slope = y_pred[:, :1], y_pred[:, 1:]
    now = past + slope * y_true
    passed = (tf.exp(now) - tf.exp(past)) / slope
    return tf.squeeze(passed - now, axis=1)


def transducer(y_true: Any, y_pred: Any) -> Any:
    """Likelihood of labels over frames, each of which gives any number of them, then a blank."""
    ways = tf.nn.log_softmax(y_pred, axis=-1)
    labels = tf.one_hot(tf.cast(y_true, tf.int32), y_pred.shape[-1], dtype=y_pred.dtype)
    given = tf.reduce_sum(ways[:, :, :LABELS] * labels[:, tf.newaxis], axis=-1)
    reached = {(0, 0): tf.zeros_like(ways[:, 0, 0, 0])}
    for t in range(FRAMES):
        for u in range(LABELS + 1):
            before = []
            if t:
                before.append(reached[t - 1, u] + ways[:, t - 1, u, BLANK])
            if u:
                before.append(reached[t, u - 1] + given[:, t, u - 1])
            if before:
                reached[t, u] = tf.reduce_logsumexp(tf.stack(before, axis=-1), axis=-1)
    return -(reached[FRAMES - 1, LABELS] + ways[:, FRAMES - 1, LABELS, BLANK])
