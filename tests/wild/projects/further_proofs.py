"""What the further losses give and what is right, found by NumPy, mpmath and plain TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import mpmath
import numpy as np

from tests.wild.projects import representation
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


def _strokes(truth: Truth) -> Pair:
    rho = mpmath.tanh(10)
    rest = 1 - rho**2
    z = (1 - rho) / 2
    density = mpmath.exp(-z / (2 * rest)) / (2 * mpmath.pi * mpmath.sqrt(rest))
    return value_at(truth), float(-mpmath.log(density))


def _event(truth: Truth) -> Pair:
    past = mpmath.mpf("0.5")
    near = value_at(truth, "float64", y_pred=[[0.5, 2.0**-20]])
    right = float(mpmath.exp(past) - past)
    assert abs(near - right) < 1e-4, "the limit"
    return value_at(truth), right


def _match(truth: Truth) -> Pair:
    assert truth.fault is not None
    box = np.asarray(truth.fault.trigger["y_pred"])
    beside = [value_at(truth, y_pred=box + off) for off in (0.01, 0.001)]
    assert beside[0] > beside[1] > 0.0, "it falls towards 0"
    return value_at(truth), 0.0


def _least(truth: Truth) -> Pair:
    """The gradient at a perfect match, whose loss is 0 and no other's is less."""
    assert truth.fault is not None
    assert value_at(truth) == 0.0
    at = np.asarray(truth.fault.trigger["y_pred"], float)
    for place in range(at.size):
        for step in (-1e-3, 1e-3):
            moved = at.copy()
            moved.flat[place] += step
            assert value_at(truth, "float64", y_pred=moved) >= 0.0
    return slope_at(truth), 0.0


def _colour(truth: Truth) -> Pair:
    assert math.isnan(slope_at(truth, "float64"))
    black, beside = (value_at(truth, "float64", y_pred=np.full((1, 4, 4, 3), x)) for x in (0, STEP))
    assert 0.0 < (black - beside) / STEP < 100.0, "it falls by no more than 12.92 times the sums"
    return slope_at(truth), "finite"


def _agreement(truth: Truth) -> Pair:
    certain = value_at(truth, y_pred=[[1.0, 0.0]])
    assert certain < value_at(truth), "the student that is certain of a class is better off"
    return value_at(truth), 0.0


def _information(truth: Truth) -> Pair:
    assert truth.fault is not None
    kernels = []
    for name in ("y_true", "y_pred"):
        points = np.asarray(truth.fault.trigger[name])
        apart = np.square(points[:, None] - points[None]).sum(axis=-1)
        kernels.append(np.exp(-apart / 2.0) / len(points))
    kernels.append(kernels[0] * kernels[1] * len(kernels[0]))
    order = representation.ORDER
    sizes = [np.linalg.eigvalsh(kernel) for kernel in kernels]
    each = [np.log2(np.sum(np.abs(size) ** order)) / (1.0 - order) for size in sizes]
    return raised(truth), float(each[0] + each[1] - each[2])


FURTHER_PROOFS: Mapping[str, Callable[[Truth], Pair]] = {
    "pen_strokes": _strokes,
    "banded_warping": not_finite,
    "next_event": _event,
    "complete_iou": _match,
    "depth_up_to_scale": _least,
    "rotation_angle": _least,
    "gamma_corrected": _colour,
    "agreement_by_probabilities": _agreement,
    "redundancy": not_finite,
    "shared_information": _information,
}


def _returns(truth: Truth, case: Mapping[str, Any]) -> Any:
    """Half the squared error is the value, so that the error is the gradient."""
    value, gradient = value_and_gradient(truth.loss, tensors(case, "float64"))
    assert np.allclose(value, 0.5 * np.square(gradient).sum(axis=1))
    return np.asarray(gradient)


def _code(truth: Truth, case: Mapping[str, Any]) -> Any:
    label, guess = (case[name].astype(float) for name in ("y_true", "y_pred"))
    codes = np.asarray(representation.CODES)
    nearest = codes[np.square(guess[:, None] - codes).sum(axis=-1).argmin(axis=-1)]
    return nearest - label + representation.COMMITMENT * (guess - nearest)


def _frequencies(truth: Truth, case: Mapping[str, Any]) -> Any:
    error = np.fft.fft2(case["y_pred"].astype(float) - case["y_true"])
    weight = np.abs(error) / np.abs(error).max(axis=(1, 2), keepdims=True)
    # The derivative of a mean of weighted squares: twice the inverse transform of the rest.
    return 2.0 * np.fft.ifft2(weight * error).real


HELD: Mapping[str, Callable[[Truth, Mapping[str, Any]], Any]] = {
    "corrected_returns": _returns,
    "nearest_code": _code,
    "hard_frequencies": _frequencies,
}
