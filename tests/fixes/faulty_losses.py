"""Losses with one fault each, whose source the tests change in memory."""

from __future__ import annotations

import tensorflow as tf

CALLS: list[str] = []


def log_of_probability(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return -tf.reduce_sum(y_true * tf.math.log(y_pred), axis=-1)


def softplus_by_hand(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    # the label and its logit
    return tf.reduce_mean(tf.math.log(1.0 + tf.exp(y_pred)) - y_true * y_pred, axis=-1)  # here


def trap(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return -tf.where(y_pred > 0.0, y_true * tf.math.log(y_pred), 0.0)


def divided_in_place(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    share = tf.reduce_sum(y_true * y_pred, axis=-1)
    share /= tf.reduce_sum(
        y_true,  # the truth alone
        axis=-1,
    )
    return 1.0 - share


def squared(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def bare_root(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.square(y_true - tf.sqrt(y_pred))


def fractional_power(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.square(y_true - tf.pow(y_pred, 0.7))


def weighed_by_precision(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    variance = tf.exp(y_pred[:, 1])
    return y_pred[:, 1] + tf.square(y_true[:, 0] - y_pred[:, 0]) / variance


def angle(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    cosine = tf.reduce_sum(y_true * y_pred, axis=-1)
    return tf.acos(tf.clip_by_value(cosine, -1.0, 1.0))


def guarded_norm(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    squares = tf.reduce_sum(tf.square(y_true - y_pred), axis=-1)
    safe = tf.where(squares > 0.0, squares, 1.0)
    return tf.where(squares > 0.0, tf.sqrt(safe), 0.0)


def pearson(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    labels = y_true - tf.reduce_mean(y_true, axis=-1, keepdims=True)
    guesses = y_pred - tf.reduce_mean(y_pred, axis=-1, keepdims=True)
    sizes = tf.norm(guesses, axis=-1) * tf.sqrt(tf.reduce_sum(tf.square(labels), axis=-1))
    return 1.0 - tf.reduce_sum(labels * guesses, axis=-1) / sizes


def column_against_row(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def there_and_back(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    first = tf.sqrt(tf.reduce_sum(tf.square(y_true - y_pred), axis=-1))
    other = tf.sqrt(tf.reduce_sum(tf.square(y_pred - y_true), axis=-1))
    return first + 2.0 * other


def divergence(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(y_true * tf.math.log(y_true / y_pred), axis=-1)


def cosine_of_any(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    one = y_true / tf.norm(y_true, axis=-1, keepdims=True)
    other = y_pred / tf.norm(y_pred, axis=-1, keepdims=True)
    return 1.0 - tf.reduce_sum(one * other, axis=-1)
