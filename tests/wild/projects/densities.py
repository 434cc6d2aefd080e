"""Losses of densities, scores and the times of events."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

LOW, HIGH = 0.0, 1.0  # between which a truncated normal lies
PIXEL = 1.0 / 255.0  # half of a step of brightness
SHADES = 1e-12  # below every probability
SIGMA_LEAST, SIGMA_MOST = 0.01, 50.0  # of noise
BETA = 0.5  # between plain likelihood and squared error


def _normal_cdf(x: Any) -> Any:
    return 0.5 * (1.0 + tf.math.erf(x / math.sqrt(2.0)))


def truncated_normal(y_true: Any, y_pred: Any) -> Any:
    """Likelihood under a normal distribution of which only an interval is left."""
    mean, spread = y_pred[:, :1], y_pred[:, 1:]
    size = (y_true - mean) / spread
    kept = _normal_cdf((HIGH - mean) / spread) - _normal_cdf((LOW - mean) / spread)
    loss = 0.5 * tf.square(size) + tf.math.log(spread) + 0.5 * math.log(2.0 * math.pi)
    return tf.squeeze(loss + tf.math.log(kept), axis=1)


def _fast_cdf(x: Any) -> Any:
    return 0.5 * (1.0 + tf.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * tf.pow(x, 3))))


def discretised_normal(y_true: Any, y_pred: Any) -> Any:
    """Bits of a pixel's shade under a normal distribution; the ends take what is beyond."""
    means, log_scales = tf.split(y_pred, 2, axis=-1)
    centered, inverse = y_true - means, tf.exp(-log_scales)
    upper = _fast_cdf(inverse * (centered + PIXEL))
    lower = _fast_cdf(inverse * (centered - PIXEL))
    between = upper - lower
    black = tf.math.log(tf.maximum(upper, SHADES))
    white = tf.math.log(tf.maximum(1.0 - lower, SHADES))
    grey = tf.math.log(tf.maximum(between, SHADES))
    logs = tf.where(y_true < -0.999, black, tf.where(y_true > 0.999, white, grey))
    return -tf.reduce_mean(logs, axis=-1) / math.log(2.0)


def _times_and_events(signed: Any) -> tuple[Any, Any]:
    """A time below 0 says that the event was not seen until then."""
    return tf.abs(signed), tf.cast(signed > 0.0, signed.dtype)


def breslow(y_true: Any, y_pred: Any) -> Any:
    """Partial likelihood of who has the event, among all that are still at risk."""
    times, seen = _times_and_events(tf.squeeze(y_true, axis=1))
    score = tf.squeeze(y_pred, axis=1)
    at_risk = tf.cast(times[tf.newaxis] >= times[:, tf.newaxis], score.dtype)
    hazard = tf.math.log(tf.linalg.matvec(at_risk, tf.exp(score)))
    observed = tf.reduce_sum(seen)
    return tf.reduce_sum((hazard - score) * seen) / observed


def _divergence(p: Any, q: Any) -> Any:
    positive = p * tf.math.log(p) - tf.math.log(q)
    return positive + (1.0 - p) * tf.math.log(1.0 - p) - (1.0 - p) * tf.math.log(1.0 - q)


def sparse_activity(y_true: Any, y_pred: Any) -> Any:
    """Divergence of how active each unit is from how active it should be."""
    return tf.reduce_sum(_divergence(y_true, y_pred), axis=-1)


def beta_weighted(y_true: Any, y_pred: Any) -> Any:
    """Normal likelihood, weighted by a power of the variance that is held."""
    mean, variance = y_pred[:, :1], y_pred[:, 1:]
    loss = 0.5 * (tf.square(y_true - mean) / variance + tf.math.log(variance))
    if BETA > 0.0:
        loss *= tf.stop_gradient(variance) ** BETA
    return tf.reduce_sum(loss, axis=-1)


def _sigma(time: Any) -> Any:
    return SIGMA_LEAST * (SIGMA_MOST / SIGMA_LEAST) ** time


def denoising_score(y_true: Any, y_pred: Any, time: Any) -> Any:
    """How far a score, scaled by the noise at its time, is from undoing that noise."""
    residual = y_pred * _sigma(time)[:, tf.newaxis] + y_true
    return 0.5 * tf.reduce_sum(tf.square(residual), axis=-1)
