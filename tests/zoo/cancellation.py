"""Digits that cancel and integers that wrap: rows 42, 43, 58, 59, 64, 65, 69 and 74."""

from __future__ import annotations

import tensorflow as tf

from tests.zoo.specimen import NO_LABEL, REALS, apart, pair, specimen

FLOOR = 1e-6  # of a variance
NEAR = 1e-3  # of a sine: its series ends at the third power, which is off by 1e-14 here
SCALES = (0.5, 0.5)  # powers of the scales of a similarity


def _spread(x: tf.Tensor) -> tf.Tensor:
    deviations = x - tf.reduce_mean(x, axis=-1, keepdims=True)
    return tf.sqrt(tf.reduce_mean(tf.square(deviations), axis=-1) + FLOOR)


def one_pass_spread(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    mean = tf.reduce_mean(y_pred, axis=-1)
    spread = tf.sqrt(tf.reduce_mean(tf.square(y_pred), axis=-1) - tf.square(mean))
    return tf.square(spread - _spread(y_true))


def two_pass_spread(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.square(_spread(y_pred) - _spread(y_true))


def library_spread(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    spread = tf.math.reduce_std(y_pred, axis=-1)
    return tf.square(spread - _spread(y_true))


def structure(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return 1.0 - tf.image.ssim_multiscale(y_true, y_pred, 1.0, SCALES, filter_size=3)


def structure_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    halves = [tf.nn.avg_pool2d(y, 2, 2, "VALID") for y in (y_true, y_pred)]
    fine = tf.image.ssim(y_true, y_pred, 1.0, filter_size=3)
    coarse = tf.image.ssim(*halves, 1.0, filter_size=3)
    # A hard clamp would leave no gradient where there is no structure in common.
    positive = [tf.nn.softplus(10.0 * part) / 10.0 for part in (fine, coarse)]
    return 1.0 - tf.sqrt(positive[0]) * tf.sqrt(positive[1])


def leading_direction(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """The share of the largest singular value, by way of the vectors."""
    del y_true
    values, left, right = tf.linalg.svd(y_pred)
    rebuilt = tf.matmul(left * values[:, tf.newaxis, :], right, transpose_b=True)
    return tf.reduce_sum(tf.square(y_pred - 0.5 * rebuilt), axis=[1, 2])


def leading_direction_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    del y_true
    return 0.25 * tf.reduce_sum(tf.square(y_pred), axis=[1, 2])


def cosine_over_square(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    d = y_true - y_pred
    square = tf.where(d == 0.0, 1.0, tf.square(d))
    return tf.reduce_mean(0.5 - tf.where(d == 0.0, 0.5, (1.0 - tf.cos(d)) / square), axis=-1)


def cosine_over_square_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    half = 0.5 * (y_true - y_pred)
    # Not at 0 alone: the slope of a quotient has a square below, which underflows at 1e-23.
    near = tf.abs(half) < NEAR
    far = tf.where(near, 1.0, half)
    ratio = tf.where(near, 1.0 - tf.square(half) / 6.0, tf.sin(far) / far)
    return tf.reduce_mean(0.5 - 0.5 * tf.square(ratio), axis=-1)


def root_less_one(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.sqrt(1.0 + tf.square(y_true - y_pred)) - 1.0, axis=-1)


def root_less_one_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    square = tf.square(y_true - y_pred)
    return tf.reduce_mean(square / (tf.sqrt(1.0 + square) + 1.0), axis=-1)


def byte_edges(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Differences of neighboring pixels."""
    pixels = tf.cast(y_true, tf.uint8)
    edges = tf.cast(pixels[:, 1:] - pixels[:, :-1], y_pred.dtype)
    return tf.reduce_mean(tf.square(edges - (y_pred[:, 1:] - y_pred[:, :-1])), axis=-1)


def byte_edges_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    pixels = tf.cast(y_true, y_pred.dtype)
    edges = pixels[:, 1:] - pixels[:, :-1]
    return tf.reduce_mean(tf.square(edges - (y_pred[:, 1:] - y_pred[:, :-1])), axis=-1)


def integer_area(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    side = tf.cast(y_true, tf.int32)
    area = tf.cast(side * side, y_pred.dtype)
    return tf.reduce_mean(tf.abs(area - y_pred), axis=-1)


def integer_area_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    side = tf.cast(y_true, y_pred.dtype)
    return tf.reduce_mean(tf.abs(side * side - y_pred), axis=-1)


def library_moments(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    _, variance = tf.nn.moments(y_pred, axes=[-1])
    return variance + tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def library_moments_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    centred = y_pred - y_pred[:, :1]
    deviations = centred - tf.reduce_mean(centred, axis=-1, keepdims=True)
    variance = tf.reduce_mean(tf.square(deviations), axis=-1)
    return variance + tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


ROWS = pair("real", "real", "(B, 8)")
FAR = pair("[-1e11, 1e11]", "[-1e11, 1e11]", "(B, 3)")

SPECIMENS = (
    specimen(
        42,
        "LC201 LC203",
        one_pass_spread,
        two_pass_spread,
        ROWS,
        "a mean of 1e3, a spread of 0.1",
        "tf.sqrt(tf.reduce_mean(tf.square(y_pred)",
    ),
    specimen(
        43,
        "LC203",
        library_spread,
        two_pass_spread,
        ROWS,
        "a constant row",
        "tf.math.reduce_std(",
    ),
    specimen(
        58,
        "LC203 LC204 LC503",
        structure,
        structure_twin,
        pair("[0, 1]", "[0, 1]", "(B, 8, 8, 1)"),
        "no structure in common",
        "tf.image.ssim_multiscale(",
        dagger=True,
    ),
    specimen(
        59,
        "LC203",
        leading_direction,
        leading_direction_twin,
        apart(NO_LABEL, ("real", "(B, 3, 3)")),
        "repeated singular values",
        "tf.linalg.svd(",
        dagger=True,
        instead="TensorFlow's gradients of svd and eigh take a reciprocal that is 0 where two "
        "values are equal: finite, eager, in a graph and under XLA",
    ),
    specimen(
        64,
        "LC301 LC302",
        cosine_over_square,
        cosine_over_square_twin,
        REALS,
        "d = 1e-3",
        "1.0 - tf.cos(d)",
    ),
    specimen(
        65,
        "LC301 LC302",
        root_less_one,
        root_less_one_twin,
        REALS,
        "d = 1e-3",
        "tf.sqrt(1.0 + ",
        severity="note",
    ),
    specimen(
        69,
        "LC303",
        byte_edges,
        byte_edges_twin,
        pair("[0, 255]", "[0, 255]", "(B, 6)"),
        "3 - 5",
        "pixels[:, 1:] - pixels[:, :-1]",
    ),
    specimen(
        69,
        "LC303",
        integer_area,
        integer_area_twin,
        pair("count", "nonnegative"),
        "the square of 50,000",
        "side * side",
    ),
    specimen(
        74,
        "LC503",
        library_moments,
        library_moments_twin,
        FAR,
        "1e10 three times, under XLA",
        "tf.nn.moments(",
        dagger=True,
        instead="the variance is 1.05e6 under XLA and 0 elsewhere, as in the catalogue; but the "
        "neighbors of 1e10 are 1,024 away, such a step of one value changes the true variance by "
        "2.3e5, and 16 times the sum of these over three values explains 1.1e7",
    ),
)
