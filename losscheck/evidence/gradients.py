"""The gradient against numeric derivatives, coordinate by coordinate, in float64."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import numpy as np

from losscheck import domains
from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.sweep import Sweep
from losscheck.model import Array, GradientSummary, Range
from losscheck.numerics.ladder import derivatives
from losscheck.numerics.quotients import Derivatives
from losscheck.numerics.verdict import Agreement, Comparison, compare
from losscheck.program.batch import MAPPED_CASES, Program, Way
from losscheck.program.modes import EagerProgram
from losscheck.program.programs import along

EVALUATIONS = 35  # of the loss, for one coordinate (numerics.ladder)
ORDINARY = 2_048  # coordinates at ordinary points, an instance
WORKING = 768  # coordinates at working points
NEIGHBOUR = 2.0**-16  # relative distance at which an isolated tie is told from a wrong gradient
NEGLIGIBLE = 2.0**-20  # of the ordinary gradient (LC302)
TIES = 64  # wrong coordinates whose neighbours are looked at


@attrs.frozen(kw_only=True, eq=False)
class GradientCheck:
    """The gradients of some cases, and what the differences say of each coordinate.

    Attributes
    ----------
    gradient
        (N, n) float64, as the program gives it.
    found
        Derivatives of N·n points, a case after the other.
    comparison
        The same.
    tie
        (N, n) bool: wrong here alone, right a little to both sides.
    """

    cases: CaseBlock
    prediction: str
    gradient: Array
    found: Derivatives
    comparison: Comparison
    tie: Array
    scale: float
    rerun: Callable[[CaseBlock], GradientCheck]

    def __len__(self) -> int:
        return len(self.cases)

    @property
    def ranges(self) -> Array:
        """(N,) Range codes."""
        return self.cases.ranges

    @property
    def wrong(self) -> Array:
        """(N, n) bool: differs from the derivative, or lies outside the one-sided ones.

        At working points, which crowd at edges and clips, a kink may be too close for any step to
        see: what is far below the ordinary gradient there does not count.
        """
        codes = self.comparison.outcome.reshape(self.gradient.shape)
        wrong = np.isin(codes, (Agreement.MISMATCH, Agreement.OUTSIDE))
        notable = self.comparison.difference.reshape(self.gradient.shape) > NEGLIGIBLE * self.scale
        usual = (self.ranges == Range.ORDINARY)[:, None]
        return np.asarray(wrong & (notable | usual))

    @property
    def decided(self) -> Array:
        """(N, n) bool: something could be said."""
        codes = self.comparison.outcome.reshape(self.gradient.shape)
        return np.asarray(codes != Agreement.INCONCLUSIVE)

    def numeric(self, case: int) -> Array:
        """(n,) the derivatives of one case."""
        return np.asarray(self.found.value.reshape(self.gradient.shape)[case])


def gradient_checks(evidence: Evidence) -> tuple[GradientCheck, ...]:
    """Compare gradients at ordinary and working points of every instance."""
    checks = []
    for instance, sweep in zip(evidence.instances, evidence.sweeps, strict=False):
        # Finite differences in float32 are never trusted.
        if sweep.has_gradient and evidence.programs.has_double(instance.shapes):
            block = _points(evidence, instance, sweep)
            checks.append(check(evidence, instance, block, sweep.scale.gradient))
    return tuple(checks)


def check(evidence: Evidence, instance: Instance, block: CaseBlock, scale: float) -> GradientCheck:
    """Compare the gradients of a block of cases with differences."""
    n = int(np.prod(block.inputs[evidence.spec.prediction.name].shape[1:]))
    gradient = evidence.double(block)[1]
    gradient = gradient.reshape(len(block), n)
    found = _derive(evidence, instance, block)
    comparison = compare(gradient.ravel(), found, evidence.programs.floor(instance.shapes), scale)
    wrong = np.isin(comparison.outcome, (Agreement.MISMATCH, Agreement.OUTSIDE))
    tie = np.zeros(wrong.shape, bool)
    index = np.flatnonzero(wrong)[:TIES]
    if len(index):
        tie[index] = _ties(evidence, instance, block, index, n, scale)
    return GradientCheck(
        cases=block,
        prediction=evidence.spec.prediction.name,
        gradient=gradient,
        found=found,
        comparison=comparison,
        tie=tie.reshape(gradient.shape),
        scale=scale,
        rerun=lambda others: check(evidence, instance, others, scale),
    )


def summary(checks: tuple[GradientCheck, ...], compute_gradient: float | None) -> GradientSummary:
    """How well the gradient was verified, over all coordinates that could be decided."""
    digits = np.concatenate([c.comparison.digits for c in checks] or [np.zeros(0)])
    digits = digits[np.isfinite(digits)]
    errors = [
        float(np.max(c.comparison.difference[c.decided.ravel()], initial=0.0))
        / max(c.scale, 1e-300)
        for c in checks
    ]
    points = sum(int((c.comparison.outcome == Agreement.VERIFIED).sum()) for c in checks)
    return GradientSummary(
        digits=round(float(np.median(digits)), 1) if len(digits) else None,
        max_error=max(errors) if errors else None,
        compute_gradient_max_error=compute_gradient,
        points=points,
    )


def _points(evidence: Evidence, instance: Instance, sweep: Sweep) -> CaseBlock:
    """Choose cases whose loss and gradient are finite: ordinary ones, and some working ones."""
    n = int(np.prod(instance.shapes[evidence.spec.prediction.name]))
    share = _share(instance)
    rng = np.random.default_rng(evidence.seed)
    chosen = []
    finite = sweep.forward_finite & np.isfinite(sweep.flat_gradient).all(axis=1)
    for code, coordinates in ((Range.ORDINARY, ORDINARY), (Range.WORKING, WORKING)):
        index = np.flatnonzero(finite & (sweep.ranges == code))
        count = min(len(index), max(2, int(coordinates * share / n)))
        chosen.append(np.sort(rng.choice(index, count, replace=False)))
    return sweep.cases.take(np.concatenate(chosen))


def _share(instance: Instance) -> float:
    """The part of the points that a loss can afford that does not run in blocks."""
    if isinstance(instance.program, EagerProgram):
        return 0.01
    if isinstance(instance.program, Program) and instance.program.way() is Way.MAPPED:
        return MAPPED_CASES / (ORDINARY * EVALUATIONS)
    return 1.0


def bounds(evidence: Evidence) -> tuple[float, float]:
    """The box that differences of the prediction stay in."""
    return domains.parse(evidence.spec.prediction.domain).bounds


def _derive(evidence: Evidence, instance: Instance, block: CaseBlock) -> Derivatives:
    x = np.asarray(block.inputs[evidence.spec.prediction.name], np.float64).reshape(len(block), -1)
    case, coordinate = np.divmod(np.arange(x.size), x.shape[1])
    return _at(evidence, instance, block, case, coordinate, x.ravel())


def _at(
    evidence: Evidence,
    instance: Instance,
    block: CaseBlock,
    case: Array,
    coordinate: Array,
    x: Array,
) -> Derivatives:
    low, high = bounds(evidence)
    program = evidence.programs.double(instance.shapes)
    evaluate = along(program, block.inputs)
    # A value just outside (a simplex row off by rounding) is differentiated where it is.
    lower, upper = np.fmin(low, x), np.fmax(high, x)
    size = np.max(
        [
            np.abs(a.reshape(len(block), -1).astype(float)).max(axis=1, initial=0.0)
            for a in block.inputs.values()
        ],
        axis=0,
    )
    return derivatives(evaluate, case, coordinate, x, lower, upper, magnitude=size[case])


def _ties(
    evidence: Evidence, instance: Instance, block: CaseBlock, index: Array, n: int, scale: float
) -> Array:
    """Say which wrong coordinates are right a little below and a little above."""
    case, coordinate = np.divmod(index, n)
    name = evidence.spec.prediction.name
    right = np.ones(len(index), bool)
    low, high = bounds(evidence)
    for sign in (-1.0, 1.0):
        moved = block.take(case)
        flat = np.array(moved.inputs[name], np.float64).reshape(len(case), -1)
        rows = np.arange(len(case))
        step = NEIGHBOUR * np.fmax(1.0, np.abs(flat[rows, coordinate]))
        flat[rows, coordinate] = np.clip(flat[rows, coordinate] + sign * step, low, high)
        inputs = {**moved.inputs, name: flat.reshape(moved.inputs[name].shape)}
        there = CaseBlock(inputs=inputs, ranges=moved.ranges)
        gradient = evidence.double(there)[1].reshape(len(case), -1)[rows, coordinate]
        found = _at(evidence, instance, there, rows, coordinate, flat[rows, coordinate])
        floor = evidence.programs.floor(instance.shapes)
        right &= compare(gradient, found, floor, scale).outcome == Agreement.VERIFIED
    return right
