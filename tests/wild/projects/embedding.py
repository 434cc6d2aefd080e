"""Losses of embeddings: on the sphere, in the hyperbolic ball, and of graphs."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

NEAR, FAR, MIDDLE = 2.0, 50.0, 0.5  # of the multi-similarity paper
HEAT, BIAS = 10.0, -10.0  # with which SigLIP starts
MARGIN, SCALE = 0.5, 30.0
LEAST_SQUARED_SINE = 1e-6


def _over(scores: Any, kept: Any, factor: float) -> Any:
    total = tf.reduce_sum(kept * tf.exp(factor * (scores - MIDDLE)), axis=-1)
    return tf.math.log1p(total) / abs(factor)


def all_similarities(y_true: Any, y_pred: Any) -> Any:
    """Soft worst cases of each anchor: the farthest of its class and the nearest of others."""
    scores = tf.matmul(y_pred, y_pred, transpose_b=True)
    labels = tf.reshape(y_true, [-1, 1])
    same = tf.cast(tf.equal(labels, tf.transpose(labels)), scores.dtype)
    others = same - tf.eye(tf.shape(scores)[0], dtype=scores.dtype)
    return _over(scores, others, -NEAR) + _over(scores, 1.0 - same, FAR)


def pairs_by_sigmoid(y_true: Any, y_pred: Any) -> Any:
    """Every image with every text as a case of its own: does this pair belong together?"""
    logits = HEAT * tf.matmul(y_pred, y_true, transpose_b=True) + BIAS
    together = 2.0 * tf.eye(tf.shape(logits)[0], dtype=logits.dtype) - 1.0
    return -tf.reduce_sum(tf.math.log_sigmoid(together * logits), axis=-1)


def additive_angle(y_true: Any, y_pred: Any) -> Any:
    """Cross entropy of cosines, the right one at an angle enlarged by a margin."""
    sine = tf.sqrt(tf.maximum(1.0 - tf.square(y_pred), LEAST_SQUARED_SINE))
    wider = y_pred * math.cos(MARGIN) - sine * math.sin(MARGIN)
    beyond = y_pred - MARGIN * math.sin(math.pi - MARGIN)
    wider = tf.where(y_pred > math.cos(math.pi - MARGIN), wider, beyond)
    label = tf.cast(y_true, tf.int32)
    right = tf.one_hot(label, y_pred.shape[-1], dtype=y_pred.dtype)
    logits = SCALE * (right * wider + (1.0 - right) * y_pred)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=label, logits=logits)


def ball_distance(y_true: Any, y_pred: Any) -> Any:
    """Distance in the Poincare ball."""
    apart = tf.reduce_sum(tf.square(y_true - y_pred), axis=-1)
    inside = 1.0 - tf.reduce_sum(tf.square(y_true), axis=-1)
    within = 1.0 - tf.reduce_sum(tf.square(y_pred), axis=-1)
    return tf.acosh(1.0 + 2.0 * apart / (inside * within))


def cut_and_balance(y_true: Any, y_pred: Any) -> Any:
    """Edges kept inside clusters over all edges, and how balanced the clusters are."""
    degrees = tf.linalg.diag(tf.reduce_sum(y_true, axis=-1))
    inside = tf.linalg.trace(tf.matmul(y_pred, tf.matmul(y_true, y_pred), transpose_a=True))
    anywhere = tf.linalg.trace(tf.matmul(y_pred, tf.matmul(degrees, y_pred), transpose_a=True))
    sizes = tf.matmul(y_pred, y_pred, transpose_a=True)
    shares = sizes / tf.norm(sizes, axis=[1, 2], keepdims=True)
    even = tf.eye(y_pred.shape[-1], dtype=y_pred.dtype) / math.sqrt(y_pred.shape[-1])
    return tf.reduce_sum(tf.square(shares - even), axis=[1, 2]) - inside / anywhere


def sample_by_sample(y_true: Any, y_pred: Any) -> Any:
    """Mean error of each sample over its largest label, summed in a loop over the batch."""
    total = 0.0
    for label, guess in zip(y_true, y_pred, strict=True):
        total += tf.reduce_mean(tf.abs(label - guess)) / (1.0 + tf.reduce_max(tf.abs(label)))
    return total / tf.cast(tf.shape(y_pred)[0], y_pred.dtype)
