"""Losses of boxes, rotations, depths, colours and motion."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

SMALL = 1e-7  # of an area, a squared length or a height
OF_THE_MEAN = 0.85  # of how much of a common scale is forgiven
GRID = 6  # pixels a side
LINEAR_UP_TO = 0.0031308  # of light, in a display's encoding
DISPLAY = ((3.2406, -0.9689, 0.0557), (-1.5372, 1.8758, -0.2040), (-0.4986, 0.0415, 1.0570))


def complete_iou(y_true: Any, y_pred: Any) -> Any:
    """One minus the overlap, how far apart the centres are, and how much the shapes differ."""
    a, b, c, d = y_true[:, :2], y_true[:, 2:], y_pred[:, :2], y_pred[:, 2:]
    common = tf.reduce_prod(tf.maximum(tf.minimum(b, d) - tf.maximum(a, c), 0.0), axis=-1)
    union = tf.reduce_prod(b - a, axis=-1) + tf.reduce_prod(d - c, axis=-1) - common
    overlap = common / tf.maximum(union, SMALL)
    apart = tf.reduce_sum(tf.square((a + b) / 2.0 - (c + d) / 2.0), axis=-1)
    around = tf.reduce_sum(tf.square(tf.maximum(b, d) - tf.minimum(a, c)), axis=-1)
    turns = [
        tf.atan((high - low)[:, 0] / ((high - low)[:, 1] + SMALL)) for low, high in ((a, b), (c, d))
    ]
    shape = 4.0 / math.pi**2 * tf.square(turns[0] - turns[1])
    weight = tf.stop_gradient(shape / (1.0 - overlap + shape))
    return 1.0 - overlap + apart / (around + SMALL) + weight * shape


def depth_up_to_scale(y_true: Any, y_pred: Any) -> Any:
    """Root of the mean squared difference of log depths, less most of its squared mean."""
    error = tf.math.log(y_pred) - tf.math.log(y_true)
    squares = tf.reduce_mean(tf.square(error), axis=-1)
    return 10.0 * tf.sqrt(squares - OF_THE_MEAN * tf.square(tf.reduce_mean(error, axis=-1)))


def _rotation(six: Any) -> Any:
    first = tf.math.l2_normalize(six[:, :3], axis=-1)
    third = tf.math.l2_normalize(tf.linalg.cross(first, six[:, 3:6]), axis=-1)
    return tf.stack([first, tf.linalg.cross(third, first), third], axis=-1)


def rotation_angle(y_true: Any, y_pred: Any) -> Any:
    """Angle between two rotations, each given by two vectors that are made orthogonal."""
    between = tf.matmul(_rotation(y_true), _rotation(y_pred), transpose_b=True)
    cosine = (tf.linalg.trace(between) - 1.0) / 2.0
    return tf.acos(tf.clip_by_value(cosine, -1.0, 1.0))


def gamma_corrected(y_true: Any, y_pred: Any) -> Any:
    """Absolute error of an image as a display shows it, from a prediction of light (XYZ)."""
    light = tf.maximum(tf.matmul(y_pred, tf.constant(DISPLAY, y_pred.dtype)), 0.0)
    bright = tf.cast(light > LINEAR_UP_TO, y_pred.dtype)
    curved = 1.055 * tf.pow(light, 1.0 / 2.4) - 0.055
    shown = curved * bright + 12.92 * light * (1.0 - bright)
    return tf.reduce_mean(tf.abs(y_true - shown), axis=[1, 2, 3])


def warped_frame(y_true: Any, y_pred: Any) -> Any:
    """Charbonnier error of the first frame and the second, fetched from where pixels went."""
    first, second = y_true[..., 0], tf.reshape(y_true[..., 1], [-1, GRID * GRID])
    line = tf.range(GRID, dtype=y_pred.dtype)
    across, down = tf.meshgrid(line, line)
    last = float(GRID - 1)
    row = tf.clip_by_value(down + y_pred[..., 0], 0.0, last)
    column = tf.clip_by_value(across + y_pred[..., 1], 0.0, last)
    top, left = (tf.minimum(tf.floor(place), last - 1.0) for place in (row, column))

    def fetched(i: int, j: int) -> Any:
        place = (tf.cast(top, tf.int32) + i) * GRID + tf.cast(left, tf.int32) + j
        return tf.gather(second, place, batch_dims=1)

    lower, further = row - top, column - left
    above = (1.0 - further) * fetched(0, 0) + further * fetched(0, 1)
    below = (1.0 - further) * fetched(1, 0) + further * fetched(1, 1)
    error = first - ((1.0 - lower) * above + lower * below)
    return tf.reduce_mean(tf.sqrt(tf.square(error) + 1e-6), axis=[1, 2])
