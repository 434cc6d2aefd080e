"""Keras' reductions of the losses of rows, as formulas that a weighted loss may follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from losscheck.model import Array

if TYPE_CHECKING:
    from losscheck.evidence.keras.sample_weights import Weighed

TOLERANCE = 1e-4  # relative difference of float32 results that summation order explains

Formula = Callable[[Array, Array], float]  # weights (B,), losses of rows (B,)


def _divided(by: Callable[[Array], float]) -> Formula:
    def formula(weights: Array, rows: Array) -> float:
        below = by(weights)
        return float(weights @ rows) / below if below else np.nan

    return formula


FORMULAS: Mapping[str, Formula] = {
    "sum": _divided(lambda w: 1.0),
    "sum_over_batch_size": _divided(lambda w: float(len(w))),
    "mean_with_sample_weight": _divided(lambda w: float(w.sum())),
    # Of TensorFlow 1, SUM_BY_NONZERO_WEIGHTS: a weight of 0 drops the sample.
    "sum_by_nonzero_weights": _divided(lambda w: float((w != 0).sum())),
    # One value a sample, divided by the sum of the weights and yet to be added up.
    "shares": _divided(lambda w: float(w.sum() * len(w))),
}


def matching(cases: Sequence[Weighed], *, part: bool = False) -> tuple[str, ...]:
    """Name the formulas that fit every case; those of Keras are held to the one it was asked for.

    Parameters
    ----------
    part
        Take the loss for one with a part that is not weighted: the loss at weights of 0.
    """
    found = []
    for name, formula in FORMULAS.items():
        if all(_fits(case, name, formula, part) for case in cases):
            found.append(name)
    if any(case.reduction for case in cases):  # Keras was asked for each: all of them must fit
        asked = (FORMULAS[case.reduction] for case in cases)
        right = all(
            _fits(case, case.reduction, formula, part)
            for case, formula in zip(cases, asked, strict=True)
        )
        return tuple({case.reduction: None for case in cases}) if right else ()
    return tuple(found)


def _fits(case: Weighed, name: str, formula: Formula, part: bool) -> bool:
    if case.value is None:
        return False
    rest, rows = 0.0, case.rows
    if part:
        if not np.isfinite(case.empty).all():
            return False
        rows = case.rows - case.empty
        if not (np.abs(rows) > TOLERANCE * np.abs(case.rows)).any():
            return False  # nothing is weighted
        rest = float(case.empty.sum() if name == "sum" else case.empty.mean())
    right = rest + formula(case.weights, rows)
    if not (np.isfinite(right) and np.isfinite(case.value)):
        return True  # weights that divide by zero: rules of NaN look at that
    scale = abs(rest) + abs(formula(case.weights, np.abs(rows)))
    return near(case.value, right, scale)


def near(value: float, right: float, scale: float) -> bool:
    """Say whether two losses are the same but for rounding."""
    return abs(value - right) <= TOLERANCE * max(scale, 1e-30)
