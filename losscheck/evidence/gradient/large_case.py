"""The whole gradient of one case, however large its prediction is.

Three ways, the surest that is affordable. *Dense*: a ladder for every coordinate. *Coloured*: where
the loss keeps parts of the prediction apart, one coordinate of each part is moved at the same time
and every part is read off its own terms. *Projected*: a few directional derivatives of each part,
and where one of them is wrong, bisection down to the element that is.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import attrs
import numpy as np

from losscheck.evidence.gradient import projected
from losscheck.evidence.gradient.projected import Projections, Projector, is_wrong
from losscheck.evidence.gradient.terms import apart, terms
from losscheck.model import Array, Inputs
from losscheck.numerics.ladder import derivatives
from losscheck.numerics.quotients import Derivatives
from losscheck.numerics.verdict import Agreement, Comparison, Point, cautious, compare
from losscheck.program.probing import Probe, Readout, shapes_of
from losscheck.program.programs import Programs
from losscheck.program.tracing.wiring import Wiring

RUNGS = 37  # evaluations of one coordinate's ladder (numerics.ladder)
DENSE = 1 << 20  # numbers that the ladders of all coordinates may put into the loss
FINEST = 1 << 13  # parts that are told apart where each coordinate gets a ladder
CONFIRMED = 64  # wrong coordinates that are looked at again by the loss as a whole


@attrs.frozen(kw_only=True, eq=False)
class CaseVerdict:
    """What is known of the gradient of one case."""

    outcome: str  # verified, wrong or inconclusive
    how: str  # dense, coloured or projected
    gradient: Array  # (n,) float64, as the program gives it
    # (n,) float64, the numeric derivative; where the gradient was projected, what it was found to
    # agree with, and derivatives of their own for the elements that are wrong.
    value: Array
    error: Array
    # Of the n elements. Where the gradient was projected, the first wrong ones that were found, not
    # all of them.
    comparison: Comparison
    projections: Projections | None  # the directional derivatives where there are any
    # The smallest error of one element that shows, over the ordinary size of an element.
    resolution: float
    # Of each part; how often the loss and its gradient were evaluated.
    seconds: Mapping[str, float]
    passes: Mapping[str, int]

    @property
    def wrong(self) -> Array:
        """Flat indices of elements that are wrong, each confirmed by a ladder of its own."""
        return np.flatnonzero(is_wrong(self.comparison))


def check_case(
    programs: Programs,
    inputs: Inputs,
    *,
    low: Array | float = -np.inf,
    high: Array | float = np.inf,
    seed: int = 0,
    scale: float | None = None,
) -> CaseVerdict:
    """Check the gradient of one case.

    Parameters
    ----------
    programs
        Of the loss; it has a graph in float64.
    inputs
        The case: arrays without an axis of cases.
    low, high
        The domain of the prediction; no step leaves it.
    seed
        Of the directions.
    scale
        The ordinary size of a gradient element; that of this case where it is None.
    """
    return _Case(programs, inputs, low, high, seed).verdict(scale)


class _Case:
    """One case on its way to a verdict, with the time that each part took."""

    def __init__(
        self,
        programs: Programs,
        inputs: Inputs,
        low: Array | float,
        high: Array | float,
        seed: int,
    ) -> None:
        self._shapes = shapes_of(inputs)
        program = programs.double_graph(self._shapes)
        if program is None:
            raise ValueError("a case is taken apart in the graph of a loss, and there is none")
        self._program = program
        self._probe = Probe(program, inputs)
        self._floor = programs.floor(self._shapes)
        self._low = np.fmin(low, self._probe.x)  # a value just outside is differentiated there
        self._high = np.fmax(high, self._probe.x)
        self._seed = seed
        self._seconds: dict[str, float] = {}
        self._magnitude = max(
            [1.0, *(float(np.abs(np.asarray(a, float)).max(initial=0.0)) for a in inputs.values())]
        )

    def verdict(self, scale: float | None) -> CaseVerdict:
        begin = time.perf_counter()
        gradient = self._probe.gradient()
        self._lap("gradient", begin)
        ordinary = scale or projected.median_size(gradient)
        if not np.isfinite(gradient).all():
            return self._judged("dense", gradient, *_undecided(len(gradient)))
        n = len(gradient)
        if not outgrown(n):
            return self._dense(None, gradient, ordinary)
        begin = time.perf_counter()
        found = terms(self._probe, self._graph())
        shape = self._shapes[self._program.prediction]
        parts = None
        if found is not None and n <= FINEST:
            reach = projected.scales(self._probe.x, self._low, self._high)
            parts = apart(self._probe, found, shape, reach, n, self._seed)
        self._lap("separability", begin)
        if parts is not None and RUNGS * n * (n // parts.blocks) <= DENSE:
            return self._dense(parts, gradient, ordinary)
        return self._projected(found, shape, gradient, ordinary)

    def _dense(self, parts: Readout | None, gradient: Array, ordinary: float) -> CaseVerdict:
        """Give every coordinate a ladder, those of different parts at the same time."""
        begin = time.perf_counter()
        found = cautious(self._ladders(np.arange(len(gradient)), parts), ordinary)
        comparison = compare(gradient, found, self._floor, ordinary)
        value, error = found.value, found.error
        wrong = np.flatnonzero(is_wrong(comparison))
        if parts is not None and len(wrong):
            # What the parts say of an element is a fact only where the loss as a whole says so.
            first = wrong[:CONFIRMED]
            alone = cautious(self._ladders(first, None), ordinary)
            value[first], error[first] = alone.value, alone.error
            comparison.outcome[wrong] = Agreement.INCONCLUSIVE
            _enter(comparison, first, compare(gradient[first], alone, self._floor, ordinary))
        self._lap("ladder", begin)
        ok = comparison.outcome == Agreement.VERIFIED
        resolution = float(np.median(comparison.bound[ok]) / ordinary) if ok.any() else np.inf
        how = "dense" if parts is None else "coloured"
        return self._judged(how, gradient, value, error, comparison, None, resolution)

    def _projected(
        self, found: Readout | None, shape: Sequence[int], gradient: Array, ordinary: float
    ) -> CaseVerdict:
        """Hold the gradient against directional derivatives, and look for the wrong element."""
        projector = Projector(
            probe=self._probe,
            gradient=gradient,
            low=self._low,
            high=self._high,
            floor=self._floor,
            magnitude=self._magnitude,
            seed=self._seed,
        )
        begin = time.perf_counter()
        made = projector.project(found, shape)
        self._lap("ladder", begin)
        begin = time.perf_counter()
        for projections in made:
            share = projections.wrong.mean()
            if not share or (projections is not made[-1] and share > projected.LOCAL):
                continue
            suspects = projector.suspects(projections)
            alone, judged = projector.alone(suspects, ordinary)
            self._lap("bisection", begin)
            if is_wrong(judged).any():
                value, error, comparison = _undecided(len(gradient))
                value[suspects], error[suspects] = alone.value, alone.error
                _enter(comparison, suspects, judged)
                return self._judged("projected", gradient, value, error, comparison, projections)
        best = next((m for m in made if m.right.all()), made[-1])
        value, error, comparison = _undecided(len(gradient))
        resolution = best.resolution
        if best.right.all():
            moved = best.directions.any(axis=0)
            value[moved], error[moved] = gradient[moved], resolution * ordinary
            comparison.outcome[moved] = Agreement.VERIFIED
            comparison.digits[moved] = -np.log10(max(resolution, np.finfo(float).eps))
        return self._judged("projected", gradient, value, error, comparison, best, resolution)

    def _ladders(self, coordinates: Array, parts: Readout | None) -> Derivatives:
        def evaluate(case: Array, coordinate: Array, value: Array) -> Array:
            if parts is None:
                return self._alone(coordinate, value)
            return self._together(parts, coordinate, value)

        return derivatives(
            evaluate,
            np.zeros(len(coordinates), int),
            coordinates,
            self._probe.x[coordinates],
            self._low[coordinates],
            self._high[coordinates],
            magnitude=self._magnitude,
        )

    def _alone(self, coordinate: Array, value: Array) -> Array:
        """(M,) the whole loss, one coordinate moved at a time."""
        points = np.tile(self._probe.x, (len(value), 1))
        points[np.arange(len(value)), coordinate] = value
        return self._probe.at(self._probe.whole, points)[:, 0]

    def _together(self, parts: Readout, coordinate: Array, value: Array) -> Array:
        """(M,) the terms of each coordinate's part, one coordinate of every part moved at a time.

        The ladder asks for the same coordinates rung by rung; each rung takes as many evaluations
        as a part has coordinates.
        """
        probe, width = self._probe, len(self._probe.x) // parts.blocks
        count = len(np.unique(coordinate))
        rows, first = len(value) // count, coordinate[:count]
        part, colour = np.divmod(first, width)
        colours, which = np.unique(colour, return_inverse=True)
        points = np.tile(probe.x, (rows, len(colours), 1))
        points[:, which, first] = value.reshape(rows, count)
        sums = probe.at(parts, points.reshape(rows * len(colours), -1))
        return sums.reshape(rows, len(colours), -1)[:, which, part].ravel()

    def _graph(self) -> Wiring:
        return self._program.wiring

    def _lap(self, part: str, begin: float) -> None:
        self._seconds[part] = self._seconds.get(part, 0.0) + time.perf_counter() - begin

    def _judged(
        self,
        how: str,
        gradient: Array,
        value: Array,
        error: Array,
        comparison: Comparison,
        projections: Projections | None = None,
        resolution: float = np.inf,
    ) -> CaseVerdict:
        decided = (comparison.outcome != Agreement.INCONCLUSIVE).any()
        outcome = "verified" if decided else "inconclusive"
        return CaseVerdict(
            outcome="wrong" if is_wrong(comparison).any() else outcome,
            how=how,
            gradient=gradient,
            value=value,
            error=error,
            comparison=comparison,
            projections=projections,
            resolution=resolution,
            seconds=dict(self._seconds),
            passes={"forward": self._probe.forward, "gradient": 1},
        )


def outgrown(n: int) -> bool:
    """Say whether a prediction of n elements is too large for a ladder of each of them."""
    return RUNGS * n * n > DENSE


def _undecided(n: int) -> tuple[Array, Array, Comparison]:
    """(value, error, comparison) of n elements of which nothing is known."""
    return (
        np.full(n, np.nan),
        np.full(n, np.inf),
        Comparison(
            outcome=np.full(n, Agreement.INCONCLUSIVE, np.int8),
            point=np.full(n, Point.UNDECIDED, np.int8),
            difference=np.zeros(n),
            bound=np.full(n, np.inf),
            digits=np.full(n, np.nan),
        ),
    )


def _enter(whole: Comparison, index: Array, part: Comparison) -> None:
    """Put what is known of some elements in its place."""
    for name, values in attrs.asdict(part, recurse=False).items():
        getattr(whole, name)[index] = values
