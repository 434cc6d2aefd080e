"""One ladder: the steps around each point, and what the function gives there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import attrs
import numpy as np

from losscheck.model import Array
from losscheck.numerics.noise import EPSILON, OFFSETS

Evaluate: TypeAlias = Callable[[Array, Array, Array], Array]
"""evaluate(case (M,) int64, coordinate (M,) int64, value (M,) float64) -> (M,) float64: the loss of
base case `case` with its flat prediction coordinate `coordinate` replaced by `value`."""

STEPS: Final = 2.0**-3 * 4.0 ** -np.arange(13.0)
"""Steps over the scale, 1/8 to 2^-27: a ladder of 13 rungs (design.md, Facts measured), powers of
two so that x ± h is exact where x has digits to spare."""

FINEST: Final = 2.0**-31
"""Finest step over the scale, and the unit of the offsets that measure noise: the widest of them,
2^-29, and the finest continue the ladder by two rungs at no cost."""

RESOLUTION: Final = 8 * EPSILON
"""Steps below this times |x| fall out: rounding of x ± h would leave them fewer than three bits."""


@attrs.frozen(eq=False)
class Samples:
    """The function around K points.

    Parameters
    ----------
    x, centre
        (K,) float64, the point and f(x).
    up, down
        (15, K) float64, f(x ± h), coarsest step first; NaN where there is no such rung.
    above, below
        (15, K) float64, the steps as realised in float64, both positive.
    fine_up, fine_down
        (5, K) float64, f at five points close by, on either side.
    """

    x: Array
    centre: Array
    up: Array
    down: Array
    above: Array
    below: Array
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
