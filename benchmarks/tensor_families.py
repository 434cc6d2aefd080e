"""Losses of a whole prediction, coupled within a row or over everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.family import Array, Family
from benchmarks.spaces import Space

SEED = 21
POINTS = 8  # of each family

LABELS = [0.4, -1.3, 2.1, 0.7, -0.2, 1.6]
BINARY = [1.0, 0.0, 0.0, 1.0, 1.0, 0.0]
ONE_HOT = [0.0, 0.0, 1.0, 0.0, 0.0]
SOFT = [[0.7, 0.1, 0.1, 0.1], [0.0, 1.0, 0.0, 0.0], [0.25, 0.25, 0.3, 0.2]]
KEYS = [[0.6, 0.8], [-0.28, 0.96], [0.8, -0.6]]
TEMPERATURE = 0.2


def squared_error(xp: Space, x: Any) -> Any:
    """Mean squared error."""
    return (x - xp.like(LABELS, x)) ** 2 / len(LABELS)


def huber(xp: Space, x: Any) -> Any:
    """Huber's loss with delta 1: its two pieces join with the same slope."""
    error = xp.abs(x - xp.like(LABELS, x))
    return xp.where(error <= 1, error * error / 2, error - 0.5)


def squared_logarithmic_error(xp: Space, x: Any) -> Any:
    """Squared difference of log(1 + x)."""
    labels = xp.log1p(xp.abs(xp.like(LABELS, x)))
    return (xp.log1p(x) - labels) ** 2 / len(LABELS)


def sigmoid_cross_entropy(xp: Space, x: Any) -> Any:
    """Binary cross entropy of logits in its stable form."""
    zero = xp.like(0.0, x)
    return xp.maximum(x, zero) - x * xp.like(BINARY, x) + xp.log1p(xp.exp(-xp.abs(x)))


def softmax_cross_entropy(xp: Space, x: Any) -> Any:
    """Cross entropy of one row of logits."""
    return xp.logsumexp(x, 0) - xp.sum(x * xp.like(ONE_HOT, x))


def soft_label_cross_entropy(xp: Space, x: Any) -> Any:
    """Mean cross entropy of three rows of logits with soft labels."""
    logits, labels = xp.reshape(x, (3, 4)), xp.like(SOFT, x)
    return (xp.logsumexp(logits, 1) - xp.sum(labels * logits, 1)) / 3


def focal_cross_entropy(xp: Space, x: Any) -> Any:
    """Focal loss of logits, gamma 2."""
    logarithm = xp.sum(x * xp.like(ONE_HOT, x)) - xp.logsumexp(x, 0)
    return -((1 - xp.exp(logarithm)) ** 2) * logarithm


def divergence(xp: Space, x: Any) -> Any:
    """Kullback-Leibler divergence of a softmax at temperature 2 from fixed probabilities."""
    share = xp.like([0.1, 0.2, 0.4, 0.25, 0.05], x)
    return xp.sum(share * xp.log(share)) - xp.sum(share * x / 2) + xp.logsumexp(x / 2, 0)


def cosine_distance(xp: Space, x: Any) -> Any:
    """One minus the cosine of prediction and label."""
    labels = xp.like(LABELS, x)
    norms = xp.sqrt(xp.sum(x * x)) * xp.sqrt(xp.sum(labels * labels))
    return 1 - xp.sum(x * labels) / norms


def correlation_distance(xp: Space, x: Any) -> Any:
    """One minus Pearson's correlation of prediction and label."""
    labels = xp.like(LABELS, x)
    a, b = x - xp.sum(x) / len(LABELS), labels - xp.sum(labels) / len(LABELS)
    return 1 - xp.sum(a * b) / xp.sqrt(xp.sum(a * a) * xp.sum(b * b))


def contrast(xp: Space, x: Any) -> Any:
    """InfoNCE of three embeddings against three keys."""
    rows, keys = xp.reshape(x, (3, 2)), xp.like(KEYS, x)
    unit = rows / xp.reshape(xp.sqrt(xp.sum(rows * rows, 1)), (3, 1))
    likeness = unit @ xp.transpose(keys) / TEMPERATURE
    return xp.logsumexp(likeness, 1) - xp.sum(unit * keys, 1) / TEMPERATURE


def soft_triplet(xp: Space, x: Any) -> Any:
    """log(1 + exp(d(anchor, positive) - d(anchor, negative))) with squared distances."""
    rows = xp.reshape(x, (3, 2))
    near, far = xp.sum((rows[0] - rows[1]) ** 2), xp.sum((rows[0] - rows[2]) ** 2)
    return xp.logaddexp(xp.like(0.0, x), near - far)


def dice(xp: Space, x: Any) -> Any:
    """Smoothed Dice loss of probabilities."""
    labels = xp.like(BINARY, x)
    return 1 - (2 * xp.sum(x * labels) + 1) / (xp.sum(x) + xp.sum(labels) + 1)


def gaussian_likelihood(xp: Space, x: Any) -> Any:
    """Negative log likelihood of three labels; predicted are means and log variances."""
    rows, labels = xp.reshape(x, (2, 3)), xp.like(LABELS[:3], x)
    return (rows[1] + (labels - rows[0]) ** 2 * xp.exp(-rows[1])) / 2


def total_log_sum_exp(xp: Space, x: Any) -> Any:
    """log-sum-exp over everything."""
    return xp.logsumexp(x, 0)


def normal(width: int, size: float = 1.0) -> Callable[[Any], Array]:
    """Points that predictions of a healthy model are like."""
    return lambda rng: size * rng.normal(size=(POINTS, width))


def within(width: int, low: float, high: float) -> Callable[[Any], Array]:
    """Points of an interval."""
    return lambda rng: rng.uniform(low, high, (POINTS, width))


REAL = (-np.inf, np.inf)
_TABLE: tuple[tuple[str, Callable[[Space, Any], Any], Any, tuple[float, float]], ...] = (
    ("squared error", squared_error, normal(6), REAL),
    ("Huber", huber, normal(6), REAL),
    ("squared logarithmic error", squared_logarithmic_error, within(6, 0, 9), (0.0, np.inf)),
    ("sigmoid cross entropy", sigmoid_cross_entropy, normal(6, 3.0), REAL),
    ("softmax cross entropy", softmax_cross_entropy, normal(5, 4.0), REAL),
    ("soft-label cross entropy", soft_label_cross_entropy, normal(12, 2.0), REAL),
    ("focal cross entropy", focal_cross_entropy, normal(5, 2.0), REAL),
    ("KL divergence", divergence, normal(5, 2.0), REAL),
    ("cosine distance", cosine_distance, normal(6), REAL),
    ("Pearson distance", correlation_distance, normal(6), REAL),
    ("InfoNCE", contrast, normal(6), REAL),
    ("soft triplet", soft_triplet, normal(6), REAL),
    ("Dice", dice, within(6, 0.001, 0.999), (0.0, 1.0)),
    ("Gaussian likelihood", gaussian_likelihood, normal(6), REAL),
    ("log-sum-exp of all", total_log_sum_exp, normal(6, 4.0), REAL),
)


def tensor_families() -> tuple[Family, ...]:
    """Give every family, each with points of its own."""
    return tuple(
        Family(
            name=name,
            function=function,
            points=draw(np.random.default_rng((SEED, number))),
            lower=lower,
            upper=upper,
        )
        for number, (name, function, draw, (lower, upper)) in enumerate(_TABLE)
    )
