"""One ladder: the steps around each point, what the function gives there, and its noise.

The bound on the error of a difference quotient is only as good as the bound on this noise. Three
sources are told apart: rounding of the result, rounding inside the function (measured), and a
function that does not move at all at fine steps because rounding inside it swallows them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import attrs
import numpy as np

from losscheck.model import Array

Evaluate: TypeAlias = Callable[[Array, Array, Array], Array]
"""evaluate(case (M,) int64, coordinate (M,) int64, value (M,) float64) -> (M,) float64: the loss of
base case `case` with its flat prediction coordinate `coordinate` replaced by `value`."""

EPSILON: Final = float(np.finfo(np.float64).eps)

STEPS: Final = 2.0**-3 * 4.0 ** -np.arange(13.0)
"""Steps over the scale, 1/8 to 2^-27: a ladder of 13 rungs (design.md, Facts measured), powers of
two so that x ± h is exact where x has digits to spare."""

FINEST: Final = 2.0**-31
"""Finest step over the scale, and the unit of the offsets that measure noise: the widest of them,
2^-29, and the finest continue the ladder by two rungs at no cost."""

RESOLUTION: Final = 8 * EPSILON
"""Steps below this times |x| fall out: rounding of x ± h would leave them fewer than three bits."""
ROUNDING: Final = 4 * EPSILON
"""Rounding of f relative to its size (design.md, Truth: noise is never below 4·eps·max|f|/h)."""

MEASURED_MARGIN: Final = 2.0
"""Measured standard deviations that count as the noise of one side."""

OFFSETS: Final = np.array([1.0, (1 + np.sqrt(5)) / 2, np.e, np.sqrt(11), 4.0])
"""Where noise is measured on either side, in units of the spacing: two rungs of the ladder, and
irrational numbers between them. At equal or dyadic spacings a function that rounds to multiples of
a quantum (1 - cos x, 1 + x) can move by nearly whole quanta each time, and the noise cannot be
seen. x itself is left out, for a jump there is not noise."""

PARABOLA: Final = 3
"""Terms of a smooth function over a spacing of 2^-31 of its scale; the next is below rounding."""

FEWEST_MOVING: Final = 3
"""Steps that must move the function before a still stretch counts as a staircase."""

UNRESOLVED: Final = 1 / 16
"""Part of all that the function does on the ladder which it must not do within its finest spacing:
one that is smooth there does 1e-8 of it, one that oscillates faster than that nearly all."""


@attrs.frozen(eq=False)
class Samples:
    """The function around K points."""

    # (K,) float64, the point and f(x).
    x: Array
    centre: Array
    # (15, K) float64, f(x ± h), coarsest step first; NaN where there is no such rung.
    up: Array
    down: Array
    # (15, K) float64, the steps as realised in float64, both positive.
    above: Array
    below: Array
    # (5, K) float64, f at five points close by, on either side.
    fine_up: Array
    fine_down: Array


def climb(
    evaluate: Evaluate,
    case: Array,
    coordinate: Array,
    x: Array,
    scale: Array,
    up: Array,
    down: Array,
) -> Samples:
    """Evaluate the function on every rung, in one call.

    Parameters
    ----------
    evaluate
        The function, 37 values a point.
    case, coordinate, x
        (K,) which function, which coordinate, and where.
    scale
        (K,) float64, powers of two: the widest step is an eighth of it.
    up, down
        (K,) bool, whether the domain goes on above and below x; elsewhere x itself stands in.

    Returns
    -------
    Samples
    """
    spacing = np.fmax(scale * FINEST, _power_of_two(RESOLUTION * np.abs(x)))
    offsets = np.concatenate([STEPS[:, None] * scale, OFFSETS[:, None] * spacing])
    high = np.where(up, x + offsets, x)
    low = np.where(down, x - offsets, x)
    points = np.concatenate([x[None], high, low])
    rows = len(points)
    flat = evaluate(np.tile(case, rows), np.tile(coordinate, rows), points.ravel())
    values = np.asarray(flat, dtype=np.float64).reshape(points.shape)
    centre, above, below = values[0], values[1 : 1 + len(offsets)], values[1 + len(offsets) :]
    coarse = len(STEPS)
    rungs = [*range(coarse), len(offsets) - 1, coarse]
    usable = offsets[rungs] >= RESOLUTION * np.abs(x)
    usable[coarse:] &= spacing == scale * FINEST
    return Samples(
        x=x,
        centre=centre,
        up=np.where(usable & up, above[rungs], np.nan),
        down=np.where(usable & down, below[rungs], np.nan),
        above=high[rungs] - x,
        below=x - low[rungs],
        fine_up=above[coarse:],
        fine_down=below[coarse:],
    )


def _power_of_two(size: Array) -> Array:
    """Round up to a power of two; 0 stays."""
    mantissa, exponent = np.frexp(size)
    least = np.ldexp(1.0, np.where(mantissa == 0.5, exponent - 1, exponent))
    return np.where(size > 0, least, 0.0)


def scatter(values: Array) -> Array:
    """Measure the standard deviation of the noise in values at `OFFSETS`.

    Parameters
    ----------
    values
        (5, K) float64.

    Returns
    -------
    Array
        (K,) float64; 0 where a value is not finite, for then no quotient there is finite either.

    Notes
    -----
    J. J. Moré and S. M. Wild, Estimating computational noise, SIAM J. Sci. Comput. 33 (2011), read
    the noise off differences, in which a smooth function vanishes. At unequal spacings orthonormal
    contrasts that vanish on parabolas do the same: each has the variance of the noise.
    """
    with np.errstate(all="ignore"):
        # Summed by hand: a matrix product may round otherwise for another number of points.
        contrasts = (_CONTRASTS[:, :, None] * values).sum(axis=1)
        size = np.sqrt(np.mean(contrasts**2, axis=0))
    return np.where(np.isfinite(size), size, 0.0)


def _contrasts() -> Array:
    """Orthonormal rows that vanish on every parabola over `OFFSETS`, (2, 5)."""
    basis, _ = np.linalg.qr(np.vander(OFFSETS, PARABOLA), mode="complete")
    return np.asarray(basis[:, PARABOLA:].T)


_CONTRASTS: Final = _contrasts()


def still(change: Array, fine: Array, other_change: Array, magnitude: Array) -> Array:
    """Noise of a function that does not move at its finest steps, 0 where it moves.

    Parameters
    ----------
    change
        (N, K) float64, f(x ± h) - f(x) on one side, coarsest step first, NaN where not known.
    fine
        (5, K) float64, the function at `OFFSETS` on that side.
    other_change
        (N, K) float64, as `change`, on the other side.
    magnitude
        (K,) float64, size of the numbers that the function works with.

    Returns
    -------
    Array
        (K,) float64, absolute.

    Notes
    -----
    Softmax cross-entropy at [20, -20, 0] has slope 4e-18 in its second logit but does not move at
    any step: its noise is that of the numbers inside it, 4·eps·magnitude. Where fine steps leave f
    as it is but at least three wider ones move it, on both sides, it may be a staircase (a kernel
    that computes in float32, a large constant added and taken away): the height of its first tread
    bounds the noise. A hinge with its flat side is none, for that side never moves.
    """
    flat = np.ptp(fine, axis=0) == 0
    swallowed = np.where(flat, ROUNDING * magnitude, 0.0)
    moves, other_moves = np.abs(change) > 0, np.abs(other_change) > 0
    fewest = np.fmin(moves.sum(axis=0), other_moves.sum(axis=0))
    tread = np.min(np.where(moves, np.abs(change), np.inf), axis=0)
    staircase = flat & (fewest >= FEWEST_MOVING)
    return np.asarray(np.where(staircase, np.fmax(tread, swallowed), swallowed))


def unresolved(fine: Array, change: Array, magnitude: Array, known: Array) -> Array:
    """Say where even the finest steps are too wide for the function: cos(1e30·x), 1/(x - x0).

    Parameters
    ----------
    fine, change, magnitude
        As for `still`.
    known
        (K,) float64, what is known of the rounding of its values; 0 if nothing.

    Returns
    -------
    Array
        (K,) bool: beyond rounding, the function moves within the finest spacing about as much as
        on the whole ladder; or its rounding may be all that is seen of it.
    """
    moves = np.ptp(fine, axis=0)
    most = np.fmax.reduce(np.abs(change), axis=0)
    rounding = 2 * ROUNDING * np.fmax(magnitude, np.abs(fine).max(axis=0))
    oscillates = (moves > rounding) & (moves >= UNRESOLVED * most)
    # A side that does not move at all is flat, but for a slope that the noise allows for.
    return np.asarray(oscillates | ((most > 0) & (known >= most)))
