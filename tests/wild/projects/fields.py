"""Losses of boxes, frames, fields on the globe, and joints."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

SIGMA = 3.0  # how soon an error of a box grows linearly
ALPHA, EPSILON = 0.45, 0.001  # of a Charbonnier error
SCALES = ((0.4, 0.01), (0.6, 0.03))  # the power of each scale, and the constant of each part
LATITUDES, LEVELS = (-67.5, -22.5, 22.5, 67.5), (500.0, 1000.0)
SIDE = 4  # of a heat map


def box_regression(y_true: Any, y_pred: Any, inside: Any) -> Any:
    """Squared where it is small, absolute where it is large: the error of a box's corners."""
    error = inside * (y_pred - y_true)
    small = tf.cast(tf.less(tf.abs(error), 1.0), error.dtype)
    squared = 0.5 * SIGMA * tf.square(error)
    straight = tf.abs(error) - 0.5 / SIGMA
    return tf.reduce_sum(small * squared + (1.0 - small) * straight, axis=-1)


def length_squared(flow: Any) -> Any:
    """Squared length of each vector of a flow."""
    return tf.reduce_sum(tf.square(flow), axis=3, keepdims=True)


def charbonnier(error: Any) -> Any:
    """Mean of a power of the squared error, sample by sample."""
    return tf.reduce_mean(tf.pow(tf.square(error) + EPSILON**2, ALPHA), axis=[1, 2, 3])


def occluded_area(y_true: Any, y_pred: Any) -> Any:
    """The area where the way there and the way back do not cancel."""
    apart = length_squared(y_pred + y_true)
    allowed = 0.01 * (length_squared(y_pred) + length_squared(y_true)) + 0.5
    occluded = tf.cast(apart > allowed, y_pred.dtype)
    return charbonnier(occluded)


def _blurred(image: Any) -> Any:
    return tf.nn.avg_pool2d(image, ksize=3, strides=1, padding="VALID")


def structure(first: Any, second: Any) -> tuple[Any, Any]:
    """Similarity of two images, and its part without the brightness, of each sample."""
    (_, bright), (_, contrast) = SCALES
    one, two = _blurred(first), _blurred(second)
    ones = _blurred(tf.square(first)) - tf.square(one)
    twos = _blurred(tf.square(second)) - tf.square(two)
    common = _blurred(first * second) - one * two
    shape = (2.0 * common + contrast**2) / (ones + twos + contrast**2)
    light = (2.0 * one * two + bright**2) / (tf.square(one) + tf.square(two) + bright**2)
    return tf.reduce_mean(light * shape, [1, 2, 3]), tf.reduce_mean(shape, [1, 2, 3])


def many_scales(y_true: Any, y_pred: Any) -> Any:
    """One minus a product of powers of how similar two images are at two scales."""
    _, fine = structure(y_true, y_pred)
    halves = [tf.nn.avg_pool2d(each, 2, 2, padding="VALID") for each in (y_true, y_pred)]
    coarse, _ = structure(*halves)
    parts = tf.stack([fine, coarse], axis=0)
    powers = tf.constant([[SCALES[0][0]], [SCALES[1][0]]], parts.dtype)
    return 1.0 - tf.reduce_prod(tf.pow(parts, powers), axis=0)


def _globe(dtype: Any) -> Any:
    latitude = np.cos(np.deg2rad(LATITUDES))
    level = np.asarray(LEVELS)
    weights = (latitude / latitude.mean())[:, None, None] * (level / level.mean())
    return tf.constant(weights, dtype)


def weather(y_true: Any, y_pred: Any) -> Any:
    """Squared error on a globe, by the area of its cells and the pressure of its levels."""
    return tf.reduce_mean(tf.square(y_pred - y_true) * _globe(y_pred.dtype), axis=[1, 2, 3])


def _ternary(image: Any) -> Any:
    grey = 255.0 * image
    kernel = tf.constant(np.eye(9).reshape(3, 3, 1, 9), grey.dtype)
    step = tf.nn.conv2d(grey, kernel, strides=1, padding="SAME") - grey
    return step / tf.sqrt(0.81 + tf.square(step))


def census(y_true: Any, y_pred: Any) -> Any:
    """Soft count of neighbours that are brighter in one image and darker in the other."""
    apart = tf.square(_ternary(y_true) - _ternary(y_pred))
    count = tf.reduce_sum(apart / (0.1 + apart), axis=3)[:, 1:-1, 1:-1]
    return tf.reduce_mean(tf.pow(tf.abs(count) + 0.01, 0.4), axis=[1, 2])


def _expected_place(maps: Any) -> Any:
    """Where each map has its centre: from -0.5 on, along and down."""
    flat = tf.reshape(maps, [-1, maps.shape[1], SIDE * SIDE])
    heat = tf.reshape(tf.nn.softmax(flat, axis=-1), [-1, maps.shape[1], SIDE, SIDE])
    line = tf.range(SIDE, dtype=maps.dtype) / SIDE - 0.5
    along = tf.reduce_sum(tf.reduce_sum(heat, axis=2) * line, axis=-1)
    down = tf.reduce_sum(tf.reduce_sum(heat, axis=3) * line, axis=-1)
    return tf.stack([along, down], axis=-1)


def joints_in_heat(y_true: Any, y_pred: Any, seen: Any) -> Any:
    """Distance along and down of the joints that can be seen from where their heat is."""
    apart = tf.reduce_sum(tf.abs(_expected_place(y_pred) - y_true), axis=-1)
    return tf.reduce_mean(apart * seen, axis=-1)
