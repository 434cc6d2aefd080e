"""The faulty losses of the third set with their faults cured: what a fix has to come to."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from tests.wild.projects import adversaries, densities, fields, plans

FLOOR = 1e-4  # below a similarity that is raised to a power


def slope_penalty(y_true: Any, y_pred: Any) -> Any:
    """As its source mended it: something small below the root."""
    squares = tf.reduce_sum(tf.square(y_pred), axis=[1, 2, 3])
    return adversaries.PENALTY * tf.square(tf.sqrt(squares + 1e-7) - y_true)


def attack_margin(y_true: Any, y_pred: Any) -> Any:
    """As its source means it: the rival's score without the axis of 1."""
    own = tf.one_hot(tf.cast(y_true, tf.int32), y_pred.shape[-1], dtype=y_pred.dtype)
    rival = tf.reduce_max(tf.where(own > 0.0, y_pred.dtype.min, y_pred), axis=-1)
    lead = tf.reduce_sum(own * y_pred, axis=-1) - rival
    return tf.maximum(lead + adversaries.KAPPA, 0.0)


def clipped_difference(y_true: Any, y_pred: Any, action: Any) -> Any:
    """As its source mended it: what is beyond the limits grows linearly."""
    chosen = tf.one_hot(tf.cast(action, tf.int32), y_pred.shape[-1], dtype=y_pred.dtype)
    size = tf.abs(y_true - tf.reduce_sum(chosen * y_pred, axis=-1))
    within = tf.minimum(size, adversaries.CLIP_DELTA)
    return 0.5 * tf.square(within) + adversaries.CLIP_DELTA * (size - within)


def _log_tail(x: Any) -> Any:
    """Logarithm of the chance to be above x, of x above 0."""
    near, far = tf.minimum(x, 5.0), tf.maximum(x, 5.0)
    series = 1.0 - 1.0 / far**2 + 3.0 / far**4 - 15.0 / far**6 + 105.0 / far**8
    asymptotic = -0.5 * tf.square(far) - tf.math.log(far * math.sqrt(2.0 * math.pi) / series)
    return tf.where(x > 5.0, asymptotic, tf.math.log(0.5 * tf.math.erfc(near / math.sqrt(2.0))))


def _log_between(low: Any, high: Any) -> Any:
    """Logarithm of the chance to be between two numbers, from the tail that both are in."""
    flipped = tf.abs(low + high)  # twice as far from 0 as the middle, in the upper tail
    near, far = 0.5 * (flipped - (high - low)), 0.5 * (flipped + (high - low))
    nearest, beyond = tf.maximum(near, 0.0), _log_tail(far)
    in_tail = _log_tail(nearest)
    in_tail += tf.math.log1p(-tf.exp(tf.minimum(beyond - in_tail, -1e-3)))
    both = 1.0 - tf.exp(_log_tail(tf.maximum(-near, 0.0))) - tf.exp(beyond)
    return tf.where(near > 0.0, in_tail, tf.math.log(tf.maximum(both, FLOOR)))


def truncated_normal(y_true: Any, y_pred: Any) -> Any:
    """The chance of the interval by its logarithm, which does not underflow."""
    mean, spread = y_pred[:, :1], y_pred[:, 1:]
    size = (y_true - mean) / spread
    kept = _log_between((densities.LOW - mean) / spread, (densities.HIGH - mean) / spread)
    loss = 0.5 * tf.square(size) + tf.math.log(spread) + 0.5 * math.log(2.0 * math.pi)
    return tf.squeeze(loss + kept, axis=1)


def discretised_normal(y_true: Any, y_pred: Any) -> Any:
    """The same curve is a sigmoid of a cubic, and a difference of sigmoids is a product."""
    means, log_scales = tf.split(y_pred, 2, axis=-1)
    inverse = tf.exp(-log_scales)
    high = inverse * (y_true - means + densities.PIXEL)
    low = inverse * (y_true - means - densities.PIXEL)
    slope = 2.0 * math.sqrt(2.0 / math.pi)
    upper, lower = (slope * (x + 0.044715 * x**3) for x in (high, low))
    cubes = tf.square(high) + high * low + tf.square(low)
    apart = slope * 2.0 * densities.PIXEL * inverse * (1.0 + 0.044715 * cubes)
    black, white = tf.math.log_sigmoid(upper), tf.math.log_sigmoid(-lower)
    grey = black + white + tf.math.log(-tf.math.expm1(-apart))
    logs = tf.where(y_true < -0.999, black, tf.where(y_true > 0.999, white, grey))
    return -tf.reduce_mean(logs, axis=-1) / math.log(2.0)


def breslow(y_true: Any, y_pred: Any) -> Any:
    """A batch without any event costs nothing."""
    signed, score = tf.squeeze(y_true, axis=1), tf.squeeze(y_pred, axis=1)
    times, seen = tf.abs(signed), tf.cast(signed > 0.0, score.dtype)
    at_risk = tf.cast(times[tf.newaxis] >= times[:, tf.newaxis], score.dtype)
    odds = tf.exp(score[tf.newaxis] - score[:, tf.newaxis])
    total = tf.reduce_sum(tf.math.log(tf.reduce_sum(at_risk * odds, axis=1)) * seen)
    return tf.math.divide_no_nan(total, tf.reduce_sum(seen))


def sparse_activity(y_true: Any, y_pred: Any) -> Any:
    """As its source means it: both logarithms of the first part times p."""
    on = y_true * (tf.math.log(y_true) - tf.math.log(y_pred))
    off = (1.0 - y_true) * (tf.math.log(1.0 - y_true) - tf.math.log(1.0 - y_pred))
    return tf.reduce_sum(on + off, axis=-1)


def box_regression(y_true: Any, y_pred: Any, inside: Any) -> Any:
    """As its source mended it: the square of sigma, in the condition as well."""
    size = tf.abs(inside * (y_pred - y_true))
    steep = fields.SIGMA**2
    squared, straight = 0.5 * steep * tf.square(size), size - 0.5 / steep
    return tf.reduce_sum(tf.where(size < 1.0 / steep, squared, straight), axis=-1)


def occluded_area(y_true: Any, y_pred: Any) -> Any:
    """As proposed to its source: by how much a pixel is beyond what is allowed."""
    apart = fields.length_squared(y_pred + y_true)
    allowed = 0.01 * (fields.length_squared(y_pred) + fields.length_squared(y_true)) + 0.5
    return fields.charbonnier(tf.nn.relu(apart - allowed))


def many_scales(y_true: Any, y_pred: Any) -> Any:
    """Below a power stands nothing negative; its source uses a relu, whose power has no slope."""
    _, fine = fields.structure(y_true, y_pred)
    halves = [tf.nn.avg_pool2d(each, 2, 2, padding="VALID") for each in (y_true, y_pred)]
    coarse, _ = fields.structure(*halves)
    parts = [tf.maximum(part, FLOOR) for part in (fine, coarse)]
    return 1.0 - parts[0] ** fields.SCALES[0][0] * parts[1] ** fields.SCALES[1][0]


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _cheapest_way(cost: Any, warp: Any) -> Any:
    ways = plans.reached(cost, warp)

    def gradient(upstream: Any) -> Any:
        by_cost = upstream[:, tf.newaxis, tf.newaxis] * plans.shares(cost, warp, ways)
        return by_cost, None

    return ways[plans.LONG, plans.SHORT], gradient


def warped_series(y_true: Any, y_pred: Any) -> Any:
    """A gradient for each argument, None for the one that is constant."""
    cost = plans.differences(y_true, y_pred)
    return _cheapest_way(cost, tf.constant(plans.WARP, y_pred.dtype))


def energy_mover(y_true: Any, y_pred: Any) -> Any:
    """TensorFlow's cumulative sum in place of NumPy's; cells without any energy move nothing."""
    shares = [
        tf.math.divide_no_nan(each, tf.reduce_sum(each, axis=-1, keepdims=True))
        for each in (y_pred, y_true)
    ]
    moved = tf.cumsum(shares[0] - shares[1], axis=-1)
    return tf.reduce_sum(tf.abs(moved), axis=-1)
