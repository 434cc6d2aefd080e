"""Sound losses on embeddings: equal, opposite and zero vectors included."""

from __future__ import annotations

import tensorflow as tf

FLOOR = 1e-12  # of a squared norm or distance; its reciprocal to the power 3/2 is 1e18
MARGIN = 0.5
TEMPERATURE = 0.1
MASKED = -1e4  # a logit whose exp is 0 in every dtype, and which fits float16


def _distance(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    return tf.sqrt(tf.maximum(tf.reduce_sum(tf.square(a - b), axis=-1), FLOOR))


def triplet(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Anchor, positive and negative are stacked in y_pred (B, 3, D); labels are not used."""
    del y_true
    anchor, positive, negative = tf.unstack(y_pred, axis=1)
    gap = _distance(anchor, positive) - _distance(anchor, negative)
    return tf.maximum(gap + MARGIN, 0.0)


def contrastive(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Labels 1 for pairs that belong together; y_pred is their distance."""
    apart = tf.square(tf.maximum(MARGIN - y_pred, 0.0))
    return tf.reduce_mean(y_true * tf.square(y_pred) + (1.0 - y_true) * apart, axis=-1)


def cosine_distance(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    norms = [tf.maximum(tf.reduce_sum(tf.square(x), axis=-1), FLOOR) for x in (y_true, y_pred)]
    product = tf.reduce_sum(y_true * y_pred, axis=-1)
    return 1.0 - product * tf.math.rsqrt(norms[0]) * tf.math.rsqrt(norms[1])


def info_nce(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Row i of y_pred belongs to row i of y_true; the other rows are the negatives."""
    logits = tf.matmul(y_pred, y_true, transpose_b=True) / TEMPERATURE
    labels = tf.range(tf.shape(logits)[0])
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)


def supervised_contrastive(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Pull together the rows of y_pred (B, D) that share a class in y_true (B,)."""
    logits = tf.matmul(y_pred, y_pred, transpose_b=True) / TEMPERATURE
    itself = tf.eye(tf.shape(logits)[0], dtype=logits.dtype)
    others = logits + MASKED * itself
    log_share = others - tf.reduce_logsumexp(others, axis=-1, keepdims=True)
    same = tf.cast(tf.equal(y_true[:, tf.newaxis], y_true[tf.newaxis, :]), logits.dtype) - itself
    return tf.math.divide_no_nan(
        -tf.reduce_sum(same * log_share, axis=-1), tf.reduce_sum(same, axis=-1)
    )
