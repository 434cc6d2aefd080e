"""Numeric derivatives of a scalar function of a tensor, each with its own error estimate.

Many points and coordinates are done at once: a ladder of steps around each point, central and
one-sided difference quotients on every rung, and the limit of each as the step goes to zero. Points
whose natural scale may be far smaller than 1 (tiny x, a domain's edge close by) get a second ladder
at that scale, and the two must not contradict each other.
"""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np

from losscheck.model import Array
from losscheck.numerics.quotients import Derivatives, derive
from losscheck.numerics.rungs import Evaluate, climb

__all__ = ["Derivatives", "Evaluate", "derivatives"]

EDGE: Final = 2.0**-33
"""Distance to the domain's edge over |x| below which x counts as on it: a ladder that fits in
between would have a noise of eps/2^-36, more than 1e-5 of f."""

NEAR_EDGE: Final = 2.0**-20
"""Distance to the edge over max(1, |x|) below which the one-sided derivative is tried as well."""

SMALL: Final = 2.0**-10
"""|x| below which the function's natural scale may be |x|: log|x|, sqrt(x² + tiny)."""

SCALE_AT_ZERO: Final = 2.0**-30
"""Scale of the second ladder at x = 0, with steps down to 2^-61 = 4e-19: guards such as
log(x + 1e-12) have scales between those of the two ladders."""

OVERLAP: Final = 2.0**-28
"""Ratio of scales above which the widest step of one ladder, 2^-3 of its scale, reaches the finest
of the other, 2^-31."""

AGREEMENT: Final = 3.0
"""Estimates contradict each other when they differ by more than this times their summed errors."""


def derivatives(
    evaluate: Evaluate,
    case: Array,
    coordinate: Array,
    x: Array,
    lower: Array | float = -np.inf,
    upper: Array | float = np.inf,
    *,
    magnitude: Array | float = 1.0,
    rounding: Array | float = 0.0,
) -> Derivatives:
    """Differentiate numerically at many points at once.

    Parameters
    ----------
    evaluate
        evaluate(case (M,) int64, coordinate (M,) int64, value (M,) float64) -> (M,) float64, the
        function with one coordinate replaced. Called with M = 37·K, and once more with 37 values
        for each point that needs a second ladder.
    case, coordinate
        (K,) int64, handed through to `evaluate`.
    x
        (K,) float64, the value of that coordinate.
    lower, upper
        (K,) or scalar float64, the domain; x must lie in it, and no step leaves it.
    magnitude
        (K,) or scalar float64, the largest number that the function works with (1 and |x| at
        least are assumed): what it swallows by rounding is judged by it.
    rounding
        (K,) or scalar float64, a bound on the rounding of its values, where more is known than the
        values show. Where it exceeds all that the function does on the ladder nothing is decided.

    Returns
    -------
    Derivatives
        For each point; error inf where x lies outside its domain or nothing can be decided.

    Examples
    --------
    >>> zero = np.zeros(1, dtype=np.int64)
    >>> found = derivatives(lambda case, coordinate, x: x**3, zero, zero, np.array([2.0]))
    >>> bool(abs(found.value[0] - 12) <= 10 * found.error[0] <= 1e-6)
    True
    """
    x = np.asarray(x, dtype=np.float64)
    points = _Points(
        evaluate=evaluate,
        case=np.asarray(case),
        coordinate=np.asarray(coordinate),
        x=x,
        below=x - np.broadcast_to(np.asarray(lower, dtype=np.float64), x.shape),
        above=np.broadcast_to(np.asarray(upper, dtype=np.float64), x.shape) - x,
        magnitude=np.fmax(np.fmax(1.0, np.abs(x)), magnitude),
        rounding=np.broadcast_to(np.fmax(0.0, rounding), x.shape),
    )
    with np.errstate(invalid="ignore"):
        return points.derivatives()


@attrs.frozen(eq=False, kw_only=True)
class _Points:
    """The points of one call; `below` and `above` are the distances to the domain's edges."""

    evaluate: Evaluate
    case: Array
    coordinate: Array
    x: Array
    below: Array
    above: Array
    magnitude: Array
    rounding: Array

    def derivatives(self) -> Derivatives:
        """Climb ladders that suit each point.

        The widest step is an eighth of 2^floor(log2 max(1, |x|)), or of the distance to the
        domain's edge where that is smaller, so that steps stay inside even an open domain.
        """
        size = np.abs(self.x)
        unit = _binade(np.fmax(1.0, size))
        down, up = self.below > EDGE * size, self.above > EDGE * size
        scale = self.capped(unit, down, up)
        found = self.ladder(scale, down, up, np.isfinite(self.x))

        tiny = np.where(size > 0, _binade(size), SCALE_AT_ZERO)
        small = (size < SMALL) & (tiny < scale)
        if small.any():
            fine = self.ladder(self.capped(tiny, down, up), down, up, small)
            found = _pick(small, _join(found, fine, tiny >= OVERLAP * scale), found)

        near = down & up & (np.fmin(self.below, self.above) < NEAR_EDGE * np.fmax(1.0, size))
        if near.any():
            inward_up = self.below <= self.above
            down, up = down & ~inward_up, up & inward_up
            wide = self.capped(unit, down, up)
            coarse = self.ladder(wide, down, up, near)
            found = _pick(near, _join(coarse, found, scale >= OVERLAP * wide), found)
        return found

    def capped(self, scale: Array, down: Array, up: Array) -> Array:
        """Keep a scale within the distance to the edges that a ladder goes towards."""
        room = np.fmin(np.where(down, self.below, np.inf), np.where(up, self.above, np.inf))
        return np.fmin(scale, _binade(room))

    def ladder(self, scale: Array, down: Array, up: Array, where: Array) -> Derivatives:
        """One ladder at the chosen points, undecided elsewhere."""
        chosen = np.flatnonzero(where & (self.below >= 0) & (self.above >= 0) & (down | up))
        if not chosen.size:
            return _undecided(len(self.x))
        case, coordinate, x = self.case[chosen], self.coordinate[chosen], self.x[chosen]
        samples = climb(self.evaluate, case, coordinate, x, scale[chosen], up[chosen], down[chosen])
        part = derive(samples, self.magnitude[chosen], self.rounding[chosen])
        whole = _undecided(len(self.x))
        for name, values in attrs.asdict(part, recurse=False).items():
            getattr(whole, name)[chosen] = values
        return whole


def _join(coarse: Derivatives, fine: Derivatives, overlap: Array) -> Derivatives:
    """Take the surer of two estimates; where they contradict, their difference is its error.

    Where they do not overlap the coarse one is blind to what the fine one sees, and yields.
    """
    apart = np.abs(coarse.value - fine.value)
    contradict = apart > AGREEMENT * (coarse.error + fine.error)
    kink = _gap(coarse) & _gap(fine)
    surer = np.where(kink, _sides(fine) < _sides(coarse), fine.error < coarse.error)
    # A root or a jump gives way only to an estimate that is better than the slope of its chord.
    chord = np.fmax(np.abs(fine.value), np.fmax(np.abs(coarse.left), np.abs(coarse.right)))
    surer &= np.isfinite(coarse.error) | ~(fine.error > chord)
    joined = _pick(surer | (contradict & ~overlap), fine, coarse)
    error = np.where(contradict & overlap, np.fmax(joined.error, apart), joined.error)
    return attrs.evolve(joined, error=error)


def _pick(where: Array, yes: Derivatives, no: Derivatives) -> Derivatives:
    both = attrs.asdict(yes, recurse=False), attrs.asdict(no, recurse=False)
    return Derivatives(**{name: np.where(where, both[0][name], both[1][name]) for name in both[0]})


def _sides(found: Derivatives) -> Array:
    return np.asarray(found.left_error + found.right_error)


def _gap(found: Derivatives) -> Array:
    """Where the sides differ."""
    return np.asarray(np.abs(found.right - found.left) > AGREEMENT * _sides(found))


def _undecided(count: int) -> Derivatives:
    def fill(name: str) -> Array:
        if name.endswith("growth"):
            return np.full(count, -np.inf)
        return np.full(count, np.inf if name.endswith("error") else np.nan)

    return Derivatives(**{field.name: fill(field.name) for field in attrs.fields(Derivatives)})


def _binade(size: Array) -> Array:
    """Round down to a power of two; 0 and infinity stay."""
    mantissa, exponent = np.frexp(size)
    power = np.ldexp(np.where(mantissa > 0, 0.5, 0.0), exponent)
    return np.where(np.isfinite(size), power, size)
