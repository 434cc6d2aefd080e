"""Expressions of losses that cancel or overflow: of our own choice, none of them a textbook's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Ends = tuple[float, float]


@dataclass(frozen=True)
class Near:
    """Numbers next to those of another name, or next to 1: relatively this far apart."""

    of: str
    apart: Ends = (1e-7, 0.5)


Domains = Mapping[str, Ends | Near]
_LOGIT: Domains = {"x": (-100, 100)}
_PAIR: Domains = {"a": (0.5, 2), "b": Near("a")}
_LOGITS: Domains = {"a": (-200, 200), "b": (-200, 200)}

EXPRESSIONS: dict[str, tuple[str, Domains]] = {
    "softplus": ("tf.math.log(1.0 + tf.exp(x))", _LOGIT),
    "sigmoid": ("1.0 / (1.0 + tf.exp(-x))", {"x": (-200, 200)}),
    "sigmoid, turned": ("tf.exp(x) / (1.0 + tf.exp(x))", {"x": (-200, 200)}),
    "log of sigmoid": ("tf.math.log(tf.sigmoid(x))", {"x": (-200, 200)}),
    "cross-entropy": ("-tf.math.log(1.0 - tf.sigmoid(x))", _LOGIT),
    "focal factor": ("(1.0 - tf.sigmoid(x)) ** g", {"x": (-40, 40), "g": (1, 5)}),
    "sigmoids apart": ("tf.sigmoid(a) - tf.sigmoid(b)", _PAIR),
    "softmax of two": ("tf.exp(a) / (tf.exp(a) + tf.exp(b))", _LOGITS),
    "log of two": ("tf.math.log(tf.exp(a) + tf.exp(b))", _LOGITS),
    "log of 1 - exp": ("tf.math.log(1.0 - tf.exp(-x))", {"x": (1e-6, 50)}),
    "pseudo-Huber": (
        "d * d * (tf.sqrt(1.0 + tf.square((y - x) / d)) - 1.0)",
        {"x": (-10, 10), "y": (-10, 10), "d": (0.1, 10)},
    ),
    "Charbonnier": ("tf.sqrt(x * x + e * e) - e", {"x": (-10, 10), "e": (1e-3, 1)}),
    "log-cosh": ("tf.math.log(tf.cosh(x))", {"x": (-200, 200)}),
    "LINEX": ("tf.exp(a * z) - a * z - 1.0", {"a": (0.1, 2), "z": (-2, 2)}),
    "Student": ("tf.math.log(1.0 + x * x / n)", {"x": (-1e-2, 1e-2), "n": (1, 10)}),
    "Box-Cox": ("(x ** n - 1.0) / n", {"x": (0.1, 100), "n": (1e-6, 1)}),
    "KL of rates": ("s - tf.math.log(s) - 1.0", {"s": Near("")}),
    "KL of log-variances": ("tf.exp(v) - v - 1.0", {"v": (-5, 5)}),
    "KL of Gaussians": ("0.5 * (s * s - 1.0) - tf.math.log(s)", {"s": Near("")}),
    "entropy apart": ("(a * tf.math.log(a) - b * tf.math.log(b)) / (a - b)", _PAIR),
    "exponentials apart": ("tf.exp(a) - tf.exp(b)", {"a": (0.5, 10), "b": Near("a")}),
    "squares apart": ("a * a - b * b", _PAIR),
    "inverses apart": ("1.0 / a - 1.0 / b", _PAIR),
    "versine": ("1.0 - tf.cos(x)", {"x": (-3, 3)}),
    "haversine": ("2.0 * tf.asin(tf.sqrt((1.0 - tf.cos(d)) / 2.0))", {"d": (-3, 3)}),
    "arc cosine near 1": ("tf.acos(1.0 - x)", {"x": (1e-10, 1)}),
    "Poincare distance": ("tf.acosh(1.0 + x)", {"x": (1e-8, 1e4)}),
    "relativistic": ("1.0 / tf.sqrt(1.0 - v * v) - 1.0", {"v": (-0.9, 0.9)}),
    "sinc": ("tf.sin(x) / x", {"x": (-10, 10)}),
    "log of sinh(x)/x": ("tf.math.log(tf.sinh(x) / x)", {"x": (-50, 50)}),
    "Planck": ("x / (tf.exp(x) - 1.0)", {"x": (-20, 20)}),
    "exp less 1 over x": ("(tf.exp(x) - 1.0) / x", {"x": (-10, 10)}),
    "cosh less 1": ("tf.cosh(x) - 1.0", {"x": (-20, 20)}),
    "tanh by hand": (
        "(tf.exp(x) - tf.exp(-x)) / (tf.exp(x) + tf.exp(-x))",
        {"x": (-200, 200)},
    ),
    "atanh by hand": ("0.5 * tf.math.log((1.0 + r) / (1.0 - r))", {"r": (-0.99, 0.99)}),
    "asinh by hand": ("tf.math.log(x + tf.sqrt(x * x + 1.0))", {"x": (-1e3, 1e3)}),
    "1 - tanh": ("1.0 - tf.tanh(x)", {"x": (-30, 30)}),
    "slope of tanh": ("1.0 - tf.tanh(x) ** 2", {"x": (-30, 30)}),
    "hypotenuse": ("tf.sqrt(a * a + b * b)", {"a": (1e10, 1e30), "b": (1e10, 1e30)}),
    "geometric mean": ("tf.sqrt(a * b)", {"a": (1e15, 1e30), "b": (1e15, 1e30)}),
    "log of a ratio": ("tf.math.log(a / b)", {"a": (1e-30, 1e-20), "b": (1e20, 1e30)}),
    "quadratic": ("(-b + tf.sqrt(b * b - 4.0 * c)) / 2.0", {"b": (-100, 100), "c": (-1e-2, 2e-3)}),
}
