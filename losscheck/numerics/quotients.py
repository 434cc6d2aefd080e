"""From the function's values on a ladder to derivatives, one-sided derivatives and steps."""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np

from losscheck.model import Array
from losscheck.numerics import DIVERGING
from losscheck.numerics.rungs import ROUNDING, Samples, unresolved
from losscheck.numerics.sides import NOISE_MARGIN, RATIO, Limit, Side, limit, noise_level, sides

WIDE: Final = (slice(0, 4), slice(3, 7))
"""Rungs of wide steps, 2^-3 to 2^-9 and 2^-9 to 2^-15 of the scale: well above the 2^-23 by which
float32 moves; four, so that an entry of three can be contradicted."""


UNSEEN_KINK: Final = 1 / 20
"""What a kink may shift the two-sided derivative by is half of what the sides differ by, their
errors included; a tenth of that is its share in an error which counts tenfold (design.md)."""


@attrs.frozen(eq=False)
class Derivatives:
    """Numeric derivatives at K points; errors are estimates, absolute, inf where undecided."""

    # (K,) float64, the two-sided derivative; one-sided, inwards, where the domain ends at x.
    value: Array
    error: Array
    # (K,) float64, the one-sided derivatives; NaN and inf beyond the domain.
    left: Array
    left_error: Array
    right: Array
    right_error: Array
    centre: Array  # (K,) float64, f(x)
    # (K,) float64, f(x-) - f(x) and f(x+) - f(x), extrapolated to step zero; NaN and inf where
    # neither side's quotients grow without limit, as a step's do.
    step_left: Array
    step_left_error: Array
    step_right: Array
    step_right_error: Array
    # (K,) float64, f(x+) - f(x-) in size; NaN and inf at an edge, and where the steps are not
    # known.
    jump: Array
    jump_error: Array
    # (K,) float64, exponent a of increments of the one-sided quotients that grow like h^-a: -1 on a
    # smooth function, 0 for x·log x, 1/2 for a square root, 1 at a jump; -inf where noise or a
    # change of behaviour between the rungs hides it.
    left_growth: Array
    right_growth: Array


def derive(samples: Samples, magnitude: Array, rounding: Array) -> Derivatives:
    """Extrapolate the quotients of one ladder.

    Parameters
    ----------
    magnitude
        (K,) float64, size of the numbers that the function works with, apart from its values.
    rounding
        (K,) float64, what is known of the rounding of its values; 0 if nothing.

    Returns
    -------
    Derivatives
    """
    with np.errstate(all="ignore"):
        return _derive(samples, np.fmax(magnitude, np.abs(samples.centre)), rounding)


def _derive(samples: Samples, magnitude: Array, rounding: Array) -> Derivatives:
    centre = samples.centre
    rise, fall = samples.up - centre, samples.down - centre
    # Left beside right, as if they were 2K points: at few points the calls cost most.
    twice = np.tile(centre, 2)
    fine, changes = np.hstack([samples.fine_down, samples.fine_up]), np.hstack([fall, rise])
    level = noise_level(
        fine,
        changes,
        np.hstack([rise, fall]),
        np.tile(samples.x, 2),
        np.hstack([samples.below, samples.above]),
        np.tile(magnitude, 2),
    )
    level = np.fmax(level, np.tile(rounding, 2))
    steps = np.hstack([-samples.below, samples.above])
    rough = unresolved(fine, changes, np.tile(magnitude, 2), np.tile(rounding, 2))
    left, right = sides(np.hstack([samples.down, samples.up]), twice, steps, level, rough)
    both = _central(samples, np.fmax(*np.split(level, 2)))
    value, error = _best(both, left.derivative, right.derivative)
    error = _doubt(value, error, left, right)
    value, error = _inwards(value, error, left.derivative, right.derivative, samples)
    known = np.isfinite(centre) & (np.fmax(left.growth, right.growth) < DIVERGING)
    known &= ~(left.rough | right.rough)
    return Derivatives(
        value=value,
        error=np.where(known, error, np.inf),
        left=left.derivative.value,
        left_error=left.derivative.error,
        right=right.derivative.value,
        right_error=right.derivative.error,
        centre=centre,
        step_left=left.step.value,
        step_left_error=left.step.error,
        step_right=right.step.value,
        step_right_error=right.step.error,
        jump=np.abs(right.step.value - left.step.value),
        jump_error=left.step.error + right.step.error,
        left_growth=left.growth,
        right_growth=right.growth,
    )


def _central(samples: Samples, level: Array) -> Limit:
    size = np.fmax(np.abs(samples.up), np.abs(samples.down))
    noise = np.fmax(ROUNDING * np.fmax(size, np.abs(samples.centre)), level)
    width = samples.above + samples.below
    # Over a width of 2h the noise of two values is that of one over h.
    return limit((samples.up - samples.down) / width, 2 * noise / width, RATIO**2)


def _best(both: Limit, left: Limit, right: Limit) -> tuple[Array, Array]:
    """Take the surer of the central estimate and the mean of the sides.

    A second derivative that jumps (Huber's) leaves a term in h that a table in h² cannot remove;
    the sides have theirs removed.
    """
    mean = (left.value + right.value) / 2
    mean_error = (left.error + right.error) / 2
    value = np.where(mean_error < both.error, mean, both.value)
    return value, np.fmin(mean_error, both.error)


def _doubt(value: Array, error: Array, left: Side, right: Side) -> Array:
    """Raise the error to the distance from what contradicts the value.

    A kink that the sides cannot exclude would shift it. Either side does: central differences
    about the bottom of an even function agree on 0, whatever it does there. So do wide steps if
    both sides agree on another slope: where a part of f moves in treads (cast to float32, say),
    fine steps see the slope of the rest.
    """
    sides_error = left.derivative.error + right.derivative.error
    gap = np.abs(right.derivative.value - left.derivative.value)
    error = np.fmax(error, UNSEEN_KINK * (gap + sides_error))
    for one in (left.derivative, right.derivative):
        apart = np.abs(value - one.value)
        error = np.where(apart > NOISE_MARGIN * one.error, np.fmax(error, apart), error)
    windows = [one for window in WIDE for one in (left.window(window), right.window(window))]
    quotients, spreads = (np.hstack(parts) for parts in zip(*windows, strict=True))
    wide = limit(quotients, spreads, RATIO).split(len(windows))
    for wide_left, wide_right in zip(wide[::2], wide[1::2], strict=True):
        unsure = wide_left.error + wide_right.error
        apart = np.abs(value - (wide_left.value + wide_right.value) / 2)
        agree = np.abs(wide_left.value - wide_right.value) <= NOISE_MARGIN * unsure
        against = agree & (apart > NOISE_MARGIN * (unsure + error))
        error = np.where(against, np.fmax(error, apart), error)
    return error


def _inwards(
    value: Array, error: Array, left: Limit, right: Limit, samples: Samples
) -> tuple[Array, Array]:
    """Take the only side there is where the domain ends at x."""
    lower_edge, upper_edge = (samples.below == 0).all(axis=0), (samples.above == 0).all(axis=0)
    value = np.where(lower_edge, right.value, np.where(upper_edge, left.value, value))
    error = np.where(lower_edge, right.error, np.where(upper_edge, left.error, error))
    return value, error
