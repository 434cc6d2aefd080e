"""Smooth functions of one variable whose derivatives are known in closed form.

The function is written for NumPy, as a loss would be; its derivative for mpmath, at 60 digits and
in a form that does not cancel there, so the truth comes from neither the ladder nor float64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import mpmath
import numpy as np

from losscheck.model import Array

mp: Any = mpmath.MPContext()
mp.dps = 60


@attrs.frozen(eq=False)
class Family:
    name: str  # what a failure is reported under
    function: Callable[[Array], Array]
    derivative: Callable[[Any], Any]
    points: Array
    lower: float = -np.inf
    upper: float = np.inf

    @property
    def truth(self) -> Array:
        return np.array([float(self.derivative(mp.mpf(float(x)))) for x in self.points])


def spread(low: float, high: float, count: int = 24) -> Array:
    """Points that are nowhere near round numbers."""
    return np.random.default_rng(20).uniform(low, high, count)


def logarithmic(low: float, high: float, count: int = 24) -> Array:
    return np.exp(spread(np.log(low), np.log(high), count))


def sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def softplus(x: Array) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def log_sum_exp(x: Array) -> Array:
    return np.logaddexp(np.logaddexp(x, 0.3), -1.7)


def softmax_cross_entropy(x: Array) -> Array:
    """The loss of the first class of logits [x, 2, -1]."""
    return np.logaddexp(np.logaddexp(x, 2.0), -1.0) - x


def cosine(x: Array) -> Array:
    """Cosine similarity of [x, 1, 2] with [3, -1, 0.5]."""
    return -(3 * x - 1 + 1) / (np.sqrt(x * x + 5) * np.sqrt(10.25))


def cosine_slope(x: Any) -> Any:
    return -15 / (mp.sqrt(mp.mpf("10.25")) * (x * x + 5) ** mp.mpf("1.5"))


def focal(p: Array) -> Array:
    return -((1 - p) ** 2) * np.log(p)


def huber_like(x: Array) -> Array:
    return np.sqrt(1 + x * x) - 1


def versine(x: Array) -> Array:
    return (1 - np.cos(x)) / x**2


def versine_slope(x: Any) -> Any:
    return mp.sin(x) / x**2 - 2 * (1 - mp.cos(x)) / x**3


INF = np.inf
FAMILIES = (
    Family("exp", np.exp, mp.exp, spread(-10, 10)),
    Family("log", np.log, lambda x: 1 / x, logarithmic(1e-8, 1e9), 0.0),
    Family("log on [0, 1]", np.log, lambda x: 1 / x, logarithmic(1e-12, 0.999), 0.0, 1.0),
    Family("log(1 - x)", lambda x: np.log(1 - x), lambda x: -1 / (1 - x), spread(0, 1), 0.0, 1.0),
    Family(
        "guarded log",
        lambda x: np.log(x + 1e-7),
        lambda x: 1 / (x + mp.mpf(1e-7)),
        np.concatenate([[0.0, 1.0], logarithmic(1e-10, 1.0)]),
        0.0,
        1.0,
    ),
    Family("square", np.square, lambda x: 2 * x, spread(-3, 3)),
    Family("square at 1e5", np.square, lambda x: 2 * x, spread(0.5e5, 2e5)),
    Family("square at 1e-9", np.square, lambda x: 2 * x, spread(-1e-9, 1e-9)),
    Family(
        "square of a difference", lambda x: (x - 2.5) ** 2, lambda x: 2 * (x - 2.5), spread(-3, 3)
    ),
    Family("sqrt", np.sqrt, lambda x: 1 / (2 * mp.sqrt(x)), logarithmic(1e-8, 1e9), 0.0),
    Family("sin", np.sin, mp.cos, spread(-10, 10)),
    Family("sin(20 x)", lambda x: np.sin(20 * x), lambda x: 20 * mp.cos(20 * x), spread(-3, 3)),
    Family("tanh", np.tanh, lambda x: 1 / mp.cosh(x) ** 2, spread(-10, 10)),
    Family(
        "steep tanh",
        lambda x: np.tanh(100 * x),
        lambda x: 100 / mp.cosh(100 * x) ** 2,
        spread(-0.1, 0.1),
    ),
    Family("softplus", softplus, sigmoid, spread(-30, 30)),
    Family(
        "log-sum-exp",
        log_sum_exp,
        lambda x: mp.exp(x) / (mp.exp(x) + mp.exp(mp.mpf(0.3)) + mp.exp(mp.mpf(-1.7))),
        spread(-30, 30),
    ),
    Family(
        "softmax cross-entropy",
        softmax_cross_entropy,
        lambda x: mp.exp(x) / (mp.exp(x) + mp.exp(2) + mp.exp(-1)) - 1,
        spread(-30, 30),
    ),
    Family(
        "logistic",
        lambda x: 1 / (1 + np.exp(-x)),
        lambda x: sigmoid(x) * sigmoid(-x),
        spread(-20, 20),
    ),
    Family(
        "sinc",
        lambda x: np.sin(x) / x,
        lambda x: (x * mp.cos(x) - mp.sin(x)) / x**2,
        spread(-10, 10),
    ),
    Family(
        "rational", lambda x: x / (1 + x**2), lambda x: (1 - x**2) / (1 + x**2) ** 2, spread(-5, 5)
    ),
    Family(
        "sharp rational",
        lambda x: 1 / (1 + 1e4 * x**2),
        lambda x: -2e4 * x / (1 + 10**4 * x**2) ** 2,
        spread(-1, 1),
    ),
    Family(
        "pow 2.5", lambda x: x**2.5, lambda x: 2.5 * x ** mp.mpf(1.5), logarithmic(1e-6, 1e4), 0.0
    ),
    Family(
        "pow 0.7",
        lambda x: x**0.7,
        lambda x: mp.mpf(0.7) * x ** (mp.mpf(0.7) - 1),
        logarithmic(1e-6, 1e4),
        0.0,
    ),
    Family(
        "scaled by 1e-4",
        lambda x: 1e-4 * np.exp(-x * x),
        lambda x: -mp.mpf(1e-4) * 2 * x * mp.exp(-x * x),
        spread(-3, 3),
    ),
    Family("cube at 1e-8", lambda x: x**3, lambda x: 3 * x**2, spread(-2e-8, 2e-8)),
    Family("versine", versine, versine_slope, logarithmic(1e-3, 10)),
    Family("log cosh", lambda x: np.logaddexp(x, -x) - np.log(2.0), mp.tanh, spread(-10, 10)),
    Family("cosine similarity", cosine, cosine_slope, spread(-5, 5)),
    Family(
        "focal", focal, lambda p: 2 * (1 - p) * mp.log(p) - (1 - p) ** 2 / p, spread(0, 1), 0.0, 1.0
    ),
    Family("x log x", lambda x: x * np.log(x), lambda x: mp.log(x) + 1, logarithmic(1e-8, 10), 0.0),
    Family(
        "binary cross-entropy",
        lambda p: -0.3 * np.log(p) - 0.7 * np.log(1 - p),
        lambda p: -mp.mpf(0.3) / p + mp.mpf(0.7) / (1 - p),
        spread(0, 1),
        0.0,
        1.0,
    ),
    Family("pseudo-Huber", huber_like, lambda x: x / mp.sqrt(1 + x * x), spread(-5, 5)),
    Family(
        "rounded corner",
        lambda x: np.sqrt(x * x + 1e-12),
        lambda x: x / mp.sqrt(x * x + mp.mpf(1e-12)),
        np.concatenate([logarithmic(1e-9, 1), -logarithmic(1e-9, 1)]),
    ),
    Family("log|x|", lambda x: np.log(np.abs(x)), lambda x: 1 / x, logarithmic(1e-8, 1e3)),
    Family(
        "polynomial", lambda x: x**5 - 3 * x**2 + x, lambda x: 5 * x**4 - 6 * x + 1, spread(-3, 3)
    ),
    Family("Poisson", lambda x: np.exp(x) - 3 * x, lambda x: mp.exp(x) - 3, spread(-3, 3)),
)

"""Losses that rounding inside them does not drown."""

NOISY = (
    Family("offset 1e6", lambda x: 1e6 + np.sin(x), mp.cos, spread(-3, 3)),
    Family(
        "cancelling", lambda x: (x + 1e8) - 1e8 + np.sin(x), lambda x: 1 + mp.cos(x), spread(-3, 3)
    ),
    Family(
        "cancelling more",
        lambda x: (x + 1e12) - 1e12 + np.sin(x),
        lambda x: 1 + mp.cos(x),
        spread(-3, 3),
    ),
    Family(
        "float32 in part",
        lambda x: np.tanh(x.astype(np.float32)).astype(np.float64) + x * x,
        lambda x: 1 / mp.cosh(x) ** 2 + 2 * x,
        spread(-3, 3),
    ),
    Family(
        "float32 kernel",
        lambda x: np.sin(x.astype(np.float32)).astype(np.float64),
        mp.cos,
        spread(-3, 3),
    ),
)
"""Losses whose float64 values scatter by far more than eps, or step."""


def evaluate(families: tuple[Family, ...]) -> Callable[[Array, Array, Array], Array]:
    """All families as one loss: `case` says which."""

    def many(case: Array, coordinate: Array, value: Array) -> Array:
        result = np.empty_like(value)
        with np.errstate(all="ignore"):
            for number, family in enumerate(families):
                chosen = case == number
                result[chosen] = family.function(value[chosen])
        return result

    return many
