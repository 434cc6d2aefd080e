"""How many digits of value and gradient are right, by how near the prediction is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from losscheck.evidence.gather import Evidence
from losscheck.evidence.precision.lost_digits import Part, Precision
from losscheck.evidence.precision.truth import exact_numbers
from losscheck.model import Array, DigitCurve, DigitsAt, Direction

ENOUGH = 6  # cases of a decade; of fewer no median is told
LOOKED_AT = 5  # cases of a decade that are evaluated exactly where float64 lost digits too
TRUSTED = 0.5  # digits that float64 and exact numbers may be apart for float64 to be believed
FEW = 2.0  # digits: where float32 has fewer, float64 may have none a few decades on


def digit_curve(evidence: Evidence, runs: Sequence[Precision]) -> DigitCurve | None:
    """Sum up the ladder of one sample, a decade at a time; None where there is none."""
    if not runs or not runs[0].along:
        return None
    run = runs[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        exponents = np.floor(np.log10(run.distance))
    decades = [
        (int(e), np.flatnonzero(exponents == e)) for e in np.unique(exponents) if np.isfinite(e)
    ]
    value = _column(evidence, run, run.value, decades, Direction.FORWARD)
    slope = _column(evidence, run, run.gradient, decades, Direction.BACKWARD)
    found = tuple(
        DigitsAt(
            exponent=exponent,
            cases=len(members),
            value_median=value[exponent][0],
            value_worst=value[exponent][1],
            gradient_median=slope[exponent][0],
            gradient_worst=slope[exponent][1],
            value_left=_left(run.value, members),
            gradient_left=_left(run.gradient, members),
        )
        for exponent, members in decades
        if value[exponent] != UNTOLD or slope[exponent] != UNTOLD
    )
    return DigitCurve(along=run.along, decades=found) if found else None


def _left(part: Part | None, members: Array) -> float | None:
    """The digits that conditioning leaves: the median of the cases in which it was measured."""
    left = part.digits_left(members) if part is not None else np.zeros(0)
    left = left[np.isfinite(left)]
    return round(float(np.median(left)), 1) if len(left) else None


Told = tuple[float | None, float | None]  # median and worst digits
UNTOLD: Told = (None, None)


def _column(
    evidence: Evidence,
    run: Precision,
    part: Part | None,
    decades: Sequence[tuple[int, Array]],
    direction: Direction,
) -> dict[int, Told]:
    """The digits of every decade, exactly where float64 may have none left.

    Float32 loses its digits decades before float64 does. So float64 is believed from 1 outwards as
    far as most float32 cases have digits.
    """
    if part is None:
        return {exponent: UNTOLD for exponent, _ in decades}
    found: dict[int, Told] = {}
    for outwards in (-1, 1):
        lost = False
        for exponent, members in sorted(decades, key=lambda decade: outwards * decade[0]):
            if outwards * exponent < 0 or exponent in found:
                continue
            known = members[np.isfinite(part.digits_of(members))]
            told = UNTOLD
            if len(known) >= ENOUGH:
                told = _told(evidence, run, part, known, direction, lost)
            found[exponent] = told
            lost |= told[0] is not None and told[0] < FEW
    return found


def _told(
    evidence: Evidence, run: Precision, part: Part, known: Array, direction: Direction, lost: bool
) -> Told:
    digits = part.digits_of(known)
    order = np.argsort(digits)
    middle = order[len(order) // 2]
    exact = _exactly(evidence, run, part, int(known[middle]), direction) if lost else None
    if exact is not None and abs(exact - digits[middle]) > TRUSTED:
        chosen = known[order[np.linspace(0, len(order) - 1, LOOKED_AT).astype(int)]]
        again = [_exactly(evidence, run, part, int(member), direction) for member in chosen]
        digits = np.asarray([each for each in again if each is not None])
    return round(float(np.median(digits)), 1), round(float(digits.min()), 1)


def _exactly(
    evidence: Evidence, run: Precision, part: Part, member: int, direction: Direction
) -> float | None:
    """The digits of one case against exact numbers; None where an operation has none."""
    case = run.cases.take(np.asarray([member]))
    found = exact_numbers(evidence, case, direction, first=True)
    if not found or not np.isfinite(found[0]).all():
        return None
    return part.digits_against(member, found[0])
