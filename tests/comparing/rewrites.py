"""Losses and rewrites of them: right ones, wrong ones, and ones that repair."""

from __future__ import annotations

import keras
import tensorflow as tf


def focal(y_true, y_pred):
    p_t = tf.where(tf.equal(y_true, 1.0), y_pred, 1.0 - y_pred)
    return -tf.reduce_mean((1.0 - p_t) ** 2 * tf.math.log(p_t), axis=-1)


def focal_by_sum(y_true, y_pred):
    p_t = y_true * y_pred + (1.0 - y_true) * (1.0 - y_pred)
    return tf.reduce_mean(-tf.square(1.0 - p_t) * tf.math.log(p_t), axis=-1)


@tf.custom_gradient
def _square(x):
    def slope(upstream):
        return upstream * 1.9 * x

    return tf.square(x), slope


def focal_of_wrong_slope(y_true, y_pred):
    p_t = y_true * y_pred + (1.0 - y_true) * (1.0 - y_pred)
    return tf.reduce_mean(-_square(1.0 - p_t) * tf.math.log(p_t), axis=-1)


def focal_zero_at_zero(y_true, y_pred):
    p_t = y_true * y_pred + (1.0 - y_true) * (1.0 - y_pred)
    some = p_t > 0
    log = tf.math.log(tf.where(some, p_t, 1.0))
    return tf.reduce_mean(tf.where(some, -tf.square(1.0 - p_t) * log, 0.0), axis=-1)


def crossentropy(y_true, y_pred):
    p = tf.sigmoid(y_pred)
    return -tf.reduce_mean(y_true * tf.math.log(p) + (1 - y_true) * tf.math.log(1 - p), axis=-1)


def stable_crossentropy(labels, logits):
    each = tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)
    return tf.reduce_mean(each, axis=-1)


def absolute(y_true, y_pred):
    return tf.reduce_mean(tf.abs(y_true - y_pred), axis=-1)


def absolute_by_maximum(y_true, y_pred):
    error = y_true - y_pred
    return tf.reduce_mean(tf.maximum(error, -error), axis=-1)


def absolute_along_one(y_true, y_pred):
    return tf.reduce_mean(tf.abs(y_true - y_pred), axis=1)


def absolute_mean(y_true, y_pred):
    return tf.reduce_mean(tf.abs(y_true - y_pred))


def absolute_sum(y_true, y_pred):
    return tf.reduce_sum(tf.abs(y_true - y_pred), axis=-1)


def absolute_without_slope(y_true, y_pred):
    return tf.reduce_mean(tf.abs(y_true - tf.stop_gradient(y_pred)), axis=-1)


def raises(y_true, y_pred):
    return tf.reduce_mean(tf.abs(y_true - y_pred), axis=7)


def noisy(y_true, y_pred):
    return absolute(y_true, y_pred + tf.random.normal(tf.shape(y_pred)))


class Huber(keras.losses.Loss):
    def __init__(self, delta=1.0, name="huber"):
        super().__init__(name=name)
        self.delta = delta

    def call(self, y_true, y_pred):
        error = tf.abs(y_true - y_pred)
        near = tf.minimum(error, self.delta)
        return tf.reduce_mean(0.5 * near * near + self.delta * (error - near), axis=-1)


def huber(labels, values):
    return tf.reduce_mean(
        tf.where(
            tf.abs(labels - values) <= 1.0,
            0.5 * tf.square(labels - values),
            tf.abs(labels - values) - 0.5,
        ),
        axis=-1,
    )


def weighted(y_true, y_pred, sample_weight):
    errors = tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
    return tf.reduce_sum(sample_weight * errors) / tf.reduce_sum(sample_weight)


def weighted_by_shares(labels, values, weights):
    shares = weights / tf.reduce_sum(weights)
    return tf.reduce_sum(shares * tf.reduce_mean(tf.square(labels - values), axis=-1))


def weighted_mean(labels, values, weights):
    return tf.reduce_mean(weights * tf.reduce_mean(tf.square(labels - values), axis=-1))
