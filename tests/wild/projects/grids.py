"""Losses of maps, points, atoms and letters: of what lies where."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

FOCUS, MISSED, SMOOTH = 0.75, 0.7, 1.0
SPREADS = (0.026, 0.079, 0.107)
DEEPEST, SHARE = 10.0, 0.1
LEVEL, NARROWEST = 1.0 / 255.0, -7.0
STEPS = 6


def focal_overlap(y_true: Any, y_pred: Any) -> Any:
    """A power below 1 of what is missing to a whole overlap, missed pixels counting more."""
    seen, said = tf.reshape(y_true, [-1]), tf.reshape(y_pred, [-1])
    both = tf.reduce_sum(seen * said)
    missed, added = tf.reduce_sum(seen * (1.0 - said)), tf.reduce_sum((1.0 - seen) * said)
    overlap = (both + SMOOTH) / (both + MISSED * missed + (1.0 - MISSED) * added + SMOOTH)
    return tf.pow(1.0 - overlap, FOCUS)


def overlap_of_classes(y_true: Any, y_pred: Any) -> Any:
    """What is missing to a whole overlap of the classes that pixels are given."""
    classes = y_pred.shape[-1]
    given = keras.ops.one_hot(keras.ops.argmax(y_pred, axis=-1), classes, dtype=y_pred.dtype)
    both = keras.ops.sum(y_true * given, axis=(1, 2))
    either = keras.ops.sum(y_true + given, axis=(1, 2)) - both
    return 1.0 - keras.ops.mean((both + 1e-6) / (either + 1e-6), axis=-1)


def distance_to_border(y_true: Any, y_pred: Any) -> Any:
    """Chances weighed by how far a pixel lies from the border, inside of which it counts less."""
    return tf.reduce_mean(y_true * y_pred, axis=[1, 2, 3])


def points_of_a_body(y_true: Any, y_pred: Any) -> Any:
    """What is missing to the likeness of points; labels are x, y, seen and the body's area."""
    seen = tf.cast(tf.not_equal(y_true[..., 2], 0.0), y_pred.dtype)
    square = tf.reduce_sum(tf.square(y_true[..., :2] - y_pred), axis=-1)
    spread = 2.0 * tf.constant(SPREADS, y_pred.dtype)
    off = square / (tf.square(spread) * (y_true[..., 3] + 1e-9) * 2.0)
    factor = len(SPREADS) / (tf.reduce_sum(seen, axis=1) + 1e-9)
    return factor * tf.reduce_mean((1.0 - tf.exp(-off)) * seen, axis=1)


def mixture_of_levels(y_true: Any, y_pred: Any) -> Any:
    """Likelihood of a grey level under a mixture of logistic distributions."""
    weights, means, log_scales = tf.split(y_pred, 3, axis=-1)
    log_scales = tf.maximum(log_scales, NARROWEST)
    centred, inverse = y_true - means, tf.exp(-log_scales)
    above, below = inverse * (centred + LEVEL), inverse * (centred - LEVEL)
    between = tf.sigmoid(above) - tf.sigmoid(below)
    middle = inverse * centred
    density = middle - log_scales - 2.0 * tf.nn.softplus(middle)
    inner = tf.where(
        between > 1e-5,
        tf.math.log(tf.maximum(between, 1e-12)),
        density - tf.math.log(tf.constant(127.5, y_pred.dtype)),
    )
    black, white = above - tf.nn.softplus(above), -tf.nn.softplus(below)
    level = tf.where(y_true < -0.999, black, tf.where(y_true > 0.999, white, inner))
    chances = level + tf.nn.log_softmax(weights, axis=-1)
    return -tf.reduce_sum(tf.reduce_logsumexp(chances, axis=-1), axis=[1, 2])


class Forces(keras.losses.Loss):  # type: ignore[misc]
    """Absolute error of forces, of the atoms that there are: padding has a force of 0."""

    def __init__(self, tolerance: float = 1e-7, name: str = "forces") -> None:
        super().__init__(reduction="sum_over_batch_size", name=name)
        self.tolerance = tolerance

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Take both as (B, atoms, 3)."""
        nothing = tf.reduce_all(tf.abs(y_true) <= self.tolerance, axis=-1)
        there = tf.cast(tf.logical_not(nothing), y_pred.dtype)
        atoms = tf.reduce_sum(there, axis=-1)
        atoms = tf.where(atoms < 1.0, tf.ones_like(atoms), atoms)
        error = tf.reduce_mean(tf.abs(y_true - y_pred), axis=-1)
        return tf.reduce_sum(error * there, axis=-1) / atoms

    def get_config(self) -> dict[str, Any]:
        """Give what it was made of."""
        return {"name": self.name, "tolerance": self.tolerance}


forces = Forces()


def depth_and_edges(y_true: Any, y_pred: Any) -> Any:
    """Depth, its edges, and how alike both maps are built."""
    depth = tf.reduce_mean(tf.abs(y_pred - y_true), axis=-1)
    down_true, right_true = tf.image.image_gradients(y_true)
    down, right = tf.image.image_gradients(y_pred)
    edges = tf.reduce_mean(tf.abs(down - down_true) + tf.abs(right - right_true), axis=-1)
    alike = tf.cast(tf.image.ssim(y_true, y_pred, DEEPEST), y_pred.dtype)
    built = tf.clip_by_value((1.0 - alike) * 0.5, 0.0, 1.0)
    return built + tf.reduce_mean(edges, axis=[1, 2]) + SHARE * tf.reduce_mean(depth, axis=[1, 2])


def letters_in_a_row(y_true: Any, y_pred: Any) -> Any:
    """How likely the letters are, whatever step each of them is read at; 0 pads a word."""
    labels = tf.cast(y_true, tf.int32)
    long = tf.math.count_nonzero(labels, axis=1, dtype=tf.int32)
    steps = tf.fill(tf.shape(long), STEPS)
    logits = tf.math.log(tf.transpose(y_pred, [1, 0, 2]) + 1e-7)
    logits = tf.cast(logits, tf.float32)
    return tf.cast(tf.nn.ctc_loss(labels, logits, long, steps, blank_index=0), y_pred.dtype)
