"""Losses of boxes, of what is in them, and of landmarks."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

SMALL = 1e-7  # of an area or a squared length
NEGATIVE_SHARE = 0.75  # of what a cell without an object counts
BATCH_SIZE = 4
GRID = 3  # cells along each side
ALPHA, OMEGA, EPSILON, THETA = 2.1, 14.0, 1.0, 0.5  # of the adaptive wing loss paper


def _corners(box: Any) -> tuple[Any, Any]:
    return box[:, :2], box[:, 2:]


def _area(low: Any, high: Any) -> Any:
    return tf.reduce_prod(tf.maximum(high - low, 0.0), axis=-1)


def distance_iou(y_true: Any, y_pred: Any) -> Any:
    """One minus the overlap, and how far apart the centres are in the box around both."""
    (a, b), (c, d) = _corners(y_true), _corners(y_pred)
    common = _area(tf.maximum(a, c), tf.minimum(b, d))
    overlap = common / (_area(a, b) + _area(c, d) - common + SMALL)
    apart = tf.reduce_sum(tf.square((a + b) / 2.0 - (c + d) / 2.0), axis=-1)
    around = tf.reduce_sum(tf.square(tf.maximum(b, d) - tf.minimum(a, c)), axis=-1)
    return 1.0 - overlap + apart / (around + SMALL)


def varifocal(y_true: Any, y_pred: Any) -> Any:
    """Cross entropy with the overlap as the label, which also weights the positive cells."""
    surprise = NEGATIVE_SHARE * tf.square(tf.abs(tf.sigmoid(y_pred) - y_true))
    weight = tf.where(y_true > 0.0, y_true, surprise)
    each = tf.nn.sigmoid_cross_entropy_with_logits(labels=y_true, logits=y_pred)
    return tf.reduce_sum(weight * each, axis=-1)


def adaptive_wing(y_true: Any, y_pred: Any) -> Any:
    """A wing loss of heatmaps whose curvature depends on the label, linear for large errors."""
    error, power = tf.abs(y_true - y_pred), ALPHA - y_true
    edge = (THETA / EPSILON) ** power
    slope = OMEGA * power * edge / (1.0 + edge) / THETA
    offset = THETA * slope - OMEGA * tf.math.log1p(edge)
    near = OMEGA * tf.math.log1p(tf.pow(error / EPSILON, power))
    return tf.reduce_mean(tf.where(error < THETA, near, slope * error - offset), axis=-1)


def cells_of_a_fixed_batch(y_true: Any, y_pred: Any) -> Any:
    """Centres relative to cells of a grid, sizes as logarithms, and objectness."""
    line = tf.range(GRID, dtype=y_pred.dtype)
    cells = tf.stack(tf.meshgrid(line, line), axis=-1)[tf.newaxis]
    centre = tf.sigmoid(y_pred[..., :2]) + tf.tile(cells, [BATCH_SIZE, 1, 1, 1])
    size = tf.square(y_pred[..., 2:4] - tf.math.log(y_true[..., 2:4]))
    present = y_true[..., 4]
    place = tf.reduce_sum(tf.square(y_true[..., :2] - centre) + size, axis=-1)
    found = tf.nn.sigmoid_cross_entropy_with_logits(labels=present, logits=y_pred[..., 4])
    return tf.reduce_mean(present * place + found, axis=[1, 2])
