"""Cancellation as R. W. Hamming teaches it, in 28 losses of one element.

The formulas are those of the problems and examples of chapter 3 of *Numerical Methods for
Scientists and Engineers*, on which Herbie, which rewrites floating-point programs, is measured.
Each is multiplied by a label in [1, 2], which leaves its relative error as it is.

What Herbie publishes are mean bits of error in binary64, over numbers of all sizes: of the formula,
of what Herbie (April 2017) makes of it, and of the textbook's own form where there is one. Ours are
mean bits in binary32 over the domains that stand here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

Ends = tuple[float, float]
LABEL: Ends = (1, 2)


@dataclass(frozen=True)
class Problem:
    """A formula that cancels.

    Parameters
    ----------
    loss
        The formula, times the label.
    domains
        Lowest and highest number of each argument but the label.
    herbie
        Mean bits of error that Herbie has published: before and after.
    textbook
        The same of the textbook's form, None where it has none.
    sound
        A form without the fault, where there is a simple one.
    """

    loss: Callable[..., Any]
    domains: Mapping[str, Ends]
    herbie: tuple[float, float]
    textbook: float | None = None
    sound: Callable[..., Any] | None = None


def cube_root(x: Any) -> Any:
    return tf.sign(x) * tf.abs(x) ** (1.0 / 3.0)


def expax(y_true: Any, y_pred: Any, a: Any) -> Any:
    return y_true * (tf.exp(a * y_pred) - 1.0)


def expax_sound(y_true: Any, y_pred: Any, a: Any) -> Any:
    return y_true * tf.math.expm1(a * y_pred)


def expq2(y_true: Any, y_pred: Any) -> Any:
    e = tf.exp(y_pred)
    return y_true * e / (e - 1.0)


def expq2_sound(y_true: Any, y_pred: Any) -> Any:
    return -y_true / tf.math.expm1(-y_pred)


def quadp(y_true: Any, y_pred: Any, a: Any, c: Any) -> Any:
    root = tf.sqrt(tf.square(y_pred) - 4.0 * a * c)
    return y_true * (root - y_pred) / (2.0 * a)


def quadm(y_true: Any, y_pred: Any, a: Any, c: Any) -> Any:
    root = tf.sqrt(tf.square(y_pred) - 4.0 * a * c)
    return y_true * (-y_pred - root) / (2.0 * a)


def quad2p(y_true: Any, y_pred: Any, a: Any, c: Any) -> Any:
    root = tf.sqrt(tf.square(y_pred) - a * c)
    return y_true * (root - y_pred) / a


def quad2m(y_true: Any, y_pred: Any, a: Any, c: Any) -> Any:
    root = tf.sqrt(tf.square(y_pred) - a * c)
    return y_true * (-y_pred - root) / a


def two_roots(y_true: Any, y_pred: Any) -> Any:
    return y_true * (tf.sqrt(y_pred + 1.0) - tf.sqrt(y_pred))


def two_roots_sound(y_true: Any, y_pred: Any) -> Any:
    return y_true / (tf.sqrt(y_pred + 1.0) + tf.sqrt(y_pred))


def two_inverse_roots(y_true: Any, y_pred: Any) -> Any:
    return y_true * (1.0 / tf.sqrt(y_pred) - 1.0 / tf.sqrt(y_pred + 1.0))


def two_inverse_roots_sound(y_true: Any, y_pred: Any) -> Any:
    low, high = tf.sqrt(y_pred), tf.sqrt(y_pred + 1.0)
    return y_true / low / high / (low + high)


def two_fractions(y_true: Any, y_pred: Any) -> Any:
    return y_true * (1.0 / (y_pred + 1.0) - 1.0 / y_pred)


def two_fractions_sound(y_true: Any, y_pred: Any) -> Any:
    return -y_true / y_pred / (y_pred + 1.0)


def three_fractions(y_true: Any, y_pred: Any) -> Any:
    outer = 1.0 / (y_pred + 1.0) + 1.0 / (y_pred - 1.0)
    return y_true * (outer - 2.0 / y_pred)


def three_fractions_sound(y_true: Any, y_pred: Any) -> Any:
    return 2.0 * y_true / y_pred / (tf.square(y_pred) - 1.0)


def two_cube_roots(y_true: Any, y_pred: Any) -> Any:
    return y_true * (cube_root(y_pred + 1.0) - cube_root(y_pred))


def two_logarithms(y_true: Any, y_pred: Any) -> Any:
    return y_true * (tf.math.log(y_pred + 1.0) - tf.math.log(y_pred))


def two_logarithms_sound(y_true: Any, y_pred: Any) -> Any:
    return y_true * tf.math.log1p(1.0 / y_pred)


def exp2(y_true: Any, y_pred: Any) -> Any:
    return y_true * (tf.exp(y_pred) - 2.0 + tf.exp(-y_pred))


def exp2_sound(y_true: Any, y_pred: Any) -> Any:
    return y_true * tf.square(2.0 * tf.sinh(0.5 * y_pred))


def expm1(y_true: Any, y_pred: Any) -> Any:
    return y_true * (tf.exp(y_pred) - 1.0)


def expm1_sound(y_true: Any, y_pred: Any) -> Any:
    return y_true * tf.math.expm1(y_pred)


def logarithms_of_factorials(y_true: Any, y_pred: Any) -> Any:
    more = y_pred + 1.0
    return y_true * (more * tf.math.log(more) - y_pred * tf.math.log(y_pred) - 1.0)


def inverse_and_cotangent(y_true: Any, y_pred: Any) -> Any:
    return y_true * (1.0 / y_pred - 1.0 / tf.tan(y_pred))


def quotient_of_logarithms(y_true: Any, y_pred: Any) -> Any:
    return y_true * tf.math.log(1.0 - y_pred) / tf.math.log(1.0 + y_pred)


def quotient_of_logarithms_sound(y_true: Any, y_pred: Any) -> Any:
    return y_true * tf.math.log1p(-y_pred) / tf.math.log1p(y_pred)


def cos2(y_true: Any, y_pred: Any) -> Any:
    return y_true * (1.0 - tf.cos(y_pred)) / tf.square(y_pred)


def expq3(y_true: Any, y_pred: Any, a: Any, b: Any) -> Any:
    above = y_pred * (tf.exp((a + b) * y_pred) - 1.0)
    below = (tf.exp(a * y_pred) - 1.0) * (tf.exp(b * y_pred) - 1.0)
    return y_true * above / below


def logarithm_of_quotient(y_true: Any, y_pred: Any) -> Any:
    return y_true * tf.math.log((1.0 - y_pred) / (1.0 + y_pred))


def logarithm_of_quotient_sound(y_true: Any, y_pred: Any) -> Any:
    return y_true * (tf.math.log1p(-y_pred) - tf.math.log1p(y_pred))


def root_of_exponentials(y_true: Any, y_pred: Any) -> Any:
    return y_true * tf.sqrt((tf.exp(2.0 * y_pred) - 1.0) / (tf.exp(y_pred) - 1.0))


def two_nth_roots(y_true: Any, y_pred: Any, n: Any) -> Any:
    return y_true * ((y_pred + 1.0) ** (1.0 / n) - y_pred ** (1.0 / n))


def two_sines(y_true: Any, y_pred: Any, step: Any) -> Any:
    return y_true * (tf.sin(y_pred + step) - tf.sin(y_pred))


def two_sines_sound(y_true: Any, y_pred: Any, step: Any) -> Any:
    half = 0.5 * step
    return 2.0 * y_true * tf.sin(half) * tf.cos(y_pred + half)


def two_cosines(y_true: Any, y_pred: Any, step: Any) -> Any:
    return y_true * (tf.cos(y_pred + step) - tf.cos(y_pred))


def two_cosines_sound(y_true: Any, y_pred: Any, step: Any) -> Any:
    half = 0.5 * step
    return -2.0 * y_true * tf.sin(half) * tf.sin(y_pred + half)


def two_tangents(y_true: Any, y_pred: Any, step: Any) -> Any:
    return y_true * (tf.tan(y_pred + step) - tf.tan(y_pred))


def two_tangents_sound(y_true: Any, y_pred: Any, step: Any) -> Any:
    return y_true * tf.sin(step) / tf.cos(y_pred) / tf.cos(y_pred + step)


def half_tangent(y_true: Any, y_pred: Any) -> Any:
    return y_true * (1.0 - tf.cos(y_pred)) / tf.sin(y_pred)


def half_tangent_sound(y_true: Any, y_pred: Any) -> Any:
    return y_true * tf.tan(0.5 * y_pred)


def sine_and_tangent(y_true: Any, y_pred: Any) -> Any:
    return y_true * (y_pred - tf.sin(y_pred)) / (y_pred - tf.tan(y_pred))


def two_arcs(y_true: Any, y_pred: Any) -> Any:
    return y_true * (tf.atan(y_pred + 1.0) - tf.atan(y_pred))


def two_arcs_sound(y_true: Any, y_pred: Any) -> Any:
    return y_true * tf.atan2(1.0, 1.0 + y_pred * (y_pred + 1.0))


_ABOVE: Mapping[str, Ends] = {"y_pred": (0.1, 1e3), "a": (1e-3, 1), "c": (-1, 1e-3)}
_BELOW: Mapping[str, Ends] = {**_ABOVE, "y_pred": (-1e3, -0.1)}
_ANGLE: Mapping[str, Ends] = {"y_pred": (-1e4, 1e4), "step": (1e-4, 1)}

# By the names under which Herbie's results list them.
PROBLEMS: dict[str, Problem] = {
    "expax": Problem(expax, {"y_pred": (-1, 1), "a": (-80, 80)}, (33.44, 0.19), 7.95, expax_sound),
    "expq2": Problem(expq2, {"y_pred": (1e-6, 80)}, (45.74, 0.06), 30.13, expq2_sound),
    "quadp": Problem(quadp, _ABOVE, (34.16, 5.38), 21.52),
    "quadm": Problem(quadm, _BELOW, (34.44, 5.50), 21.54),
    "quad2p": Problem(quad2p, _ABOVE, (36.54, 5.97)),
    "quad2m": Problem(quad2m, _BELOW, (37.83, 5.33)),
    "2sqrt": Problem(two_roots, {"y_pred": (1, 1e30)}, (29.90, 0.16), 0.16, two_roots_sound),
    "2isqrt": Problem(
        two_inverse_roots, {"y_pred": (1, 1e20)}, (19.33, 0.39), 0.71, two_inverse_roots_sound
    ),
    "2frac": Problem(
        two_fractions, {"y_pred": (1, 1e15)}, (14.05, 0.01), None, two_fractions_sound
    ),
    "3frac": Problem(
        three_fractions, {"y_pred": (1.5, 1e9)}, (9.50, 0.07), 0.24, three_fractions_sound
    ),
    "2cbrt": Problem(two_cube_roots, {"y_pred": (1, 1e30)}, (29.81, 2.63)),
    "2log": Problem(
        two_logarithms, {"y_pred": (1, 1e30)}, (40.76, 19.49), None, two_logarithms_sound
    ),
    "exp2": Problem(exp2, {"y_pred": (-80, 80)}, (34.00, 0.11), 8.66, exp2_sound),
    "expm1": Problem(expm1, {"y_pred": (-1, 1)}, (59.33, 0.07), 0.06, expm1_sound),
    "logs": Problem(logarithms_of_factorials, {"y_pred": (1e4, 1e20)}, (63.32, 0.27), 60.79),
    "invcot": Problem(inverse_and_cotangent, {"y_pred": (-0.026, 0.026)}, (59.92, 0.33), 0.08),
    "qlog": Problem(
        quotient_of_logarithms,
        {"y_pred": (-0.99, 0.99)},
        (61.40, 0.01),
        0.45,
        quotient_of_logarithms_sound,
    ),
    "cos2": Problem(cos2, {"y_pred": (-3, 3)}, (31.06, 0.27)),
    "expq3": Problem(
        expq3, {"y_pred": (1e-6, 1), "a": (0.1, 40), "b": (0.1, 40)}, (61.98, 0.01), 14.65
    ),
    "logq": Problem(
        logarithm_of_quotient,
        {"y_pred": (-0.99, 0.99)},
        (59.44, 0.09),
        0.07,
        logarithm_of_quotient_sound,
    ),
    "sqrtexp": Problem(root_of_exponentials, {"y_pred": (-40, 40)}, (39.79, 0.01)),
    "2nthrt": Problem(two_nth_roots, {"y_pred": (0.1, 1e6), "n": (2, 100)}, (31.55, 6.77)),
    "2sin": Problem(two_sines, _ANGLE, (36.71, 1.08), 14.90, two_sines_sound),
    "2cos": Problem(two_cosines, _ANGLE, (38.89, 1.26), None, two_cosines_sound),
    "2tan": Problem(two_tangents, _ANGLE, (36.41, 11.16), 24.87, two_tangents_sound),
    "tanhf": Problem(half_tangent, {"y_pred": (-3, 3)}, (30.22, 0.44), 0.0, half_tangent_sound),
    "sintan": Problem(sine_and_tangent, {"y_pred": (-1.5, 1.5)}, (31.28, 0.10)),
    "2atan": Problem(two_arcs, {"y_pred": (-1e6, 1e6)}, (14.54, 0.39), 0.39, two_arcs_sound),
}
