"""Losses with an operation that raises on some numbers, and sound twins of them."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def whitened(y_true: Any, y_pred: Any) -> Any:
    """Weigh errors by the inverse of their covariance: equal rows have a singular one."""
    error = y_true - y_pred
    covariance = tf.matmul(error, error, transpose_a=True)
    precision = tf.linalg.inv(covariance)
    return tf.reduce_sum(tf.matmul(error, precision) * error, axis=-1)


def whitened_with_room(y_true: Any, y_pred: Any) -> Any:
    """The sound twin: the covariance has something on its diagonal."""
    error = tf.clip_by_value(y_true - y_pred, -10.0, 10.0)
    covariance = tf.matmul(error, error, transpose_a=True) + 0.1 * tf.eye(2)
    precision = tf.linalg.inv(covariance)
    return tf.reduce_sum(tf.matmul(error, precision) * error, axis=-1)


def binned(y_true: Any, y_pred: Any) -> Any:
    """Weigh by the quarter that a share lies in: that of 1 is the fifth of four."""
    table = tf.constant([4.0, 1.0, 1.0, 2.0])
    quarter = tf.cast(tf.floor(4.0 * y_true), tf.int32)
    return tf.reduce_mean(tf.gather(table, quarter) * tf.square(y_true - y_pred), axis=-1)


def halved(y_true: Any, y_pred: Any) -> Any:
    """A table that holds two of the four quarters."""
    quarter = tf.cast(tf.floor(4.0 * y_true), tf.int32)
    return tf.reduce_mean(tf.gather([1.0, 2.0], quarter) * tf.square(y_true - y_pred), axis=-1)


def binned_to_the_last(y_true: Any, y_pred: Any) -> Any:
    """The sound twin: 1 belongs to the last quarter."""
    table = tf.constant([4.0, 1.0, 1.0, 2.0])
    quarter = tf.minimum(tf.cast(tf.floor(4.0 * y_true), tf.int32), 3)
    return tf.reduce_mean(tf.gather(table, quarter) * tf.square(y_true - y_pred), axis=-1)


def hardest(y_true: Any, y_pred: Any) -> Any:
    """The two highest scores of negatives, of which a batch may have one."""
    negatives = tf.boolean_mask(y_pred, y_true < 0.5)
    return tf.reduce_mean(tf.square(y_true - y_pred)) + tf.reduce_sum(
        tf.math.top_k(negatives, k=2).values
    )


def rated(y_true: Any, y_pred: Any) -> Any:
    """Sound for ratings from 1 to 5, which nothing but the table tells of."""
    rarity = tf.constant([3.0, 2.0, 1.0, 0.5, 0.7])
    star = tf.cast(tf.round(y_true), tf.int32) - 1
    return tf.gather(rarity, star) * tf.square(y_true - y_pred)


def asserted(y_true: Any, y_pred: Any) -> Any:
    """Refuse what it is not made for, as it says."""
    tf.debugging.assert_greater(y_pred, -1.0)
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def refusing(y_true: Any, y_pred: Any) -> Any:
    """Refuse it in Python, eagerly."""
    if float(tf.reduce_min(y_pred)) < -2.0:
        raise ValueError("predictions below -2")
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def energy(y_true: Any, y_pred: Any) -> Any:
    """The slope of a determinant takes the inverse, which some matrices have not."""
    return tf.reduce_sum(y_true * tf.linalg.det(y_pred)[:, None], axis=-1)


def read(y_true: Any, y_pred: Any) -> Any:
    """Sound where the steps are enough; the kernel sums in float32 whatever it is given."""
    letters = tf.sparse.from_dense(tf.cast(y_true, tf.int32))
    labels = tf.SparseTensor(letters.indices, letters.values - 1, letters.dense_shape)
    steps = tf.fill([tf.shape(y_pred)[0]], tf.shape(y_pred)[1])
    return tf.compat.v1.nn.ctc_loss(labels, tf.transpose(y_pred, [1, 0, 2]), steps)


def phase(y_true: Any, y_pred: Any) -> Any:
    """Angles of complex numbers, which have none at zero; its slope is NaN there."""
    wanted = tf.math.angle(tf.complex(y_true[..., 0], y_true[..., 1]))
    given = tf.math.angle(tf.complex(y_pred[..., 0], y_pred[..., 1]))
    return tf.reduce_mean(1.0 - tf.cos(wanted - given), axis=-1)


def three_hardest(y_true: Any, y_pred: Any) -> Any:
    """The three highest scores of negatives, of which a batch of four has two."""
    negatives = tf.boolean_mask(y_pred, y_true < 0.5)
    return tf.reduce_sum(tf.square(tf.math.top_k(negatives, k=3).values))
