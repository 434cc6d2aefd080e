"""Losses of ranks, counts, angles and teachers."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

SMALL, MOST = 1e-10, 1e6
HEAT = 0.1  # of a rank that is made smooth


def agreement_by_probabilities(y_true: Any, y_pred: Any) -> Any:
    """Divergence of a student from its teacher, the student's probabilities in place of logs."""
    return tf.reduce_sum(tf.math.xlogy(y_true, y_true) - y_true * y_pred, axis=-1)


def conditional_ranks(y_true: Any, y_pred: Any) -> Any:
    """Whether a rank is above each level, asked of those alone that reached the level."""
    level = tf.range(y_pred.shape[-1], dtype=y_pred.dtype)
    rank = tf.cast(y_true, y_pred.dtype)[:, tf.newaxis]
    asked, above = (tf.cast(x, y_pred.dtype) for x in (rank >= level, rank > level))
    yes = tf.math.log_sigmoid(y_pred)
    each = asked * (above * yes + (1.0 - above) * (yes - y_pred))
    return -tf.reduce_sum(each) / tf.reduce_sum(asked)


def zero_inflated_counts(y_true: Any, y_pred: Any) -> Any:
    """Likelihood of a count that is negative binomial, or 0 for another reason."""
    mean, size, dropped = y_pred[:, :1], tf.minimum(y_pred[:, 1:2], MOST), y_pred[:, 2:]
    ways = tf.math.lgamma(size + SMALL) + tf.math.lgamma(y_true + 1.0)
    ways -= tf.math.lgamma(y_true + size + SMALL)
    costs = (size + y_true) * tf.math.log1p(mean / (size + SMALL))
    costs += y_true * (tf.math.log(size + SMALL) - tf.math.log(mean + SMALL))
    counted = ways + costs - tf.math.log(tf.maximum(1.0 - dropped, SMALL))
    none = tf.pow(size / (size + mean + SMALL), size)
    zero = -tf.math.log(dropped + (1.0 - dropped) * none + SMALL)
    return tf.squeeze(tf.where(y_true < 0.5, zero, counted), axis=1)


def heading_and_concentration(y_true: Any, y_pred: Any) -> Any:
    """Likelihood of an angle under a von Mises law."""
    mean, kappa = y_pred[:, :1], y_pred[:, 1:]
    off = 2.0 * kappa * tf.square(tf.sin((y_true - mean) / 2.0))
    return tf.squeeze(off + tf.math.log(2.0 * math.pi * tf.math.bessel_i0e(kappa)), axis=1)


def approximate_gain(y_true: Any, y_pred: Any) -> Any:
    """One minus the discounted gain of smoothed ranks over that of the best order."""
    gain = tf.math.expm1(math.log(2.0) * y_true)
    apart = (y_pred[:, tf.newaxis, :] - y_pred[:, :, tf.newaxis]) / HEAT
    rank = 0.5 + tf.reduce_sum(tf.sigmoid(apart), axis=-1)
    found = tf.reduce_sum(gain / tf.math.log1p(rank), axis=-1)
    places = tf.range(1, y_true.shape[-1] + 1, dtype=gain.dtype)
    best = tf.reduce_sum(tf.sort(gain, direction="DESCENDING") / tf.math.log1p(places), axis=-1)
    return 1.0 - tf.math.divide_no_nan(found, best)
