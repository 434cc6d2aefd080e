"""Losses of shares and orders: teachers, forecasts, anchors, clusters and where one looks."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

TEMPERATURE = 0.5
BEYOND, DIRECTION = 2.0, 0.1  # power beyond 2 of an error is BEYOND; what a wrong sign costs
ALPHA, GAMMA = 0.25, 2.0  # of a focal loss
CLASSES = 3  # of anchors; a further column says whether one counts
NARROW = 0.2  # how near to the diagonal one looks for nothing


def reverse_distillation(y_true: Any, y_pred: Any) -> Any:
    """The divergence of a student from its teacher, by the student's shares."""
    teacher = tf.nn.log_softmax(y_true / TEMPERATURE)
    student = tf.nn.softmax(y_pred / TEMPERATURE)
    known = tf.where(student > 0.0, student * tf.math.log(student), 0.0)
    return tf.reduce_sum(known - student * teacher, axis=-1)


def _scrubbed(above: Any, below: Any) -> Any:
    quotient = above / below
    bad = tf.math.is_nan(quotient) | tf.math.is_inf(quotient)
    return tf.where(bad, tf.zeros_like(quotient), quotient)


def scrubbed_percentage(y_true: Any, y_pred: Any) -> Any:
    """Errors by the size of what was observed, none where that is 0."""
    return tf.reduce_mean(_scrubbed(tf.abs(y_true - y_pred), tf.abs(y_true)), axis=-1)


def direction_of_change(y_true: Any, y_pred: Any) -> Any:
    """By how much expression changes, and in which direction."""
    error = tf.reduce_mean(tf.abs(y_true - y_pred) ** (2.0 + BEYOND), axis=-1)
    wrong = tf.reduce_mean(tf.square(tf.sign(y_true) - tf.sign(y_pred)), axis=-1)
    return error + DIRECTION * wrong


def rectified_logarithms(y_true: Any, y_pred: Any) -> Any:
    """Compare the logarithms of numbers that should not be negative."""
    seen, said = (keras.ops.log(keras.ops.relu(1000.0 * each) + 1.0) for each in (y_true, y_pred))
    return keras.ops.mean(keras.ops.abs(seen - said), axis=-1)


def anchors_that_count(y_true: Any, y_pred: Any) -> Any:
    """A focal loss over the anchors whose state is not -1, by how many are positive."""
    labels, state = y_true[..., :-1], y_true[..., -1]
    counted = tf.where(tf.not_equal(state, -1.0))
    labels, chances = tf.gather_nd(labels, counted), tf.gather_nd(y_pred, counted)
    positive = tf.equal(labels, 1.0)
    alpha = ALPHA * tf.ones_like(chances)
    alpha = tf.where(positive, alpha, 1.0 - alpha)
    focus = alpha * tf.where(positive, 1.0 - chances, chances) ** GAMMA
    each = (
        focus
        * keras.losses.binary_crossentropy(labels[..., tf.newaxis], chances[..., tf.newaxis])[
            ..., tf.newaxis
        ][..., 0]
    )
    found = tf.cast(tf.math.count_nonzero(tf.equal(state, 1.0)), y_pred.dtype)
    return tf.reduce_sum(each) / tf.maximum(found, 1.0)


def cut_of_a_graph(y_true: Any, y_pred: Any) -> Any:
    """How many edges clusters of nodes cut, and how far they are from equal sizes."""
    shares = tf.nn.softmax(y_pred)
    degrees = tf.linalg.diag(tf.reduce_sum(y_true, axis=-1))
    within = tf.linalg.trace(tf.matmul(shares, tf.matmul(y_true, shares), transpose_a=True))
    every = tf.linalg.trace(tf.matmul(shares, tf.matmul(degrees, shares), transpose_a=True))
    cut = -tf.math.divide_no_nan(within, every)
    alike = tf.matmul(shares, shares, transpose_a=True)
    number = tf.shape(y_pred)[-1]
    even = tf.eye(number, dtype=y_pred.dtype) / tf.sqrt(tf.cast(number, y_pred.dtype))
    size = tf.norm(alike, axis=[-2, -1], keepdims=True)
    apart = tf.reduce_sum(tf.square(alike / size - even), axis=[-2, -1])
    return cut + tf.sqrt(apart + 1e-7)


def affinities(y_true: Any, y_pred: Any) -> Any:
    """Bins of a spectrum that are of one speaker are alike, all pairs at once."""
    embedded = tf.math.l2_normalize(y_pred, axis=-1)
    pairs = tf.reduce_sum(tf.square(tf.matmul(embedded, embedded, transpose_a=True)), axis=[1, 2])
    both = tf.reduce_sum(tf.square(tf.matmul(embedded, y_true, transpose_a=True)), axis=[1, 2])
    own = tf.reduce_sum(tf.square(tf.matmul(y_true, y_true, transpose_a=True)), axis=[1, 2])
    return pairs - 2.0 * both + own


def guided_attention(y_true: Any, y_pred: Any) -> Any:
    """Weights of letters by frames, the more costly the further they are from the diagonal."""
    letters, frames = tf.shape(y_pred)[1], tf.shape(y_pred)[2]
    long = tf.cast(tf.sequence_mask(tf.cast(y_true[:, 0], tf.int32), letters), y_pred.dtype)
    wide = tf.cast(tf.sequence_mask(tf.cast(y_true[:, 1], tf.int32), frames), y_pred.dtype)
    kept = long[:, :, tf.newaxis] * wide[:, tf.newaxis, :]
    n = tf.cast(tf.range(letters), y_pred.dtype) / y_true[:, :1]
    t = tf.cast(tf.range(frames), y_pred.dtype) / y_true[:, 1:]
    off = n[:, :, tf.newaxis] - t[:, tf.newaxis, :]
    cost = 1.0 - tf.exp(-tf.square(off) / (2.0 * NARROW**2))
    return tf.reduce_sum(kept * cost * y_pred, axis=[1, 2]) / tf.reduce_sum(kept, axis=[1, 2])
