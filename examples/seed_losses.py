"""Fifteen losses as people write them, traps included, for `make demo`.

Each is short, trains, and looks right; most are not. Do not copy them: ask losscheck first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from losscheck import spec

Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]

CLASS_WEIGHTS = tf.constant([0.8, 1.2])
ENTRY_WEIGHTS = tf.constant([[1.0, 0.5, 2.0], [0.25, 1.0, 1.0]])


@spec(
    y_true=("real", "(B, D)"),
    y_pred=("real", "(B, D)"),
    sample_weights=("weight", "(B,)"),
)
def weighted_mse(y_true: tf.Tensor, y_pred: tf.Tensor, sample_weights: tf.Tensor) -> tf.Tensor:
    """Squared error with one weight a sample: y_true and y_pred (B, D), sample_weights (B,)."""
    squares = tf.math.squared_difference(y_true, y_pred)
    return tf.reduce_mean(sample_weights * squares)


@spec(
    y_true=("real", "(B, O)"),
    y_pred=("real", "(B, O)"),
    sample_weights=("weight", "(B, O)"),
)
def weighted_mae(y_true: tf.Tensor, y_pred: tf.Tensor, sample_weights: tf.Tensor) -> tf.Tensor:
    """Absolute error with one weight for each output of each sample, all three (B, O)."""
    return tf.reduce_mean(sample_weights * tf.abs(y_true - y_pred))


@spec(
    y_true=("real", "(B, D)"),
    y_pred=("real", "(B, D)"),
    sample_weights=("weight", "(B, D)"),
)
def robust_weighted_loss(
    y_true: tf.Tensor, y_pred: tf.Tensor, sample_weights: tf.Tensor
) -> tf.Tensor:
    """Weighted squared error that drops every term that is NaN or infinite."""
    terms = sample_weights * tf.math.squared_difference(y_true, y_pred)
    broken = tf.math.logical_or(tf.math.is_nan(terms), tf.math.is_inf(terms))
    kept = tf.where(broken, tf.zeros_like(terms), terms)
    return tf.reduce_mean(kept)


def custom_mse(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Mean squared error."""
    return tf.reduce_mean(tf.square(y_true - y_pred))


def custom_loss_with_weights(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Squared error with a fixed weight for each output."""
    weights = tf.constant([1.0, 2.0, 0.5])
    return tf.reduce_mean(tf.square(y_true - y_pred) * weights)


def custom_loss_conditional(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Absolute error where it is below 1, squared error above."""
    size = tf.abs(y_true - y_pred)
    return tf.reduce_mean(tf.where(size < 1.0, size, tf.square(size)))


def plain_mse(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Mean squared error, by the op that squares the difference itself."""
    return tf.reduce_mean(tf.math.squared_difference(y_true, y_pred))


def _mse_by_class(y_true: tf.Tensor, y_pred: tf.Tensor, class_weights: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(y_true - y_pred) * class_weights)


# A lambda on purpose: this is how `model.compile` gets a loss with a third argument.
class_weighted_mse = lambda y_true, y_pred: _mse_by_class(y_true, y_pred, CLASS_WEIGHTS)  # noqa: E731


def custom_huber_loss_with_regularization(
    y_true: tf.Tensor, y_pred: tf.Tensor, delta: float = 1.0, lambda_reg: float = 0.01
) -> tf.Tensor:
    """Huber loss and an L2 penalty on a model that this module forgot to define.

    `examples.seed_model` holds the same loss with its model.
    """
    size = tf.abs(y_true - y_pred)
    huber = tf.where(size < delta, 0.5 * tf.square(size), delta * (size - 0.5 * delta))
    penalty = tf.reduce_mean(tf.square(model.layers[0].kernel))  # type: ignore[name-defined]  # noqa: F821
    return tf.reduce_mean(huber) + lambda_reg * penalty


def weighted_binary_crossentropy(weights: Sequence[float]) -> Loss:
    """Binary cross-entropy with weights (negative class, positive class)."""

    def loss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        labels = tf.cast(y_true, tf.float32)
        epsilon = keras.backend.epsilon()
        p = tf.clip_by_value(y_pred, epsilon, 1 - epsilon)
        positive = weights[1] * labels * tf.math.log(p)
        negative = weights[0] * (1 - labels) * tf.math.log(1 - p)
        return tf.reduce_mean(-(positive + negative))

    return loss


def huber_loss_custom(delta: float = 1.0) -> Loss:
    """Huber loss: quadratic up to `delta`, linear beyond."""

    def loss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        error = y_true - y_pred
        size = tf.abs(error)
        near = 0.5 * tf.square(error)
        far = delta * size - 0.5 * delta**2
        return tf.reduce_mean(tf.where(size <= delta, near, far))

    return loss


def focal_loss(gamma: float = 2.0, alpha: float = 0.25) -> Loss:
    """Focal loss of class labels against the output of a softmax."""

    def loss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        classes = tf.cast(y_true, tf.int32)
        labels = tf.cast(tf.one_hot(classes, depth=y_pred.shape[-1]), tf.float32)
        epsilon = keras.backend.epsilon()
        p = tf.clip_by_value(y_pred, epsilon, 1 - epsilon)
        ce = -labels * tf.math.log(p)
        pt = tf.where(tf.equal(labels, 1), p, 1 - p)
        return tf.reduce_mean(tf.reduce_sum(alpha * (1 - pt) ** gamma * ce, axis=-1))

    return loss


# A lambda for the same reason as above; the weights fix the batch at two samples of three outputs.
weighted_mae_constant = spec(y_true=("real", "(2, 3)"), y_pred=("real", "(2, 3)"))(
    lambda y_true, y_pred: weighted_mae(y_true, y_pred, ENTRY_WEIGHTS)
)


def adaptive_huber_loss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Huber loss whose threshold is half the batch's mean absolute error."""
    size = tf.abs(y_true - y_pred)
    delta = 0.5 * tf.reduce_mean(size)
    huber = tf.where(size <= delta, 0.5 * tf.square(size), delta * (size - 0.5 * delta))
    return tf.reduce_mean(huber)


@spec(y_true=("real", "(B, T, F)"), y_pred=("real", "(B, T, F)"))
def temporal_loss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Squared error and half the error of the steps between neighbours in time, (B, T, F)."""
    level = tf.reduce_mean(tf.square(y_true - y_pred))
    steps = tf.reduce_mean(tf.abs(tf.diff(y_true, axis=1) - tf.diff(y_pred, axis=1)))
    return level + 0.5 * steps
