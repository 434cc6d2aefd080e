"""Losses of which nobody declares anything, written anew: grids, columns, weights, spectra."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

ROWS = 16  # of the batch that some are written for
FADING = (1.0, 0.5, 0.25, 0.2, 0.1, 0.1, 0.05)  # weights of seven steps
CELLS = 2  # along each side of a grid


def steps_of_sixteen_rows(y_true: Any, y_pred: Any) -> Any:
    """(B, 7, D), and B is 16: a table of weights is as long as one batch was."""
    weights = tf.tile(tf.constant([FADING]), [ROWS, 1])
    return tf.reduce_mean(weights * tf.reduce_mean(tf.square(y_true - y_pred), axis=-1), axis=1)


def steps_of_any_batch(y_true: Any, y_pred: Any) -> Any:
    """(B, 7, D), its sound twin."""
    weights = tf.constant([FADING])
    return tf.reduce_mean(weights * tf.reduce_mean(tf.square(y_true - y_pred), axis=-1), axis=1)


def _cells(like: Any) -> Any:
    line = tf.range(CELLS, dtype=like.dtype)
    return tf.stack(tf.meshgrid(line, line), axis=-1)[tf.newaxis]


def cells_of_four_images(y_true: Any, y_pred: Any) -> Any:
    """(B, 2, 2, 3), and B is 4: places in cells, and whether there is something."""
    place = tf.sigmoid(y_pred[..., :2]) + tf.repeat(_cells(y_pred), 4, axis=0)
    found = tf.square(y_true[..., 2] - tf.sigmoid(y_pred[..., 2]))
    return tf.reduce_mean(tf.reduce_sum(tf.abs(y_true[..., :2] - place), axis=-1) + found, [1, 2])


def cells_of_any_images(y_true: Any, y_pred: Any) -> Any:
    """(B, 2, 2, 3), its sound twin."""
    place = tf.sigmoid(y_pred[..., :2]) + _cells(y_pred)
    found = tf.square(y_true[..., 2] - tf.sigmoid(y_pred[..., 2]))
    return tf.reduce_mean(tf.reduce_sum(tf.abs(y_true[..., :2] - place), axis=-1) + found, [1, 2])


def along_rays(y_true: Any, y_pred: Any) -> Any:
    """(B, 7, 9, 2): three sizes that one message after the other names."""
    rays = np.stack(np.meshgrid(np.linspace(-1.0, 1.0, 9), np.linspace(-1.0, 1.0, 7)), axis=-1)
    return tf.reduce_mean(
        tf.square((y_pred - y_true) * tf.constant(2.0 + rays, y_pred.dtype)), axis=[1, 2, 3]
    )


def interval(y_true: Any, y_pred: Any) -> Any:
    """(B, 1) beside (B, 2): an interval and what it leaves out."""
    low, high = y_pred[:, :1], y_pred[:, 1:]
    out = tf.maximum(low - y_true, 0.0) + tf.maximum(y_true - high, 0.0)
    return tf.squeeze(tf.abs(high - low) + 10.0 * out, axis=1)


def scaled_distance(y_true: Any, y_pred: Any) -> Any:
    """(B, 1) beside (B, 2): a middle, and a spread that divides."""
    middle, spread = y_pred[:, :1], y_pred[:, 1:]
    apart = (y_true - middle) / spread
    return tf.squeeze(tf.sqrt(1.0 + tf.square(apart)) + spread, axis=1)


def share_of_power(y_true: Any, y_pred: Any) -> Any:
    """(B, D) of 32 samples or more: of fewer there is no frame, and nothing to compare."""

    def power(wave: Any) -> Any:
        frames = tf.signal.frame(wave, 32, 16)
        return tf.reduce_sum(tf.square(frames), axis=[1, 2])

    return power(y_true - y_pred) / (power(y_true) + 1e-6)


def weights_inside_a_sigmoid(y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
    """A sample that matters more has its logits scaled, and is more certain."""
    scaled = y_pred * sample_weight[:, tf.newaxis]
    each = tf.nn.sigmoid_cross_entropy_with_logits(labels=y_true, logits=scaled)
    return tf.reduce_mean(each)


def weights_outside(y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
    """Its sound twin."""
    each = tf.nn.sigmoid_cross_entropy_with_logits(labels=y_true, logits=y_pred)
    return tf.reduce_mean(tf.reduce_mean(each, axis=-1) * sample_weight)


def weights_on_the_errors(y_true: Any, y_pred: Any, sample_weights: Any) -> Any:
    """Weights that act as their squares."""
    return tf.reduce_mean(tf.square(sample_weights[:, tf.newaxis] * (y_true - y_pred)))


def mask_on_the_errors(y_true: Any, y_pred: Any, weights: Any) -> Any:
    """The same under a name that may mean anything: weights of terms, say."""
    return tf.reduce_mean(tf.square(weights[:, tf.newaxis] * (y_true - y_pred)))


def worst_returns(y_true: Any, y_pred: Any) -> Any:
    """The worst two of the returns of a portfolio: labels have an axis more."""
    shares = tf.nn.softmax(y_pred, axis=-1)
    earned = tf.einsum("btd,bd->bt", y_true, shares)
    return -tf.reduce_mean(tf.sort(earned, axis=-1)[:, :2], axis=-1)


def nearest_of_many(y_true: Any, y_pred: Any) -> Any:
    """Squared distance to the nearest of several right answers."""
    apart = tf.reduce_sum(tf.square(y_pred[:, tf.newaxis] - y_true), axis=-1)
    return tf.reduce_min(apart, axis=1)


def _shaded(kernel: list[list[float]], image: Any) -> Any:
    weights = tf.reshape(tf.constant(kernel, image.dtype), (3, 3, 1, 1))
    return tf.nn.conv2d(image, weights, strides=1, padding="VALID")


def second_differences(y_true: Any, y_pred: Any) -> Any:
    """Difference of two images' curvatures, by a kernel for one channel."""
    kernel = [[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]]
    return tf.reduce_mean(tf.square(_shaded(kernel, y_true - y_pred)), axis=[1, 2, 3])


def edges_of_shades(y_true: Any, y_pred: Any) -> Any:
    """Nine directions of change at each pixel, beside the image: a kernel from one channel to 9."""
    weights = tf.reshape(tf.eye(9, dtype=y_pred.dtype), (3, 3, 1, 9))
    one, two = (
        tf.nn.conv2d(image, weights, strides=1, padding="SAME") - image
        for image in (y_true, y_pred)
    )
    return tf.reduce_mean(tf.square(one - two), axis=[1, 2, 3])


def cells_of_names(y_true: Any, y_pred: Any) -> Any:
    """Two classes for the first two columns of a table of scores, in any row."""
    names = tf.one_hot(tf.cast(y_true, tf.int32), y_pred.shape[-1], dtype=y_pred.dtype)
    scores = tf.nn.log_softmax(y_pred, axis=-1)[:, :, :2] * names[:, tf.newaxis]
    return -tf.reduce_logsumexp(tf.reduce_sum(scores, axis=[2, 3]), axis=1)


def cells_of_one_name(y_true: Any, y_pred: Any) -> Any:
    """Every one of some classes in some cell of an image."""
    names = tf.one_hot(tf.cast(y_true, tf.int32), tf.shape(y_pred)[-1], dtype=y_pred.dtype)
    scores = tf.reduce_logsumexp(tf.nn.log_softmax(y_pred, axis=-1), axis=[1, 2])
    return -tf.reduce_mean(tf.einsum("bkc,bc->bk", names, scores), axis=-1)


def centre_of_heat(y_true: Any, y_pred: Any) -> Any:
    """Distance of points from the centres of square maps of any size."""
    side = tf.shape(y_pred)[-1]
    flat = tf.reshape(y_pred, tf.concat([tf.shape(y_pred)[:2], [side * side]], 0))
    heat = tf.reshape(tf.nn.softmax(flat, axis=-1), tf.shape(y_pred))
    line = tf.linspace(tf.constant(0.0, y_pred.dtype), 1.0, side)
    along = tf.linalg.matvec(tf.reduce_sum(heat, axis=2), line)
    down = tf.linalg.matvec(tf.reduce_sum(heat, axis=3), line)
    return tf.reduce_mean(tf.square(tf.stack([along, down], -1) - y_true), axis=[1, 2])


def seen_from_elsewhere(y_true: Any, y_pred: Any, pose: Any) -> Any:
    """Distance of points after a rotation, and how far that is from being one."""
    moved = tf.linalg.matvec(pose, y_pred)
    off = tf.matmul(pose, pose, transpose_b=True) - tf.eye(3, dtype=pose.dtype)
    apart = tf.reduce_mean(tf.square(moved - y_true), axis=-1)
    return apart + tf.reduce_mean(tf.square(off), axis=[1, 2])


def apart_by_covariance(y_true: Any, y_pred: Any, spread: Any) -> Any:
    """Squared length of an error that is seen through a matrix."""
    error = y_true - y_pred + tf.zeros((3,), y_pred.dtype)
    return tf.reduce_sum(tf.square(tf.einsum("bij,bj->bi", spread, error)), axis=-1)


def share_of_the_right_class(y_true: Any, y_pred: Any) -> Any:
    """Cross entropy by a row of zeros and a one."""
    right = tf.one_hot(tf.cast(y_true, tf.int32), 3, dtype=y_pred.dtype)
    return -tf.reduce_sum(right * tf.nn.log_softmax(y_pred, axis=-1), axis=-1)


def balance_of_classes(y_true: Any, y_pred: Any) -> Any:
    """Mean cross entropy of the samples of each class, however many these are."""
    right = tf.one_hot(tf.cast(y_true, tf.int32), 3, dtype=y_pred.dtype)
    each = tf.reduce_sum(right * -tf.nn.log_softmax(y_pred, axis=-1), axis=0)
    return tf.reduce_mean(each / (1.0 + tf.reduce_sum(right, axis=0)))


def middle_of_each_class(y_true: Any, y_pred: Any) -> Any:
    """How large the sums of squares of each class's own column are."""
    right = tf.one_hot(tf.cast(y_true, tf.int32), tf.shape(y_pred)[-1], dtype=y_pred.dtype)
    return tf.reduce_sum(tf.math.log1p(tf.reduce_sum(right * tf.square(y_pred), axis=0)))


def normal_by_columns(y_true: Any, y_pred: Any) -> Any:
    """Likelihood under a normal distribution: a mean, then a variance."""
    mean, variance = y_pred[:, 0], y_pred[:, 1]
    return 0.5 * (tf.math.log(variance) + tf.square(y_true[:, 0] - mean) / variance)


def laplace_by_columns(y_true: Any, y_pred: Any) -> Any:
    """Likelihood under a Laplace distribution: means, then as many scales."""
    mean, scale = tf.split(y_pred, 2, axis=-1)
    return tf.reduce_sum(tf.abs(y_true - mean) / scale + tf.math.log(scale), axis=-1)


def rows_beside_a_column(y_true: Any, y_pred: Any) -> Any:
    """Sums of rows, less the greatest of each, which keep their axis: a square of all of them."""
    most = tf.reduce_max(y_pred, axis=-1, keepdims=True)
    return tf.reduce_mean(tf.square(tf.reduce_sum(y_true, axis=-1) - most))


def rows_beside_rows(y_true: Any, y_pred: Any) -> Any:
    """The same, without that axis."""
    most = tf.reduce_max(y_pred, axis=-1)
    return tf.reduce_mean(tf.square(tf.reduce_sum(y_true, axis=-1) - most))


def lead_over_the_rivals(y_true: Any, y_pred: Any) -> Any:
    """How far the right class leads the greatest of all, which keeps its axis: a square."""
    right = tf.one_hot(tf.cast(y_true, tf.int32), y_pred.shape[-1], dtype=y_pred.dtype)
    rivals = tf.reduce_max((1.0 - right) * y_pred, axis=-1, keepdims=True)
    return tf.reduce_mean(tf.nn.softplus(rivals - tf.reduce_sum(right * y_pred, axis=-1)))


def density_over_a_floor(y_true: Any, y_pred: Any) -> Any:
    """Logarithm of a normal density and a floor: a spread, then a mean."""
    spread, mean = y_pred[:, 0], y_pred[:, 1]
    density = tf.exp(-0.5 * tf.square((y_true[:, 0] - mean) / spread)) / spread
    return -tf.math.log(density + 1e-7)


def densities_over_a_floor(y_true: Any, y_pred: Any) -> Any:
    """The same of means and as many spreads."""
    mean, spread = tf.split(y_pred, 2, axis=-1)
    density = tf.exp(-tf.abs(y_true - mean) / spread) / spread
    return -tf.reduce_mean(tf.math.log(density + 1e-6), axis=-1)
