"""Losses of waveforms and their spectra."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

RESOLUTIONS = ((16, 8), (32, 16))  # samples a frame, and from one frame to the next
LEAST_POWER = 1e-7  # added to that of a bin
LEAST_ENERGY = 1e-8  # of a waveform
LARGEST_RATIO = 30.0  # in decibels, beyond which nothing is gained
MU = 255.0


def _magnitude(wave: Any, length: int, step: int) -> Any:
    frames = tf.signal.stft(wave, frame_length=length, frame_step=step)
    power = tf.square(tf.math.real(frames)) + tf.square(tf.math.imag(frames))
    return tf.sqrt(power + LEAST_POWER)


def spectra_at_two_resolutions(y_true: Any, y_pred: Any) -> Any:
    """Spectral convergence and the distance of log magnitudes, over two window lengths."""
    total = 0.0
    for length, step in RESOLUTIONS:
        label, guess = _magnitude(y_true, length, step), _magnitude(y_pred, length, step)
        squares = tf.reduce_sum(tf.square(label - guess), axis=[1, 2]) + LEAST_POWER
        convergence = tf.sqrt(squares / tf.reduce_sum(tf.square(label), axis=[1, 2]))
        logs = tf.reduce_mean(tf.abs(tf.math.log(label) - tf.math.log(guess)), axis=[1, 2])
        total += convergence + logs
    return total / len(RESOLUTIONS)


def _energy(wave: Any) -> Any:
    return tf.reduce_sum(tf.square(wave), axis=-1)


def _noise_over_signal(source: Any, estimate: Any) -> Any:
    threshold = 10.0 ** (-LARGEST_RATIO / 10.0)
    noise = _energy(source - estimate) + threshold * _energy(source) + LEAST_ENERGY
    return 10.0 / math.log(10.0) * tf.math.log(noise / (_energy(source) + LEAST_ENERGY))


def best_assignment(y_true: Any, y_pred: Any) -> Any:
    """Noise over signal in decibels, of two sources in the order that fits them better."""
    swapped = tf.reverse(y_pred, axis=[1])
    as_given = tf.reduce_mean(_noise_over_signal(y_true, y_pred), axis=-1)
    other_way = tf.reduce_mean(_noise_over_signal(y_true, swapped), axis=-1)
    return tf.minimum(as_given, other_way)


def scale_invariant_distortion(y_true: Any, y_pred: Any) -> Any:
    """Distortion over the part of the estimate that lies along the source, in decibels."""
    inner = tf.reduce_sum(y_true * y_pred, axis=-1, keepdims=True)
    along = y_true * (inner / tf.reduce_sum(tf.square(y_true), axis=-1, keepdims=True))
    ratio = (_energy(along) + LEAST_ENERGY) / (_energy(y_pred - along) + LEAST_ENERGY)
    return -10.0 / math.log(10.0) * tf.math.log(ratio)


def _companded(wave: Any) -> Any:
    return tf.sign(wave) * tf.math.log1p(MU * tf.abs(wave)) / math.log1p(MU)


def companded_error(y_true: Any, y_pred: Any) -> Any:
    """Squared error of waveforms after mu-law companding."""
    return tf.reduce_mean(tf.square(_companded(y_true) - _companded(y_pred)), axis=-1)
