"""Losses with one planted fault that shows in several ways, and with two faults side by side."""

import tensorflow as tf


def own_logsumexp(y_true, y_pred):
    """The exponentials overflow, or all of them round to 0: one thing to write cures both."""
    scores = tf.math.log(tf.reduce_sum(tf.exp(y_pred), axis=-1))
    return scores - tf.reduce_sum(y_true * y_pred, axis=-1)


def survival(y_true, y_pred):
    """From a logit of 17 on the sigmoid is 1: the logarithm of 0, and its slope, and few digits."""
    return -tf.reduce_mean((1.0 - y_true) * tf.math.log(1.0 - tf.sigmoid(y_pred)), axis=-1)


def two_on_a_line(y_true, y_pred):
    """A logarithm that fails at 0, and an arc cosine whose slope is infinite at 1."""
    return tf.reduce_mean(tf.math.acos(y_pred) - y_true * tf.math.log(y_pred), axis=-1)


def two_of_one_operand(y_true, y_pred):
    """The slope of a root and a logarithm that fail at the same 0, the one where y_true is 0."""
    hit = tf.math.multiply_no_nan(tf.math.log(y_pred), y_true)
    return tf.reduce_mean(tf.sqrt(y_pred) - hit, axis=-1)


def angle(y_true, y_pred):
    """The slope of the arc cosine at 1, which XLA also reaches where the others round below it."""
    cosine = tf.reduce_sum(y_true * y_pred, axis=-1)
    return tf.acos(tf.clip_by_value(cosine, -1.0, 1.0))


def root_of_a_sum(y_true, y_pred):
    """Squares of 1e20 overflow float32, and so does the sum of those of 1.5e19."""
    return tf.sqrt(tf.reduce_sum(tf.square(y_true - y_pred)) + 1e-12)


def guarded_too_late(y_true, y_pred):
    """The logarithm is chosen away where its operand is 0, and its slope of infinity is not."""
    hit = tf.where(y_pred > 0.0, tf.math.log(y_pred), 0.0)
    return -tf.reduce_sum(y_true * hit, axis=-1)


def sound(y_true, y_pred):
    """Nothing is wrong with it."""
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def scaled(y_true, y_pred):
    """The exponential overflows, and below that the square of what it gives does."""
    scale = tf.exp(y_pred)
    return tf.reduce_mean(tf.square(scale) * tf.square(y_true) - tf.square(scale), axis=-1)
