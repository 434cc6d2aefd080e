"""numdifftools and SciPy: a derivative and an estimate of its error, without a verdict.

The verdict is made for them with the rule that losscheck has for itself, so that only the numbers
differ. Both are told of the domain: their widest step stays within half of the distance to it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.family import Array, Family
from benchmarks.spaces import numpy_space
from benchmarks.tools.base import Answer, Outcome, batch_of, of_points, timed

SAFETY = 10.0
"""Errors are multiplied by it, as in losscheck.numerics.verdict."""

DECIDABLE = 1e-3
"""Largest bound over the gradient's size at which a number decides anything, as there."""

FLOOR = 1e-9
"""Relative; what an error estimate of 0 would otherwise condemn."""

CRITERION = (
    "|g - T| > 10 x its error estimate + 1e-9 |g|; undecided where ten times the estimate exceeds "
    "1e-3 of the gradient's size or is no number (losscheck's rule, since it has none of its own)"
)


def judge(gradient: Array, value: Array, error: Array, scale: float) -> Array:
    """Judge a gradient (N, n) by derivatives and their error estimates; (N,) outcomes."""
    with np.errstate(invalid="ignore"):
        size = np.fmax(np.abs(gradient), scale)
        undecided = ~(SAFETY * error <= DECIDABLE * size) | ~np.isfinite(value)
        wrong = np.abs(gradient - value) > SAFETY * error + FLOOR * np.abs(gradient)
    codes = np.where(undecided, Outcome.UNDECIDED, np.where(wrong, Outcome.WRONG, Outcome.RIGHT))
    return of_points(codes)


def room(family: Family) -> Array:
    """(N, n) half of the distance to the domain's edge: the widest step that stays inside."""
    return np.fmin(family.points - family.lower, family.upper - family.points) / 2


Estimates = Callable[[], tuple[Array, Array]]


def _answer(
    family: Family, gradients: Sequence[Array], runner: Callable[[Family], Estimates]
) -> Answer:
    batch = batch_of(family)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of steps that give no number
        value, error = runner(family)()
        seconds = timed(runner(batch)) / batch.points.size
    outcome = [judge(gradient, value, error, family.scale) for gradient in gradients]
    return Answer(outcome=np.array(outcome, np.int8), seconds=seconds, value=value, error=error)


class NumDiffTools:
    """`numdifftools.Derivative` and, for several coordinates, `numdifftools.Gradient`."""

    name = "numdifftools"
    criterion = CRITERION

    def answer(self, family: Family, gradients: Sequence[Array]) -> Answer:
        """Elementwise families at all points in one call, others a point at a time."""
        return _answer(family, gradients, self._runner)

    def _runner(self, family: Family) -> Estimates:
        import numdifftools as nd

        space = numpy_space()
        widest = room(family)

        def steps(width: Array | float) -> object:
            # Its own choice where nothing limits it: 2 log(e + |x|), shrinking.
            if not np.isfinite(width).all():
                return None
            return nd.MaxStepGenerator(base_step=np.fmin(2.0, width), step_nom=1.0)

        def elementwise() -> tuple[Array, Array]:
            derivative = nd.Derivative(
                lambda x: family.function(space, x), step=steps(widest[:, 0]), full_output=True
            )
            found = derivative(family.points[:, 0])
            return np.reshape(found.estimate, (-1, 1)), np.reshape(found.error_estimate, (-1, 1))

        def one_by_one() -> tuple[Array, Array]:
            pairs = []
            for point, width in zip(family.points, widest, strict=True):
                gradient = nd.Gradient(
                    lambda x: family.value(space, x), step=steps(width.min()), full_output=True
                )
                found = gradient(point)
                pairs.append((np.ravel(found.estimate), np.ravel(found.error_estimate)))
            return np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])

        return elementwise if family.elementwise else one_by_one


INITIAL_STEP = 0.5
"""SciPy's default."""


class SciPy:
    """`scipy.differentiate.derivative`, coordinate by coordinate."""

    name = "scipy.differentiate.derivative"
    criterion = CRITERION

    def answer(self, family: Family, gradients: Sequence[Array]) -> Answer:
        """All points of one coordinate in one call."""
        return _answer(family, gradients, lambda given: lambda: self._run(given))

    def _run(self, family: Family) -> tuple[Array, Array]:
        from scipy.differentiate import derivative

        step = np.fmin(INITIAL_STEP, room(family))
        value, error = np.empty_like(family.points), np.empty_like(family.points)
        for coordinate in range(family.points.shape[1]):
            numbers = np.arange(len(family.points))
            found = derivative(
                along(family, coordinate),
                family.points[:, coordinate],
                args=(numbers,),
                initial_step=step[:, coordinate],
            )
            value[:, coordinate], error[:, coordinate] = found.df, found.error
        return value, error


def along(family: Family, coordinate: int) -> Callable[[Array, Array], Array]:
    """Give the family as a function of one coordinate: f(values, numbers of their points)."""
    space = numpy_space()

    def function(values: Array, numbers: Array) -> Array:
        if family.elementwise:
            return np.asarray(family.function(space, values))
        values, numbers = np.broadcast_arrays(values, numbers.astype(int))
        result = np.empty(values.shape)
        for index in np.ndindex(values.shape):
            x = family.points[numbers[index]].copy()
            x[coordinate] = values[index]
            result[index] = family.value(space, x)
        return result

    return function
