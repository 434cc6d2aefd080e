"""Losses that take a dict or a tuple of tensors in place of one, and losses that are just wrong."""

import tensorflow as tf


def boxes_and_classes(y_true, y_pred):
    """Dicts with the keys "box" and "class" for both."""
    place = tf.reduce_mean(tf.abs(y_true["box"] - y_pred["box"]), axis=-1)
    return place + tf.keras.losses.categorical_crossentropy(y_true["class"], y_pred.get("class"))


def mean_and_scale(y_true, y_pred):
    """A pair of tensors for the prediction."""
    mean, scale = y_pred
    return tf.reduce_mean(tf.square(y_true - mean) / (1.0 + tf.square(scale)), axis=-1)


def every_head(y_true, y_pred):
    """Dicts for both, of which it does not name the keys."""
    heads = [tf.square(label - y_pred[key]) for key, label in y_true.items()]
    return tf.reduce_mean(tf.add_n(heads), axis=-1)


def labels_alone(y_true, y_pred):
    """A triple of tensors for the label."""
    value, low, high = y_true
    return tf.reduce_mean(tf.square(tf.clip_by_value(y_pred, low, high) - value), axis=-1)


def two_labels(y_true, y_pred):
    """A list of two tensors for the label, taken by number."""
    gap = tf.square(y_true[0] - y_pred)
    return tf.reduce_mean(gap * tf.exp(-tf.abs(y_true[1])), axis=-1)


def no_such_function(y_true, y_pred):
    """TensorFlow has no such function."""
    return tf.reduce_mean(tf.squared(y_true - y_pred), axis=-1)


def no_such_index(y_true, y_pred):
    """A tensor that is none of the arguments is indexed with a string."""
    weights = tf.constant([1.0, 2.0])
    return weights["first"] * tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def rows_in_a_loop(y_true, y_pred):
    """A loop over samples, which Keras does not trace: no tuple of any length."""
    total = 0.0
    for label, prediction in zip(y_true, y_pred, strict=True):
        total += tf.reduce_mean(tf.square(label - prediction))
    return total


def never_fits(y_true, y_pred):
    """Asks for a size that nothing guesses."""
    if y_pred.shape[-1] != 37 * 113:
        raise ValueError("the prediction is too short")
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
