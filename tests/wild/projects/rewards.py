"""Losses of returns, ranks, rivers and customers: of what a number is worth beside others."""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf

VALUE_WEIGHT = 0.5
PADDING, LAST = -1.0, 1e6  # a label that is none, and where it goes in an order
BINS = 10  # of squared distances between unit vectors, from 0 to 4
SHARPNESS, SHIFT = 10.0, -5.0  # of similarities of voices


class PhiCoefficient(keras.losses.Loss):
    """One less the correlation of two yeses and noes, from soft counts."""

    def __init__(self, offset: float = 1.0, name: str = "phi_coefficient", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.offset = offset

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One number for all samples."""
        hits = tf.reduce_sum(y_true * y_pred)
        alarms = tf.reduce_sum((1.0 - y_true) * y_pred)
        misses = tf.reduce_sum(y_true * (1.0 - y_pred))
        rests = tf.reduce_sum((1.0 - y_true) * (1.0 - y_pred))
        product = (hits + alarms) * (hits + misses) * (rests + alarms) * (rests + misses)
        return self.offset - (hits * rests - alarms * misses) / tf.sqrt(product)

    def get_config(self) -> dict[str, Any]:
        """All that it takes to make it again."""
        return {**super().get_config(), "offset": self.offset}


def efficiency(spin_up: int) -> Any:
    """How much of the variance of a river's flow is not explained, the first days left out."""

    def efficiency_of_runoff(y_true: Any, y_pred: Any) -> Any:
        seen, simulated = y_true[:, spin_up:], y_pred[:, spin_up:]
        unexplained = tf.reduce_sum(tf.square(simulated - seen), axis=1)
        mean = tf.reduce_mean(seen, axis=1, keepdims=True)
        return unexplained / tf.reduce_sum(tf.square(seen - mean), axis=1)

    return efficiency_of_runoff


def actor_with_baseline(y_true: Any, y_pred: Any, action: Any) -> Any:
    """Returns beside a value in the first column and logits of actions in the others."""
    value, logits = y_pred[:, :1], y_pred[:, 1:]
    value_loss = tf.reduce_mean(tf.square(y_true - tf.squeeze(value, axis=1)))
    taken = tf.one_hot(tf.cast(action, tf.int32), 3, dtype=y_pred.dtype)
    chance = tf.reduce_sum(taken * tf.nn.log_softmax(logits), axis=-1)
    advantage = tf.stop_gradient(y_true - value)
    return VALUE_WEIGHT * value_loss - tf.reduce_mean(advantage * chance)


def order(padding: float, last: float) -> Any:
    """Compare the places that numbers have when they are sorted."""

    def ranks_apart(y_true: Any, y_pred: Any) -> Any:
        known = tf.where(tf.equal(y_true, padding), tf.constant(last, y_true.dtype), y_true)
        places = tf.argsort(tf.argsort(known, axis=-1), axis=-1)
        guessed = tf.argsort(tf.argsort(y_pred, axis=-1), axis=-1)
        return tf.reduce_sum(tf.abs(places - guessed), axis=-1)

    return ranks_apart


def critic_descends(y_true: Any, y_pred: Any) -> Any:
    """Half the square of how far actions are from where the critic wants them."""
    wanted = tf.stop_gradient(y_true + y_pred)
    each = 0.5 * tf.square(wanted - y_pred)
    if each.shape.rank > 1:
        each = tf.reduce_sum(each, axis=(1, each.shape.rank))
    return each


def lifetime_value(y_true: Any, y_pred: Any) -> Any:
    """Whether a customer comes back, and of one who does how much is spent: log-normal."""
    back = tf.cast(y_true > 0.0, y_pred.dtype)
    whether = tf.nn.sigmoid_cross_entropy_with_logits(labels=back, logits=y_pred[..., :1])
    place = y_pred[..., 1:2]
    spread = tf.maximum(tf.math.softplus(y_pred[..., 2:]), math.sqrt(1e-7))
    spent = tf.math.log(back * y_true + (1.0 - back))
    density = -0.5 * tf.square((spent - place) / spread) - tf.math.log(spread) - spent
    density -= 0.5 * math.log(2.0 * math.pi)
    return tf.squeeze(whether - back * density, axis=-1)


def binned_precision(y_true: Any, y_pred: Any) -> Any:
    """Average precision of neighbours of the same class, by a soft histogram of distances."""
    alone = 1.0 - tf.eye(tf.shape(y_pred)[0], dtype=y_pred.dtype)
    classes = tf.reshape(y_true, [-1])
    same = tf.cast(tf.equal(classes[:, tf.newaxis], classes), y_pred.dtype) * alone
    apart = 2.0 - 2.0 * tf.matmul(y_pred, y_pred, transpose_b=True)
    middles = tf.linspace(tf.constant(0.0, y_pred.dtype), 4.0, BINS + 1)
    pulses = tf.nn.relu(1.0 - tf.abs(apart[..., tf.newaxis] - middles) * (BINS / 4.0))
    hits = tf.reduce_sum(pulses * same[..., tf.newaxis], axis=1)
    every = tf.reduce_sum(pulses * alone[..., tf.newaxis], axis=1)
    precision = tf.math.divide_no_nan(hits * tf.cumsum(hits, axis=-1), tf.cumsum(every, axis=-1))
    number = tf.reduce_sum(same, axis=-1)
    average = tf.math.divide_no_nan(tf.reduce_sum(precision, axis=-1), number)
    return tf.where(number > 0.0, 1.0 - average, tf.zeros_like(average))


def voices(y_true: Any, y_pred: Any) -> Any:
    """A voice beside the mean of each speaker, its own mean without itself."""
    member = tf.one_hot(tf.cast(tf.reshape(y_true, [-1]), tf.int32), 3, dtype=y_pred.dtype)
    total = tf.matmul(member, y_pred, transpose_a=True)
    means = tf.math.l2_normalize(total, axis=-1)
    own = tf.math.l2_normalize(tf.matmul(member, total) - y_pred, axis=-1, epsilon=1e-4)
    voice = tf.math.l2_normalize(y_pred, axis=-1)
    beside = tf.matmul(voice, means, transpose_b=True)
    itself = tf.reduce_sum(voice * own, axis=-1, keepdims=True)
    alike = SHARPNESS * tf.where(member > 0.0, itself, beside) + SHIFT
    return tf.nn.softmax_cross_entropy_with_logits(labels=member, logits=alike)


class WeighedTasks(keras.losses.Loss):
    """Two tasks, a column each, weighed by how uncertain they are."""

    def __init__(self, log_variances: Any = (0.3, -0.2), name: str = "weighed_tasks") -> None:
        super().__init__(name=name)
        self.log_variances = [float(each) for each in log_variances]

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """A number for each sample."""
        scale = keras.ops.convert_to_tensor(self.log_variances, dtype=y_pred.dtype)
        errors = keras.ops.square(y_true - y_pred)
        return keras.ops.sum(keras.ops.exp(-scale) * errors + scale, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The logarithms, as plain numbers."""
        return {"log_variances": self.log_variances, "name": self.name}


phi_coefficient = PhiCoefficient()
weighed_tasks = WeighedTasks()
efficiency_of_runoff = efficiency(2)
ranks_apart = order(PADDING, LAST)
