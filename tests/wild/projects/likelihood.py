"""Likelihoods, scores of distributions, and what stands in for them."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

DISPERSION = 1.5  # of counts
SMALL = 1e-10  # of a rate
QUANTILES = (0.1, 0.5, 0.9)


def counts_from_log_rate(y_true: Any, y_pred: Any) -> Any:
    """Negative binomial likelihood of a count, from the logarithm of its mean."""
    over = y_pred - math.log(DISPERSION)
    ways = tf.math.lgamma(y_true + DISPERSION) - tf.math.lgamma(y_true + 1.0)
    costs = DISPERSION * tf.math.softplus(over) + y_true * tf.math.softplus(-over)
    return tf.reduce_mean(costs - ways + math.lgamma(DISPERSION), axis=-1)


def counts_from_rate(y_true: Any, y_pred: Any) -> Any:
    """Negative binomial likelihood of a count, from its mean."""
    size = DISPERSION + y_true
    ways = tf.lgamma(size) - tf.lgamma(y_true + 1.0)
    costs = size * tf.math.log1p(y_pred / DISPERSION)
    costs -= y_true * (tf.math.log(y_pred + SMALL) - math.log(DISPERSION))
    return tf.reduce_mean(costs - ways + math.lgamma(DISPERSION), axis=-1)


def ranked_probability(y_true: Any, y_pred: Any) -> Any:
    """Continuous ranked probability score of a normal distribution."""
    mean, spread = y_pred[:, :1], y_pred[:, 1:]
    apart = y_true - mean
    size = apart / spread
    density = tf.exp(-0.5 * tf.square(size)) / math.sqrt(2.0 * math.pi)
    far = apart * tf.math.erf(size / math.sqrt(2.0))
    return tf.squeeze(far + spread * (2.0 * density - 1.0 / math.sqrt(math.pi)), axis=1)


def evidence_of_normal(y_true: Any, y_pred: Any) -> Any:
    """Student likelihood of evidence: a mean, and three numbers made positive by softplus."""
    mean, nu, alpha, beta = tf.split(y_pred, 4, axis=-1)
    nu, beta = tf.math.softplus(nu), tf.math.softplus(beta)
    alpha = tf.math.softplus(alpha) + 1.0
    omega = 2.0 * beta * (1.0 + nu)
    loss = 0.5 * tf.math.log(math.pi / nu) - alpha * tf.math.log(omega)
    loss += (alpha + 0.5) * tf.math.log(nu * tf.square(y_true - mean) + omega)
    return tf.squeeze(loss + tf.math.lgamma(alpha) - tf.math.lgamma(alpha + 0.5), axis=1)


def several_quantiles(y_true: Any, y_pred: Any) -> Any:
    """The pinball losses of three quantiles, one column each."""
    total = 0.0
    for i, level in enumerate(QUANTILES):
        error = y_true - y_pred[:, i]
        total += tf.reduce_mean(tf.maximum(level * error, (level - 1.0) * error), axis=-1)
    return total


def log_error_of_floored(y_true: Any, y_pred: Any) -> Any:
    """Squared difference of log1p, negative predictions taken for 0."""
    guess = tf.math.log1p(tf.maximum(y_pred, 0.0))
    return tf.reduce_mean(tf.square(tf.math.log1p(y_true) - guess), axis=-1)


def direction(y_true: Any, y_pred: Any) -> Any:
    """Likelihood of a direction in space, whose concentration is the prediction's length."""
    kappa = tf.sqrt(tf.reduce_sum(tf.square(y_pred), axis=-1) + 1e-12)
    spread = tf.math.log(tf.sinh(kappa)) - tf.math.log(kappa) + math.log(4.0 * math.pi)
    return spread - tf.reduce_sum(y_true * y_pred, axis=-1)
