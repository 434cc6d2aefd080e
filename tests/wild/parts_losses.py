"""Losses that leave out a part of the prediction, or couple its samples, written anew."""

from __future__ import annotations

import tensorflow as tf


def two_channels(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Written for (B, H, W, 2); of a volume (B, D, H, W, 2) it takes the axis of the columns."""
    p = tf.clip_by_value(y_pred, 1e-7, 1.0 - 1e-7)
    each = -y_true * tf.math.log(p)
    rest = 0.4 * tf.square(1.0 - p[:, :, :, 0]) * each[:, :, :, 0]
    return tf.reduce_mean(rest + 0.6 * tf.square(1.0 - p[:, :, :, 1]) * each[:, :, :, 1])


def two_channels_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    p = tf.clip_by_value(y_pred, 1e-7, 1.0 - 1e-7)
    each = -y_true * tf.math.log(p) * tf.square(1.0 - p)
    return tf.reduce_mean(0.4 * each[..., 0] + 0.6 * each[..., 1])


def three_colours(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Of an image with an alpha channel, the fourth is forgotten."""
    error = 0.0
    for colour in range(3):
        gap = y_true[..., colour] - y_pred[..., colour]
        error += tf.reduce_mean(tf.square(gap), axis=[1, 2])
    return error


def one_pair(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """A distance in the plane, of points in space."""
    return tf.norm(y_true[:, :2] - y_pred[:, :2] + 1e-6, axis=-1)


def next_step(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Sound: the last step has no successor."""
    return tf.reduce_mean(tf.square(y_true[:, 1:] - y_pred[:, :-1]), axis=[1, 2])


def without_background(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Sound: a softmax hands the gradient of the others on to the background."""
    t, p = y_true[..., 1:], y_pred[..., 1:]
    top = 2.0 * tf.reduce_sum(t * p, axis=[1, 2]) + 1.0
    return 1.0 - tf.reduce_mean(top / (tf.reduce_sum(t + p, axis=[1, 2]) + 1.0), axis=-1)


def last_step(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Sound: a sequence that is judged by its end."""
    return tf.reduce_mean(tf.square(y_true - y_pred[:, -1]), axis=-1)


def picked(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Sound: the label decides which column gets a gradient."""
    return -tf.gather(tf.nn.log_softmax(y_pred), tf.cast(y_true, tf.int32), batch_dims=1)


def gated(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """A gate that is compared: the loss depends on it without a slope."""
    shut = tf.cast(y_pred[..., 0] > 0.5, y_pred.dtype)
    return (1.0 - shut) * tf.reduce_mean(tf.square(y_true - y_pred[..., 1:]), axis=-1)


def first_of_batch(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(y_true[0] - y_pred[0]))


def overlap_and_entropy(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """One number a sample, and the mean entropy of the batch in each of them."""
    each = 1.0 - tf.reduce_sum(y_true * y_pred, axis=[1, 2])
    logs = tf.math.log(tf.clip_by_value(y_pred, 1e-7, 1.0))
    return each - tf.reduce_mean(tf.reduce_sum(y_true * logs, axis=-1))


def error_and_penalty(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1) + tf.reduce_mean(tf.abs(y_pred))


def above_the_mean(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """The deviations from the mean of the batch: their own mean is 0."""
    each = tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
    return each + 0.5 * (y_pred[:, 0] - tf.reduce_mean(y_pred[:, 0]))
