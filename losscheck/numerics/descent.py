"""Driving gaps to zero: many short searches side by side.

Every row is a search of its own: a point, and a gap that is to vanish. Newton's step along the
slope of the gap, cut to the box and halved where it does not come nearer, lands on a simple root
within a few steps and halves the distance to a double one each time. Where slopes mislead it (flat
parts, minima that are not zero), scipy's L-BFGS-B takes all rows together, each started elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs
import numpy as np

from losscheck.model import Array

STEPS: Final = 24
"""Newton steps: a double root of an ordinary number is then known to float32's 24 bits."""
HALVINGS: Final = 3
"""How far a step is cut in a row (to an eighth) before its row rests."""
ITERATIONS: Final = 12
"""Of L-BFGS-B, a little over its memory of ten steps."""

Gap = Callable[[Array, Array], tuple[Array, Array]]
"""gap(rows (M,) int, points (M, n)) -> (M,) signed gaps and (M, n) slopes."""


@attrs.frozen(eq=False)
class Descent:
    """Where the rows ended."""

    points: Array  # (K, n) float64, the nearest point of each row
    gaps: Array  # (K,) float64 its gap there; infinite where it is no number


def newton(gap: Gap, start: Array, low: Array, high: Array, one_sided: Array) -> Descent:
    """Take damped Newton steps.

    Parameters
    ----------
    start
        (K, n) float64.
    low, high
        (K, n) the box.
    one_sided
        (K,) bool: a gap of 0 or below is the aim, not 0 alone.

    Returns
    -------
    Descent

    Examples
    --------
    >>> square = lambda rows, x: ((x**2 - 2.0)[:, 0], 2.0 * x)
    >>> one = np.ones((1, 1))
    >>> round(float(newton(square, one, one, 2.0 * one, np.zeros(1, bool)).points[0, 0]), 12)
    1.414213562373
    """
    rows = np.arange(len(start))
    best = start.astype(np.float64)
    gaps, slopes = gap(rows, best)
    share = np.ones(len(start))
    for _ in range(STEPS):
        size = (slopes**2).sum(axis=1)
        aim = np.isfinite(gaps) & np.isfinite(size) & (size > 0) & (share > 0.5**HALVINGS)
        aim &= ~_reached(gaps, one_sided)
        active = np.flatnonzero(aim)
        if not len(active):
            break
        step = (share * gaps)[active, None] * slopes[active] / size[active, None]
        tried = np.clip(best[active] - step, low[active], high[active])
        found, turned = gap(active, tried)
        nearer = _distance(found, one_sided[active]) < _distance(gaps[active], one_sided[active])
        kept = active[nearer]
        best[kept], gaps[kept], slopes[kept] = tried[nearer], found[nearer], turned[nearer]
        share[kept], share[active[~nearer]] = 1.0, share[active[~nearer]] / 2
    return Descent(best, np.where(np.isfinite(gaps), gaps, np.inf))


def bounded(gap: Gap, start: Array, low: Array, high: Array, one_sided: Array) -> Descent:
    """Minimise the squared gaps of all rows with L-BFGS-B, and take Newton's steps from there.

    Each row counts in units of where it began, so that none outweighs the others.

    Parameters
    ----------
    start, low, high, one_sided
        As in `newton`.
    """
    from scipy.optimize import minimize

    shape = start.shape
    rows = np.arange(len(start))
    best, near = start.copy(), np.full(len(start), np.inf)
    unit = np.abs(gap(rows, start)[0])
    unit = np.where(np.isfinite(unit) & (unit > 0), unit, 1.0)

    def objective(flat: Array) -> tuple[float, Array]:
        points = flat.reshape(shape)
        gaps, slopes = gap(rows, points)
        away = _distance(gaps, one_sided)
        nearer = away < near
        best[nearer], near[nearer] = points[nearer], away[nearer]
        # A row without numbers neither pulls nor stops the others.
        sound = np.isfinite(away) & np.isfinite(slopes).all(axis=1)
        scaled = np.where(sound, away / unit, 0.0)
        pull = np.where(sound, 2.0 * scaled * np.sign(gaps) / unit, 0.0)
        with np.errstate(invalid="ignore"):
            downhill = np.where(sound[:, None], pull[:, None] * slopes, 0.0)
        return float((scaled**2).sum()), downhill.ravel()

    with np.errstate(over="ignore", invalid="ignore"):
        minimize(
            objective,
            start.ravel(),
            jac=True,
            method="L-BFGS-B",
            bounds=np.stack([low.ravel(), high.ravel()], axis=1),
            options={"maxiter": ITERATIONS},
        )
        return newton(gap, best, low, high, one_sided)  # which knows the place to the last bit


def _reached(gaps: Array, one_sided: Array) -> Array:
    return np.where(one_sided, gaps <= 0.0, gaps == 0.0)


def _distance(gaps: Array, one_sided: Array) -> Array:
    """(M,) how far a gap is from its aim; infinite where it is no number."""
    away = np.where(one_sided, np.maximum(gaps, 0.0), np.abs(gaps))
    return np.where(np.isnan(gaps), np.inf, away)
