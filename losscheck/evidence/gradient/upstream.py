"""Whether the gradient passes on what comes from upstream, as weights and loss scaling send it.

TensorFlow hands the last op of an unreduced loss an upstream gradient of ones, and of a scalar loss
a single one: a custom gradient around the whole loss that ignores it is right there, and wrong
under sample weights, loss weights and loss scaling. The loss times fixed numbers far from 1 goes
through the same check as the loss itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.gradient.check import GradientCheck, check
from losscheck.model import Array
from losscheck.numerics.verdict import Agreement
from losscheck.program.derived import WeightedPrograms
from losscheck.program.running.ways import Way
from losscheck.program.tracing.trace import Call, CallError

FACTORS = (3.0, 0.625, 20.0, 0.1875, 7.0, 0.375)  # odd numbers times powers of two, far from 1
CASES = 64  # looked at: the points were verified already, this asks for one thing alone
COORDINATES = 1_024  # of them at most
SLOW = 2  # cases of a loss that cannot be traced or vectorized
SAME = 1e-9  # relative: the gradient did not move with the upstream gradient at all


@attrs.frozen(kw_only=True, eq=False)
class UpstreamCheck:
    """The gradient of the loss times an upstream gradient, at points that were verified without.

    Attributes
    ----------
    cases
        Of the loss, the upstream gradient left out: it is the same for all.
    weighted
        The check of the loss times `upstream`, of as many cases.
    wrong
        (N, n) bool: differs, though the gradient itself is right there.
    ignored
        (N, n) bool: and is the same as without.
    call
        The weighted loss.
    """

    cases: CaseBlock
    weighted: GradientCheck
    wrong: Array
    ignored: Array
    upstream: Array
    call: Call
    rerun: Callable[[CaseBlock], UpstreamCheck]

    def __len__(self) -> int:
        return len(self.cases)

    @property
    def prediction(self) -> str:
        """The argument that the gradient is taken of."""
        return self.weighted.prediction

    @property
    def ranges(self) -> Array:
        """(N,) Range codes."""
        return self.cases.ranges


def upstream_check(evidence: Evidence, checks: Sequence[GradientCheck]) -> UpstreamCheck | None:
    """Check the loss times an upstream gradient; None where nothing is verified without."""
    able = [c for c in checks if c.gradient.shape[1] <= COORDINATES and _right(c).any()]
    small = [c for c in able if not c.verdicts]  # a batch suffices, and is cheaper to trace
    plain = max(small or able, key=lambda c: c.gradient.shape[1], default=None)
    if plain is None:
        return None
    rows = _spread(np.flatnonzero(_right(plain)), plain.gradient.shape[1])
    instance = evidence.instance_of(plain.cases)
    program = instance.program
    if program.way() is not Way.VECTORIZED:
        rows = rows[:SLOW]
    derived, upstream = _derived(evidence, instance, plain.cases)
    cases, right = plain.cases.take(rows), ~plain.edge[rows]
    try:
        return _observe(derived, upstream, plain, cases, plain.gradient[rows], right)
    except CallError:  # a loss that takes no call of a single case
        return None


def _right(plain: GradientCheck) -> Array:
    """(N,) bool: every coordinate of a case is verified."""
    codes = plain.comparison.outcome.reshape(plain.gradient.shape)
    return np.asarray((codes == Agreement.VERIFIED).all(axis=1))


def _spread(rows: Array, coordinates: int) -> Array:
    count = min(len(rows), CASES, max(2, COORDINATES // max(1, coordinates)))
    return np.asarray(rows[np.linspace(0, len(rows) - 1, count).astype(int)])


def _derived(evidence: Evidence, instance: Instance, cases: CaseBlock) -> tuple[Evidence, Array]:
    """The evidence of the weighted loss, and the numbers it is weighted by."""
    shape = instance.program.run(cases.take(np.zeros(1, int)).inputs).value.shape[1:]
    upstream = np.resize(np.asarray(FACTORS, np.float32), shape)
    programs = WeightedPrograms(evidence.programs, instance.shapes, upstream)
    inferred = attrs.evolve(evidence.inferred, programs=programs)
    return attrs.evolve(evidence, inferred=inferred), upstream


def _observe(
    derived: Evidence,
    upstream: Array,
    plain: GradientCheck,
    cases: CaseBlock,
    gradient: Array,
    right: Array,
) -> UpstreamCheck:
    """Check some cases, of which `gradient` is the loss's own and `right` (N, n) where that is."""
    # A weighted gradient is as much larger, and so is what the rounding of constants makes of it.
    scale = plain.scale * float(np.abs(upstream).max(initial=1.0))
    found = check(derived, derived.instance_of(cases), cases, scale)
    wrong = found.wrong & ~found.tie & ~found.frozen & ~found.mirrored & right
    same = np.abs(found.gradient - gradient) <= SAME * np.abs(gradient)

    def rerun(others: CaseBlock) -> UpstreamCheck:
        again = plain.rerun(others)
        verified = _right(again)[:, None] & ~again.edge
        return _observe(derived, upstream, plain, others, again.gradient, verified)

    return UpstreamCheck(
        cases=cases,
        weighted=found,
        wrong=np.asarray(wrong),
        ignored=np.asarray(wrong & same),
        upstream=upstream,
        call=derived.programs.call,
        rerun=rerun,
    )
