"""Losses of scores, neighbours, lifetimes and embeddings: of what comes before what."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

MARGIN, FAR = 1.0, 1e9
HIDDEN, WARMTH = 1e9, 0.1
LEAST, SHARPNESS, RANKED = 1e-8, 0.1, 0.5
TINY = 1e-24


def preferred_item(y_true: Any, y_pred: Any) -> Any:
    """How sure it is that the first of two items is preferred; nothing else is known."""
    chosen, other = tf.unstack(y_pred, axis=-1)
    return -tf.math.log(tf.sigmoid(chosen - other))


def next_items(y_true: Any, y_pred: Any) -> Any:
    """Cross entropy of the item that came next, and of one that did not, at each step."""
    kept = tf.cast(tf.not_equal(y_true, 0.0), y_pred.dtype)
    came, did_not = tf.sigmoid(y_pred[..., 0]), tf.sigmoid(y_pred[..., 1])
    surprise = tf.math.log(came + TINY)
    surprise += tf.math.log(1.0 - did_not + TINY)
    return -tf.math.divide_no_nan(tf.reduce_sum(surprise * kept), tf.reduce_sum(kept))


def lifetimes_in_a_batch(y_true: Any, y_pred: Any) -> Any:
    """Partial likelihood of who dies first among those who are still there."""
    time, event = y_true[:, 0], y_true[:, 1:]
    risk = tf.reshape(y_pred, [-1])
    there = time[tf.newaxis, :] >= time[:, tf.newaxis]
    among = tf.reduce_logsumexp(tf.where(there, risk[tf.newaxis, :], -FAR), axis=1)
    return -tf.reduce_mean((risk - among) * event)


def _apart(rows: Any) -> Any:
    squares = tf.reduce_sum(tf.square(rows), axis=-1)
    product = tf.matmul(rows, rows, transpose_b=True)
    return tf.maximum(squares[:, tf.newaxis] - 2.0 * product + squares[tf.newaxis, :], 0.0)


def late_and_friends(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """How late each friend is behind its stranger, and which samples are friends."""
    same = tf.equal(y_true[:, tf.newaxis], y_true[tf.newaxis, :])
    apart = _apart(y_pred)
    strange = tf.where(same, FAR, apart)
    beyond = strange[:, tf.newaxis, :] > apart[:, :, tf.newaxis]
    beyond = beyond & ~same[:, tf.newaxis, :]
    outside = tf.reduce_min(tf.where(beyond, strange[:, tf.newaxis, :], FAR), axis=2)
    inside = tf.reduce_max(tf.where(same, 0.0, apart), axis=1, keepdims=True)
    stranger = tf.where(tf.reduce_any(beyond, axis=2), outside, inside)
    friends = tf.cast(same, y_pred.dtype) - tf.eye(tf.shape(y_pred)[0], dtype=y_pred.dtype)
    return tf.nn.relu(MARGIN + apart - stranger) * friends, friends


class HalfHard(keras.losses.Loss):  # type: ignore[misc]
    """Triplets with the nearest stranger that is farther away than the friend, or the farthest."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Take labels (B,) and embeddings (B, D)."""
        late, friends = late_and_friends(y_true, y_pred)
        return tf.reduce_sum(late) / tf.reduce_sum(friends)


half_hard = HalfHard(name="half_hard")


def naive_scale(y_true: Any, y_pred: Any) -> Any:
    """Error over that of a forecast which repeats what was seen before."""
    error = tf.reduce_mean(tf.abs(y_true - y_pred))
    naive = tf.reduce_mean(tf.abs(y_true[1:] - y_true[:-1]))
    return error / naive


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _normaliser(kappa: Any) -> Any:
    def gradient(upstream: Any) -> Any:
        return upstream * tf.math.bessel_i1e(kappa) / tf.math.bessel_i0e(kappa)

    return tf.math.log(tf.math.bessel_i0e(kappa)) - kappa, gradient


def circular(y_true: Any, y_pred: Any) -> Any:
    """A direction by a vector whose length says how sure it is."""
    kappa = tf.sqrt(tf.reduce_sum(tf.square(y_pred), axis=-1) + 1e-6)
    return _normaliser(kappa) - tf.reduce_sum(y_true * y_pred, axis=-1)


def two_views(y_true: Any, y_pred: Any) -> Any:
    """Cross entropy of a sample's other view among all views of a batch, weighted by samples."""
    views = tf.math.l2_normalize(y_pred, axis=-1)
    one, two = views[:, 0], views[:, 1]
    many = tf.shape(one)[0]
    itself = HIDDEN * tf.eye(many, dtype=y_pred.dtype)
    cost = tf.zeros_like(y_true)
    for here, there in ((one, two), (two, one)):
        across = tf.matmul(here, there, transpose_b=True) / WARMTH
        along = tf.matmul(here, here, transpose_b=True) / WARMTH - itself
        logits = tf.concat([across, along], axis=1)
        cost += tf.nn.sparse_softmax_cross_entropy_with_logits(tf.range(many), logits)
    present = tf.reduce_sum(tf.cast(tf.not_equal(y_true, 0.0), y_pred.dtype))
    return tf.math.divide_no_nan(tf.reduce_sum(cost * y_true), present)


def competing_risks(y_true: Any, y_pred: Any) -> Any:
    """Likelihood of when it happens, and how many pairs are in the wrong order, softly."""
    when = tf.cast(y_true[:, 0], tf.int32)
    event = y_true[:, 1]
    steps = tf.shape(y_pred)[1]
    at = tf.reduce_sum(tf.one_hot(when, steps, dtype=y_pred.dtype) * y_pred, axis=1)
    later = 1.0 - tf.cast(tf.sequence_mask(when + 1, steps), y_pred.dtype)
    after = tf.reduce_sum(later * y_pred, axis=1)
    known = event * tf.math.log(at + LEAST) + (1.0 - event) * tf.math.log(after + LEAST)
    until = tf.matmul(y_pred, 1.0 - later, transpose_b=True)
    lead = tf.linalg.diag_part(until)[:, tf.newaxis] - tf.transpose(until)
    pairs = event[:, tf.newaxis] * tf.cast(when[:, tf.newaxis] < when, y_pred.dtype)
    return -known + RANKED * tf.reduce_mean(pairs * tf.exp(-lead / SHARPNESS), axis=1)
