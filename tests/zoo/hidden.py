"""Losses whose singularity hides at the root of an inner expression, each with a sound twin.

The roots lie off all corners, at numbers such as a margin that an author writes down. Each has a
float32 input at which the loss or its gradient is not finite; the note says which.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

REAL = ("real", "(B, D)")
Loss = Callable[[Any, Any], Any]


class Hidden(NamedTuple):
    """A loss with a hidden singularity, the twin that stays clear of it, and its arguments."""

    faulty: Loss
    sound: Loss
    y_true: tuple[str, str] = REAL
    y_pred: tuple[str, str] = REAL


def _mean(term: Loss) -> Loss:
    def loss(y_true: Any, y_pred: Any) -> Any:
        return tf.reduce_mean(term(y_true, y_pred), axis=-1)

    return loss


def _distance(floor: float) -> Loss:
    """1 / 0 at y_pred = float32(0.3)."""
    return _mean(lambda y, p: tf.square(y - p) / (tf.square(p - 0.3) + floor))


def _total(safe: bool) -> Loss:
    """x / 0 where the predictions of a batch sum to 1.234."""

    def loss(y_true: Any, y_pred: Any) -> Any:
        short = tf.reduce_sum(y_pred) - 1.234
        short = tf.sqrt(tf.square(short) + 1e-3) if safe else short
        return tf.reduce_mean(tf.square(y_true - y_pred)) / short

    return loss


def _angle(floor: float) -> Loss:
    """The direction from (1.3, 0.7) has no slope at that point itself."""
    return _mean(lambda y, p: tf.square(tf.atan2(y - 0.7, tf.abs(p - 1.3) + floor)))


def _student(extra: float) -> Loss:
    """(x - 0.42) squared, multiplied out: 0 or below by rounding about x = 0.42."""
    return _mean(lambda y, p: tf.square(y) * tf.math.rsqrt(p * p - 0.84 * p + 0.1764 + extra))


def _surprise(floor: float) -> Loss:
    """xlogy(positive, 0) = -inf at y_pred = float32(0.6)."""
    return _mean(lambda y, p: -tf.math.xlogy(tf.square(y) + 1.0, tf.square(p - 0.6) + floor))


def _margin(floor: float) -> Loss:
    """The norm of a difference with a margin: its slope at the zero vector is 0/0."""

    def loss(y_true: Any, y_pred: Any) -> Any:
        apart = y_pred - 2.0 * y_true + 0.13
        return tf.sqrt(tf.reduce_sum(tf.square(apart), axis=-1) + floor)

    return loss


def _repulsion(floor: float) -> Loss:
    """log(1 - exp(-0)) at y_pred = float32(0.85) - and beside it, where exp rounds to 1."""
    return _mean(
        lambda y, p: tf.square(y - p) - tf.math.log(1.0 - tf.exp(-tf.square(p - 0.85)) + floor)
    )


def _bump(safe: float) -> Loss:
    """The slope of asin at 1, where the bump has its top: y_pred about 0.21."""
    return _mean(lambda y, p: y * tf.asin(safe / (1.0 + tf.square(p - 0.21))))


def _odds(floor: float) -> Loss:
    """log 0 where the odds p / (1 - p) come to 2.3: p about 0.70."""
    return _mean(lambda y, p: tf.math.log(tf.abs(p / (1.0 - p + 1e-3) - 2.3) + floor) * (y - p))


def _box(floor: float) -> Loss:
    """The aspect of a box against a preferred one of 1.6: a root of 0 has no finite slope."""
    return _mean(lambda y, p: tf.pow(tf.square(p / y - 1.6) + floor, 0.3))


POSITIVE = ("positive", "(B, D)")
HIDDEN = {
    "distance": Hidden(_distance(0.0), _distance(1e-3)),
    "total": Hidden(_total(False), _total(True)),
    "angle": Hidden(_angle(0.0), _angle(1e-3)),
    "student": Hidden(_student(0.0), _student(1e-3)),
    "surprise": Hidden(_surprise(0.0), _surprise(1e-3)),
    "margin": Hidden(_margin(0.0), _margin(1e-3)),
    "repulsion": Hidden(_repulsion(0.0), _repulsion(1e-3)),
    "bump": Hidden(_bump(1.0), _bump(0.99)),
    "odds": Hidden(_odds(0.0), _odds(1e-3), ("binary", "(B, D)"), ("probability", "(B, D)")),
    "box": Hidden(_box(0.0), _box(1e-3), POSITIVE, POSITIVE),
}
