"""Losses of outcomes, actions, angles and boxes, half of which go wrong somewhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

SEEN, REACH, NOISE = 1e-7, 2.0, 1e-6
WARM, TRUST, WORTH = 4.0, 0.2, 0.2
RAIN = 1e-6
POSITIVE, NEGATIVE, MIDDLE, HARD = 2.0, 50.0, 1.0, 0.1


def _corners(boxes: Any) -> tuple[Any, Any, Any, Any]:
    left, top, right, bottom = tf.unstack(boxes, axis=-1)
    return left, top, right, bottom


def complete_overlap(y_true: Any, y_pred: Any) -> Any:
    """Overlap, distance of centres and unlike aspects of boxes given by their corners."""
    left, top, right, bottom = _corners(y_true)
    start, high, end, low = _corners(y_pred)
    wide, tall, broad, long = right - left, bottom - top, end - start, low - high
    shared = tf.nn.relu(tf.minimum(right, end) - tf.maximum(left, start))
    shared *= tf.nn.relu(tf.minimum(bottom, low) - tf.maximum(top, high))
    overlap = shared / (wide * tall + broad * long - shared)
    across = tf.square(tf.maximum(right, end) - tf.minimum(left, start))
    across += tf.square(tf.maximum(bottom, low) - tf.minimum(top, high))
    apart = tf.square(left + right - start - end) + tf.square(top + bottom - high - low)
    unlike = tf.square(tf.atan(wide / tall) - tf.atan(broad / long)) * 4.0 / math.pi**2
    share = tf.stop_gradient(unlike / (1.0 - overlap + unlike))
    return 1.0 - overlap + apart / (4.0 * across) + share * unlike


def turned_poses(y_true: Any, y_pred: Any) -> Any:
    """Angles between quaternions along a path, either of whose signs is the same pose."""
    along = tf.abs(tf.reduce_sum(y_true * y_pred, axis=2))
    return tf.reduce_sum(tf.acos(tf.clip_by_value(along, 0.0, 1.0)), axis=1)


def blood_sugar(y_true: Any, y_pred: Any) -> Any:
    """Surprise under a normal distribution whose spread and mean are predicted."""
    spread, mean = y_pred[:, :1], y_pred[:, 1:]
    off = (y_true - mean) / spread
    density = tf.exp(-0.5 * off * off) / (spread * math.sqrt(2.0 * math.pi))
    return -tf.math.log(SEEN + density)


def scaled_action(y_true: Any, y_pred: Any) -> Any:
    """How likely an action was that is squashed and stretched, less what it was worth."""
    action = REACH * tf.tanh(y_pred)
    likely = -0.5 * tf.square(y_pred) - 0.5 * math.log(2.0 * math.pi)
    likely -= tf.math.log(1.0 - tf.square(action) + NOISE)
    return WORTH * tf.reduce_sum(likely, axis=-1) - tf.reduce_sum(y_true * action, axis=-1)


def statistics_of_sets(y_true: Any, y_pred: Any) -> Any:
    """Squared error of one number for each set."""
    return tf.reduce_mean(tf.square(y_pred - y_true))


class Deviance(keras.losses.Loss):  # type: ignore[misc]
    """The deviance of a Tweedie distribution of any power; of 1 it is that of counts."""

    def __init__(self, power: float = 1.0, name: str = "deviance") -> None:
        super().__init__(name=name)
        self.power = power

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Take what happened and what was expected, as (B, D)."""
        if self.power == 1.0:
            return 2.0 * (y_true * keras.ops.log(y_true / y_pred) + y_pred - y_true)
        one, two = 1.0 - self.power, 2.0 - self.power
        part = keras.ops.power(y_true, two) / (one * two)
        return 2.0 * (part - y_true * y_pred**one / one + y_pred**two / two)


deviance = Deviance()


def spread_of_forecasts(y_true: Any, y_pred: Any) -> Any:
    """Continuous ranked probability score of a mean and a spread, whose sign is dropped."""
    mean, spread = y_pred[:, 0], tf.sqrt(tf.square(y_pred[:, 1]))
    off = (y_true[:, 0] - mean) / spread
    density = tf.exp(-0.5 * tf.square(off)) / math.sqrt(2.0 * math.pi)
    below = 0.5 * (1.0 + tf.math.erf(off / math.sqrt(2.0)))
    return spread * (off * (2.0 * below - 1.0) + 2.0 * density - 1.0 / math.sqrt(math.pi))


def squashed_action(y_true: Any, y_pred: Any) -> Any:
    """How likely a squashed action was, by softplus, less what it was worth."""
    likely = -0.5 * tf.square(y_pred) - 0.5 * math.log(2.0 * math.pi)
    likely -= 2.0 * (math.log(2.0) - y_pred - tf.nn.softplus(-2.0 * y_pred))
    worth = tf.reduce_sum(y_true * tf.tanh(y_pred), axis=-1)
    return WORTH * tf.reduce_sum(likely, axis=-1) - worth


def trusted_step(y_true: Any, y_pred: Any) -> Any:
    """A ratio of chances, which earns no more outside of what is trusted."""
    before, better = y_true[:, 0], y_true[:, 1]
    ratio = tf.exp(y_pred[:, 0] - before)
    held = tf.clip_by_value(ratio, 1.0 - TRUST, 1.0 + TRUST)
    return tf.maximum(-better * ratio, -better * held)


def distilled(warm: float) -> Callable[[Any, Any], Any]:
    """Make the loss of a student for one temperature."""

    def teacher(y_true: Any, y_pred: Any) -> Any:
        """Divergence of the student's shares from those of the teacher, given by logits."""
        right = keras.ops.log_softmax(y_true / warm, axis=-1)
        said = keras.ops.log_softmax(y_pred / warm, axis=-1)
        return warm**2 * keras.ops.sum(keras.ops.exp(right) * (right - said), axis=-1)

    return teacher


teacher = distilled(WARM)


def rain(y_true: Any, y_pred: Any) -> Any:
    """Likelihood of whether it rains, and of how much under a gamma distribution."""
    chance = y_pred[:, 0]
    shape, scale = tf.exp(y_pred[:, 1]), tf.exp(y_pred[:, 2])
    fell = y_true[:, 0]
    wet = tf.cast(fell > 0.0, y_pred.dtype)
    much = (shape - 1.0) * tf.math.log(fell + RAIN) - shape * tf.math.log(scale + RAIN)
    much -= tf.math.lgamma(shape) + fell / (scale + RAIN)
    dry = (1.0 - wet) * tf.math.log(1.0 - chance + RAIN)
    return -(dry + wet * (tf.math.log(chance + RAIN) + much))


def evidence_of_classes(y_true: Any, y_pred: Any) -> Any:
    """Cross entropy expected under a Dirichlet distribution, and how sure it is of the wrong."""
    alpha = tf.nn.softplus(y_pred) + 1.0
    total = tf.reduce_sum(alpha, axis=-1, keepdims=True)
    cost = tf.reduce_sum(y_true * (tf.math.digamma(total) - tf.math.digamma(alpha)), axis=-1)
    wrong = y_true + (1.0 - y_true) * alpha
    whole = tf.reduce_sum(wrong, axis=-1, keepdims=True)
    classes = tf.cast(tf.shape(y_pred)[-1], y_pred.dtype)
    sure = tf.math.lgamma(whole[..., 0]) - tf.reduce_sum(tf.math.lgamma(wrong), axis=-1)
    sure -= tf.math.lgamma(classes)
    turn = tf.math.digamma(wrong) - tf.math.digamma(whole)
    return cost + 0.1 * (sure + tf.reduce_sum((wrong - 1.0) * turn, axis=-1))


def many_likenesses(y_true: Any, y_pred: Any) -> Any:
    """Likenesses of friends and strangers in a batch, the hard ones of which count."""
    alike = tf.matmul(y_pred, y_pred, transpose_b=True)
    friend = tf.cast(tf.equal(y_true[:, tf.newaxis], y_true), y_pred.dtype)
    stranger = 1.0 - friend
    friend -= tf.eye(tf.shape(y_true)[0], dtype=y_pred.dtype)
    nearest = tf.reduce_max(alike * stranger - 2.0 * (1.0 - stranger), axis=1, keepdims=True)
    farthest = tf.reduce_min(alike * friend + 2.0 * (1.0 - friend), axis=1, keepdims=True)
    friend *= tf.cast(alike - HARD < nearest, y_pred.dtype)
    stranger *= tf.cast(alike + HARD > farthest, y_pred.dtype)
    near = tf.reduce_sum(tf.exp(-POSITIVE * (alike - MIDDLE)) * friend, axis=1)
    far = tf.reduce_sum(tf.exp(NEGATIVE * (alike - MIDDLE)) * stranger, axis=1)
    return tf.math.log1p(near) / POSITIVE + tf.math.log1p(far) / NEGATIVE
