"""One side of a point: its difference quotients, their limit with an error, and how they grow.

A difference quotient at step h is the derivative plus a series in h (one-sided) or in h² (central).
Richardson's extrapolation removes the terms of the series one by one; C. J. F. Ridders (Accurate
computation of F'(x) and F'(x) F''(x), Advances in Engineering Software 4, 1982) arranges it as a
table and lets the entry with the least estimated error win. Two additions make the estimate safe
for functions that nobody promised to be smooth: an entry counts only if at least three steps take
part in it, and finer steps may contradict it.
"""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np

from losscheck.model import Array
from losscheck.numerics import DIVERGING
from losscheck.numerics.rungs import EPSILON, MEASURED_MARGIN, ROUNDING, scatter, still

GROWTH_STEPS: Final = 3
"""Ratios of neighbouring increments that must be seen before an exponent is read off them."""

REGULAR: Final = 0.25
"""Spread of the exponents read off them, above which they follow no power: the halves that tell a
root from a smooth function and from a jump are twice as far apart."""

ARGUMENT: Final = 2 * EPSILON
"""How far x may be out, over |x|: where a float64 stands for pi, sin(x) is 1e-16, not 0, which next
to a kink at pi looks like a step."""
RATIO: Final = 4.0
"""Quotient of neighbouring steps: a power of two keeps the steps exact, and 4 spans 2^-3 to 2^-31
in 15 of them."""

MOST_COLUMNS: Final = 7
"""Depth of the table: seven columns remove terms up to h^14, and float64 has no digits for more."""

FEWEST_COLUMNS: Final = 2
"""Two columns take three steps: two steps can agree by accident, on both sides of a kink, say."""

LEAST_GAIN: Final = 1 / 16
"""A column may lower the error estimate by no more than this. It is what one column gains at the
widest steps of a central table (ratio 4, squared); a larger gain may be an accident."""

BLOCK: Final = 2048
"""Sequences tabled at a time: fifteen terms of each are 240 KiB; the caches hold the six arrays."""

NOISE_MARGIN: Final = 3.0
"""Finer steps contradict an entry only by what exceeds this many times their noise."""


@attrs.frozen(eq=False)
class Side:
    """What one side of K points says."""

    # (15, K) float64, the difference quotients, coarsest step first, and bounds on their noise.
    quotient: Array
    spread: Array
    derivative: Limit  # the one-sided derivative
    step: Limit  # f beside the point less f at it; not known where neither side grows without limit
    growth: Array  # (K,) float64, as in `Derivatives`
    rough: Array  # (K,) bool, from `losscheck.numerics.rungs.unresolved`

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
        As for `losscheck.numerics.rungs.still`.
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
        (2K,) bool, from `losscheck.numerics.rungs.unresolved`.

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


@attrs.frozen(eq=False)
class Limit:
    """Limits of K sequences."""

    value: Array  # (K,) float64, NaN where nothing could be decided
    error: Array  # (K,) float64, estimated absolute error, inf where nothing could be decided

    def split(self, parts: int) -> list[Limit]:
        """Cut K sequences into as many equal parts."""
        values, errors = np.split(self.value, parts), np.split(self.error, parts)
        return [Limit(value, error) for value, error in zip(values, errors, strict=True)]


def _contradict(estimate: Array, entries: Array, noise: Array) -> None:
    """Add to estimates by how much finer steps contradict each entry, beyond their noise."""
    # Row by row: NumPy's accumulate along a first axis is five times slower.
    low = np.full(entries.shape[1], -np.inf)
    high = np.full(entries.shape[1], np.inf)
    margin, apart = np.empty_like(low), np.empty_like(low)
    for row in range(len(entries) - 2, -1, -1):
        finer = entries[row + 1]
        np.multiply(noise[row + 1], NOISE_MARGIN, out=margin)
        np.fmax(low, np.subtract(finer, margin, out=apart), out=low)
        np.fmin(high, np.add(finer, margin, out=apart), out=high)
        np.subtract(low, entries[row], out=apart)
        np.fmax(apart, np.subtract(entries[row], high, out=margin), out=apart)
        estimate[row] += np.fmax(apart, 0.0, out=apart)


def limit(sequence: Array, noise: Array, ratio: float) -> Limit:
    """Extrapolate sequences to step zero.

    Parameters
    ----------
    sequence
        (N, K) float64, coarsest step first, steps in the ratio `RATIO`; non-finite terms fall out.
    noise
        (N, K) float64, bound on the error of each term that is not a series in the step.
    ratio
        By what the first term of the series shrinks from step to step: `RATIO` for a series in h,
        `RATIO`² for one in h².

    Returns
    -------
    Limit
        The entry of least estimated error of each sequence: the largest of the last correction and
        1/16 of the corrections before it, plus the noise carried through the table, plus what finer
        steps contradict.

    Examples
    --------
    >>> steps = 4.0 ** -np.arange(8.0)[:, None]
    >>> found = limit(np.expm1(steps) / steps, 1e-16 / steps, RATIO)
    >>> bool(abs(found.value[0] - 1) < found.error[0] < 1e-7)
    True
    """
    count = sequence.shape[1]
    found = Limit(np.full(count, np.nan), np.full(count, np.inf))
    with np.errstate(all="ignore"):
        for start in range(0, count, BLOCK):
            part = slice(start, start + BLOCK)
            _fill(found.value[part], found.error[part], sequence[:, part], noise[:, part], ratio)
    return found


def _fill(value: Array, error: Array, sequence: Array, noise: Array, ratio: float) -> None:
    """Build the tables of a block, column by column, and keep the best entry of each.

    Columns are made in place: fresh arrays of this size would cost more than the arithmetic.
    """
    entries = np.where(np.isfinite(sequence), sequence, np.nan)
    noise = noise.copy()
    size, before, change, spare = (np.empty_like(entries) for _ in range(4))
    for column in range(1, min(MOST_COLUMNS, len(entries) - 1) + 1):
        gain = ratio**column
        rows = len(entries) - 1
        change, spare = change[:rows], spare[:rows]
        np.subtract(entries[1:], entries[:-1], out=change)
        entries = entries[1:]
        entries += np.divide(change, gain - 1, out=spare)
        np.multiply(noise[1:], gain, out=spare)
        spare += noise[:-1]
        spare /= gain - 1
        noise, spare = spare, noise
        before, size = size, np.abs(change, out=before[:rows])
        if column > 1:
            np.maximum(before[1:], before[:-1], out=change)
            change *= LEAST_GAIN
            np.maximum(size, change, out=size)
        if column >= FEWEST_COLUMNS:
            estimate = np.add(size, noise, out=change)
            _contradict(estimate, entries, noise)
            _least(value, error, entries, estimate)


def _least(value: Array, error: Array, entries: Array, estimate: Array) -> None:
    """Take over the entries of a column, in place, where they are surer than what is held."""
    for entry, estimated in zip(entries, estimate, strict=True):
        surer = estimated < error  # never where it is NaN
        np.copyto(value, entry, where=surer)
        np.copyto(error, estimated, where=surer)
