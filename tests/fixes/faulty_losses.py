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
