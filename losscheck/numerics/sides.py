"""One side of a point: its difference quotients, their limit, and how they grow without one."""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np

from losscheck.model import Array
from losscheck.numerics import DIVERGING
from losscheck.numerics.extrapolation import NOISE_MARGIN, RATIO, Limit, limit
from losscheck.numerics.noise import EPSILON, MEASURED_MARGIN, ROUNDING, scatter, still

GROWTH_STEPS: Final = 3
"""Ratios of neighbouring increments that must be seen before an exponent is read off them."""

REGULAR: Final = 0.25
"""Spread of the exponents read off them, above which they follow no power: the halves that tell a
root from a smooth function and from a jump are twice as far apart."""

ARGUMENT: Final = 2 * EPSILON
"""How far x may be out, over |x|: where a float64 stands for pi, sin(x) is 1e-16, not 0, which next
to a kink at pi looks like a step."""


@attrs.frozen(eq=False)
class Side:
    """What one side of K points says.

    Parameters
    ----------
    quotient, spread
        (15, K) float64, the difference quotients, coarsest step first, and bounds on their noise.
    derivative
        The one-sided derivative.
    step
        f beside the point less f at it; not known where neither side grows without limit.
    growth
        (K,) float64, as in `Derivatives`.
    rough
        (K,) bool, from `losscheck.numerics.noise.unresolved`.
    """

    quotient: Array
    spread: Array
    derivative: Limit
    step: Limit
    growth: Array
    rough: Array

    def halves(self) -> tuple[Side, Side]:
        """Cut 2K points into the first K and the others."""
        quotients, spreads = np.split(self.quotient, 2, axis=1), np.split(self.spread, 2, axis=1)
        derivatives, steps = self.derivative.split(2), self.step.split(2)
        growths, roughs = np.split(self.growth, 2), np.split(self.rough, 2)
        first, second = (
            Side(quotients[i], spreads[i], derivatives[i], steps[i], growths[i], roughs[i])
            for i in range(2)
        )
        return first, second

    def window(self, rungs: slice) -> tuple[Array, Array]:
        """Give the quotients of some rungs, and their noise."""
        return self.quotient[rungs], self.spread[rungs]


def noise_level(
    fine: Array, change: Array, other_change: Array, x: Array, steps: Array, magnitude: Array
) -> Array:
    """Estimate the noise of f on one side, rounding of the result apart.

    Parameters
    ----------
    fine, change, other_change, magnitude
        As for `losscheck.numerics.noise.still`.
    x
        (K,) float64, the points.
    steps
        (15, K) float64, the realised steps on that side.

    Returns
    -------
    Array
        (K,) float64: the largest of the noise measured, the noise of what is swallowed, and what a
        displacement of x by `ARGUMENT` changes.
    """
    slope = np.abs(fine[-1] - fine[0]) / np.ptp(steps[-2:], axis=0)
    measured = np.fmax(MEASURED_MARGIN * scatter(fine), ARGUMENT * np.abs(x) * slope)
    return np.asarray(np.fmax(measured, still(change, fine, other_change, magnitude)))


def sides(
    values: Array, centre: Array, step: Array, level: Array, rough: Array
) -> tuple[Side, Side]:
    """Differentiate K points on both sides, the left ones in front of the right ones.

    Parameters
    ----------
    values
        (15, 2K) float64, f at the rungs.
    centre
        (2K,) float64, f at the points.
    step
        (15, 2K) float64, the realised steps with their sign.
    level
        (2K,) float64, from `noise_level`.
    rough
        (2K,) bool, from `losscheck.numerics.noise.unresolved`.

    Returns
    -------
    tuple
        Left and right, with an infinite error of the derivative where the quotients grow without
        limit, and where the steps are too wide for the function.
    """
    change = values - centre
    # Both values of the quotient carry the noise.
    noise = 2 * np.fmax(ROUNDING * np.fmax(np.abs(values), np.abs(centre)), level)
    spread = noise / np.abs(step)
    quotient = change / step
    growth = _growth(quotient, spread)
    derivative = limit(quotient, spread, RATIO)
    error = np.where((growth >= DIVERGING) | rough, np.inf, derivative.error)
    both = Side(
        quotient=quotient,
        spread=spread,
        derivative=Limit(derivative.value, error),
        step=_steps(change, noise, growth),
        growth=growth,
        rough=rough,
    )
    return both.halves()


def _steps(change: Array, noise: Array, growth: Array) -> Limit:
    """Find the steps of the few points that have some: their tables cost as much as the slopes'."""
    near = np.flatnonzero(np.tile(np.fmax(*np.split(growth, 2)) >= DIVERGING, 2))
    steps = Limit(np.full(len(growth), np.nan), np.full(len(growth), np.inf))
    if near.size:
        found = limit(change[:, near], noise[:, near], RATIO)
        steps.value[near], steps.error[near] = found.value, found.error
    return steps


def _growth(quotient: Array, spread: Array) -> Array:
    """Read the exponent of a quotient's increments off the finest rungs that stand out of noise."""
    increment = np.abs(np.diff(quotient, axis=0))
    noise = NOISE_MARGIN * (spread[1:] + spread[:-1])
    clear = np.isfinite(increment) & (increment > noise)
    last = len(clear) - 1 - np.argmax(clear[::-1], axis=0)
    rows = last - np.arange(GROWTH_STEPS, -1, -1)[:, None]
    inside = clear.any(axis=0) & (rows[0] >= 0)
    rows = np.maximum(rows, 0)
    inside &= np.take_along_axis(clear, rows, axis=0).all(axis=0)
    seen = np.where(inside, np.take_along_axis(increment, rows, axis=0), 1.0)
    exponents = np.diff(np.log(seen), axis=0) / np.log(RATIO)
    inside &= np.ptp(exponents, axis=0) <= REGULAR
    exponent = exponents.mean(axis=0)
    # Growth that stops above the noise belongs to something between the rungs, not to the point.
    following = np.minimum(last + 1, len(clear) - 1)
    expected = seen[-1] * RATIO**exponent
    further = np.take_along_axis(noise, following[None], axis=0)[0]
    ends = (following == last) | ~(further < expected)
    return np.where(inside & ends, exponent, -np.inf)
