"""What a gradient is worth against numeric derivatives, and what kind of point each one is."""

from __future__ import annotations

import enum
from typing import Final

import attrs
import numpy as np

from losscheck.model import Array
from losscheck.numerics import DIVERGING
from losscheck.numerics.quotients import Derivatives

SAFETY: Final = 10.0
"""Errors are multiplied by this before they count against a gradient (design.md, Truth)."""

DECIDABLE: Final = 1e-3
"""Largest bound over the gradient's size at which a comparison says anything (design.md, Truth)."""

RETRACED_FLOOR: Final = 1e-9
"""Relative floor where the loss was traced again in float64: float64 gradients of ordinary losses
cancel up to seven of their sixteen digits."""

REWRITTEN_FLOOR: Final = 2.0**-22
"""Relative floor where a float32 graph was rewritten: its constants are rounded (design.md)."""

STEPPING: Final = 0.95
"""Growth from which the function itself steps: a jump has 1, x^0.05 and smoother roots less."""


SIDES: Final = 1e-4
"""Errors of one-sided derivatives, over the gradient, beyond which they decide nothing."""


class Agreement(enum.IntEnum):
    """What the numeric derivative says of one gradient coordinate."""

    INCONCLUSIVE = 0
    VERIFIED = 1
    MISMATCH = 2  # differs from the derivative of a smooth point
    OUTSIDE = 3  # at a kink, lies outside the one-sided derivatives


class Point(enum.IntEnum):
    """What kind of point a function is differentiated at."""

    UNDECIDED = 0
    SMOOTH = 1  # a join of two pieces with the same slope is smooth, too
    KINK = 2  # the one-sided derivatives differ
    ROOT = 3  # a one-sided derivative is infinite
    JUMP = 4  # the function is discontinuous


@attrs.frozen(eq=False)
class Comparison:
    """Gradients against numeric derivatives at K points."""

    outcome: Array  # (K,) int8, members of `Agreement`
    point: Array  # (K,) int8, members of `Point`
    # (K,) float64, how far the gradient lies from the derivative, or from the interval of the one-
    # sided derivatives at a kink.
    difference: Array
    bound: Array  # (K,) float64, what the difference was allowed to be
    # (K,) float64, -log10 of the bound on the relative difference; NaN where not verified and at
    # kinks.
    digits: Array


def classify_point(
    found: Derivatives, floor: float = RETRACED_FLOOR, gradient_scale: Array | float = 1.0
) -> Array:
    """Tell smooth points, kinks, roots and jumps apart.

    Parameters
    ----------
    found
        Numeric derivatives at K points.
    floor
        Relative difference of slopes, or of values, that rounded constants may cause.
    gradient_scale
        (K,) or scalar float64, the ordinary size of the gradient: a derivative known to no better
        than 1e-4 of itself and of this is undecided.

    Returns
    -------
    Array
        (K,) int8, members of `Point`.

    Notes
    -----
    Increments of a one-sided quotient from rung to rung behave like h^-a, with a = 1 at a jump,
    0 <= a < 1 where the slope is infinite and a <= -1 on a smooth function. Where they vanish in
    noise the sides are compared through their limits.

    Examples
    --------
    >>> from losscheck.numerics.ladder import derivatives
    >>> zero = np.zeros(2, dtype=np.int64)
    >>> found = derivatives(lambda case, coordinate, x: abs(x), zero, zero, np.array([0.0, 1.0]))
    >>> [Point(code).name for code in classify_point(found)]
    ['KINK', 'SMOOTH']
    """
    with np.errstate(invalid="ignore"):
        growth = np.fmax(found.left_growth, found.right_growth)
        steps = _steps(found.step_left, found.step_left_error, found.centre, floor)
        steps |= _steps(found.step_right, found.step_right_error, found.centre, floor)
        slope = np.fmax(np.abs(found.left), np.abs(found.right))
        gap = np.abs(found.right - found.left)
        kink = gap > SAFETY * (found.left_error + found.right_error) + floor * slope
        size = np.fmax(np.abs(found.value), gradient_scale)
        smooth = SAFETY * found.error <= DECIDABLE * size
    kinds = np.where(smooth, Point.SMOOTH, Point.UNDECIDED)
    kinds = np.where(kink, Point.KINK, kinds)
    kinds = np.where((growth >= DIVERGING) & (growth < STEPPING), Point.ROOT, kinds)
    return np.where(steps & (growth >= STEPPING), Point.JUMP, kinds).astype(np.int8)


def _steps(step: Array, error: Array, centre: Array, floor: float) -> Array:
    known = np.isfinite(step) & np.isfinite(error)
    return known & (np.abs(step) > SAFETY * error + floor * np.abs(centre))


def compare(
    gradient: Array, found: Derivatives, floor: float, gradient_scale: Array | float
) -> Comparison:
    """Judge gradients by numeric derivatives.

    Parameters
    ----------
    gradient
        (K,) float64, the gradient that the program computes.
    found
        Numeric derivatives at the same K points.
    floor
        Relative, `RETRACED_FLOOR` or `REWRITTEN_FLOOR`.
    gradient_scale
        (K,) or scalar float64, the ordinary size of the gradient; 0 if there is none.

    Returns
    -------
    Comparison
        Inconclusive where ten times the estimated error exceeds 1e-3 of the larger of gradient and
        scale, where the gradient is not finite, and where there is no derivative (root, jump);
        otherwise a mismatch where the difference exceeds ten times the error plus the floor.

    Examples
    --------
    >>> from losscheck.numerics.ladder import derivatives
    >>> zero = np.zeros(2, dtype=np.int64)
    >>> found = derivatives(lambda case, coordinate, x: x**2, zero, zero, np.ones(2))
    >>> outcome = compare(np.array([2.0, 2.001]), found, RETRACED_FLOOR, 1.0).outcome
    >>> [Agreement(code).name for code in outcome]
    ['VERIFIED', 'MISMATCH']
    """
    point = classify_point(found, floor, gradient_scale)
    kink = point == Point.KINK
    with np.errstate(invalid="ignore", over="ignore"):
        low = np.where(kink, np.fmin(found.left, found.right), found.value)
        high = np.where(kink, np.fmax(found.left, found.right), found.value)
        error = np.where(kink, np.fmax(found.left_error, found.right_error), found.error)
        difference = np.fmax(np.fmax(low - gradient, gradient - high), 0.0)
        size = np.fmax(np.abs(gradient), gradient_scale)
        # Small is not lost: of a gradient far below the ordinary one, rounding may be all there is.
        bound = SAFETY * error + floor * size
        decided = (SAFETY * error <= DECIDABLE * size) & np.isfinite(gradient)
        decided &= (point != Point.ROOT) & (point != Point.JUMP)
        wrong = np.where(kink, Agreement.OUTSIDE, Agreement.MISMATCH)
        judged = np.where(difference <= bound, Agreement.VERIFIED, wrong)
        outcome = np.where(decided, judged, Agreement.INCONCLUSIVE).astype(np.int8)
        digits = _digits(difference + error, size)
    smooth = (outcome == Agreement.VERIFIED) & ~kink
    digits = np.where(smooth, digits, np.nan)
    return Comparison(outcome, point, difference, bound, digits)


def _digits(apart: Array, size: Array) -> Array:
    """Decimal digits in which two numbers agree, at most those of float64."""
    smallest = np.finfo(np.float64).eps
    relative = np.where(size > 0, apart / np.where(size > 0, size, 1.0), apart)
    return -np.log10(np.fmax(relative, smallest))


def cautious(found: Derivatives, scale: float) -> Derivatives:
    """Trust a central difference no more than its sides, where those decide nothing by themselves.

    Central differences of something like a kink look as if they converged at wide steps.

    Parameters
    ----------
    scale
        The ordinary size of the gradient.
    """
    with np.errstate(invalid="ignore"):
        unsure = np.fmax(found.left_error, found.right_error) > SIDES * np.fmax(
            scale, np.abs(found.value)
        )
        gap = np.abs(found.right - found.left)
    error = np.where(unsure & np.isfinite(gap), np.fmax(found.error, gap), found.error)
    return attrs.evolve(found, error=error)
