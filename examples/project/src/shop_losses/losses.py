"""The losses of a shop: one is sound, one has an old fault, one is as it is meant."""

import tensorflow as tf


def focal(y_true, y_pred):
    """A focal loss whose probabilities are kept away from 0 and 1."""
    p = tf.clip_by_value(y_pred, 1e-6, 1.0 - 1e-6)
    right = y_true * p + (1.0 - y_true) * (1.0 - p)
    return tf.reduce_mean(-tf.square(1.0 - right) * tf.math.log(right), axis=-1)


def distance(y_true, y_pred):
    """A distance without a slope where it is 0: known, and in the baseline."""
    return tf.sqrt(tf.reduce_sum(tf.square(y_true - y_pred), axis=-1))


def margin(y_true, y_pred):
    """A hinge, which has no slope beyond its margin."""
    sign = 2.0 * y_true - 1.0
    # losscheck: ignore[LC103, LC104] a hinge is flat beyond its margin, and has a corner there
    return tf.reduce_mean(tf.nn.relu(1.0 - sign * y_pred), axis=-1)
