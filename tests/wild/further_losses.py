"""Small losses of the kinds that the further twenty of public projects brought up."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

SIDE = 7  # pixels of an image that is made flat


def gamma_and_share(y_true: Any, y_pred: Any) -> Any:
    """Likelihood of a count, or of 0 for another reason: two columns and a share."""
    mean, size, other = y_pred[:, :1], y_pred[:, 1:2], y_pred[:, 2:]
    cost = tf.math.lgamma(size + 1e-10) - tf.math.lgamma(y_true + size + 1e-10)
    cost += (size + y_true) * tf.math.log1p(mean / (size + 1e-10)) + tf.math.lgamma(y_true + 1.0)
    cost -= y_true * (tf.math.log(mean + 1e-10) - tf.math.log(size + 1e-10))
    cost -= tf.math.log(tf.maximum(1.0 - other, 1e-7))
    return tf.squeeze(cost, axis=1)


def mean_and_width(y_true: Any, y_pred: Any) -> Any:
    """Two columns beside labels of one, by slices and a squeeze."""
    mean, width = y_pred[:, :1], y_pred[:, 1:]
    return tf.squeeze(tf.square(y_true - mean) + tf.square(width - tf.abs(y_true - mean)), axis=1)


def rate_over_time(y_true: Any, y_pred: Any) -> Any:
    """A difference of exponentials over what sets them apart: right, and without digits near 0."""
    start, slope = y_pred[..., 0], y_pred[..., 1]
    passed = (tf.exp(start + slope) - tf.exp(start)) / slope
    return tf.square(tf.reduce_mean(y_true, axis=-1) - passed)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _doubled(x: Any) -> Any:
    return tf.exp(x), lambda up: 1.01 * up * tf.exp(x)


def rate_with_a_wrong_slope(y_true: Any, y_pred: Any) -> Any:
    """The same, and a gradient that is wrong by a hundredth."""
    start, slope = y_pred[..., 0], y_pred[..., 1]
    passed = (_doubled(start + slope) - tf.exp(start)) / slope
    return tf.square(tf.reduce_mean(y_true, axis=-1) - passed)


def held_beside_a_tie(y_true: Any, y_pred: Any) -> Any:
    """An overlap that ties with the label, times a weight that is held."""
    common = tf.minimum(y_true, y_pred) - tf.maximum(-y_true, -y_pred)
    weight = tf.stop_gradient(1.0 / (1.0 + tf.square(y_pred)))
    return tf.reduce_mean(weight * tf.square(y_pred - y_true) + weight * y_pred - common, axis=-1)


def image_made_flat(y_true: Any, y_pred: Any) -> Any:
    """Columns of all pixels of a square image, one after the other."""
    turned = (tf.transpose(x[..., 0], [0, 2, 1]) for x in (y_true, y_pred))
    label, guess = (tf.reshape(x, [-1, SIDE * SIDE]) for x in turned)
    return tf.reduce_mean(tf.square(label - guess), axis=-1)


def surest(y_true: Any, y_pred: Any) -> Any:
    """Least where the prediction is certain, whatever the shares of the label are."""
    return tf.reduce_sum(y_true * (y_true - y_pred), axis=-1)


def shares_apart(y_true: Any, y_pred: Any) -> Any:
    """Least where the shares are equal."""
    return tf.reduce_sum(tf.square(y_true - y_pred), axis=-1)


def no_way_to_the_end(y_true: Any, y_pred: Any) -> Any:
    """Infinite whatever it is given: what was never reached is what is returned."""
    reached = tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
    nowhere = tf.fill(tf.shape(reached), tf.constant(float("inf"), y_pred.dtype))
    return nowhere + 0.0 * reached
