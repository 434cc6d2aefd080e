"""Whole numbers that wrap."""

from __future__ import annotations

import tensorflow as tf

from losscheck.rules import find
from tests.desks import desk

PIXELS = {"y_true": ("[0, 255]", "(B, D)"), "y_pred": ("[0, 255]", "(B, D)")}
COUNTS = {"y_true": ("count", "(B, D)"), "y_pred": ("nonnegative", "(B, D)")}


def pixels(y_true, y_pred):
    error = tf.cast(y_true, tf.uint8) - tf.cast(tf.round(y_pred), tf.uint8)
    return tf.reduce_mean(tf.square(tf.cast(error, tf.float32)) + tf.square(y_pred), axis=-1)


def pixels_as_floats(y_true, y_pred):
    error = tf.cast(tf.cast(y_true, tf.uint8), tf.float32) - y_pred
    return tf.reduce_mean(tf.square(error), axis=-1)


def squared_counts(y_true, y_pred):
    squares = tf.reduce_sum(tf.square(tf.cast(y_true, tf.int32)), axis=-1)
    return tf.square(tf.cast(squares, tf.float32) - tf.reduce_sum(y_pred, axis=-1))


def hashed_counts(y_true, y_pred):  # wraps on purpose: only its low bits are used
    bucket = tf.cast(y_true, tf.int32) * 2654435 % 7
    return tf.reduce_mean(tf.square(tf.cast(bucket, tf.float32) - y_pred), axis=-1)


def wrapped(loss, declared):
    laid = desk(loss, **declared)
    found = list(find("LC303").judge(integers=laid.get("integers")))
    return {(crowd.facts["integers"], crowd.facts["location"].source.strip()) for crowd in found}


def test_a_difference_below_0_wraps_in_uint8() -> None:
    assert {dtype for dtype, _ in wrapped(pixels, PIXELS)} == {"uint8"}
    assert wrapped(pixels_as_floats, PIXELS) == set()


def test_squares_above_the_end_of_int32_wrap() -> None:
    found = wrapped(squared_counts, COUNTS)  # counts go to 1e6, whose square is 1e12
    assert {dtype for dtype, _ in found} == {"int32"}
    assert wrapped(hashed_counts, COUNTS) == set()
