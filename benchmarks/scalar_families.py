"""Functions of one number: what losses are made of, at ordinary and at awkward scales."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.family import Array, Family
from benchmarks.spaces import Space

SEED = 20
POINTS = 16  # of each family


def uniform(low: float, high: float) -> Callable[[Any], Array]:
    """Points that are nowhere near round numbers."""
    return lambda rng: rng.uniform(low, high, POINTS)


def logarithmic(low: float, high: float) -> Callable[[Any], Array]:
    """Points of every size between two."""
    return lambda rng: np.exp(rng.uniform(np.log(low), np.log(high), POINTS))


def both_signs(low: float, high: float) -> Callable[[Any], Array]:
    """Points of every size, on both sides of zero."""
    sizes = logarithmic(low, high)
    return lambda rng: sizes(rng) * rng.choice([-1.0, 1.0], POINTS)


def softplus(xp: Space, x: Any) -> Any:
    """log(1 + exp x) as losses write it."""
    return xp.maximum(x, xp.like(0.0, x)) + xp.log1p(xp.exp(-xp.abs(x)))


def cosine(xp: Space, x: Any) -> Any:
    """Cosine distance of [x, 1, 2] to [3, -1, 0.5]."""
    return -3 * x / (xp.sqrt(x * x + 5) * 10.25**0.5)


def log_sum_exp(xp: Space, x: Any) -> Any:
    """Of [x, 0.3, -1.7]."""
    return xp.logaddexp(xp.logaddexp(x, xp.like(0.3, x)), xp.like(-1.7, x))


def softmax_cross_entropy(xp: Space, x: Any) -> Any:
    """Of logits [x, 2, -1], where the first class is the label."""
    return xp.logaddexp(xp.logaddexp(x, xp.like(2.0, x)), xp.like(-1.0, x)) - x


REAL = (-np.inf, np.inf)
POSITIVE = (0.0, np.inf)
PROBABILITY = (0.0, 1.0)

_TABLE: tuple[tuple[str, Callable[[Space, Any], Any], Any, tuple[float, float]], ...] = (
    ("exp", lambda xp, x: xp.exp(x), uniform(-10, 10), REAL),
    ("log", lambda xp, x: xp.log(x), logarithmic(1e-8, 1e9), POSITIVE),
    ("log of a probability", lambda xp, x: xp.log(x), logarithmic(1e-12, 0.999), PROBABILITY),
    ("log(1 - p)", lambda xp, x: xp.log(1 - x), uniform(0, 1), PROBABILITY),
    ("guarded log", lambda xp, x: xp.log(x + 1e-7), logarithmic(1e-10, 1), PROBABILITY),
    ("square", lambda xp, x: x * x, uniform(-3, 3), REAL),
    ("square at 1e5", lambda xp, x: x * x, uniform(0.5e5, 2e5), REAL),
    ("square at 1e-9", lambda xp, x: x * x, uniform(-1e-9, 1e-9), REAL),
    ("square of a difference", lambda xp, x: (x - 2.5) ** 2, uniform(-3, 3), REAL),
    ("square root", lambda xp, x: xp.sqrt(x), logarithmic(1e-8, 1e9), POSITIVE),
    ("sin", lambda xp, x: xp.sin(x), uniform(-10, 10), REAL),
    ("sin(20 x)", lambda xp, x: xp.sin(20 * x), uniform(-3, 3), REAL),
    ("tanh", lambda xp, x: xp.tanh(x), uniform(-10, 10), REAL),
    ("steep tanh", lambda xp, x: xp.tanh(100 * x), uniform(-0.1, 0.1), REAL),
    ("softplus", softplus, uniform(-30, 30), REAL),
    ("log-sum-exp", log_sum_exp, uniform(-30, 30), REAL),
    ("cross entropy of three logits", softmax_cross_entropy, uniform(-30, 30), REAL),
    ("logistic", lambda xp, x: 1 / (1 + xp.exp(-x)), uniform(-20, 20), REAL),
    ("sin x / x", lambda xp, x: xp.sin(x) / x, uniform(-10, 10), REAL),
    ("x / (1 + x²)", lambda xp, x: x / (1 + x * x), uniform(-5, 5), REAL),
    ("sharp rational", lambda xp, x: 1 / (1 + 1e4 * x * x), uniform(-1, 1), REAL),
    ("x^2.5", lambda xp, x: x**2.5, logarithmic(1e-6, 1e4), POSITIVE),
    ("x^0.7", lambda xp, x: x**0.7, logarithmic(1e-6, 1e4), POSITIVE),
    ("Gaussian times 1e-4", lambda xp, x: 1e-4 * xp.exp(-x * x), uniform(-3, 3), REAL),
    ("cube at 1e-8", lambda xp, x: x * x * x, uniform(-2e-8, 2e-8), REAL),
    ("(1 - cos x) / x²", lambda xp, x: (1 - xp.cos(x)) / (x * x), logarithmic(1e-3, 10), REAL),
    ("log cosh", lambda xp, x: xp.logaddexp(x, -x) - 0.6931471805599453, uniform(-10, 10), REAL),
    ("cosine of one coordinate", cosine, uniform(-5, 5), REAL),
    ("focal", lambda xp, p: -((1 - p) ** 2) * xp.log(p), uniform(0, 1), PROBABILITY),
    ("x log x", lambda xp, x: x * xp.log(x), logarithmic(1e-8, 10), POSITIVE),
    (
        "binary cross entropy",
        lambda xp, p: -0.3 * xp.log(p) - 0.7 * xp.log(1 - p),
        uniform(0, 1),
        PROBABILITY,
    ),
    ("pseudo-Huber", lambda xp, x: xp.sqrt(1 + x * x) - 1, uniform(-5, 5), REAL),
    ("rounded corner", lambda xp, x: xp.sqrt(x * x + 1e-12), both_signs(1e-9, 1), REAL),
    ("log|x|", lambda xp, x: xp.log(xp.abs(x)), both_signs(1e-8, 1e3), REAL),
    ("polynomial", lambda xp, x: x**5 - 3 * x**2 + x, uniform(-3, 3), REAL),
    ("Poisson", lambda xp, x: xp.exp(x) - 3 * x, uniform(-3, 3), REAL),
    ("sin above 1e6", lambda xp, x: 1e6 + xp.sin(x), uniform(-3, 3), REAL),
)


def scalar_families() -> tuple[Family, ...]:
    """Give every family, each with points of its own."""
    families = []
    for number, (name, function, draw, (lower, upper)) in enumerate(_TABLE):
        points = draw(np.random.default_rng((SEED, number)))[:, None]
        families.append(
            Family(
                name=name,
                function=function,
                points=points,
                lower=lower,
                upper=upper,
                elementwise=True,
            )
        )
    return tuple(families)
