"""Losses whose advice was nonsense once: what is printed of them, and what cures them."""

from __future__ import annotations

import tensorflow as tf


def squared_signal(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """The constant of a product was clipped: 2.0."""
    return tf.reduce_mean(y_true / (2.0 * tf.square(y_pred)), axis=-1)


def doubled(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """The base of the power was clipped: 2.0."""
    return tf.reduce_mean(tf.abs(tf.pow(2.0, y_pred) - y_true), axis=-1)


def tenfold(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """The same of another base, whose largest exponent is another one."""
    return tf.reduce_mean(tf.abs(10.0**y_pred - y_true), axis=-1)


def weights_of_classes(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """A guard of the divisor gave a class that is not there a weight of 1e7."""
    weights = 1.0 / tf.reduce_sum(y_true, axis=0)
    return tf.reduce_sum(weights * y_true * tf.square(y_true - y_pred), axis=-1)


def tail_of_sigmoid(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """A floor of 1e-7 made 16 of a right 30, with a gradient of 0."""
    return -tf.reduce_mean(y_true * tf.math.log(tf.sigmoid(y_pred)), axis=-1)


def tail_of_gauss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """The same, where the logarithm takes the exponential away."""
    density = tf.exp(-tf.square(y_true - y_pred))
    return -tf.reduce_mean(tf.math.log(density), axis=-1)


def over_two_lines(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Placeholders x and y stood for operands on two lines."""
    return (
        tf.reduce_sum(y_true * y_pred, axis=-1)
        / tf.reduce_sum(y_pred, axis=-1)  # of what is predicted
    )


def normalised_in_place(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """And for those of a division in place."""
    y_pred /= tf.reduce_sum(y_pred, axis=-1, keepdims=True)
    return tf.reduce_sum(tf.abs(y_true - y_pred), axis=-1)


def cosine(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Labels of length 0 are divided by it."""
    right = y_true / tf.norm(y_true, axis=-1, keepdims=True)
    return 1.0 - tf.reduce_sum(right * tf.math.l2_normalize(y_pred, axis=-1), axis=-1)
