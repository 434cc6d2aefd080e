"""Faults of the gradient and of the formula, each beside its sound twin."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

DELTA = 2.0  # where the Huber loss turns linear


def _square_badly(error: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    def backward(upstream: tf.Tensor) -> tf.Tensor:
        return upstream * 2.02 * error

    return tf.square(error), backward


def _square_well(error: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    def backward(upstream: tf.Tensor) -> tf.Tensor:
        return upstream * 2.0 * error

    return tf.square(error), backward


def handwritten_gradient(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.custom_gradient(_square_badly)(y_pred - y_true))


def handwritten_gradient_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.custom_gradient(_square_well)(y_pred - y_true))


def _log_cosh_deaf(error: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    per_sample = tf.reduce_sum(tf.math.softplus(2.0 * error) - error, axis=-1)

    def backward(upstream: tf.Tensor) -> tf.Tensor:
        return tf.tanh(error)

    return per_sample, backward


def _log_cosh_heard(error: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    per_sample = tf.reduce_sum(tf.math.softplus(2.0 * error) - error, axis=-1)

    def backward(upstream: tf.Tensor) -> tf.Tensor:
        return upstream[..., None] * tf.tanh(error)

    return per_sample, backward


def unweighable(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.custom_gradient(_log_cosh_deaf)(y_pred - y_true)


def unweighable_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.custom_gradient(_log_cosh_heard)(y_pred - y_true)


def clipped_logits(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    logits = tf.clip_by_value(y_pred, -5.0, 5.0)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=y_true, logits=logits))


def clipped_logits_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=y_true, logits=y_pred))


def kinked_switch(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    size = tf.abs(y_true - y_pred)
    return tf.reduce_mean(tf.where(size < 1.0, size, tf.square(size)))


def kinked_switch_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    size = tf.abs(y_true - y_pred)
    return tf.reduce_mean(tf.where(size < 1.0, tf.square(size), 2.0 * size - 1.0))


def _log_square_once(error: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    slope = 2.0 * error / (1.0 + tf.square(error))

    def backward(upstream: tf.Tensor) -> tf.Tensor:
        return upstream * tf.stop_gradient(slope)

    return tf.math.log1p(tf.square(error)), backward


def _log_square_twice(error: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    def backward(upstream: tf.Tensor) -> tf.Tensor:
        return upstream * 2.0 * error / (1.0 + tf.square(error))

    return tf.math.log1p(tf.square(error)), backward


def frozen_slope(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.custom_gradient(_log_square_once)(y_pred - y_true))


def frozen_slope_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.custom_gradient(_log_square_twice)(y_pred - y_true))


def torn_huber(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    size = tf.abs(y_true - y_pred)
    near, far = 0.5 * tf.square(size), DELTA * size - 0.5 * DELTA
    return tf.reduce_mean(tf.where(size <= DELTA, near, far))


def torn_huber_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    size = tf.abs(y_true - y_pred)
    near, far = 0.5 * tf.square(size), DELTA * size - 0.5 * DELTA**2
    return tf.reduce_mean(tf.where(size <= DELTA, near, far))
