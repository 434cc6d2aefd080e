"""The gradient against numeric derivatives, coordinate by coordinate, in float64."""

from __future__ import annotations

import math
from collections.abc import Callable

import attrs
import numpy as np

from losscheck import cases
from losscheck.cases.blocks import CaseBlock, Population, spread
from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.gradient.differences import at_an_edge, compare_cases, differentiate, large
from losscheck.evidence.gradient.excuses import frozen, ties
from losscheck.evidence.gradient.large_case import CaseVerdict
from losscheck.evidence.gradient.projected import is_wrong, median_size
from losscheck.evidence.gradient.second_look import second_look
from losscheck.evidence.gradient.selecting import open_to_choice
from losscheck.evidence.search.sweep import Sweep, usual
from losscheck.model import Array, Direction, Range
from losscheck.numerics.quotients import Derivatives
from losscheck.numerics.verdict import Agreement, Comparison, cautious, compare
from losscheck.program.running.program import SINGLE_CASES, STACKED_CASES
from losscheck.program.running.refusals import running
from losscheck.program.running.ways import Way
from losscheck.settings.budget import CutError

EVALUATIONS = 35  # of the loss, for one coordinate (numerics.ladder)
ORDINARY = 2_048  # coordinates at ordinary points, an instance
WORKING = 768  # coordinates at working points
DATA = 512  # coordinates at rows of the user's data
NEGLIGIBLE = 2.0**-20  # of the ordinary gradient (LC302)
WIDE_CASES = 2  # ordinary cases of a large batch
TINY = 1e-9  # predictions closer to 0, but not 0, have no scale that steps could follow
OPERATIONS = 1 << 21  # some two seconds, where each case is a call
COMPUTED = 1 << 29  # numbers inside the loss, some two seconds, where cases run in blocks
SLIGHT = 1e-3  # of a gradient: what holding a part still may explain, and rounding may as well
CHOICES = 32  # cases whose wrong elements are compared with what choices leave open
TIES = 1_024  # wrong coordinates whose neighbours are looked at


@attrs.frozen(kw_only=True, eq=False)
class GradientCheck(Population):
    """The gradients of some cases, and what the differences say of each coordinate."""

    prediction: str
    gradient: Array  # (N, n) float64, as the program gives it
    found: Derivatives  # derivatives of N·n points, a case after the other
    comparison: Comparison  # the same
    tie: Array  # (N, n) bool: wrong here alone, right a little to both sides
    around: Array  # (N, n) bool: wrong a little to one side, too
    # (N, n) bool: the prediction lies at an end of its domain, where one side has no say.
    edge: Array
    # (N, n) bool: wrong, but right for the loss with what `tf.stop_gradient` cuts off held still.
    frozen: Array
    # (N, n) bool: wrong, but right where matrices that have a Cholesky factor stay symmetric.
    mirrored: Array
    # Of each case, where the prediction is too large for a ladder of each element.
    verdicts: tuple[CaseVerdict, ...]
    scale: float
    rerun: Callable[[CaseBlock], GradientCheck]

    @property
    def wrong(self) -> Array:
        """(N, n) bool: differs from the derivative, or lies outside the one-sided ones.

        At working points, which crowd at edges and clips, a kink may be too close for any step to
        see: what is far below the ordinary gradient there does not count.
        """
        codes = self.comparison.outcome.reshape(self.gradient.shape)
        wrong = np.isin(codes, (Agreement.MISMATCH, Agreement.OUTSIDE))
        notable = self.comparison.difference.reshape(self.gradient.shape) > NEGLIGIBLE * self.scale
        ordinary = (self.ranges == Range.ORDINARY)[:, None]
        # At an edge there is one slope inside, perhaps with a kink too close to see: what is wrong
        # there alone is no fact.
        return np.asarray(wrong & (notable | ordinary) & ~(self.edge & ~self.around))

    @property
    def decided(self) -> Array:
        """(N, n) bool: something could be said."""
        codes = self.comparison.outcome.reshape(self.gradient.shape)
        return np.asarray(codes != Agreement.INCONCLUSIVE)

    @property
    def verified(self) -> Array:
        """(N,) bool: every coordinate of the gradient was verified."""
        codes = self.comparison.outcome.reshape(self.gradient.shape)
        return np.asarray((codes == Agreement.VERIFIED).all(axis=1))

    def numeric(self, case: int) -> Array:
        """(n,) the derivatives of one case."""
        return np.asarray(self.found.value.reshape(self.gradient.shape)[case])


def gradient_checks(evidence: Evidence) -> tuple[GradientCheck, ...]:
    """Compare gradients at ordinary and working points of every instance."""
    checks: list[GradientCheck] = []
    try:
        for instance, sweep in zip(evidence.instances, evidence.sweeps, strict=False):
            # Finite differences in float32 are never trusted.
            dear = bool(checks) and _dear(instance, 2)  # one sample has been checked
            if sweep.has_gradient and not dear and evidence.programs.has_double(instance.shapes):
                block = _points(evidence, instance, sweep)
                if len(block):
                    checks.append(check(evidence, instance, block, sweep.scale.gradient))
        wide = evidence.wide if checks else None
        if wide is not None:  # what is wrong for some sizes alone
            arguments, classes = evidence.spec.arguments, evidence.classes(wide)
            block = cases.usual(arguments, wide.sizes, classes, WIDE_CASES)
            block = block.take(running(wide.program, block.inputs))
            if len(block):
                checks.append(check(evidence, wide, block, None))
    except CutError:
        if not checks:
            raise
        evidence.shortened.append("the gradient was checked at fewer sizes")
    return tuple(checks)


def check(
    evidence: Evidence, instance: Instance, block: CaseBlock, scale: float | None
) -> GradientCheck:
    """Compare the gradients of a block of cases with differences.

    Parameters
    ----------
    scale
        The ordinary size of a gradient element; that of the first case where it is None.
    """
    n = math.prod(block.inputs[evidence.spec.prediction.name].shape[1:])
    verdicts: tuple[CaseVerdict, ...] = ()
    if large(evidence, instance):
        found, comparison, verdicts = compare_cases(evidence, block, scale)
        gradient = np.stack([verdict.gradient for verdict in verdicts])
    else:
        gradient = evidence.double(block)[1].reshape(len(block), n)
    if scale is None:
        scale = median_size(gradient[0])
    if not verdicts:
        found = cautious(differentiate(evidence, instance, block), scale)
        floor = evidence.programs.floor(instance.shapes)
        comparison = compare(gradient.ravel(), found, floor, scale)
    wrong = is_wrong(comparison)
    held = frozen(evidence, instance, block, gradient, wrong, scale)
    alike = frozen(evidence, instance, block, gradient, wrong & ~held, scale, mirrored=True)
    size = np.fmax(np.abs(gradient.ravel()), scale)
    slight = held & (comparison.difference <= SLIGHT * size)  # rounding may be all there is to it
    excused = held | alike
    among = (wrong & ~excused) | slight
    if among.any():
        comparison = second_look(evidence, instance, block, gradient, comparison, scale, among)
        wrong = is_wrong(comparison)
        held &= wrong
    tie, around = np.zeros(wrong.shape, bool), np.zeros(wrong.shape, bool)
    index = np.flatnonzero(wrong & ~excused)[:TIES]
    if len(index):
        tie[index], around[index] = ties(evidence, instance, block, index, n, scale)
        unseen = index[~tie[index] & ~around[index]]
        comparison = _left_open(evidence, block, gradient, comparison, unseen)
    return GradientCheck(
        cases=block,
        prediction=evidence.spec.prediction.name,
        gradient=gradient,
        found=found,
        comparison=comparison,
        tie=tie.reshape(gradient.shape),
        around=around.reshape(gradient.shape),
        edge=at_an_edge(evidence, block).reshape(gradient.shape),
        frozen=held.reshape(gradient.shape),
        mirrored=alike.reshape(gradient.shape),
        verdicts=verdicts,
        scale=scale,
        rerun=lambda others: check(evidence, instance, others, scale),
    )


def _left_open(
    evidence: Evidence, block: CaseBlock, gradient: Array, comparison: Comparison, index: Array
) -> Comparison:
    """Call undecided what is one of the slopes that choices among nearly equal numbers leave open.

    Asked of wrong elements around which nothing could be decided: steps that pass all the choices
    at once see one slope, and the gradient is that of a choice between them.
    """
    case = index // gradient.shape[1]
    rows = np.unique(case)
    asked = spread(rows, CHOICES)
    able = [
        row
        for row in asked
        if open_to_choice(
            evidence, block.take(np.asarray([row])), gradient[row], Direction.BACKWARD
        )
    ]
    if len(rows) > len(asked) == len(able):
        able = list(rows)  # the others are, too
    outcome = comparison.outcome.copy()
    outcome[index[np.isin(case, able)]] = Agreement.INCONCLUSIVE
    return attrs.evolve(comparison, outcome=outcome)


def _points(evidence: Evidence, instance: Instance, sweep: Sweep) -> CaseBlock:
    """Choose cases whose loss and gradient are finite: ordinary ones, and some working ones."""
    n = int(np.prod(instance.shapes[evidence.spec.prediction.name]))
    share = _share(instance)
    rng = np.random.default_rng(evidence.seed)
    chosen = []
    finite = sweep.forward_finite & np.isfinite(sweep.flat_gradient).all(axis=1)
    size = np.abs(sweep.cases.inputs[evidence.spec.prediction.name]).reshape(len(sweep), -1)
    finite &= ~((size > 0) & (size < TINY)).any(axis=1)
    working = np.flatnonzero(sweep.ranges == Range.WORKING)
    least = 1 if large(evidence, instance) or _dear(instance, 4) else 2
    points = [(usual(sweep.ranges), ORDINARY), (working, WORKING)]
    if evidence.inferred.data is not None:
        points.append((evidence.own_rows(instance, sweep), DATA))
    for index, coordinates in points:
        able = index[finite[index]]
        count = min(len(able), max(least, int(coordinates * share / n)))
        chosen.append(np.sort(rng.choice(able, count, replace=False)))
    return sweep.cases.take(np.concatenate(chosen)).distinct()


def _dear(instance: Instance, cases: int) -> bool:
    """Whether the ladders of so many cases take seconds, run one call each."""
    program = instance.program.graphed
    if program is None or program.way() is not Way.SINGLY:
        return False
    n = math.prod(instance.shapes[program.prediction])
    return cases * n * EVALUATIONS * program.effort.operations > OPERATIONS


def _share(instance: Instance) -> float:
    """The part of the points that a loss can afford that does not run in blocks."""
    program = instance.program.graphed
    if program is None:
        return 0.01
    if program.way() is not Way.VECTORIZED:
        stacked = program.way() is Way.STACKED
        affordable = STACKED_CASES if stacked else SINGLE_CASES
        return instance.lightness * affordable / (ORDINARY * EVALUATIONS)
    computed = (ORDINARY + WORKING) * EVALUATIONS * program.effort.numbers
    return min(1.0, COMPUTED / computed)
