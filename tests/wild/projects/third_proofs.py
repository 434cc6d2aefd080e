"""What the losses of the third set give, what is right, and that the cured ones are cured."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import mpmath
import numpy as np
import tensorflow as tf

from tests.wild.projects import densities, plans
from tests.wild.projects.inputs import Source
from tests.wild.projects.proofs import (
    Pair,
    not_finite,
    raised,
    slope_at,
    tensors,
    value_and_gradient,
    value_at,
)
from tests.wild.projects.truth import Truth

STEP = 2.0**-20


def mended(truth: Truth, dtype: str = "float32") -> tuple[Any, Any]:
    """Run the cured loss at the trigger, traced as Keras does; value and gradient, finite both."""
    fault = truth.fault
    assert fault is not None
    fixed = fault.fixed
    assert fixed is not None

    def run(inputs: dict[str, Any]) -> Any:
        return value_and_gradient(fixed, inputs)

    traced = tf.function(run, autograph=False)
    value, gradient = (np.asarray(each) for each in traced(tensors(fault.trigger, dtype)))
    assert np.isfinite(value).all()
    assert np.isfinite(gradient).all()
    return value, gradient


def _near(found: Any, right: float) -> bool:
    return math.isclose(float(np.ravel(found)[0]), right, rel_tol=1e-5, abs_tol=1e-6)


def _flat(truth: Truth) -> Pair:
    assert math.isnan(slope_at(truth, "float64"))
    mended(truth)
    return slope_at(truth), "finite"


def _margin(truth: Truth) -> Pair:
    assert truth.fault is not None
    scores = truth.fault.trigger["y_pred"]
    own = [max(scores[0][0] - max(scores[0][1:]) + 5.0, 0.0)]
    own.append(max(scores[1][1] - max(scores[1][0], scores[1][2]) + 5.0, 0.0))
    right = sum(own) / 2.0
    assert _near(np.mean(mended(truth)[0]), right)
    return value_at(truth), right


def _clipped(truth: Truth) -> Pair:
    """Beyond the limit a Huber loss has the slope of the limit."""
    case = Source(seed=3).case(truth.arguments, 400, 1, working=False)
    gradient = np.asarray(value_and_gradient(truth.loss, tensors(case))[1])
    assert (gradient == 0.0).all(axis=1).mean() > 0.6, "most of the ordinary range"
    assert _near(mended(truth)[1], -1.0)
    return slope_at(truth), -1.0


def _corner(truth: Truth) -> Pair:
    below = float(np.nextafter(np.float32(1.0), np.float32(0.0)))
    fall = value_at(truth, y_pred=[[below, 0.0, 0.0, 0.0]]) - value_at(truth)
    assert abs(fall - (1.5 - (1.0 - 0.5 / 3.0))) < 1e-6
    assert _near(mended(truth)[0], 1.0 - 0.5 / 9.0)
    return fall, 0.0


def _events(truth: Truth) -> Pair:
    assert float(mended(truth)[0]) == 0.0
    return not_finite(truth)


def _area(truth: Truth) -> Pair:
    assert truth.fault is not None
    gradient = value_and_gradient(truth.loss, tensors(truth.fault.trigger))[1]
    assert np.abs(mended(truth)[1]).min() > 0.0
    return str(gradient), "a number for each vector"


def _activity(truth: Truth) -> Pair:
    least = [[1.0 / (2.0 - 0.2)]]
    assert value_at(truth, "float64", y_pred=least) < value_at(truth, "float64") - 0.5
    assert _near(mended(truth)[0], 0.0)
    return value_at(truth), 0.0


def _warped(truth: Truth) -> Pair:
    """The loss runs, traced as well; its gradient does not, and differences say what it is."""
    assert truth.fault is not None
    assert raised(truth, traced=True) == "nothing"
    try:
        value_and_gradient(truth.loss, tensors(truth.fault.trigger))
        observed = "nothing"
    except Exception as error:
        observed = type(error).__name__
    first, *rest = truth.fault.trigger["y_pred"][0]
    up, down = (_ways(truth, [first + step, *rest]) for step in (STEP, -STEP))
    right = (up - down) / (2.0 * STEP)
    assert _near(value_at(truth), _ways(truth, [first, *rest]))
    assert _near(mended(truth)[1], right)
    return observed, right


def _ways(truth: Truth, series: list[float]) -> float:
    """The soft cost by NumPy and from the definition: over every way, one by one."""
    assert truth.fault is not None
    cost = np.abs(np.subtract.outer(truth.fault.trigger["y_true"][0], series))

    def onward(i: int, j: int) -> list[float]:
        if (i, j) == (plans.LONG - 1, plans.SHORT - 1):
            return [cost[i, j]]
        steps = [(i + 1, j + 1, 0.0), (i + 1, j, plans.WARP), (i, j + 1, plans.WARP)]
        return [
            cost[i, j] + more + rest
            for k, m, more in steps
            if k < plans.LONG and m < plans.SHORT
            for rest in onward(k, m)
        ]

    soft = plans.SOFTNESS
    return float(-soft * np.log(np.sum(np.exp(-np.asarray(onward(0, 0)) / soft))))


def _negative(truth: Truth) -> Pair:
    mended(truth)
    return not_finite(truth)


def _truncated(truth: Truth) -> Pair:
    mean, spread = mpmath.mpf(3), mpmath.mpf(float(np.float32(0.1)))
    density = mpmath.npdf(mpmath.mpf("0.5"), mean, spread)
    kept = mpmath.ncdf(1, mean, spread) - mpmath.ncdf(0, mean, spread)
    right = float(mpmath.log(kept) - mpmath.log(density))
    assert _near(mended(truth)[0], right)
    return value_at(truth), right


def _shades(truth: Truth) -> Pair:
    assert truth.fault is not None
    scale = float(np.float32(-2.3))
    bits = [_shade(float(np.float32(0.6)) - float(np.float32(0.05)), scale), _shade(0.0, scale)]
    case = Source(seed=5).case(truth.arguments, 400, 1, working=False)
    usual = float(np.median(truth.loss(**tensors(case, "float64"))))
    observed, right = value_at(truth), value_at(truth, "float64")
    assert abs(right - float(sum(bits)) / 2.0) < 1e-4
    assert abs(observed - right) > 0.01 * usual
    assert abs(usual - 10.6) < 1.0
    assert _near(mended(truth)[0], right)
    return observed, right


def _shade(centered: float, log_scale: float) -> Any:
    def below(x: Any) -> Any:
        return (
            1 + mpmath.tanh(mpmath.sqrt(2 / mpmath.pi) * (x + mpmath.mpf("0.044715") * x**3))
        ) / 2

    inverse = mpmath.exp(-log_scale)
    ends = [below(inverse * (centered + side * densities.PIXEL)) for side in (1, -1)]
    return -mpmath.log(ends[0] - ends[1], 2)


def _moved(truth: Truth) -> Pair:
    assert truth.fault is not None
    inputs = tensors(truth.fault.trigger)
    value, gradient = value_and_gradient(truth.loss, inputs)
    assert gradient is None
    assert _near(mended(truth)[0], float(value[0]))
    given, wanted = (np.asarray(truth.fault.trigger[n][0]) for n in ("y_pred", "y_true"))
    right = np.abs(np.cumsum(given / given.sum() - wanted / wanted.sum())).sum()
    return raised(truth, traced=True), float(right)


THIRD_PROOFS: Mapping[str, Callable[[Truth], Pair]] = {
    "slope_penalty": _flat,
    "attack_margin": _margin,
    "clipped_difference": _clipped,
    "box_regression": _corner,
    "breslow": _events,
    "occluded_area": _area,
    "sparse_activity": _activity,
    "warped_series": _warped,
    "many_scales": _negative,
    "truncated_normal": _truncated,
    "discretised_normal": _shades,
    "energy_mover": _moved,
}


def _variance_held(truth: Truth, case: Mapping[str, Any]) -> Any:
    error = (case["y_pred"][:, :1] - case["y_true"]).astype(float)
    variance = case["y_pred"][:, 1:].astype(float)
    weight = variance**densities.BETA
    by_variance = 0.5 * (1.0 / variance - np.square(error) / np.square(variance))
    return np.concatenate([weight * error / variance, weight * by_variance], axis=1)


THIRD_HELD: Mapping[str, Callable[[Truth, Mapping[str, Any]], Any]] = {
    "beta_weighted": _variance_held,
}
