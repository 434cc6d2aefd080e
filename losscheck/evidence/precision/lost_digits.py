"""Where a loss or its gradient loses its digits: float32 beside float64, beyond conditioning.

Every ordinary and working case of the sweeps is run in float64 as well, and so are cases that were
laid out to lose digits: predictions at every decade of distance from their labels and from 0, rows
and samples that are nearly equal. The extreme range is left out: there float64 loses digits too,
and no severity would come of it. Where fewer than two digits agree, the change that the inputs' own
rounding explains is measured for as many cases as the budget allows, the worst of each range and
size first. What is left is lost. That float64 is the truth there is settled by exact numbers before
anything is reported (`explain.confirm`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence

import attrs
import numpy as np

from losscheck import domains
from losscheck.cases import affordable
from losscheck.cases.blocks import CaseBlock, Population, spread
from losscheck.cases.near import Ladder, near
from losscheck.domains.layout import flat
from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.precision.disagreement import (
    EVALUATIONS,
    NEGLIGIBLE,
    TWO_DIGITS,
    evaluations,
    explained,
)
from losscheck.evidence.search.sweep import Scale, Sweep, usual
from losscheck.model import Array, Direction, Range
from losscheck.numerics.ulps import EXPLAINED, LEAST, ulp
from losscheck.program.running.ways import Way
from losscheck.settings.budget import spend

VALUE, GRADIENT = 0, 1  # the parts of what `Evidence.double` gives
NOTABLE = 0.01  # of the ordinary scale: an error, in the ordinary range (policy.NOTABLE)
BOUNDS = (0.0, NEGLIGIBLE, NOTABLE, np.inf)  # of the error over the ordinary scale
FLAT = 0.01  # of what the loss changes by over the ordinary predictions: no slope of use is smaller
MOST = (0.9, 0.1)  # quantiles of ordinary losses, between which they change
SIZES = ("slight", "small", "large")  # what lies between them; the forms of LC301 and LC302
A_DECADE = 48  # cases of the ladder in each decade of distance
RUNGS = 50  # blocks of so many cases that `near` gives, about
FEW = 1  # the same of a loss that runs one case at a time
SQUARED = 2.0**-63  # the square of a smaller number is no normal float32
SLOW_ELEMENTS = 1 << 9  # the same of a loss that runs one case at a time, at 1 ms each
NEIGHBOURS, STEPS = 8, 4  # cases around a reported one, and how many ulps away
UNKNOWN = 2.0**-26
"""Of the error: a truth below it is not told from 0 by float64, whose own error is about 2^-29 of
that of float32 (the gradient of the cosine of numbers, which is 0), and 0 has no digits."""
ELEMENTS = 1 << 19  # numbers that measuring the conditioning of one instance may run through


@attrs.frozen(kw_only=True, eq=False)
class Part:
    """The value, or the gradient, of every case: in float32, in float64, and what explains."""

    # (N, n) float64; n is 1 for the value, which is summed over what the loss returns.
    single: Array
    truth: Array
    scale: float
    # (N,) float64, the error that the inputs' own rounding explains: NaN where two digits or more
    # are right, infinite where it was not measured.
    allowed: Array
    summed: bool  # whether it is the value

    @functools.cached_property
    def error(self) -> Array:
        """(N,) in the max norm."""
        return _distance(self.single, self.truth)

    @property
    def lost(self) -> Array:
        """(N,) bool: fewer than two digits are right, beyond what conditioning explains."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.error > self.allowed)

    @property
    def sizes(self) -> Array:
        """(N,) index into SIZES, of the error over the ordinary scale."""
        return np.digitize(self.error / self.scale, BOUNDS[1:-1])

    def distance(self, single: Array, truth: Array) -> float:
        """The error of one case's numbers; those of the value are summed up first."""
        apart = self._flat(single) - self._flat(truth)
        return float(np.abs(apart).max(initial=0.0))

    def size(self, truth: Array) -> float:
        """The size of one case's numbers, in the same norm."""
        return float(np.abs(self._flat(truth)).max(initial=0.0))

    def _flat(self, numbers: Array) -> Array:
        found = np.ravel(np.asarray(numbers, np.float64))
        return found.sum(keepdims=True) if self.summed else found

    def lost_by_size(self) -> Iterator[tuple[str, Array]]:
        """The sizes of error that occur and the cases that have them, the largest first."""
        for size in reversed(range(len(SIZES))):
            members = np.flatnonzero(self.lost & (self.sizes == size))
            if len(members):
                yield SIZES[size], members

    def digits_of(self, members: Array) -> Array:
        """(M,) decimal digits of some cases that are right; NaN where there are none to be."""
        size = np.abs(self.truth[members]).max(axis=1, initial=0.0)
        finite = np.isfinite(self.single[members]).all(axis=1) & np.isfinite(size)
        return np.where(
            (size > LEAST["float32"]) & finite, _digits(self.error[members], size), np.nan
        )

    def digits_left(self, members: Array) -> Array:
        """(M,) digits that the inputs' own rounding leaves; NaN where it was not measured."""
        size = np.abs(self.truth[members]).max(axis=1, initial=0.0)
        allowed = self.allowed[members]
        known = np.isfinite(allowed) & np.isfinite(size) & (size > 0)
        return np.where(known, _digits(allowed, size), np.nan)

    def digits_against(self, member: int, truth: Array) -> float:
        """The same of one case against another truth."""
        error = self.distance(self.single[member], truth)
        return float(_digits(np.asarray(error), np.asarray(self.size(truth))))


@attrs.frozen(kw_only=True, eq=False)
class Precision(Population):
    """Cases of one instance in float32 and float64."""

    mode: str
    prediction: str
    scale: Scale
    value: Part
    gradient: Part | None
    rerun: Callable[[CaseBlock], Precision]
    along: str  # of which distance a part of the cases is a ladder
    distance: Array  # (N,) that distance; NaN for cases that are not on it
    domains: Mapping[str, domains.Domain]  # of the arguments
    double: Callable[[CaseBlock], tuple[Array, Array]]  # (value, gradient) of cases in float64
    gathered: bool  # False for a few cases that were asked about once more

    def explained_nearby(self, direction: Direction) -> float:
        """What conditioning explains at the first case, or at one of its neighbours.

        A step of one ulp may lead an oscillating function back to where it was. And a row that
        sums to 1 does so to an ulp of 1, however small the steps of its small entries are: what
        lies across a kink as near as that is explained.
        """
        rng = np.random.default_rng(NEIGHBOURS)
        inputs = {}
        for name, array in self.cases.inputs.items():
            near = np.repeat(np.asarray(array[:1], np.float64), NEIGHBOURS, axis=0)
            domain = self.domains[name]
            if not domain.integral:
                sizes = near if domain.movable else np.abs(near).max(axis=-1, keepdims=True)
                steps = rng.integers(-STEPS, STEPS, near[1:].shape, endpoint=True)
                near[1:] = domain.clip(near[1:] + steps * ulp(sizes)[1:])
            inputs[name] = near
        block = CaseBlock(inputs, np.repeat(self.ranges[:1], NEIGHBOURS))
        part = VALUE if direction is Direction.FORWARD else GRADIENT
        there = self.double(block)[part].reshape(NEIGHBOURS, -1)
        across = np.abs(there[1:] - there[:1]).max(initial=0.0)
        return float(max(np.max(explained(self.double, block, part)), 2.0 * across))


def precision(evidence: Evidence) -> tuple[Precision, ...]:
    """Compare float32 with float64 over the sweeps, and over cases that are apt to lose digits.

    As a graph first: TensorFlow rewrites log(1 + x) there and loses no digits. What is right in the
    graph and lost in eager execution, which computes what is written, follows.
    """
    found: list[Precision] = []
    for instance, sweep in zip(evidence.instances, evidence.sweeps, strict=False):
        if evidence.programs.has_double(instance.shapes):
            others = [run.other for run in evidence.modes if run.graph is sweep]
            found += _of_instance(evidence, instance, sweep, others)
    return tuple(found)


def ladder(evidence: Evidence, instance: Instance) -> tuple[Ladder, CaseBlock]:
    """Lay out the cases that are apt to lose digits."""
    return near(
        evidence.spec.arguments,
        instance.sizes,
        classes=evidence.classes(instance),
        seed=evidence.case_seed,
        count=max(
            FEW, min(A_DECADE, min(affordable(instance.shapes), instance.affordable) // RUNGS)
        )
        if vectorized(instance)
        else FEW,
    )


def vectorized(instance: Instance) -> bool:
    """Say whether cases are run many at a time."""
    return instance.program.way() is Way.VECTORIZED


def _of_instance(
    evidence: Evidence, instance: Instance, sweep: Sweep, others: Sequence[Sweep]
) -> Iterator[Precision]:
    spend()  # before cases are drawn that there is no time to run
    first, further = ladder(evidence, instance)
    more = CaseBlock.concat([first.cases, further])
    usable = (more.ranges <= Range.WORKING) & evidence.labels_inside(more)
    more = more.take(usable)
    kept = np.flatnonzero(sweep.forward_finite & (sweep.ranges <= Range.WORKING))
    cases = CaseBlock.concat([more, sweep.cases.take(kept)])
    most = ELEMENTS if vectorized(instance) else SLOW_ELEMENTS
    graph = _compared(evidence, cases, *_numbers(sweep, more, kept), sweep, most)
    distance = np.full(len(cases), np.nan)
    distance[: len(more)] = np.concatenate([first.distance, np.full(len(further), np.nan)])[usable]
    yield attrs.evolve(graph, along=first.along, distance=distance)
    for other in others:
        if other.mode == "eager":
            scaled = other.with_scale(sweep.scale)
            yield from _elsewhere(evidence, graph, scaled, *_numbers(scaled, more, kept))


def _numbers(sweep: Sweep, more: CaseBlock, kept: Array) -> tuple[Array, Array]:
    """Totals and gradients of further cases, run now, and of those of a sweep that are kept."""
    again = sweep.rerun(more)
    totals = np.concatenate([again.totals, sweep.totals[kept]])
    gradient = np.concatenate([again.flat_gradient, sweep.flat_gradient[kept]])
    return totals, gradient.astype(np.float64)


def _elsewhere(
    evidence: Evidence, graph: Precision, other: Sweep, totals: Array, gradient: Array
) -> Iterator[Precision]:
    """The cases that lose digits in another mode alone, if there are any."""
    lonely = _apart(totals[:, None], graph.value.truth) & np.isnan(graph.value.allowed)
    if graph.gradient is not None:
        lost = _apart(gradient, graph.gradient.truth) & np.isnan(graph.gradient.allowed)
        lonely |= lost & np.isfinite(totals)
    index = np.flatnonzero(lonely)
    if len(index):
        some = graph.cases.take(index)
        yield _compared(evidence, some, totals[index], gradient[index], other, ELEMENTS)


def observe(evidence: Evidence, cases: CaseBlock, sweep: Sweep) -> Precision:
    """The same of other cases, each of which is measured."""
    again = sweep.rerun(cases)
    gradient = again.flat_gradient.astype(np.float64)
    return _compared(evidence, cases, again.totals, gradient, sweep, None)


def vanishing_squares(cases: CaseBlock) -> Array:
    """(N,) bool: some number of the case is not 0, but its square is subnormal.

    Kernels flush the square to 0, as they do subnormal numbers themselves: such cases are extreme.
    """
    found = np.zeros(len(cases), bool)
    for array in cases.inputs.values():
        size = np.abs(flat(array).astype(np.float64))
        found |= ((size > 0) & (size < SQUARED)).any(axis=1)
    return found


def _compared(
    evidence: Evidence,
    cases: CaseBlock,
    totals: Array,
    gradient: Array,
    sweep: Sweep,
    measured: int | None,
) -> Precision:
    true_totals, true_gradient = evidence.double(cases)
    slopes = flat(true_gradient)
    scale: Scale = sweep.scale
    vanishing = vanishing_squares(cases)
    totals = np.where(vanishing, true_totals, totals)
    gradient = np.where(vanishing[:, None], slopes, gradient)

    def part(single: Array, truth: Array, ordinary: float, which: int) -> Part:
        linear = slopes if which == VALUE else None
        allowed = _allowed(
            evidence, cases, single, truth, ordinary, which, linear, sweep.prediction, measured
        )
        return Part(
            single=single, truth=truth, scale=ordinary, allowed=allowed, summed=which == VALUE
        )

    return Precision(
        cases=cases,
        mode=sweep.mode,
        prediction=sweep.prediction,
        scale=scale,
        value=part(totals[:, None], true_totals[:, None], scale.value, VALUE),
        gradient=part(gradient, slopes, _usual_slope(sweep), GRADIENT)
        if sweep.has_gradient
        else None,
        rerun=lambda others: observe(evidence, others, sweep),
        along="",
        distance=np.full(len(cases), np.nan),
        domains={a.name: domains.parse(a.domain) for a in evidence.spec.arguments},
        double=evidence.double,
        gathered=measured is not None,
    )


def _usual_slope(sweep: Sweep) -> float:
    """What lost digits of a gradient are weighed against.

    Where most ordinary gradients are next to nothing, as those of a softmax that is sure are, their
    median says less of a slope than how much the loss changes over the ordinary predictions.
    """
    ordinary = usual(sweep.ranges)
    predictions = np.abs(sweep.cases.inputs[sweep.prediction][ordinary].astype(np.float64))
    reach = float(predictions.max(initial=0.0)) or 1.0
    totals = sweep.totals[ordinary]
    totals = totals[np.isfinite(totals)].astype(np.float64)
    # Not its size: a loss of a million may change by one.
    change = float(np.subtract(*np.quantile(totals, MOST))) if len(totals) else 0.0
    return max(sweep.scale.gradient, FLAT * change / reach)


def _allowed(
    evidence: Evidence,
    cases: CaseBlock,
    single: Array,
    truth: Array,
    scale: float,
    which: int,
    slopes: Array | None,
    prediction: str,
    measured: int | None,
) -> Array:
    """(N,) what conditioning explains, where fewer than two digits agree."""
    error = _distance(single, truth)
    apart = _apart(single, truth)
    if slopes is not None and measured is not None:
        # Half of what the slopes alone explain: those need not be measured.
        x = np.asarray(cases.inputs[prediction], np.float64).reshape(len(cases), -1)
        with np.errstate(invalid="ignore", over="ignore"):
            apart &= ~(error < EXPLAINED / 2 * (np.abs(slopes) * ulp(x)).sum(axis=1))
    index = np.flatnonzero(apart)
    allowed = np.full(len(cases), np.nan)
    allowed[index] = np.inf
    if measured is not None:
        index = _worst(index, error[index] / scale, cases.ranges[index], _budget(cases, measured))
    if len(index):
        allowed[index] = explained(evidence.double, cases.take(index), which)
    return allowed


def _apart(single: Array, truth: Array) -> Array:
    """(N,) bool: both are finite, and fewer than two digits agree."""
    error = _distance(single, truth)
    size = np.abs(truth).max(axis=1, initial=0.0)
    with np.errstate(invalid="ignore"):
        apart = (error > TWO_DIGITS * size) & (error > LEAST["float32"]) & (size > UNKNOWN * error)
    return np.asarray(apart & np.isfinite(single).all(axis=1) & np.isfinite(truth).all(axis=1))


def _budget(cases: CaseBlock, elements: int) -> int:
    """How many cases are measured, by the runs that each takes."""
    width = sum(int(np.prod(array.shape[1:])) for array in cases.inputs.values())
    return max(2, min(EVALUATIONS, elements // width) // evaluations(width))


def _worst(index: Array, weight: Array, ranges: Array, most: int) -> Array:
    """Choose cases to measure: of each range and size of error some, half of them the worst."""
    strata = ranges.astype(int) * len(SIZES) + np.digitize(weight, BOUNDS[1:-1])
    found = []
    codes = np.unique(strata)
    for code in codes:
        members = np.flatnonzero(strata == code)
        members = members[np.argsort(-weight[members], kind="stable")]
        share = max(1, most // len(codes))
        if len(members) > share:
            rest = members[share // 2 :]
            members = np.concatenate([members[: share // 2], spread(rest, share - share // 2)])
        found.append(members)
    return index[np.sort(np.concatenate(found))] if found else index


def _digits(error: Array, size: Array) -> Array:
    """Decimal digits that are right: none where all is error, at most what float32 has."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(error == 0, 0.0, error / size)
    return np.asarray(np.abs(np.log10(np.clip(share, 2.0**-24, 1.0))))


def _distance(single: Array, truth: Array) -> Array:
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(np.abs(single - truth).max(axis=1, initial=0.0))
