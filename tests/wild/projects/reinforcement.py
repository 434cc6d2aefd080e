"""Losses of agents: distributional values, corrected returns, and squashed policies."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

DISCOUNT = 0.99
STEPS = 4
TEMPERATURE = 0.2


def quantile_values(y_true: Any, y_pred: Any) -> Any:
    """Huber's loss between all pairs of quantiles, tilted to each quantile's level."""
    count = y_pred.shape[-1]
    levels = (tf.range(count, dtype=y_pred.dtype) + 0.5) / count
    error = y_true[:, tf.newaxis, :] - y_pred[:, :, tf.newaxis]
    size = tf.abs(error)
    huber = tf.where(size <= 1.0, 0.5 * tf.square(size), size - 0.5)
    below = tf.cast(error < 0.0, y_pred.dtype)
    tilted = tf.abs(levels[:, tf.newaxis] - below) * huber
    return tf.reduce_sum(tf.reduce_mean(tilted, axis=2), axis=1)


def corrected_returns(y_true: Any, y_pred: Any, log_ratios: Any) -> Any:
    """Values against returns whose off-policy steps count at most once (rewards are y_true)."""
    ratios = tf.minimum(tf.exp(log_ratios), 1.0)
    following = tf.concat([y_pred[:, 1:], tf.zeros_like(y_pred[:, :1])], axis=1)
    steps = ratios * (y_true + DISCOUNT * following - y_pred)
    correction, targets = tf.zeros_like(y_pred[:, 0]), []
    for t in reversed(range(STEPS)):
        correction = steps[:, t] + DISCOUNT * ratios[:, t] * correction
        targets.append(y_pred[:, t] + correction)
    wanted = tf.stop_gradient(tf.stack(targets[::-1], axis=1))
    return 0.5 * tf.reduce_sum(tf.square(wanted - y_pred), axis=1)


def squashed_policy(y_true: Any, y_pred: Any) -> Any:
    """Entropy bonus of an action squashed by tanh, less its value (which is y_true)."""
    normal = -0.5 * (tf.square(y_pred) + math.log(2.0 * math.pi))
    squashing = tf.math.log(1.0 - tf.square(tf.tanh(y_pred)))
    return TEMPERATURE * tf.reduce_sum(normal - squashing, axis=-1) - y_true
