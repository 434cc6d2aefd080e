"""Losses written in ways that an edit must take into account."""

from __future__ import annotations

import tensorflow as tf


def through_a_name(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    share = tf.sigmoid(y_pred)
    return -tf.reduce_mean((1.0 - y_true) * tf.math.log(1.0 - share), axis=-1)


def two_statements(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    powers = tf.exp(y_pred)
    whole = tf.math.log(tf.reduce_sum(powers, axis=-1))
    return whole - tf.reduce_sum(y_true * y_pred, axis=-1)


def distance(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.sqrt(tf.reduce_sum(tf.square(y_true - y_pred), axis=-1))


def large_root(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.sqrt(tf.reduce_mean(tf.square(y_true - y_pred)) + 1e-6)


def column(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """The labels come as a column."""
    return tf.reduce_mean(tf.square(y_true - y_pred))


def own_safe(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    safe = tf.zeros_like(y_pred)
    return -tf.where(y_pred > 0.0, y_true * tf.math.log(y_pred), safe)


def in_a_lambda(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    entropy = lambda p: tf.where(p > 0.0, p * tf.math.log(p), 0.0)  # noqa: E731
    return tf.reduce_mean(y_true * entropy(y_pred), axis=-1)


def in_a_comprehension(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    parts = [tf.where(p > 0.0, tf.math.log(p), 0.0) for p in (y_pred, 0.5 * y_pred)]
    return -tf.reduce_mean(y_true * tf.add_n(parts), axis=-1)


def log_of_softplus(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    scale = tf.nn.softplus(y_pred)
    return tf.reduce_mean(tf.math.log(scale) - y_true * y_pred, axis=-1)
