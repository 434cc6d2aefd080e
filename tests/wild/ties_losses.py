"""Losses that are continuous though they clip twice, that select, and that are at their best."""

from __future__ import annotations

from typing import TypeAlias

import tensorflow as tf

T: TypeAlias = tf.Tensor


def policy_ratio(advantage: T, log_ratio: T) -> T:
    ratio = tf.exp(log_ratio)
    return -tf.minimum(ratio * advantage, tf.clip_by_value(ratio, 0.8, 1.2) * advantage)


def policy_by_where(advantage: T, log_ratio: T) -> T:
    ratio = tf.exp(log_ratio)
    bound = tf.where(advantage > 0.0, 1.1 * advantage, 0.9 * advantage)
    return tf.maximum(-ratio * advantage, -bound)


def clipped_value(y_true: T, y_pred: T, old: T) -> T:
    near = old + tf.clip_by_value(y_pred - old, -0.2, 0.2)
    return tf.maximum(tf.square(y_pred - y_true), tf.square(near - y_true))


def clip_twice(y_true: T, y_pred: T) -> T:
    gap = y_pred - y_true
    return tf.maximum(gap, tf.clip_by_value(gap, -0.05, 0.05))


def dead_zone(y_true: T, y_pred: T) -> T:
    gap = y_true - y_pred
    beyond = tf.minimum(gap, tf.nn.relu(gap)) + tf.nn.relu(gap)
    return tf.reduce_mean(tf.square(beyond), axis=-1)


def larger_branch(y_true: T, y_pred: T) -> T:
    size = tf.abs(y_true - y_pred)
    return tf.reduce_sum(tf.maximum(size, tf.minimum(size, 1.0)), axis=-1)


def torn_by_mask(y_true: T, y_pred: T) -> T:
    size = tf.abs(y_true - y_pred)
    near = tf.cast(size <= 1.0, size.dtype)
    return tf.reduce_mean(near * 0.5 * size * size + (1.0 - near) * size, axis=-1)


def met_by_mask(y_true: T, y_pred: T) -> T:
    size = tf.abs(y_true - y_pred)
    near = tf.cast(size <= 1.0, size.dtype)
    return tf.reduce_mean(near * 0.5 * size * size + (1.0 - near) * (size - 0.5), axis=-1)


def reversed_huber(y_true: T, y_pred: T) -> T:
    size = tf.abs(y_true - y_pred)
    c = 0.2 * tf.reduce_max(size, axis=-1, keepdims=True) + 1e-6
    return tf.reduce_mean(tf.where(size <= c, size, (size * size + c * c) / (2.0 * c)), axis=-1)


def torn_reversed_huber(y_true: T, y_pred: T) -> T:
    size = tf.abs(y_true - y_pred)
    c = 0.2 * tf.reduce_max(size, axis=-1, keepdims=True) + 1e-6
    return tf.reduce_mean(tf.where(size <= c, size, (size * size + c * c) / c), axis=-1)


def _distances(x: T) -> T:
    return 1.0 - tf.matmul(x, x, transpose_b=True)


def beyond_the_positive(y_true: T, y_pred: T) -> T:
    d = _distances(y_pred)
    same = tf.cast(tf.equal(y_true[:, None], y_true[None, :]), d.dtype)
    pos = tf.reduce_max(d * same, axis=1, keepdims=True)
    top = tf.reduce_max(d, axis=1, keepdims=True)
    farther = tf.cast(d > pos, d.dtype) * (1.0 - same)
    neg = tf.reduce_min((d - top) * farther, axis=1, keepdims=True) + top
    return tf.math.softplus(pos - neg)[:, 0]


def beyond_by_where(y_true: T, y_pred: T) -> T:
    d = _distances(y_pred)
    same = tf.equal(y_true[:, None], y_true[None, :])
    pos = tf.reduce_max(tf.where(same, d, 0.0), axis=1, keepdims=True)
    farther = tf.logical_and(d > pos, tf.logical_not(same))
    neg = tf.reduce_min(tf.where(farther, d, tf.reduce_max(d)), axis=1)
    return tf.nn.relu(pos[:, 0] - neg + 0.5)


def worse_than_usual(y_true: T, y_pred: T) -> T:
    each = tf.square(y_true - y_pred)
    hard = tf.cast(each > tf.reduce_mean(each, axis=-1, keepdims=True), each.dtype)
    return tf.reduce_sum(hard * each, axis=-1) / (tf.reduce_sum(hard, axis=-1) + 1.0)


def transport(y_true: T, y_pred: T) -> T:
    # Sinkhorn's potentials in the log domain, taken for constant as the envelope theorem allows.
    gap = tf.reduce_sum(tf.square(y_true[:, :, None, :] - y_pred[:, None, :, :]), axis=-1)
    held, third = tf.stop_gradient(gap), tf.math.log(3.0)
    f, g = tf.zeros_like(gap[:, :, 0]), tf.zeros_like(gap[:, 0, :])
    for _ in range(3):
        f = -tf.reduce_logsumexp(g[:, None, :] - held - third, axis=2)
        g = -tf.reduce_logsumexp(f[:, :, None] - held - third, axis=1)
    f, g = tf.stop_gradient(f), tf.stop_gradient(g)
    plan = tf.exp(f[:, :, None] + g[:, None, :] - held)
    return tf.reduce_mean(tf.stop_gradient(plan) * gap, axis=[1, 2])


def one_over_both(y_true: T, y_pred: T) -> T:
    return y_true * (-1.0 / y_pred) / (y_pred + 1.0)


def difference_of_roots(y_true: T, y_pred: T) -> T:
    return y_true / (tf.sqrt(y_pred + 1.0) + tf.sqrt(y_pred))


def far_tail(y_true: T, y_pred: T) -> T:
    return y_true * tf.exp(-y_pred)


def rounded_error(y_true: T, y_pred: T) -> T:
    return tf.square(y_true - 0.1 * tf.round(10.0 * y_pred) + 0.0 * y_pred)


def clipped_ratio(y_true: T, y_pred: T) -> T:
    ratio = tf.exp(y_pred)
    return tf.reduce_mean(tf.square(y_true - tf.clip_by_value(ratio, 0.8, 1.2)), axis=-1)


def scaled_and_clipped(weight: T, y_pred: T) -> T:
    return weight * tf.square(tf.clip_by_value(y_pred, -1.0, 1.0) - 2.0)


def nearest(y_true: T, y_pred: T) -> T:
    gap = tf.reduce_sum(tf.square(y_true[:, :, None, :] - y_pred[:, None, :, :]), axis=-1)
    return tf.reduce_mean(tf.reduce_min(gap, axis=2), axis=1)


def worst_three(y_true: T, y_pred: T) -> T:
    return tf.reduce_mean(tf.math.top_k(tf.square(y_true - y_pred), k=3).values, axis=-1)


def middle(y_true: T, y_pred: T) -> T:
    size = tf.abs(y_true - y_pred)
    return tf.math.top_k(size, k=tf.shape(size)[-1] // 2 + 1).values[:, -1]


def best_hypothesis(y_true: T, y_pred: T) -> T:
    gap = tf.reduce_sum(tf.square(y_true[:, None, :] - y_pred), axis=-1)
    return tf.gather(gap, tf.argmin(gap, axis=-1), batch_dims=1)


def doubled_maximum(y_true: T, y_pred: T) -> T:
    @tf.custom_gradient
    def largest(x: T) -> tuple[T, object]:
        top = tf.reduce_max(x, axis=-1, keepdims=True)
        taken = 2.0 * tf.cast(tf.equal(x, top), x.dtype)
        return top[..., 0], lambda upstream: upstream[..., None] * taken

    return largest(tf.square(y_true - y_pred))


def far_from_the_largest(y_true: T, y_pred: T) -> T:
    # The distance is lost between near-duplicates, beside a maximum that ties nowhere near.
    d = y_true - y_pred
    lost = (1.0 - tf.cos(d)) / tf.square(d)
    return tf.reduce_mean(lost, axis=-1) + 1e-3 * tf.reduce_max(tf.abs(y_pred), axis=-1)


def hard_choice(y_true: T, y_pred: T) -> T:
    soft = tf.nn.softmax(y_pred)
    hard = tf.one_hot(tf.argmax(soft, axis=-1), 4)
    return tf.reduce_mean(tf.square(y_true - soft - tf.stop_gradient(hard - soft)), axis=-1)


_SIGNS = tf.constant(
    [[1.0, 1, 1, 1], [1.0, -1, 1, -1], [1.0, 1, -1, -1], [1.0, -1, -1, 1]]
)  # of Walsh


def _floored_log(wave: T) -> T:
    return tf.math.log(tf.square(tf.matmul(wave, _SIGNS)) + 1e-3)


def _soft_size(wave: T) -> T:
    return tf.sqrt(tf.square(tf.matmul(wave, _SIGNS)) + 1e-2)


def levels_apart(y_true: T, y_pred: T) -> T:
    return tf.reduce_mean(tf.abs(_floored_log(y_true) - _floored_log(y_pred)), axis=-1)


def excess_of_size(y_true: T, y_pred: T) -> T:
    size = _soft_size(y_true)
    return tf.reduce_mean(tf.maximum(size, _soft_size(y_pred)) - size, axis=-1)


def apart_far_from_zero(y_true: T, y_pred: T) -> T:
    return tf.abs((y_pred + 1e6) - (y_true + 1e6))


def excess_far_from_zero(y_true: T, y_pred: T) -> T:
    return tf.maximum(y_true + 1e6, y_pred + 1e6) - y_true


def _pooled(x):
    return tf.nn.max_pool2d(x, 2, 1, "SAME")


def range_of_pools(y_true, y_pred):
    """Pools of pools, of which a flat image makes ties in every window at once."""
    x = _pooled(tf.sin(y_pred))
    return tf.reduce_mean((_pooled(x) - 0.5 * _pooled(-x)) * y_true, axis=[1, 2, 3])


def opened_image(y_true, y_pred):
    """An image opened by the least and the greatest of each window, beside its labels."""
    opened = _pooled(-_pooled(-y_pred))
    return tf.reduce_mean((opened - 0.3 * _pooled(y_pred)) * y_true, axis=[1, 2, 3])


def doubled_pool(y_true, y_pred):
    """The same of a pool whose slope is twice that of what it gives."""

    @tf.custom_gradient
    def pooled(x):
        return _pooled(x), lambda upstream: tf.raw_ops.MaxPoolGrad(
            orig_input=x,
            orig_output=_pooled(x),
            grad=2.0 * upstream,
            ksize=[1, 2, 2, 1],
            strides=[1, 1, 1, 1],
            padding="SAME",
        )

    return tf.reduce_mean(pooled(y_pred) * y_true, axis=[1, 2, 3])
