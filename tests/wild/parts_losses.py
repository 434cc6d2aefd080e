"""Losses that leave out a part of the prediction, or couple its samples, written anew."""

from __future__ import annotations

import keras
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


class Decorrelated(keras.losses.Loss):  # type: ignore[misc]
    """Of one sample alone the covariance is 0 / 0."""

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        n = tf.cast(tf.shape(y_pred)[0], y_pred.dtype)
        mid = y_pred - tf.reduce_mean(y_pred, axis=0)
        spread = tf.matmul(mid, mid, transpose_a=True) / (n - 1.0)
        other = spread - tf.linalg.diag(tf.linalg.diag_part(spread))
        width = tf.shape(spread)[0]
        # What is off the diagonal, and nothing at all of a width of 1.
        other = tf.reshape(tf.reshape(other, [-1])[:-1], (width - 1, width + 1))[:, 1:]
        return tf.reduce_mean(tf.square(y_true - y_pred), -1) + tf.reduce_sum(tf.square(other))


def beside_the_others(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """The mean distance to the others of a batch, of whom one sample has none."""
    far = tf.reduce_sum(tf.square(y_pred[:, None] - y_pred[None]), axis=-1)
    n = tf.cast(tf.shape(y_pred)[0], y_pred.dtype)
    near = tf.exp(-tf.reduce_sum(far, axis=1) / (n - 1.0))
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1) + near


def beside_the_others_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    far = tf.reduce_sum(tf.square(y_pred[:, None] - y_pred[None]), axis=-1)
    n = tf.cast(tf.shape(y_pred)[0], y_pred.dtype)
    near = tf.exp(-tf.math.divide_no_nan(tf.reduce_sum(far, axis=1), n - 1.0))
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1) + near


def unbiased(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    error = tf.reduce_mean(y_true - y_pred, axis=-1)
    n = tf.cast(tf.size(error), error.dtype)
    return tf.reduce_sum(tf.square(error - tf.reduce_mean(error))) / (n - 1.0)


def total_of_batch(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(y_true - tf.reduce_sum(y_pred)))


def mean_without_axis(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.abs(y_true - tf.reduce_mean(y_pred))


class LargestOfAll(keras.losses.Loss):  # type: ignore[misc]
    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        top = tf.reduce_max(y_pred, keepdims=True)
        return tf.reduce_mean(tf.sqrt(1.0 + tf.square(top - y_true)), axis=-1)


def total_of_sample(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.square(y_true - tf.reduce_sum(y_pred, axis=-1))


def concordance(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Sound: the means of a batch are compared with each other."""
    here, there = tf.reduce_mean(y_true), tf.reduce_mean(y_pred)
    shared = tf.reduce_mean((y_true - here) * (y_pred - there))
    spread = tf.math.reduce_variance(y_true) + tf.math.reduce_variance(y_pred)
    return 1.0 - 2.0 * shared / (spread + tf.square(here - there) + 1e-6)


def over_the_largest(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Sound: a scale for the whole batch."""
    scale = tf.reduce_max(tf.abs(y_true)) + 1e-3
    return tf.reduce_mean(tf.square(y_true / scale - y_pred / scale), axis=-1)


def against_the_mean_label(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Sound: an index of agreement sets predictions beside the mean of the labels."""
    middle = tf.reduce_mean(y_true)
    most = tf.square(tf.abs(y_pred - middle) + tf.abs(y_true - middle))
    return tf.reduce_sum(tf.square(y_true - y_pred)) / (tf.reduce_sum(most) + 1e-3)


class SmoothedFirst(keras.losses.Loss):  # type: ignore[misc]
    """Smoothed labels are 0.05 and 0.95: none is 1."""

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        y_true = 0.9 * y_true + 0.05
        alpha = tf.where(tf.equal(y_true, 1.0), 0.9, 0.1)
        p = tf.clip_by_value(y_pred, 1e-6, 1.0 - 1e-6)
        each = y_true * tf.math.log(p) + (1.0 - y_true) * tf.math.log(1.0 - p)
        return -tf.reduce_sum(alpha * each, axis=-1)


class SmoothedLast(keras.losses.Loss):  # type: ignore[misc]
    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        alpha = tf.where(tf.equal(y_true, 1.0), 0.9, 0.1)
        y_true = 0.9 * y_true + 0.05
        p = tf.clip_by_value(y_pred, 1e-6, 1.0 - 1e-6)
        each = y_true * tf.math.log(p) + (1.0 - y_true) * tf.math.log(1.0 - p)
        return -tf.reduce_sum(alpha * each, axis=-1)


def counted_from_one(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Labels 0 and 1 less 1 are never above a half."""
    shifted = y_true - 1.0
    twice = tf.cast(shifted > 0.5, y_pred.dtype) + 1.0
    return tf.reduce_mean(twice * tf.square(y_true - y_pred), axis=-1)


def signs(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    side = 2.0 * y_true - 1.0
    return tf.reduce_mean(tf.where(side > 0.0, 2.0, 1.0) * tf.nn.relu(1.0 - side * y_pred), axis=-1)


def unknown_left_out(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Sound: a label of -1 is in no domain of probabilities, and masked all the same."""
    known = tf.cast(tf.not_equal(y_true, -1.0), y_pred.dtype)
    return tf.reduce_sum(known * tf.square(y_true - y_pred), axis=-1)


def share_of_hits(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Sound: a row without a class would divide by 0."""
    count = tf.reduce_sum(y_true, axis=-1)
    error = tf.reduce_sum(y_true * tf.square(1.0 - y_pred), axis=-1)
    return error / tf.where(count > 0.0, count, 1.0)


def clipped_twice(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    p = tf.clip_by_value(y_pred, 1e-6, 1.0)
    return -tf.reduce_mean(y_true * tf.math.log(tf.where(p <= 0.0, 1e-6, p)), axis=-1)


def weighted_agreement(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """A kappa: of a batch of one class numerator and denominator are the same."""
    steps = tf.range(3, dtype=y_pred.dtype)
    far = tf.square(steps[:, None] - steps[None])
    seen = tf.reduce_sum(tf.matmul(y_true, far) * y_pred)
    labels = tf.reduce_sum(y_true, axis=0, keepdims=True)
    guessed = tf.reduce_sum(y_pred, axis=0, keepdims=True)
    chance = tf.reduce_sum(tf.matmul(labels, far) * guessed)
    rows = tf.cast(tf.shape(y_true)[0], y_pred.dtype)
    return tf.math.log(tf.math.divide_no_nan(seen * rows, chance) + 1e-6)


def correlation(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Labels that are all equal correlate with nothing."""
    a, b = y_true - tf.reduce_mean(y_true), y_pred - tf.reduce_mean(y_pred)
    size = tf.sqrt(tf.reduce_sum(a * a) * tf.reduce_sum(b * b) + 1e-6)
    return 1.0 - tf.reduce_sum(a * b) / size


def distance_beside_chance(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """The error over the spread of the labels, and the worst number where they have none."""
    middle = tf.reduce_mean(y_true)
    spread = tf.reduce_sum(tf.square(y_true - middle))
    error = tf.reduce_sum(tf.square(y_true - y_pred))
    return tf.where(spread > 0.0, error / tf.where(spread > 0.0, spread, 1.0), 9.0)


def ranked(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """The likelihood of an order; the last score's sum of exponentials falls below the constant."""
    order = tf.argsort(y_true, axis=1, direction="DESCENDING")
    scores = tf.gather(y_pred, order, batch_dims=1)
    scores -= tf.reduce_max(scores, axis=1, keepdims=True)
    rest = tf.cumsum(tf.exp(scores), axis=1, reverse=True)
    return tf.reduce_sum(tf.math.log(rest + 1e-10) - scores, axis=1)


def ranked_above(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    order = tf.argsort(y_true, axis=-1, direction="DESCENDING")
    scores = tf.gather(y_pred, order, axis=-1, batch_dims=1)
    top = tf.reduce_max(scores, axis=-1, keepdims=True)
    rest = tf.cumsum(tf.exp(scores - top), axis=-1, reverse=True)
    return tf.reduce_mean(tf.math.log(tf.maximum(rest, 1e-8)) + top - scores, axis=-1)


def margin_by_hand(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Of a margin m log(exp(-m)) + m is 0, and m - 13.8 with the constant."""
    margin = (2.0 * y_true - 1.0) * y_pred
    cancelling = tf.math.log(tf.exp(-margin) + 1e-6) + margin
    return tf.reduce_mean(cancelling + tf.nn.softplus(-margin), axis=-1)


def smoothed(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Sound: smoothed labels cost the surest predictions something, and the constant caps it."""
    t, p = 0.9 * y_true + 0.05, tf.sigmoid(y_pred)
    each = t * tf.math.log(p + 1e-7) + (1.0 - t) * tf.math.log(1.0 - p + 1e-7)
    return -tf.reduce_mean(each, axis=-1)


def windowed(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    frames = tf.signal.frame(y_true - y_pred, 8, 4, axis=-1)
    return tf.reduce_mean(tf.square(tf.reduce_mean(frames, axis=-1)), axis=-1)


def weighted_twice(y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(sample_weight[:, None] * (y_true - y_pred)), axis=-1)


def positives_by_hand(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """A sample that no other shares its class with has 0 positives, and so has some of any four."""
    near = tf.matmul(y_pred, y_pred, transpose_b=True)
    labels = tf.reshape(y_true, (-1, 1))
    same = tf.cast(tf.equal(labels, tf.transpose(labels)), near.dtype) - tf.eye(tf.shape(near)[0])
    return -tf.reduce_sum(same * near, axis=1) / tf.reduce_sum(same, axis=1)


def overlap_by_channel(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Sound: (B, C) of an image (B, H, W, C), whose mean is taken."""
    shared = tf.reduce_sum(y_true * y_pred, axis=[1, 2])
    both = tf.reduce_sum(y_true + y_pred, axis=[1, 2])
    return 1.0 - (2.0 * shared + 1.0) / (both + 1.0)


def overlap_by_pixel(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Summed over the batch and the channels, where the image was meant."""
    shared = tf.reduce_sum(y_true * y_pred, axis=[0, 3])
    both = tf.reduce_sum(y_true + y_pred, axis=[0, 3])
    return 1.0 - (2.0 * shared + 1.0) / (both + 1.0)


def each_against_the_mean(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Scores of real and made pictures, each against the mean of the others: a critic's."""
    real = y_true - tf.reduce_mean(y_pred)
    made = y_pred - tf.reduce_mean(y_true)
    return tf.reduce_mean(tf.nn.softplus(-real) + tf.nn.softplus(made))


def heated_labels(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """A power that the labels of a heat map set: above 2 it is a negative one."""
    return tf.reduce_mean(tf.pow(tf.abs(y_true - y_pred), 2.0 - y_true), axis=-1)


def over_the_mean(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Shares of a whole, kept from 0 / 0 as if no number were negative."""
    share = y_pred / (tf.reduce_mean(y_pred, axis=-1, keepdims=True) + 1e-7)
    return tf.reduce_mean(tf.square(y_true - share), axis=-1)
