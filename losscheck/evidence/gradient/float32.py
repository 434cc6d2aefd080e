"""The float32 gradient against the verified float64 one; differences in float32 prove nothing.

The float64 program is traced anew, so that a loss may do something else there. Where the float32
gradient is off by more than the rounding of the inputs explains, the float32 graph itself is run in
more digits, and its gradient is compared with differences of its own value: a wrong formula stays
wrong in more digits, lost digits come back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock, Population, spread
from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.gradient.check import GradientCheck, check
from losscheck.evidence.precision.disagreement import (
    EVALUATIONS,
    NEGLIGIBLE,
    evaluations,
    explained,
)
from losscheck.model import Array
from losscheck.program.derived import SameGraphPrograms

CASES = 512  # of an instance
CLOSELY = 64  # of those that lost digits: the graph is run in more digits
# Relative: constants that a graph holds in float32, as 2 / sqrt(pi) in the slope of erf, stay as
# they are in more digits, and where terms cancel what they lack is seen a thousand times larger.
ROUNDED = 1e-3
SMALLEST = 2.0**-24  # relative: a float32 number agrees with the truth in no more digits


@attrs.frozen(kw_only=True, eq=False)
class Float32Gradients(Population):
    """Float32 gradients of cases whose float64 gradient was verified."""

    prediction: str
    # (N, n) float64: what the loss gives in float32, and in float64.
    gradient: Array
    truth: Array
    scale: float  # the ordinary gradient
    # (N,) float64, the change that the inputs' own rounding explains; NaN where the difference is
    # too small to matter, infinite where it was not measured.
    explained: Array
    rows: Array
    # The float32 graph in more digits, of the cases `rows`, which lost digits; None where none did
    # or where the float64 program is that graph already.
    same_graph: GradientCheck | None
    rerun: Callable[[CaseBlock], Float32Gradients]

    @property
    def difference(self) -> Array:
        """(N,) float64 from float32, in the max norm."""
        return np.asarray(np.abs(self.gradient - self.truth).max(axis=1, initial=0.0))

    @property
    def lost(self) -> Array:
        """(N,) bool: off by more than conditioning explains."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.difference > self.explained)

    @property
    def wrong(self) -> Array:
        """(N,) bool: so is the same graph in more digits, by differences of its own value."""
        found = np.zeros(len(self), bool)
        if self.same_graph is not None:
            other = self.same_graph
            numeric = other.found.value.reshape(other.gradient.shape)
            size = np.fmax(np.abs(numeric).max(axis=1, keepdims=True, initial=0.0), self.scale)
            apart = np.abs(other.gradient - numeric) > ROUNDED * size
            found[self.rows] = (other.wrong & ~other.tie & apart).any(axis=1)
        return found

    @property
    def digits(self) -> Array:
        """(N·n,) decimal digits of each number, against the larger of it and the ordinary one."""
        size = np.fmax(np.abs(self.truth), self.scale)
        apart = np.abs(self.gradient - self.truth) / np.where(size > 0, size, 1.0)
        return np.asarray(-np.log10(np.fmax(apart, SMALLEST))).ravel()


def float32_gradients(
    evidence: Evidence, checks: Sequence[GradientCheck]
) -> tuple[Float32Gradients, ...]:
    """Compare float32 with float64 at ordinary and working points of every instance."""
    found = []
    small = [plain for plain in checks if not plain.verdicts]  # every coordinate of these is known
    for plain in small or checks:
        rows = spread(np.flatnonzero(plain.verified), CASES)
        if len(rows):
            found.append(_observe(evidence, plain.cases.take(rows), plain.scale))
    return tuple(found)


def median_digits(found: Sequence[Float32Gradients]) -> float | None:
    """The median number of digits that float32 gradients have."""
    digits = np.concatenate([part.digits for part in found] or [np.zeros(0)])
    digits = digits[np.isfinite(digits)]
    return round(float(np.median(digits)), 1) if len(digits) else None


def _observe(evidence: Evidence, cases: CaseBlock, scale: float) -> Float32Gradients:
    instance = evidence.instance_of(cases)
    single = evidence.programs.at(instance.shapes).run(cases.inputs).gradient
    gradient = np.asarray(single, np.float64).reshape(len(cases), -1)
    truth = evidence.double(cases)[1].reshape(len(cases), -1)
    allowed = _allowed(evidence, cases, gradient, truth, scale)
    with np.errstate(invalid="ignore"):
        lost = np.abs(gradient - truth).max(axis=1, initial=0.0) > allowed
    rows = np.flatnonzero(lost)[:CLOSELY]
    return Float32Gradients(
        cases=cases,
        prediction=evidence.spec.prediction.name,
        gradient=gradient,
        truth=truth,
        scale=scale,
        explained=allowed,
        rows=rows,
        same_graph=_same_graph(evidence, instance, cases.take(rows), scale),
        rerun=lambda others: _observe(evidence, others, scale),
    )


def _allowed(
    evidence: Evidence, cases: CaseBlock, gradient: Array, truth: Array, scale: float
) -> Array:
    """(N,) what the inputs' rounding explains, measured where the difference is worth it."""
    size = np.fmax(np.abs(truth).max(axis=1, initial=0.0), scale)
    with np.errstate(invalid="ignore"):
        notable = np.abs(gradient - truth).max(axis=1, initial=0.0) > NEGLIGIBLE * size
    notable &= np.isfinite(gradient).all(axis=1) & np.isfinite(truth).all(axis=1)
    width = sum(int(np.prod(array.shape[1:])) for array in cases.inputs.values())
    index = np.flatnonzero(notable)
    allowed = np.full(len(cases), np.nan)
    allowed[index] = np.inf
    index = index[: max(1, EVALUATIONS // (evaluations(width) * max(1, truth.shape[1])))]
    if len(index):
        allowed[index] = explained(evidence.double, cases.take(index), 1)
    return allowed


def _same_graph(
    evidence: Evidence, instance: Instance, cases: CaseBlock, scale: float
) -> GradientCheck | None:
    double = evidence.programs.double(instance.shapes).graphed
    if not len(cases) or double is None or double.rewritten:
        return None
    if instance.wiring is None or instance.wiring.runs_python:  # which keeps to float32
        return None
    inferred = attrs.evolve(evidence.inferred, programs=SameGraphPrograms(evidence.programs))
    return check(attrs.evolve(evidence, inferred=inferred), instance, cases, scale)
