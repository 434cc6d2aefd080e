"""What each faulty loss gives at its trigger and what is right, found by plain TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import mpmath
import numpy as np
import tensorflow as tf

from tests.wild.projects import detection, embedding, likelihood
from tests.wild.projects.truth import Truth

Pair = tuple[float | str, float | str]  # observed, expected
DIGITS = 60  # of mpmath


def tensors(inputs: Mapping[str, Any], dtype: str = "float32") -> dict[str, Any]:
    """Round to float32 first, so that another dtype is given the same numbers."""
    return {
        name: tf.constant(np.asarray(value, "float32").astype(dtype))
        for name, value in inputs.items()
    }


def value_and_gradient(loss: Callable[..., Any], inputs: Mapping[str, Any]) -> tuple[Any, Any]:
    """Run a loss eagerly, and differentiate the sum of what it gives by the prediction."""
    with tf.GradientTape() as tape:
        tape.watch(inputs["y_pred"])
        value = loss(**inputs)
    return value, tape.gradient(value, inputs["y_pred"])


def value_at(truth: Truth, dtype: str = "float32", **changed: Any) -> float:
    """Give the first loss at the trigger, some arguments changed."""
    assert truth.fault is not None
    value = truth.loss(**tensors({**truth.fault.trigger, **changed}, dtype))
    return float(np.ravel(value)[0])


def slope_at(truth: Truth, dtype: str = "float32", **changed: Any) -> float:
    """Give the first entry of the gradient at the trigger."""
    assert truth.fault is not None
    inputs = tensors({**truth.fault.trigger, **changed}, dtype)
    return float(np.ravel(value_and_gradient(truth.loss, inputs)[1])[0])


def not_finite(truth: Truth) -> Pair:
    """A quotient or a logarithm of 0 in any precision: no truth exists."""
    assert not math.isfinite(value_at(truth, "float64"))
    return value_at(truth), "finite"


def _companding(truth: Truth) -> Pair:
    def companded(x: Any) -> Any:
        return mpmath.sign(x) * mpmath.log1p(255 * abs(x)) / mpmath.log1p(255)

    def error(x: Any) -> Any:
        return (companded(mpmath.mpf("0.5")) - companded(x)) ** 2

    left, right = (mpmath.diff(error, 0, direction=side) for side in (-1, 1))
    assert abs(left - right) < 1e-6 * abs(right)
    return slope_at(truth), float(right)


def _weights(truth: Truth) -> Pair:
    each = [math.log1p(math.exp(1.0)), math.log1p(math.exp(2.0))]
    total, weights = each[0] + 3.0 * each[1], 4.0
    observed = value_at(truth)
    assert all(abs(observed - right) > 0.1 for right in (total, total / 2.0, total / weights))
    return observed, total / 2.0


def _batch(truth: Truth) -> Pair:
    assert truth.fault is not None
    sample = {name: np.asarray(value)[:1] for name, value in truth.fault.trigger.items()}
    alone = truth.loss(**tensors(sample))
    assert alone.shape == (detection.BATCH_SIZE,)
    fours = {name: np.repeat(value, detection.BATCH_SIZE, 0) for name, value in sample.items()}
    return raised(truth), float(truth.loss(**tensors(fours))[0])


def raised(truth: Truth, *, traced: bool = False) -> str:
    """Name what a call at the trigger raises."""
    assert truth.fault is not None
    call = tf.function(truth.loss, autograph=False) if traced else truth.loss
    try:
        call(**tensors(truth.fault.trigger))
    except Exception as error:
        return type(error).__name__
    return "nothing"


def _direction(truth: Truth) -> Pair:
    kappa = mpmath.mpf(100)
    right = mpmath.log(mpmath.sinh(kappa)) - mpmath.log(kappa) + mpmath.log(4 * mpmath.pi) - kappa
    return value_at(truth), float(right)


def _score(truth: Truth) -> Pair:
    far, near = (value_at(truth, y_pred=[[0.5 + off, 0.25]]) for off in (0.4, 0.1))
    assert far < near, "it rises towards the label"
    return not_finite(truth)


def _histogram(truth: Truth) -> Pair:
    assert truth.fault is not None
    gradient = value_and_gradient(truth.loss, tensors(truth.fault.trigger))[1]
    return str(gradient), "a number for each pixel"


def _policy(truth: Truth) -> Pair:
    def term(u: int) -> Any:
        normal = -(mpmath.mpf(u) ** 2 + mpmath.log(2 * mpmath.pi)) / 2
        return normal - mpmath.log(1 - mpmath.tanh(u) ** 2)

    return value_at(truth), float(mpmath.mpf("0.2") * (term(10) + term(0)))


def _angle(truth: Truth) -> Pair:
    assert truth.fault is not None
    at = np.float32(truth.fault.trigger["y_pred"][0][0])
    beside = float(np.nextafter(at, np.float32(1.0)))
    fall = value_at(truth) - value_at(truth, y_pred=[[beside, 0.0, 0.0]])
    margin = embedding.MARGIN
    gap = math.cos(math.pi) - (math.cos(math.pi - margin) - margin * math.sin(margin))
    assert abs(fall - embedding.SCALE * gap) < 0.01
    return fall, 0.0


def _ball(truth: Truth) -> Pair:
    assert math.isnan(slope_at(truth, y_pred=[[0.3, 0.2]])), "equal points"
    label = [mpmath.mpf(float(np.float32(x))) for x in (0.3, 0.2)]
    at = mpmath.mpf(float(np.float32(0.3001)))

    def distance(x: Any) -> Any:
        apart = (x - label[0]) ** 2
        inside = 1 - label[0] ** 2 - label[1] ** 2
        within = 1 - x**2 - label[1] ** 2
        return 2 * mpmath.asinh(mpmath.sqrt(apart / (inside * within)))

    return slope_at(truth), float(mpmath.diff(distance, at))


def _loop(truth: Truth) -> Pair:
    return raised(truth, traced=True), value_at(truth)


def _weibull(truth: Truth) -> Pair:
    before, after = (mpmath.mpf(20) + mpmath.mpf("1e-7")) ** 3, mpmath.mpf(21) ** 3
    right = after - mpmath.log(mpmath.exp(after - before) - 1 + mpmath.mpf("1e-7"))
    return value_at(truth), float(right)


def _mass(truth: Truth) -> Pair:
    assert abs(slope_at(truth)) < 1e-6
    assert abs(slope_at(truth, "float64")) > 0.4
    rng = np.random.default_rng(0)
    ordinary = {
        "y_true": rng.integers(0, 3, 500),
        "y_pred": rng.uniform(-10.0, 10.0, (500, 3)),
        "event": rng.integers(0, 2, 500),
    }
    scale = float(np.median(truth.loss(**tensors(ordinary, "float64"))))
    observed, expected = value_at(truth), value_at(truth, "float64")
    assert abs(observed - expected) > 0.05 * scale
    return observed, expected


def _counts(truth: Truth) -> Pair:
    size, mean, count = mpmath.mpf(likelihood.DISPERSION), 2, 3
    ways = mpmath.gamma(count + size) / (mpmath.gamma(size) * mpmath.factorial(count))
    chance = ways * (size / (size + mean)) ** size * (mean / (size + mean)) ** count
    return raised(truth), float(-mpmath.log(chance))


def _evidence(truth: Truth) -> Pair:
    def softplus(x: int) -> Any:
        return mpmath.log1p(mpmath.exp(x))

    nu, alpha, beta = softplus(-200), softplus(1) + 1, softplus(1)
    omega = 2 * beta * (1 + nu)
    right = mpmath.log(mpmath.pi / nu) / 2 - alpha * mpmath.log(omega)
    right += (alpha + 0.5) * mpmath.log(nu + omega)
    right += mpmath.loggamma(alpha) - mpmath.loggamma(alpha + 0.5)
    return value_at(truth), float(right)


def _perfect(truth: Truth) -> Pair:
    alone = [value_at(truth, y_true=[[y]], y_pred=[[y] * 3]) for y in (1.0, 5.0)]
    assert alone == [0.0, 0.0]
    return value_at(truth), 0.0


def _floored(truth: Truth) -> Pair:
    guesses = np.linspace(-3.0, 3.0, 100)[:, np.newaxis]
    inputs = tensors({"y_true": np.full((100, 1), 2.0), "y_pred": guesses})
    dead = np.asarray(value_and_gradient(truth.loss, inputs)[1]) == 0.0
    assert dead.mean() == 0.5
    return slope_at(truth), "below 0"


def _reverse(truth: Truth) -> Pair:
    assert value_at(truth) == 0.0
    beside = [value_at(truth, "float64", y_pred=[[1.0 + step, 2.0]]) for step in (-1e-3, 1e-3)]
    assert min(beside) > 0.0, "the least loss is that of a perfect match"
    return slope_at(truth), 0.0


def _robust(truth: Truth) -> Pair:
    assert math.isnan(value_at(truth, alpha=[[0.0]]))
    near = value_at(truth, "float64", alpha=[[2.0 - 2.0**-20]])
    assert abs(near - 0.5) < 1e-4, "the limit"
    return value_at(truth), 0.5


PROOFS: Mapping[str, Callable[[Truth], Pair]] = {
    "scale_invariant_distortion": not_finite,
    "companded_error": _companding,
    "weights_on_the_logits": _weights,
    "cells_of_a_fixed_batch": _batch,
    "direction": _direction,
    "signal_to_noise": _score,
    "tone_histogram": _histogram,
    "squashed_policy": _policy,
    "additive_angle": _angle,
    "ball_distance": _ball,
    "cut_and_balance": not_finite,
    "sample_by_sample": _loop,
    "discrete_weibull": _weibull,
    "mass_of_intervals": _mass,
    "counts_from_rate": _counts,
    "evidence_of_normal": _evidence,
    "several_quantiles": _perfect,
    "log_error_of_floored": _floored,
    "reverse_huber": _reverse,
    "general_robust": _robust,
}
