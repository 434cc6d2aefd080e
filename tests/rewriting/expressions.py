"""Expressions of losses that lose digits or overflow, and forms that do not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

Ends = tuple[float, float]

# Expression, domains, and the mean bits that its rewriting may lose in value and derivative.
LOSING: dict[str, tuple[str, Mapping[str, Ends], float, float]] = {
    "softplus by hand": ("tf.math.log(1.0 + tf.exp(x))", {"x": (-100, 100)}, 1, 1),
    "pseudo-Huber": (
        "d * d * (tf.sqrt(1.0 + tf.square((y - x) / d)) - 1.0)",
        {"x": (-10, 10), "y": (-10, 10), "d": (0.1, 10)},
        1,
        1,
    ),
    "log-cosh": ("tf.math.log(tf.cosh(x - y))", {"x": (-200, 200), "y": (-1e-3, 1e-3)}, 1, 1),
    "Kullback-Leibler of variances": ("tf.exp(v) - v - 1.0", {"v": (-5, 5)}, 1, 1),
    "LINEX": ("tf.exp(a * z) - a * z - 1.0", {"a": (0.1, 2), "z": (-2, 2)}, 1, 1),
    "cross-entropy of a sigmoid": ("-tf.math.log(1.0 - tf.sigmoid(x))", {"x": (-100, 100)}, 1, 1),
    "focal factor": ("(1.0 - tf.sigmoid(x)) ** g", {"x": (-40, 40), "g": (1, 5)}, 1.5, 1.5),
    "Box-Cox": ("(x ** n - 1.0) / n", {"x": (0.1, 100), "n": (1e-6, 1)}, 1, 1.5),
    "Poincare distance": ("tf.acosh(1.0 + x)", {"x": (1e-8, 1e4)}, 1, 1),
    "haversine": ("tf.asin(tf.sqrt((1.0 - tf.cos(d)) / 2.0))", {"d": (-3, 3)}, 1, 1),
    "Planck": ("x / (tf.exp(x) - 1.0)", {"x": (-20, 20)}, 1, 1),
    "hyperbolic tangent by hand": (
        "(tf.exp(x) - tf.exp(-x)) / (tf.exp(x) + tf.exp(-x))",
        {"x": (-200, 200)},
        1,
        1,
    ),
    "hypotenuse": ("tf.sqrt(a * a + b * b)", {"a": (1e10, 1e30), "b": (1e10, 1e30)}, 1, 1),
    "Student": ("tf.math.log(1.0 + x * x / n)", {"x": (-1e-2, 1e-2), "n": (1, 10)}, 1, 1),
    "relativistic": ("1.0 / tf.sqrt(1.0 - v * v) - 1.0", {"v": (-0.9, 0.9)}, 1, 1),
    "quadratic of either sign": (
        "(-b + tf.sqrt(b * b - 4.0 * c)) / 2.0",
        {"b": (-100, 100), "c": (-1e-2, 1e-3)},
        1,
        1.5,
    ),
}

SOUND: dict[str, tuple[str, Mapping[str, Ends]]] = {
    "squared error": ("tf.square(x - y)", {"x": (-3, 3), "y": (-3, 3)}),
    "expm1": ("w * tf.math.expm1(a * x)", {"w": (1, 2), "a": (0.1, 2), "x": (-1, 1)}),
    "log1p": ("tf.math.log1p(1.0 / x)", {"x": (1, 1e20)}),
    "conjugate": ("w / (tf.sqrt(x + 1.0) + tf.sqrt(x))", {"w": (1, 2), "x": (1, 1e20)}),
    "half angle": ("w * tf.tan(x / 2.0)", {"w": (1, 2), "x": (-3, 3)}),
    "arc": ("w * tf.atan2(1.0, 1.0 + x * (x + 1.0))", {"w": (1, 2), "x": (-1e6, 1e6)}),
    "softplus": ("tf.math.softplus(x)", {"x": (-100, 100)}),
    "cross-entropy": (
        "tf.maximum(x, 0.0) - x * y + tf.math.log1p(tf.exp(-tf.abs(x)))",
        {"x": (-10, 10), "y": (0.1, 0.9)},
    ),
}


def points(domains: Mapping[str, Ends], count: int = 200, seed: int = 0) -> dict[str, np.ndarray]:
    """Numbers of all sizes in each domain; in one around 0 down to 1e-8 of its ends."""
    rng = np.random.default_rng(seed)
    found = {}
    for name, (low, high) in domains.items():
        if low > 0:
            numbers = np.exp(rng.uniform(np.log(low), np.log(high), count))
        else:
            sizes = np.exp(rng.uniform(np.log(1e-8), 0, count))
            numbers = sizes * np.where(rng.random(count) < 0.5, low, high)
        found[name] = numbers.astype(np.float32)
    return found
