"""Sound classification and ranking losses: probabilities may be 0 and 1, logits 1e4."""

from __future__ import annotations

import tensorflow as tf

EPSILON = 1e-7  # smallest probability that is told from 0: what Keras clips at
SMOOTHING = 1.0  # pixels added to both sides of an overlap ratio
LABEL_SMOOTHING = 0.1
FALSE_POSITIVES, FALSE_NEGATIVES = 0.3, 0.7  # Tversky's alpha and beta
MARGIN = 1.0


def binary_crossentropy(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    # 1 - p is exact near p = 1; clipping p at 1 - epsilon first would round it.
    hit = y_true * tf.math.log(tf.maximum(y_pred, EPSILON))
    miss = (1.0 - y_true) * tf.math.log(tf.maximum(1.0 - y_pred, EPSILON))
    return -tf.reduce_mean(hit + miss, axis=-1)


def focal_from_logits(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    against = (1.0 - 2.0 * y_true) * y_pred
    return tf.reduce_mean(tf.square(tf.sigmoid(against)) * tf.math.softplus(against))


def smoothed_crossentropy(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    classes = tf.cast(tf.shape(y_pred)[-1], y_pred.dtype)
    labels = (1.0 - LABEL_SMOOTHING) * y_true + LABEL_SMOOTHING / classes
    return tf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=y_pred)


def sparse_crossentropy(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    labels = tf.cast(y_true, tf.int32)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=y_pred)


def hinge(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.maximum(MARGIN - y_true * y_pred, 0.0), axis=-1)


def ordinal_levels(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Cross-entropy of "the class is above level k", one label and one logit a level."""
    terms = tf.nn.sigmoid_cross_entropy_with_logits(labels=y_true, logits=y_pred)
    return tf.reduce_sum(terms, axis=-1)


def smoothed_dice(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    overlap = tf.reduce_sum(y_true * y_pred, axis=-1)
    total = tf.reduce_sum(y_true, axis=-1) + tf.reduce_sum(y_pred, axis=-1)
    return 1.0 - (2.0 * overlap + SMOOTHING) / (total + SMOOTHING)


def smoothed_tversky(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    hit = tf.reduce_sum(y_true * y_pred, axis=-1)
    extra = tf.reduce_sum((1.0 - y_true) * y_pred, axis=-1)
    missed = tf.reduce_sum(y_true * (1.0 - y_pred), axis=-1)
    weighed = FALSE_POSITIVES * extra + FALSE_NEGATIVES * missed
    return 1.0 - (hit + SMOOTHING) / (hit + weighed + SMOOTHING)


def _soft_f1(labels: tf.Tensor, guesses: tf.Tensor) -> tf.Tensor:
    hit = tf.reduce_sum(labels * guesses, axis=0)
    total = tf.reduce_sum(labels, axis=0) + tf.reduce_sum(guesses, axis=0)
    return tf.math.divide_no_nan(2.0 * hit, total)


def soft_f1(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Over both classes, so that a batch without positives still has a gradient."""
    both = _soft_f1(y_true, y_pred) + _soft_f1(1.0 - y_true, 1.0 - y_pred)
    return 1.0 - 0.5 * tf.reduce_mean(both)


def kl_divergence(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    entropy = tf.math.xlogy(y_true, y_true)
    return tf.reduce_sum(entropy - y_true * tf.math.log(tf.maximum(y_pred, EPSILON)), axis=-1)


def earth_mover(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    steps = tf.cumsum(y_true, axis=-1) - tf.cumsum(y_pred, axis=-1)
    return tf.reduce_mean(tf.square(steps), axis=-1)


def list_net(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return -tf.reduce_sum(tf.nn.softmax(y_true) * tf.nn.log_softmax(y_pred), axis=-1)


def bayesian_ranking(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """BPR: y_pred holds the scores of the item taken and of one not taken; labels are not used."""
    del y_true
    return tf.math.softplus(y_pred[:, 1] - y_pred[:, 0])
