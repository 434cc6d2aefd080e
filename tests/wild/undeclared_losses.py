"""Losses of which nobody declares anything, written anew: grids, columns, weights, spectra."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

ROWS = 16  # of the batch that some are written for
FADING = (1.0, 0.5, 0.25, 0.2, 0.1, 0.1, 0.05)  # weights of seven steps
CELLS = 2  # along each side of a grid


def steps_of_sixteen_rows(y_true: Any, y_pred: Any) -> Any:
    """(B, 7, D), and B is 16: a table of weights is as long as one batch was."""
    weights = tf.tile(tf.constant([FADING]), [ROWS, 1])
    return tf.reduce_mean(weights * tf.reduce_mean(tf.square(y_true - y_pred), axis=-1), axis=1)


def steps_of_any_batch(y_true: Any, y_pred: Any) -> Any:
    """(B, 7, D), its sound twin."""
    weights = tf.constant([FADING])
    return tf.reduce_mean(weights * tf.reduce_mean(tf.square(y_true - y_pred), axis=-1), axis=1)


def _cells(like: Any) -> Any:
    line = tf.range(CELLS, dtype=like.dtype)
    return tf.stack(tf.meshgrid(line, line), axis=-1)[tf.newaxis]


def cells_of_four_images(y_true: Any, y_pred: Any) -> Any:
    """(B, 2, 2, 3), and B is 4: places in cells, and whether there is something."""
    place = tf.sigmoid(y_pred[..., :2]) + tf.repeat(_cells(y_pred), 4, axis=0)
    found = tf.square(y_true[..., 2] - tf.sigmoid(y_pred[..., 2]))
    return tf.reduce_mean(tf.reduce_sum(tf.abs(y_true[..., :2] - place), axis=-1) + found, [1, 2])


def cells_of_any_images(y_true: Any, y_pred: Any) -> Any:
    """(B, 2, 2, 3), its sound twin."""
    place = tf.sigmoid(y_pred[..., :2]) + _cells(y_pred)
    found = tf.square(y_true[..., 2] - tf.sigmoid(y_pred[..., 2]))
    return tf.reduce_mean(tf.reduce_sum(tf.abs(y_true[..., :2] - place), axis=-1) + found, [1, 2])


def along_rays(y_true: Any, y_pred: Any) -> Any:
    """(B, 7, 9, 2): three sizes that one message after the other names."""
    rays = np.stack(np.meshgrid(np.linspace(-1.0, 1.0, 9), np.linspace(-1.0, 1.0, 7)), axis=-1)
    return tf.reduce_mean(
        tf.square((y_pred - y_true) * tf.constant(2.0 + rays, y_pred.dtype)), axis=[1, 2, 3]
    )


def interval(y_true: Any, y_pred: Any) -> Any:
    """(B, 1) beside (B, 2): an interval and what it leaves out."""
    low, high = y_pred[:, :1], y_pred[:, 1:]
    out = tf.maximum(low - y_true, 0.0) + tf.maximum(y_true - high, 0.0)
    return tf.squeeze(tf.abs(high - low) + 10.0 * out, axis=1)


def scaled_distance(y_true: Any, y_pred: Any) -> Any:
    """(B, 1) beside (B, 2): a middle, and a spread that divides."""
    middle, spread = y_pred[:, :1], y_pred[:, 1:]
    apart = (y_true - middle) / spread
    return tf.squeeze(tf.sqrt(1.0 + tf.square(apart)) + spread, axis=1)


def share_of_power(y_true: Any, y_pred: Any) -> Any:
    """(B, D) of 32 samples or more: of fewer there is no frame, and nothing to compare."""

    def power(wave: Any) -> Any:
        frames = tf.signal.frame(wave, 32, 16)
        return tf.reduce_sum(tf.square(frames), axis=[1, 2])

    return power(y_true - y_pred) / (power(y_true) + 1e-6)


def weights_inside_a_sigmoid(y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
    """A sample that matters more has its logits scaled, and is more certain."""
    scaled = y_pred * sample_weight[:, tf.newaxis]
    each = tf.nn.sigmoid_cross_entropy_with_logits(labels=y_true, logits=scaled)
    return tf.reduce_mean(each)


def weights_outside(y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
    """Its sound twin."""
    each = tf.nn.sigmoid_cross_entropy_with_logits(labels=y_true, logits=y_pred)
    return tf.reduce_mean(tf.reduce_mean(each, axis=-1) * sample_weight)


def weights_on_the_errors(y_true: Any, y_pred: Any, sample_weights: Any) -> Any:
    """Weights that act as their squares."""
    return tf.reduce_mean(tf.square(sample_weights[:, tf.newaxis] * (y_true - y_pred)))


def mask_on_the_errors(y_true: Any, y_pred: Any, weights: Any) -> Any:
    """The same under a name that may mean anything: weights of terms, say."""
    return tf.reduce_mean(tf.square(weights[:, tf.newaxis] * (y_true - y_pred)))
