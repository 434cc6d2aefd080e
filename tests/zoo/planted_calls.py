"""Faults of shape, dtype and tracing, and calls that fail, each beside its sound twin."""

from __future__ import annotations

import tensorflow as tf

NOISE_STDDEV = 0.1  # in the units of the labels


def pairwise_squeezed(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Pairwise logistic ranking; `squeeze` takes the batch away too when it holds one sample."""
    scores, labels = tf.squeeze(y_pred), tf.squeeze(y_true)
    gaps = scores[:, None] - scores[None, :]
    order = tf.sign(labels[:, None] - labels[None, :])
    return tf.reduce_mean(tf.math.softplus(-order * gaps))


def pairwise_squeezed_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    gaps = y_pred - tf.transpose(y_pred)
    order = tf.sign(y_true - tf.transpose(y_true))
    return tf.reduce_mean(tf.math.softplus(-order * gaps))


def share_of_spread(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Error over the spread of the labels in the batch: samples depend on one another."""
    spread = tf.reduce_mean(tf.square(y_true - tf.reduce_mean(y_true, axis=0)))
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1) / (spread + 1.0)


def share_of_spread_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    size = tf.reduce_mean(tf.square(y_true), axis=-1)
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1) / (size + 1.0)


def forgotten_return(y_true: tf.Tensor, y_pred: tf.Tensor) -> None:
    tf.reduce_mean(tf.square(y_true - y_pred))


def forgotten_return_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(y_true - y_pred))


def python_branch(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    error = tf.reduce_mean(tf.abs(y_true - y_pred))
    if error < 1.0:
        return 0.5 * tf.square(error)
    return error - 0.5


def python_branch_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    error = tf.reduce_mean(tf.abs(y_true - y_pred))
    return tf.where(error < 1.0, 0.5 * tf.square(error), error - 0.5)


def fixed_dtype(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    error = tf.cast(y_true, tf.float32) - y_pred
    return tf.reduce_mean(tf.square(error))


def fixed_dtype_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    error = tf.cast(y_true, y_pred.dtype) - y_pred
    return tf.reduce_mean(tf.square(error))


def noisy_labels(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    noise = tf.random.normal(tf.shape(y_true), stddev=NOISE_STDDEV, dtype=y_true.dtype)
    return tf.reduce_mean(tf.square(y_true + noise - y_pred))


def noisy_labels_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(y_true - y_pred)) + NOISE_STDDEV**2  # its expectation
