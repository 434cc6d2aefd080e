"""Losses of one case, sound and with one element of the gradient wrong."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from losscheck.program.programs import Programs
from losscheck.program.tracing.trace import Call

Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def squares(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(y_pred - y_true), axis=-1)


def distances(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.abs(y_pred - y_true), axis=-1)


def two_terms(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    error = y_pred - y_true
    return tf.reduce_sum(3.0 * tf.nn.softplus(error) - tf.tanh(error) / 2.0)


def rows(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.nn.softmax_cross_entropy_with_logits(tf.nn.softmax(y_true), y_pred)


def correlation(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    a, b = y_pred - tf.reduce_mean(y_pred), y_true - tf.reduce_mean(y_true)
    return 1.0 - tf.reduce_sum(a * b) / tf.sqrt(tf.reduce_sum(a * a) * tf.reduce_sum(b * b))


def centred(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Adds up one term an element, but every term reaches into its whole column."""
    return squares(y_true, y_pred) + tf.reduce_mean(
        tf.square(y_pred - tf.reduce_mean(y_pred, axis=0)), axis=-1
    )


def with_faults(loss: Loss, faults: dict[int, float]) -> Loss:
    """The same loss, some elements of its gradient multiplied by a factor."""

    def faulty(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        @tf.custom_gradient
        def through(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
            def backward(upstream: tf.Tensor) -> tf.Tensor:
                flat = tf.reshape(upstream, (-1,))
                for index, factor in faults.items():
                    one = tf.one_hot(index, tf.size(flat), dtype=flat.dtype)
                    flat *= 1.0 + (factor - 1.0) * one
                return tf.reshape(flat, tf.shape(x))

            return tf.identity(x), backward

        return loss(y_true, through(y_pred))

    return faulty


def programs(loss: Loss) -> Programs:
    call = Call(
        function=loss, names=("y_true", "y_pred"), positional=2, prediction="y_pred", home=""
    )
    return Programs(call)


def case(*shape: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    return {"y_true": rng.normal(size=shape), "y_pred": rng.normal(size=shape)}
