"""The counterexample run alone, as anyone runs it: what shows only in a block is no finding."""

from __future__ import annotations

import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.domains.floats import native
from losscheck.evidence.gather import Evidence
from losscheck.evidence.gradient.gradient_sizes import FAINT, HUGE, GradientSizes
from losscheck.evidence.gradient.second_order import SecondOrderCheck
from losscheck.evidence.gradient.selecting import open_to_choice
from losscheck.evidence.precision.disagreement import TWO_DIGITS
from losscheck.evidence.precision.lost_digits import BOUNDS, SIZES, Precision
from losscheck.evidence.precision.truth import exact_numbers
from losscheck.evidence.search.refusals import Refusals
from losscheck.model import Array, Direction
from losscheck.program.modes import MODES, Single
from losscheck.program.tracing.trace import CallError, OutputError
from losscheck.rules import by_code
from losscheck.rules.crowd import Crowd

CORNER = 2.0**-22  # of 1, or of a number: two steps of float32 there
MOVED = 64  # elements of an argument that are moved to look for a corner


def confirmed(evidence: Evidence, crowd: Crowd, case: CaseBlock) -> bool:
    """Say whether one case, called alone, shows what the rule suspects."""
    rule = by_code(crowd.code)
    nonfinite = crowd.form in rule.nonfinite
    if nonfinite and not rule.by_mode:
        return any(
            _wrong(single, crowd.direction)
            for mode in ("eager", "graph")  # either will do, and a graph has to be traced first
            if (single := alone(evidence, case, mode, crowd.dtype)) is not None
        )
    if nonfinite:
        runs = {mode: alone(evidence, case, mode, crowd.dtype) for mode in MODES}
        wrong = {m: _wrong(s, crowd.direction) for m, s in runs.items() if s is not None}
        return wrong.get(crowd.mode, False) and not all(wrong.values())
    if rule.by_mode:
        runs = {mode: alone(evidence, case, mode, crowd.dtype) for mode in ("graph", crowd.mode)}
        forward = crowd.direction is Direction.FORWARD
        came = [s.value if forward else s.gradient for s in runs.values() if s is not None]
        return _apart(runs["graph"], runs[crowd.mode], crowd.form) and not all(
            open_to_choice(evidence, case, numbers, crowd.direction) for numbers in came
        )
    if rule.by_derivative and crowd.form == "tie":
        gradient = crowd.population.rerun(case).gradient[0]
        return not open_to_choice(evidence, case, gradient, crowd.direction, in_a_row=True)
    if isinstance(crowd.population, Precision):
        return _lost(evidence, crowd, case)
    if isinstance(crowd.population, Refusals):
        return bool(len(crowd.population.rerun(case).members))
    if isinstance(crowd.population, GradientSizes):
        single = alone(evidence, case, crowd.mode, crowd.dtype)
        return single is not None and _unusual(crowd, single)
    if crowd.form == "nonfinite" and isinstance(crowd.population, SecondOrderCheck):
        slopes, derived = crowd.population.directed(case), crowd.population.derived
        along = [slopes.take(np.asarray([i])) for i in range(len(slopes))]
        return any(
            _wrong(single, crowd.direction)
            for mode in ("graph", "eager")
            for each in along
            if (single := alone(derived, each, mode, crowd.dtype)) is not None
        )
    return True


def _lost(evidence: Evidence, crowd: Crowd, case: CaseBlock) -> bool:
    """Say whether digits are lost against exact numbers too, by every graph of the loss.

    Where an operation has no exact evaluation float64 has to do. Had it lost its own digits, its
    results would jump between neighbouring float32 inputs, and such jumps count as explained.
    """
    again = crowd.population.rerun(case)
    part = again.value if crowd.direction is Direction.FORWARD else again.gradient
    single = alone(evidence, case, crowd.mode, crowd.dtype)
    if single is None or part is None or not part.lost[0]:
        return False
    got = single.value if crowd.direction is Direction.FORWARD else single.gradient
    allowed = again.explained_nearby(crowd.direction)
    truths = [*exact_numbers(evidence, case, crowd.direction), part.truth[0]]
    least = BOUNDS[SIZES.index(crowd.form)] * part.scale
    lost = all(
        (error := part.distance(got, truth)) > max(TWO_DIGITS * part.size(truth), allowed)
        and error >= least
        and part.size(truth) > 0
        and _apart_by_element(got, truth)
        for truth in truths[:-1] or truths
    )
    if not lost or open_to_choice(evidence, case, got, crowd.direction):
        return False
    return crowd.direction is Direction.FORWARD or not _across_a_kink(evidence, case, got)


def _across_a_kink(evidence: Evidence, case: CaseBlock, got: Array | None) -> bool:
    """Say whether the gradient is the right one of a point that rounding cannot tell from this.

    1 + 2e-8 is 1 in float32: a hinge there has the slope of the other side of its corner, which is
    no loss of digits. A formula that cancels has a gradient that no point nearby has.
    """
    found = []
    for name, array in case.inputs.items():
        flat = np.asarray(array, np.float64).reshape(-1)
        step = CORNER * np.fmax(np.abs(flat), 1.0)
        for element in range(min(len(flat), MOVED)):
            for sign in (-1.0, 1.0):
                moved = flat.copy()
                moved[element] += sign * step[element]
                found.append({**case.inputs, name: moved.reshape(array.shape)})
    inputs = {
        name: np.concatenate([np.asarray(each[name], np.float64) for each in found])
        for name in case.inputs
    }
    block = CaseBlock(inputs, np.repeat(case.ranges, len(found)))
    slopes = evidence.double(block)[1].reshape(len(found), -1)
    mine = np.asarray(got, np.float64).reshape(1, -1)
    apart = np.abs(slopes - mine).max(axis=1)
    return bool((apart <= TWO_DIGITS * np.abs(mine).max()).any())


def _apart_by_element(got: Array | None, truth: Array) -> bool:
    """Say whether what is returned is wrong itself: the sum of sound samples may cancel."""
    if got is None or np.shape(got) != np.shape(truth):  # known as a sum alone
        return True
    size = np.abs(truth).max(initial=0.0)
    return bool(np.abs(np.asarray(got, float) - truth).max(initial=0.0) > TWO_DIGITS * size)


def alone(evidence: Evidence, case: CaseBlock, mode: str, dtype: str) -> Single | None:
    """Run one case alone in a mode; None where it fails."""
    inputs = {name: native(array[0], dtype) for name, array in case.inputs.items()}
    try:
        return evidence.programs.runner.run(inputs, mode)
    except (CallError, OutputError):
        return None


def _unusual(crowd: Crowd, single: Single) -> bool:
    """Say whether a gradient is as large, or as small, as the rule says."""
    size = float(np.abs(np.asarray(single.gradient, float)).max(initial=0.0))
    ordinary = crowd.population.sweep.scale.gradient
    return bool(size > HUGE * ordinary if crowd.form == "huge" else 0 < size < FAINT * ordinary)


def _wrong(single: Single, direction: Direction) -> bool:
    if not np.isfinite(np.asarray(single.value, float)).all():
        return True
    if direction is Direction.FORWARD or single.gradient is None:
        return False
    return not np.isfinite(np.asarray(single.gradient, float)).all()


def _apart(left: Single | None, right: Single | None, form: str) -> bool:
    if left is None or right is None:
        return False
    if form == "value":
        a, b = np.asarray(left.value, float), np.asarray(right.value, float)
    else:
        a, b = np.asarray(left.gradient, float), np.asarray(right.gradient, float)
    size = max(np.abs(a).max(initial=0.0), np.abs(b).max(initial=0.0))
    return bool(np.abs(a - b).max(initial=0.0) > 1e-2 * size)
