"""Losses that lose digits in ways that no advice has a form for."""

from __future__ import annotations

import tensorflow as tf

SCALE = 4.0


def roots_apart(y_true, y_pred):
    return y_true * (tf.sqrt(y_pred + 1.0) - tf.sqrt(y_pred))


def over_statements(y_true, y_pred):
    square = tf.square(y_pred)
    root = tf.sqrt(square + SCALE)
    gap = root - y_pred
    return tf.reduce_mean(y_true * gap, axis=-1)


def fractions_apart(y_true, y_pred):
    return y_true * (1.0 / (y_pred + 1.0) - 1.0 / y_pred)


def tangents(y_true, y_pred):
    return y_true * (y_pred - tf.sin(y_pred)) / (y_pred - tf.tan(y_pred))
