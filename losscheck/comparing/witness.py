"""The case that shows a difference: the simplest there is, run alone, with exact numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock, spread
from losscheck.cases.problem import Problem
from losscheck.comparing import sorts
from losscheck.comparing.pair import GRADIENT, PARTS, VALUE, Pair, jumps
from losscheck.comparing.sides import Side
from losscheck.comparing.sorts import (
    ULPS,
    Numbers,
    Sort,
    beside_nonfinite,
    by_error,
    distance,
    size,
)
from losscheck.comparison import Difference, Right, Weight
from losscheck.evidence.precision.disagreement import NEGLIGIBLE
from losscheck.evidence.precision.lost_digits import vanishing_squares
from losscheck.evidence.precision.truth import exact_numbers, numeric, of_case
from losscheck.findings.confirm import alone
from losscheck.findings.inside import are_subnormal
from losscheck.findings.locate import of_lost_digits, of_nonfinite, own_gradient
from losscheck.findings.shrink import cost, shrink
from losscheck.model import Array, Direction, Kind, Location, Range
from losscheck.program.modes import Single
from losscheck.program.tracing.trace import CallError

TRIES = 6  # cases that are looked at one by one
FOLLOWED = 512  # cases of a pool whose inner numbers are looked at
SAME_SLOPE = 1e-3  # relative: a gradient that is the numeric derivative (design.md, Truth)
REPAIRS = frozenset({Sort.MENDED, Sort.DEFINED, Sort.DIGITS_OLD})
OF_OLD = frozenset({Sort.POINT_OLD, Sort.DIGITS_OLD, Sort.MENDED, Sort.DEFINED, Sort.UNMENDED})
NONFINITE = frozenset({Sort.MENDED, Sort.DEFINED, Sort.UNMENDED, Sort.BROKEN})
DIRECTIONS = (Direction.FORWARD, Direction.BACKWARD)


@attrs.frozen(kw_only=True, eq=False)
class Pool:
    """Cases in which two losses differ in the same way, in one mode and at one size."""

    pair: Pair
    part: int
    sort: Sort
    mode: str
    cases: CaseBlock


@attrs.frozen(kw_only=True, eq=False)
class Judged:
    """One case run alone: how the losses differ in it, and what is right."""

    sort: Sort
    right: Right
    old: Array
    new: Array
    truth: Array | None
    kind: Kind | None = None  # of the truth where the old number is not finite
    off: float = 0.0  # the error of the one that lost its digits


def differences(pools: Sequence[Pool]) -> Iterator[tuple[Sort, Difference]]:
    """Show what pools of the same part and sort have: one difference, or several at a close look.

    Where no case shows it when it is run alone, nothing.
    """
    seen: set[Sort] = set()
    modes = tuple(dict.fromkeys(pool.mode for pool in pools))
    count = sum(len(pool.cases) for pool in pools if pool.mode == pools[0].mode)
    for pool, case in _candidates(pools):
        judged = judge(pool, case)
        if judged is None or judged.sort in seen:
            continue
        seen.add(judged.sort)
        small = _smaller(pool, case)
        again = judge(pool, small)  # alone
        if again is None or again.sort is not judged.sort:
            small, again = case, judged
        reach = Range(
            int(_reaches(pool.pair, case, judged.sort)[0])
        )  # a simpler case may lie further out
        yield judged.sort, _difference(pool, small, again, reach, modes, count)


def _candidates(pools: Sequence[Pool]) -> list[tuple[Pool, CaseBlock]]:
    """Some cases one by one: those of the narrowest range first, the simplest of them first."""
    found = []
    for place, pool in enumerate(pools):
        pool = attrs.evolve(pool, cases=_some(pool.cases))
        reach, price = _reaches(pool.pair, pool.cases, pool.sort), cost(pool.cases)
        order = np.lexsort((price, reach))[: 4 * TRIES]
        found += [(reach[i], place, price[i], pool, int(i)) for i in order]
    found.sort(key=lambda entry: entry[:3])
    chosen = dict.fromkeys([0, *spread(np.arange(len(found)), TRIES).tolist()])
    return [(found[i][3], found[i][3].cases.take(np.asarray([found[i][4]]))) for i in chosen]


def _some(cases: CaseBlock) -> CaseBlock:
    """Some of the cases, spread evenly: half of them of the narrowest range."""
    if len(cases) <= FOLLOWED:
        return cases
    first = np.flatnonzero(cases.ranges == cases.ranges.min())
    rest = np.flatnonzero(cases.ranges != cases.ranges.min())
    halves = (spread(part, FOLLOWED // 2) for part in (first, rest))
    return cases.take(np.concatenate(list(halves)))


def _reaches(pair: Pair, cases: CaseBlock, sort: Sort) -> Array:
    """(N,) the range of each case; one with subnormal numbers inside lies at the ends.

    They are taken for 0 in some places, which moves a number by little: a NaN does not come of it.
    """
    if sort in NONFINITE:
        return cases.ranges.astype(int)
    small = vanishing_squares(cases)
    for side in (pair.old, pair.new):
        small |= are_subnormal(side.evidence, side.cases(cases))
    return np.where(small, int(Range.EXTREME), cases.ranges.astype(int))


def judge(pool: Pool, case: CaseBlock) -> Judged | None:
    """Run a case alone and say how the losses differ in it; None where they do not."""
    pair, part = pool.pair, pool.part
    singles = [
        alone(side.evidence, side.cases(case), pool.mode, pair.dtype)
        for side in (pair.old, pair.new)
    ]
    if singles[0] is None or singles[1] is None:
        return None
    shape = case.inputs[pair.instance.prediction].shape[1:]
    old, new = (_numbers(single, part, shape) for single in singles if single is not None)
    scale = pair.scale.gradient if part == GRADIENT else pair.scale.value / max(1, old.size)
    if old.size != new.size:
        return None
    numbers = Numbers(old=old.reshape(1, -1), new=new.reshape(1, -1), scale=scale, dtype=pair.dtype)
    if pool.sort is Sort.BROKEN:
        return _broken(pool, case, numbers, old, new) if numbers.old_alone[0] else None
    if pool.sort in (Sort.MENDED, Sort.DEFINED, Sort.UNMENDED):
        return _nonfinite(pool, case, numbers, old, new) if numbers.new_alone[0] else None
    return _apart(pool, case, numbers, old, new) if numbers.apart[0] else None


def _numbers(single: Single, part: int, shape: tuple[int, ...]) -> Array:
    found = single.value if part == VALUE else single.gradient
    return np.zeros(shape) if found is None else np.asarray(found, np.float64)


def _apart(pool: Pool, case: CaseBlock, numbers: Numbers, old: Array, new: Array) -> Judged | None:
    """Judge finite numbers that differ."""
    sort = pool.sort
    truths = [_exact(side, pool.part, case) for side in (pool.pair.old, pool.pair.new)]
    one, two = truths
    truth = one if two is None else two
    if one is not None and two is not None and sort is Sort.OTHER:
        far, large = distance(one, two)[0], size(one, two)[0]
        if far <= max(ULPS * 2 * numbers.step * large, NEGLIGIBLE * numbers.scale):
            sort = Sort(int(by_error(numbers, two, np.zeros(1))[0]))  # float64 lost digits
    if sort in (Sort.DIGITS_OLD, Sort.DIGITS_NEW):
        if truth is None:
            truth = pool.pair.truth(pool.pair.new, pool.part, case)
        wrong = numbers.old if sort is Sort.DIGITS_OLD else numbers.new
        right = Right.NEW if sort is Sort.DIGITS_OLD else Right.OLD
        off = float(distance(wrong, truth)[0])
        shown = truth.reshape(old.shape)
        return Judged(sort=sort, right=right, old=old, new=new, truth=shown, off=off)
    if sort is Sort.SAME:
        return None
    if sort is Sort.TIE:
        return Judged(sort=sort, right=Right.EACH, old=old, new=new, truth=None)
    if sort in (Sort.POINT_OLD, Sort.POINT_NEW):
        right = Right.NEW if sort is Sort.POINT_OLD else Right.OLD
        return Judged(sort=sort, right=right, old=old, new=new, truth=None)
    if pool.part == GRADIENT:
        return _by_differences(pool, case, old, new)
    known = pool.pair.has_double or all(each is not None for each in truths)
    return Judged(
        sort=sort, right=Right.EACH if known else Right.UNKNOWN, old=old, new=new, truth=None
    )


def _exact(side: Side, part: int, case: CaseBlock) -> Array | None:
    """(1, n) the exact numbers of a loss, where they are finite and known."""
    own = side.cases(case)
    found = exact_numbers(side.evidence, own, DIRECTIONS[part], first=True)
    return found[0].reshape(1, -1) if found and np.isfinite(found[0]).all() else None


def _by_differences(pool: Pool, case: CaseBlock, old: Array, new: Array) -> Judged:
    """Judge gradients of the same value by its differences."""
    found = numeric(pool.pair.old.evidence, case).gradient
    right = Right.UNKNOWN
    if found is not None:
        scale = max(float(np.abs(found).max(initial=0.0)), 1e-3 * pool.pair.scale.gradient)
        good = [
            bool(np.abs(each - found).max(initial=0.0) <= SAME_SLOPE * scale) for each in (old, new)
        ]
        names = {(True, False): Right.OLD, (False, True): Right.NEW, (False, False): Right.NEITHER}
        right = names.get((good[0], good[1]), Right.UNKNOWN)
    return Judged(sort=Sort.OTHER, right=right, old=old, new=new, truth=found)


def _nonfinite(pool: Pool, case: CaseBlock, numbers: Numbers, old: Array, new: Array) -> Judged:
    """Judge a case in which the old loss alone is not finite."""
    truth = of_case(pool.pair.old.evidence, case, pool.pair.dtype, DIRECTIONS[pool.part])
    found: Any = truth.value if pool.part == VALUE else truth.gradient
    if (exact := _exact(pool.pair.old, pool.part, case)) is not None and found is not None:
        found = exact  # float64 may have lost its digits, too
    if truth.kind in (Kind.UNDEFINED, None) or (found is None and truth.kind is Kind.AVOIDABLE):
        kind = Kind.UNDEFINED if truth.kind is Kind.UNDEFINED else None
        away = pool.part == VALUE and jumps(pool.pair, case, new)
        sort, right = (Sort.UNMENDED, Right.NEITHER) if away else (Sort.DEFINED, Right.UNKNOWN)
        return Judged(sort=sort, right=right, old=old, new=new, truth=None, kind=kind)
    if truth.kind is Kind.INHERENT or found is None:
        kind, right = Kind.INHERENT, Right.OLD
        return Judged(sort=Sort.UNMENDED, right=right, old=old, new=new, truth=found, kind=kind)
    found = np.asarray(found, np.float64)
    if found.size != old.size:  # known as a sum alone
        numbers = attrs.evolve(
            numbers, old=numbers.old.sum(keepdims=True), new=numbers.new.sum(keepdims=True)
        )
    allowed = pool.pair.explained(pool.part, case) if pool.sort is Sort.MENDED else np.zeros(1)
    sort = Sort(int(beside_nonfinite(numbers, found.reshape(1, -1), allowed)[0]))
    right = Right.NEW if sort is Sort.MENDED else Right.NEITHER
    off = float(distance(numbers.new, found.reshape(1, -1))[0])
    strict = off <= max(
        numbers.half * float(np.abs(found).max(initial=0.0)), NEGLIGIBLE * numbers.scale
    )
    shown = found.reshape(old.shape) if found.size == old.size else found
    return Judged(
        sort=sort,
        right=right,
        old=old,
        new=new,
        truth=shown,
        kind=truth.kind,
        off=0.0 if strict else off,
    )


def _broken(pool: Pool, case: CaseBlock, numbers: Numbers, old: Array, new: Array) -> Judged:
    """Judge a case in which the new loss alone is not finite."""
    truth = of_case(pool.pair.old.evidence, case, pool.pair.dtype, DIRECTIONS[pool.part])
    found = truth.value if pool.part == VALUE else truth.gradient
    right = Right.UNKNOWN
    if found is not None and truth.kind is Kind.AVOIDABLE:
        found = np.asarray(found, np.float64).reshape(1, -1)
        given = numbers.old if found.size == old.size else numbers.old.sum(keepdims=True)
        room = max(numbers.half * size(found, found)[0], NEGLIGIBLE * numbers.scale)
        right = Right.OLD if distance(given, found)[0] <= room else Right.UNKNOWN
    return Judged(sort=Sort.BROKEN, right=right, old=old, new=new, truth=None)


def _smaller(pool: Pool, case: CaseBlock) -> CaseBlock:
    """Simplify a case as long as the losses differ in it in the same way."""
    pair, old = pool.pair, pool.pair.old.evidence
    # All-equal rows, which are easy to read, are working cases.
    reach = max(int(_reaches(pair, case, pool.sort)[0]), int(Range.WORKING))
    case = CaseBlock(case.inputs, np.fmax(case.ranges, np.uint8(Range.WORKING)))

    def judged(cases: CaseBlock) -> Array:
        kept = np.zeros(len(cases), bool)
        usable = np.flatnonzero(old.labels_inside(cases))
        if not len(usable):
            return kept
        try:
            found = pair.sort(cases.take(usable), pool.mode)
        except CallError:  # a simpler case that a loss refuses
            return kept
        if found is not None:
            usable = usable[found.sorts[pool.part] == pool.sort]
            if len(usable):
                within = _reaches(pair, cases.take(usable), pool.sort) <= reach
                kept[usable[within]] = True
        return kept

    classes = old.classes(pair.instance)
    problem = Problem.of(old.spec.arguments, pair.instance.shapes, pair.dtype, classes)
    return shrink(case, judged, problem)[0]


def _difference(
    pool: Pool,
    case: CaseBlock,
    judged: Judged,
    reach: Range,
    modes: tuple[str, ...],
    count: int,
) -> Difference:
    say = sorts.of_values if pool.part == VALUE else sorts.of_gradients
    side = "old" if judged.sort in OF_OLD or judged.right is Right.NEW else "new"
    return Difference(
        what=PARTS[pool.part],
        weight=_weight(judged, reach).value,
        right=judged.right.value,
        message=say(judged.sort, judged.right, judged.old, judged.new, judged.off, judged.kind),
        modes=modes,
        dtype=pool.pair.dtype,
        range=reach.label,
        count=count,
        inputs={name: array[0] for name, array in case.inputs.items()},
        old=judged.old,
        new=judged.new,
        truth=judged.truth,
        side=side,
        location=_location(pool, case, judged, side),
    )


def _weight(judged: Judged, reach: Range) -> Weight:
    sure = judged.sort is Sort.OTHER and judged.right is not Right.UNKNOWN
    if judged.sort is Sort.TIE or (reach is Range.EXTREME and not sure):
        return Weight.NOTE
    return Weight.REPAIR if judged.sort in REPAIRS else Weight.DIFFERENCE


def _location(pool: Pool, case: CaseBlock, judged: Judged, side: str) -> Location | None:
    """The line of the loss that is to blame, where the numbers inside tell it."""
    which = pool.pair.old if side == "old" else pool.pair.new
    evidence, direction = which.evidence, DIRECTIONS[pool.part]
    own = which.cases(case)
    if judged.sort in (Sort.DIGITS_OLD, Sort.DIGITS_NEW):
        return of_lost_digits(evidence, direction, own)[1].location
    if judged.sort in (Sort.BROKEN, Sort.MENDED, Sort.DEFINED, Sort.UNMENDED):
        if pool.pair.dtype != "float32":
            return None
        return of_nonfinite(evidence, direction, own, pool.mode, pool.pair.dtype)[1].location
    if pool.part == GRADIENT and judged.right in (Right.OLD, Right.NEW):
        return own_gradient(evidence.instance_of(own))
    return None
