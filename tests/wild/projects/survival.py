"""Losses of times until an event, some of which were not seen."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

SMALL = 1e-7  # of a probability
INTERVALS = 3


def conditional_survival(y_true: Any, y_pred: Any) -> Any:
    """Likelihood of surviving each interval: labels say which were, and which was not."""
    survived, failed = y_true[:, :INTERVALS], y_true[:, INTERVALS:]
    lived = tf.maximum(1.0 + survived * (y_pred - 1.0), SMALL)
    died = tf.maximum(1.0 - failed * y_pred, SMALL)
    return -tf.reduce_sum(tf.math.log(lived) + tf.math.log(died), axis=-1)


def discrete_weibull(y_true: Any, y_pred: Any) -> Any:
    """Likelihood of a whole number of days under a Weibull law, censored where not seen."""
    days, seen = y_true[:, 0], y_true[:, 1]
    scale, shape = y_pred[:, 0], y_pred[:, 1]
    before = tf.pow((days + SMALL) / scale, shape)
    after = tf.pow((days + 1.0) / scale, shape)
    return after - seen * tf.math.log(tf.exp(after - before) - 1.0 + SMALL)


def mass_of_intervals(y_true: Any, y_pred: Any, event: Any) -> Any:
    """Likelihood of an interval, or of any later one where the event was not seen."""
    chosen = tf.one_hot(tf.cast(y_true, tf.int32), y_pred.shape[-1], dtype=y_pred.dtype)
    highest = tf.reduce_max(y_pred, axis=-1, keepdims=True)
    reached = tf.cumsum(tf.exp(y_pred - highest), axis=-1)
    total = reached[:, -1]
    tail = tf.nn.relu(total - tf.reduce_sum(chosen * reached, axis=-1))
    now = tf.reduce_sum(chosen * (y_pred - highest), axis=-1)
    later = tf.math.log(tail + SMALL)
    return tf.math.log(total + SMALL) - event * now - (1.0 - event) * later
