"""Compute every truth again by plain TensorFlow, NumPy and mpmath; nothing here is losscheck's.

`python -m tests.wild.projects.verify` lists them all and what was found of each.
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import tensorflow as tf

from tests.wild.projects.faulty_calls import FAULTY_CALLS
from tests.wild.projects.faulty_numbers import FAULTY_NUMBERS
from tests.wild.projects.fifth import FIFTH, FIFTH_PROOFS
from tests.wild.projects.fourth import FOURTH
from tests.wild.projects.fourth_proofs import FOURTH_PROOFS
from tests.wild.projects.further_faulty import FURTHER_FAULTY
from tests.wild.projects.further_proofs import FURTHER_PROOFS, HELD
from tests.wild.projects.further_sound import FURTHER_SOUND
from tests.wild.projects.inputs import Source
from tests.wild.projects.proofs import DIGITS, PROOFS, tensors, value_and_gradient
from tests.wild.projects.seventh import SEVENTH
from tests.wild.projects.seventh_proofs import SEVENTH_PROOFS
from tests.wild.projects.sixth import SIXTH
from tests.wild.projects.sixth_proofs import SIXTH_HELD, SIXTH_PROOFS
from tests.wild.projects.sound import SOUND
from tests.wild.projects.third_faulty import THIRD_FAULTY
from tests.wild.projects.third_proofs import THIRD_HELD, THIRD_PROOFS
from tests.wild.projects.third_sound import THIRD_SOUND
from tests.wild.projects.truth import Truth

FIRST = (*SOUND, *FAULTY_CALLS, *FAULTY_NUMBERS)
FURTHER = (*FURTHER_SOUND, *FURTHER_FAULTY)
THIRD = (*THIRD_SOUND, *THIRD_FAULTY)
TRUTHS = (*FIRST, *FURTHER, *THIRD, *FOURTH, *FIFTH, *SIXTH, *SEVENTH)
EVERY_PROOF = {
    **PROOFS,
    **FURTHER_PROOFS,
    **THIRD_PROOFS,
    **FOURTH_PROOFS,
    **FIFTH_PROOFS,
    **SIXTH_PROOFS,
    **SEVENTH_PROOFS,
}
EVERY_HELD = {**HELD, **THIRD_HELD, **SIXTH_HELD}
SIZES = ((3, 4), (1, 4), (3, 1))  # of the batch and of every other letter; XLA runs the first
ORDINARY_CASES, WORKING_CASES = 10, 40  # of each size
DIFFERENCED = 3  # of those, the cases whose gradient is held against differences
CLOSE = 1e-3  # of the number, or of the ordinary scale: a tenth of what would be an error
STEP = 2.0**-20  # of central differences in float64, about the cube root of its rounding
IN_FLOAT32 = {"skill_of_fractions", "depth_and_edges", "letters_in_a_row"}  # whatever is given
SMOOTH = 1e-4  # of a gradient, relative where it is above 1: the step squared and the rounding


def verify_fault(truth: Truth) -> str:
    """Show a fault by its counterexample; gives what was observed and what is right."""
    fault = truth.fault
    assert fault is not None
    source = inspect.getsource(sys.modules[truth.loss.__module__])
    assert source.count(fault.line) == 1, "the line to blame"
    assert set(fault.trigger) == set(truth.arguments) == set(_parameters(truth))
    with mpmath.workdps(DIGITS):
        observed, expected = EVERY_PROOF[truth.name](truth)
    assert _same(observed, fault.observed), (observed, fault.observed)
    assert _same(expected, fault.expected), (expected, fault.expected)
    return f"{observed} where {expected} is right"


def _formula(truth: Truth) -> Callable[..., Any]:
    """The function, or of a Loss what it does before it rounds to float32 and takes the mean."""
    return getattr(truth.loss, "call", truth.loss)


def _parameters(truth: Truth) -> list[str]:
    return list(inspect.signature(_formula(truth)).parameters)


def _same(found: float | str, stated: float | str) -> bool:
    if isinstance(found, str) or isinstance(stated, str):
        return found == stated
    return (math.isnan(found) and math.isnan(stated)) or math.isclose(found, stated, abs_tol=1e-6)


class Runs:
    """A sound loss traced with its gradient, as Keras does: the batch unknown, no AutoGraph."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self.graphs: dict[tuple[Any, ...], Any] = {}

    def __call__(self, case: dict[str, Any], dtype: str = "float32", jit: bool = False) -> Any:
        """Give the value and the gradient, as float64 arrays."""
        inputs = tensors(case, dtype)
        shapes = {name: (None, *value.shape[1:]) for name, value in inputs.items()}
        key = (dtype, jit, *shapes.values())
        if key not in self.graphs:
            signature = {n: tf.TensorSpec(shape, dtype) for n, shape in shapes.items()}
            traced = tf.function(self._run, autograph=False, jit_compile=jit)
            self.graphs[key] = traced.get_concrete_function(signature)
        value, gradient = self.graphs[key](inputs)
        return np.asarray(value, float), np.asarray(gradient, float)

    def _run(self, inputs: dict[str, Any]) -> Any:
        return value_and_gradient(_formula(self.truth), inputs)


def verify_sound(truth: Truth) -> str:
    """Look for a fault and find none; gives the largest relative errors."""
    assert set(truth.arguments) == set(_parameters(truth))
    runs, source = Runs(truth), Source(seed=7)
    worst = [0.0, 0.0]
    letters = {letter for each in truth.arguments.values() for letter in each["shape"]}
    lettered = any(letter.isalpha() for letter in letters - {"B"})
    for batch, wide in SIZES if lettered else SIZES[:2]:
        usual = [source.case(truth.arguments, batch, wide, False) for _ in range(ORDINARY_CASES)]
        jit = (batch, wide) == SIZES[0] and "LC506" not in truth.beside
        worst = np.maximum(worst, _ordinary(truth, runs, usual, jit)).tolist()
        for _ in range(WORKING_CASES):
            case = source.case(truth.arguments, batch, wide, True)
            _finite(runs(case), case)
            if jit:
                _finite(runs(case, jit=True), case)
    assert max(worst) < CLOSE, worst
    return f"value right to {worst[0]:.0e}, gradient to {worst[1]:.0e}"


def _finite(found: Any, case: dict[str, Any]) -> None:
    assert all(np.isfinite(numbers).all() for numbers in found), (found, case)


def _ordinary(truth: Truth, runs: Runs, cases: list[dict[str, Any]], jit: bool) -> list[float]:
    """Compare float32, XLA and differences with float64; the largest relative errors."""
    exact = [runs(case, "float64") for case in cases]
    scales = [_scale([found[part] for found in exact]) for part in (0, 1)]
    worst = [0.0, 0.0]
    for i, (case, right) in enumerate(zip(cases, exact, strict=True)):
        found = [runs(case), runs(case, jit=True)] if jit else [runs(case)]
        for part, scale in enumerate(scales):
            size = max(scale, np.abs(right[part]).max())
            errors = [np.abs(each[part] - right[part]).max() / size for each in found]
            worst[part] = max(worst[part], *errors)
        assert right[0].shape in ((), case["y_pred"].shape[:1]), right[0].shape
        if i < DIFFERENCED:
            _slopes(truth, case, right)
    return worst


def _scale(numbers: list[Any]) -> float:
    sizes = np.abs(np.concatenate([np.ravel(each) for each in numbers]))
    return float(np.median(sizes[sizes > 0.0])) if sizes.any() else 1.0


def _slopes(truth: Truth, case: dict[str, Any], right: Any) -> None:
    """Hold the gradient against central differences at a few entries of the prediction."""
    gradient = right[1]
    if truth.name in EVERY_HELD:  # its gradient is not the derivative, on purpose
        close = 1e-7 if truth.name in IN_FLOAT32 else 1e-9
        assert np.allclose(gradient, EVERY_HELD[truth.name](truth, case), atol=close)
        return
    guess = case["y_pred"].astype(float)
    step = 2.0**-9 if truth.name in IN_FLOAT32 else STEP
    for place in np.random.default_rng(1).integers(guess.size, size=2):
        moved = [guess.copy(), guess.copy()]
        moved[0].flat[place] += step
        moved[1].flat[place] -= step
        inputs = tensors(case, "float64")
        up, down = (
            float(np.sum(_formula(truth)(**{**inputs, "y_pred": tf.constant(each)})))
            for each in moved
        )
        slope, found = (up - down) / (2.0 * step), gradient.flat[place]
        close = CLOSE if truth.name in IN_FLOAT32 else SMOOTH
        assert abs(slope - found) < close * max(1.0, abs(found)), (slope, found, case)


def verify(truth: Truth) -> str:
    """Compute the truth of one loss again."""
    return verify_fault(truth) if truth.faulty else verify_sound(truth)


if __name__ == "__main__":
    for each in TRUTHS:
        print(f"{each.module + '.' + each.name:36}{'faulty' if each.faulty else 'sound':8}", end="")
        print(verify(each))
