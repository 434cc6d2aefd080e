"""Losses by what their formulas ask of numbers and shapes: corners by number, products of many."""

from __future__ import annotations

import tensorflow as tf


def overlap_and_aspect(y_true, y_pred):
    """Top, bottom, right and left of a box, each taken by its number behind the batch."""
    height = y_pred[:, 0] - y_pred[:, 1] + 1e-6
    width = y_pred[:, 2] - y_pred[:, 3]
    tall = y_true[:, 0] - y_true[:, 1] + 1e-6
    wide = y_true[:, 2] - y_true[:, 3]
    across = tf.minimum(y_true[:, 0], y_pred[:, 0]) - tf.maximum(y_true[:, 1], y_pred[:, 1])
    along = tf.minimum(y_true[:, 2], y_pred[:, 2]) - tf.maximum(y_true[:, 3], y_pred[:, 3])
    shared = tf.maximum(across, 0.0) * tf.maximum(along, 0.0)
    both = height * width + tall * wide - shared
    slant = tf.square(tf.math.atan(width / height) - tf.math.atan(wide / tall))
    return 1.0 - shared / (both + 1e-6) + slant


def mean_and_three_scales(y_true, y_pred):
    """Four columns by number, of which labels hold the first alone."""
    scales = tf.exp(-y_pred[:, 1]) + tf.exp(-y_pred[:, 2]) + tf.exp(-y_pred[:, 3])
    return tf.square(y_true[:, 0] - y_pred[:, 0]) * scales


def quaternion(y_true, y_pred):
    """The real part of a product of two quaternions, kept one number a sample."""
    real = y_true[:, 0] * y_pred[:, 0] + y_true[:, 1] * y_pred[:, 1]
    imaginary = y_true[:, 2] * y_pred[:, 2] + y_true[:, 3] * y_pred[:, 3]
    return tf.square(1.0 - real - imaginary)


def log_of_scanned_product(y_true, y_pred):
    """A running product of all outputs: of eight at 1e9 it is 1e72."""
    last = tf.scan(lambda total, x: total * x, tf.transpose(y_pred))[-1]
    return tf.square(y_true - tf.math.log(1.0 + tf.square(last)))


def log_of_eighth_power(y_true, y_pred):
    """A chain of squares, whose eighth power overflows from 65,536 on."""
    eighth = tf.square(tf.square(tf.square(y_pred - y_true)))
    return tf.reduce_mean(tf.math.log1p(eighth), axis=-1)


def log_of_product(y_true, y_pred):
    """The same of a product over the last axis."""
    return tf.math.log1p(tf.square(tf.reduce_prod(y_pred - y_true, axis=-1)))


def log_of_cosh(y_true, y_pred):
    """An exponential overflows at 89 already: a fault whatever the domain is."""
    return tf.reduce_mean(tf.math.log(tf.math.cosh(y_pred - y_true)), axis=-1)


def _resized(method, size, **options):
    def loss(y_true, y_pred):
        gap = tf.image.resize(y_pred - y_true, size, method=method, **options)
        return tf.reduce_mean(tf.square(gap), axis=[1, 2, 3])

    return loss


smaller = _resized("bilinear", [3, 3])
larger = _resized("bicubic", [7, 8])
smoothed = _resized("bilinear", [3, 3], antialias=True)
of_many_neighbours = _resized("lanczos3", [5, 4])


def of_two_scales(y_true, y_pred):
    """A distance of images and of what is left of them at half the size."""
    half = tf.image.resize(y_pred, [2, 2]) - tf.image.resize(y_true, [2, 2])
    whole = tf.reduce_mean(tf.square(y_pred - y_true), axis=[1, 2, 3])
    return whole + tf.reduce_mean(tf.sqrt(tf.square(half) + 0.01), axis=[1, 2, 3])


@tf.custom_gradient
def _with_half_the_slope(x):
    return tf.identity(x), lambda upstream: 0.5 * upstream


def resized_with_half_the_slope(y_true, y_pred):
    """The gradient is half of what it should be, before an image is made smaller."""
    small = tf.image.resize(_with_half_the_slope(y_pred), [3, 3], method="bicubic")
    return tf.reduce_mean(tf.square(small - tf.image.resize(y_true, [3, 3])), axis=[1, 2, 3])


def factor_of_outputs(y_true, y_pred):
    """A Cholesky factor of a matrix that nothing makes symmetric."""
    factor = tf.linalg.cholesky(0.2 * y_pred + 3.0 * tf.eye(2))
    return tf.reduce_sum(tf.square(factor - y_true), axis=[1, 2])


def likelihood_of_covariance(y_true, y_pred):
    """The outputs are a covariance; its diagonal is used beside its factor."""
    covariance = y_pred + 12.0 * tf.eye(2)
    white = tf.linalg.triangular_solve(tf.linalg.cholesky(covariance), y_true)
    return (
        tf.reduce_sum(tf.square(white), axis=[1, 2])
        + tf.linalg.logdet(covariance)
        + 0.1 * tf.reduce_sum(tf.square(covariance), axis=[1, 2])
    )


def factor_of_mirrored_outputs(y_true, y_pred):
    """The same matrix, made symmetric first: its gradient is the derivative."""
    matrix = 0.1 * (y_pred + tf.linalg.matrix_transpose(y_pred)) + 3.0 * tf.eye(2)
    return tf.reduce_sum(tf.square(tf.linalg.cholesky(matrix) - y_true), axis=[1, 2])


def logdet_of_gram(y_true, y_pred):
    """A Gram matrix is symmetric by itself."""
    gram = tf.eye(2) + tf.matmul(y_pred, y_pred, transpose_b=True)
    return tf.linalg.logdet(gram) + tf.reduce_mean(tf.square(y_true - y_pred), axis=[1, 2])


def factor_with_half_the_slope(y_true, y_pred):
    """The gradient is half of what it should be, before the factor."""
    factor = tf.linalg.cholesky(0.2 * _with_half_the_slope(y_pred) + 3.0 * tf.eye(2))
    return tf.reduce_sum(tf.square(factor - y_true), axis=[1, 2])


def squeezed_over_the_batch(y_true, y_pred):
    """The mean over samples, which of one sample is a mean over its steps."""
    gap = tf.square(tf.squeeze(y_true) - tf.squeeze(y_pred))
    return tf.reduce_sum(tf.reduce_mean(gap, axis=0))


def squeezed_by_its_axis(y_true, y_pred):
    """The same with the axis named."""
    gap = tf.square(tf.squeeze(y_true, axis=-1) - tf.squeeze(y_pred, axis=-1))
    return tf.reduce_sum(tf.reduce_mean(gap, axis=0))


def over_one_more(y_true, y_pred):
    """A sum over the number of samples and one more."""
    n = tf.cast(tf.shape(y_pred)[0], y_pred.dtype)
    return tf.reduce_sum(tf.square(y_true - y_pred)) / (n + 1.0)


def against_the_mean(y_true, y_pred):
    """Each sample beside the mean of all: they depend on each other."""
    gap = y_pred - y_true
    return tf.reduce_mean(tf.square(gap - 0.5 * tf.reduce_mean(gap, axis=0)))


def sign_and_log_of_determinant(y_true, y_pred):
    """Regular for all ordinary outputs; at 1e9 a matrix of equal numbers has no inverse."""
    matrix = 0.1 * y_pred + 4.0 * tf.eye(2, dtype=y_pred.dtype)
    _, size = tf.linalg.slogdet(matrix)
    return size + tf.reduce_sum(tf.square(y_true - y_pred), axis=[1, 2])


def solved(y_true, y_pred):
    """A system of equations, whose matrix is the outputs'."""
    x = tf.linalg.solve(y_pred + 6.0 * tf.eye(2, dtype=y_pred.dtype), y_true)
    return tf.reduce_sum(tf.square(x), axis=[1, 2])


def solved_with_half_the_slope(y_true, y_pred):
    """The same with half of the gradient."""
    return solved(y_true, _with_half_the_slope(y_pred))
