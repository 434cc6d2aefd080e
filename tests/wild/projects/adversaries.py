"""Losses of critics, attacks, agents and traders."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

PENALTY = 10.0  # of a slope of the wrong length
KAPPA = 5.0  # by how much an attack should win
CLIP_DELTA = 1.0  # of an agent's error
BINS = 5
LOWEST, HIGHEST = -4.0, 4.0  # of a return's symmetric logarithm
STEPS = 4  # of a portfolio


def _length(slopes: Any) -> Any:
    return tf.sqrt(tf.reduce_sum(tf.square(slopes), axis=[1, 2, 3]))


def slope_penalty(y_true: Any, y_pred: Any) -> Any:
    """How far the slope of a critic at an image is from the length that it should have."""
    return PENALTY * tf.square(_length(y_pred) - y_true)


def _strongest_rival(scores: Any, own: Any) -> Any:
    beaten = tf.where(own > 0.0, scores.dtype.min, scores)
    return tf.reduce_max(beaten, axis=-1, keepdims=True)


def attack_margin(y_true: Any, y_pred: Any) -> Any:
    """By how much the class that is attacked still leads its strongest rival."""
    own = tf.one_hot(tf.cast(y_true, tf.int32), y_pred.shape[-1], dtype=y_pred.dtype)
    score = tf.reduce_sum(own * y_pred, axis=-1)
    lead = score - _strongest_rival(y_pred, own)
    return tf.reduce_mean(tf.maximum(lead + KAPPA, 0.0))


def _value_of(action: Any, values: Any) -> Any:
    chosen = tf.one_hot(tf.cast(action, tf.int32), values.shape[-1], dtype=values.dtype)
    return tf.reduce_sum(chosen * values, axis=-1)


def clipped_difference(y_true: Any, y_pred: Any, action: Any) -> Any:
    """Half the squared difference to a target of the value of what was done, within limits."""
    diff = y_true - _value_of(action, y_pred)
    if CLIP_DELTA > 0.0:
        diff = tf.clip_by_value(diff, -CLIP_DELTA, CLIP_DELTA)
    return 0.5 * tf.square(diff)


def _symlog(x: Any) -> Any:
    return tf.sign(x) * tf.math.log1p(tf.abs(x))


def _two_hot(position: Any) -> Any:
    """The two bins next to a position between 0 and BINS - 1, by how near they are."""
    bins = tf.range(BINS, dtype=position.dtype)
    return tf.maximum(1.0 - tf.abs(position[:, tf.newaxis] - bins), 0.0)


def binned_return(y_true: Any, y_pred: Any) -> Any:
    """Cross entropy of bins to the two that are next to a return's symmetric logarithm."""
    place = (_symlog(y_true) - LOWEST) / (HIGHEST - LOWEST) * (BINS - 1)
    target = _two_hot(tf.clip_by_value(place, 0.0, BINS - 1.0))
    return -tf.reduce_sum(target * tf.nn.log_softmax(y_pred, axis=-1), axis=-1)


def _portfolio_values(weights: Any, returns: Any) -> list[Any]:
    earned = tf.reduce_sum(weights[:, tf.newaxis] * returns, axis=-1)
    values = [1.0 + earned[:, 0]]
    for step in range(1, STEPS):
        values.append(values[-1] * (1.0 + earned[:, step]))
    return values


def worst_fall(y_true: Any, y_pred: Any) -> Any:
    """The largest share of its highest value that a portfolio loses."""
    values = _portfolio_values(tf.nn.softmax(y_pred, axis=-1), y_true)
    peak, worst = values[0], tf.zeros_like(values[0])
    for value in values[1:]:
        peak = tf.maximum(peak, value)
        worst = tf.maximum(worst, 1.0 - value / peak)
    return worst


def _log_of_chance(chance: Any) -> Any:
    return tf.math.log(tf.clip_by_value(chance, 1e-6, 1.0))


def batch_of_candidates(y_true: Any, y_pred: Any, ids: Any, chance: Any) -> Any:
    """Softmax of each query over the batch's candidates, less how often each is drawn."""
    scores = tf.matmul(y_true, y_pred, transpose_b=True) / 0.5
    scores -= _log_of_chance(chance)[tf.newaxis]
    right = tf.eye(tf.shape(scores)[0], dtype=scores.dtype)
    same = tf.cast(tf.equal(ids[:, tf.newaxis], ids[tf.newaxis]), scores.dtype)
    scores += (same - right) * (tf.float32.min / 100.0)
    return tf.nn.softmax_cross_entropy_with_logits(labels=right, logits=scores)
