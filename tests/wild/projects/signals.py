"""Losses of sounds, pictures and pairs, half of which go wrong somewhere."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

SILENT, QUIET = 1e-8, 1e-3
FRAMES = (16, 8)
SOFT, SMOOTH, SAME = 1e-3, 1e-5, 1e-7
EDGES = ((0.0, 1.0, 0.0), (1.0, -4.0, 1.0), (0.0, 1.0, 0.0))


def _likeness(seen: Any, said: Any) -> Any:
    product = tf.reduce_sum(seen * said, axis=-1)
    sizes = tf.sqrt(tf.reduce_sum(seen * seen, -1)) * tf.sqrt(tf.reduce_sum(said * said, -1))
    return -product / (sizes + SILENT)


def voice_and_noise(y_true: Any, y_pred: Any) -> Any:
    """How like a voice is, and how like the noise which is left; labels are noisy and clean."""
    noisy, clean = y_true[..., 0], y_true[..., 1]
    noise, left = noisy - clean, noisy - y_pred
    loud = tf.reduce_sum(clean * clean, axis=-1)
    share = loud / (loud + tf.reduce_sum(noise * noise, axis=-1))
    return share * _likeness(clean, y_pred) + (1.0 - share) * _likeness(noise, left)


def blended_densities(y_true: Any, y_pred: Any) -> Any:
    """Surprise under a blend of two normal distributions."""
    weights, means, spreads = tf.split(y_pred, 3, axis=-1)
    spreads = tf.nn.softplus(spreads) + SOFT
    off = (y_true - means) / spreads
    each = tf.exp(-0.5 * tf.square(off)) / (spreads * math.sqrt(2.0 * math.pi))
    return -tf.math.log(tf.reduce_sum(tf.nn.softmax(weights) * each, axis=-1))


def linear_likeness(y_true: Any, y_pred: Any) -> Any:
    """What is missing to a whole correlation along a row."""
    seen = y_true - tf.reduce_mean(y_true, axis=-1, keepdims=True)
    said = y_pred - tf.reduce_mean(y_pred, axis=-1, keepdims=True)
    product = tf.reduce_sum(seen * said, axis=-1)
    squares = tf.reduce_sum(tf.square(seen), axis=-1) * tf.reduce_sum(tf.square(said), axis=-1)
    return 1.0 - product / tf.sqrt(squares)


def signatures(y_true: Any, y_pred: Any) -> Any:
    """Distance of two signatures where both are of one hand, else what it lacks to 1."""
    square = tf.reduce_sum(tf.square(y_pred[:, 0] - y_pred[:, 1]), axis=-1)
    apart = tf.sqrt(tf.maximum(square, SAME))
    return y_true * tf.square(apart) + (1.0 - y_true) * tf.square(tf.maximum(1.0 - apart, 0.0))


def regions_and_pixels(y_true: Any, y_pred: Any) -> Any:
    """What is missing to a whole overlap of each class, and a cross entropy of each pixel."""
    right = tf.reduce_sum(y_true * y_pred, axis=[1, 2])
    wrong, missed = tf.reduce_sum(y_pred, [1, 2]) - right, tf.reduce_sum(y_true, [1, 2]) - right
    score = (2.0 * right + SMOOTH) / (2.0 * right + wrong + missed + SMOOTH)
    kept = tf.clip_by_value(y_pred, SAME, 1.0 - SAME)
    pixels = y_true * tf.math.log(kept) + (1.0 - y_true) * tf.math.log(1.0 - kept)
    return 1.0 - tf.reduce_mean(score, axis=-1) - tf.reduce_mean(pixels, axis=[1, 2, 3])


def spectra(y_true: Any, y_pred: Any) -> Any:
    """Differences of spectra and of their logarithms, at two lengths of a frame."""
    cost, quiet = 0.0, tf.cast(QUIET, y_pred.dtype)
    for length in FRAMES:
        seen, said = (
            tf.abs(tf.signal.stft(sound, length, length // 4)) for sound in (y_true, y_pred)
        )
        cost += tf.reduce_mean(tf.abs(seen - said), axis=[1, 2])
        logs = [tf.math.log(tf.where(each <= quiet, quiet, each)) for each in (seen, said)]
        cost += tf.reduce_mean(tf.abs(logs[0] - logs[1]), axis=[1, 2])
    return cost


def _edges(picture: Any) -> Any:
    kernel = tf.constant(EDGES, picture.dtype)[..., tf.newaxis, tf.newaxis]
    return tf.nn.conv2d(picture, kernel, strides=1, padding="SAME")


def soft_edges(y_true: Any, y_pred: Any) -> Any:
    """A soft absolute error of a picture, and of its edges."""
    off = tf.sqrt(tf.square(y_pred - y_true) + SOFT**2)
    edge = tf.sqrt(tf.square(_edges(y_pred) - _edges(y_true)) + SOFT**2)
    return tf.reduce_mean(off + 0.05 * edge, axis=[1, 2, 3])
