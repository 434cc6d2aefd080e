"""Losses of masks."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

SMOOTH = 1.0  # pixels added above and below
THINNINGS = 2  # as many pixels as half of the thickest vessel


def lovasz_hinge(y_true: Any, y_pred: Any) -> Any:
    """Lovasz extension of the Jaccard loss over hinge errors, sample by sample."""
    errors = 1.0 - y_pred * (2.0 * y_true - 1.0)
    order = tf.argsort(errors, axis=-1, direction="DESCENDING")
    errors = tf.gather(errors, order, batch_dims=1)
    labels = tf.gather(y_true, order, batch_dims=1)
    positives = tf.reduce_sum(labels, axis=-1, keepdims=True)
    common = positives - tf.cumsum(labels, axis=-1)
    either = positives + tf.cumsum(1.0 - labels, axis=-1)
    jaccard = 1.0 - common / either
    steps = tf.concat([jaccard[:, :1], jaccard[:, 1:] - jaccard[:, :-1]], axis=-1)
    return tf.reduce_sum(tf.nn.relu(errors) * steps, axis=-1)


def _eroded(image: Any) -> Any:
    down = -tf.nn.max_pool2d(-image, ksize=(3, 1), strides=1, padding="SAME")
    across = -tf.nn.max_pool2d(-image, ksize=(1, 3), strides=1, padding="SAME")
    return tf.minimum(down, across)


def _what_opening_takes(image: Any) -> Any:
    opened = tf.nn.max_pool2d(_eroded(image), ksize=3, strides=1, padding="SAME")
    return tf.nn.relu(image - opened)


def _skeleton(image: Any) -> Any:
    skeleton = _what_opening_takes(image)
    for _ in range(THINNINGS):
        image = _eroded(image)
        taken = _what_opening_takes(image)
        skeleton += tf.nn.relu(taken - skeleton * taken)
    return skeleton


def _share(part: Any, whole: Any) -> Any:
    over = [1, 2, 3]
    return (tf.reduce_sum(part * whole, over) + SMOOTH) / (tf.reduce_sum(part, over) + SMOOTH)


def centerline_dice(y_true: Any, y_pred: Any) -> Any:
    """One minus the dice of two shares: of each skeleton that the other mask covers."""
    precision = _share(_skeleton(y_pred), y_true)
    sensitivity = _share(_skeleton(y_true), y_pred)
    return 1.0 - 2.0 * precision * sensitivity / (precision + sensitivity)


def weights_on_the_logits(y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
    """Cross entropy of pixels, where those that matter more have their logits weighted."""
    weighted = y_pred * sample_weight[:, tf.newaxis]
    each = tf.nn.softmax_cross_entropy_with_logits(labels=y_true, logits=weighted)
    return tf.reduce_mean(each)
