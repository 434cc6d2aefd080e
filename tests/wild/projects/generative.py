"""Losses of generators: adversarial, of moments, of images made finer, and of light."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

SIDE = 4  # pixels of a hologram
BINS = 16


def relativistic_critic(y_true: Any, y_pred: Any) -> Any:
    """A critic's loss: real images should score above the average fake, and fakes below."""
    real_over_fake = y_true - tf.reduce_mean(y_pred)
    fake_over_real = y_pred - tf.reduce_mean(y_true)
    return tf.squeeze(tf.math.softplus(-real_over_fake) + tf.math.softplus(fake_over_real), axis=1)


def _kernel(a: Any, b: Any) -> Any:
    apart = tf.reduce_mean(tf.square(a[:, tf.newaxis] - b[tf.newaxis]), axis=-1)
    return tf.reduce_mean(tf.exp(-apart / tf.cast(tf.shape(a)[-1], a.dtype)))


def mean_discrepancy(y_true: Any, y_pred: Any) -> Any:
    """Squared maximum mean discrepancy of two samples under a Gaussian kernel."""
    return _kernel(y_true, y_true) + _kernel(y_pred, y_pred) - 2.0 * _kernel(y_true, y_pred)


def signal_to_noise(y_true: Any, y_pred: Any) -> Any:
    """The peak signal-to-noise ratio in decibels, as it is, for images from 0 to 1."""
    squares = tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
    return 10.0 / math.log(10.0) * tf.math.log(1.0 / squares)


def tone_histogram(y_true: Any, y_pred: Any) -> Any:
    """How much the tones of two images differ in their histograms."""
    label = tf.histogram_fixed_width(y_true, [0.0, 1.0], nbins=BINS)
    guess = tf.histogram_fixed_width(y_pred, [0.0, 1.0], nbins=BINS)
    apart = tf.abs(tf.cast(label, y_pred.dtype) - tf.cast(guess, y_pred.dtype))
    return tf.reduce_mean(apart) / tf.cast(tf.size(y_pred), y_pred.dtype)


def hologram(y_true: Any, y_pred: Any) -> Any:
    """Error of the far field's intensity under a phase, scaled to fit the target best."""
    field = tf.signal.fft2d(tf.complex(tf.cos(y_pred), tf.sin(y_pred))) / SIDE
    light = tf.square(tf.math.real(field)) + tf.square(tf.math.imag(field))
    over = [1, 2]
    fit = tf.reduce_sum(light * y_true, over) / tf.reduce_sum(tf.square(light), over)
    return tf.reduce_mean(tf.square(fit[:, tf.newaxis, tf.newaxis] * light - y_true), over)
