"""Whether a changed loss is the same function on ordinary cases, and right where it was wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import attrs
import numpy as np

from losscheck import domains
from losscheck.advice import wording
from losscheck.cases.blocks import CaseBlock, spread
from losscheck.evidence.gather import Evidence
from losscheck.evidence.precision.disagreement import explained
from losscheck.evidence.precision.truth import exact_numbers, steep
from losscheck.evidence.search.sweep import Sweep
from losscheck.model import Array, Direction, Range
from losscheck.numerics.ulps import LARGEST, ulp
from losscheck.rules.base import Doubt

ULPS = 4.0  # that a changed loss may be further off than it was, of the size of its numbers
MOST = 0.95  # of the ordinary cases: what the others have is no rounding of every number
ROUNDED = 2.0**-19  # 16 float32 numbers: what some dozen operations lose at the most
CORNER = 2.0**-22  # of 1, or of a number: two steps of float32 there
MOVED = 16  # elements of an argument that are moved to look for a corner
NEIGHBOURS, STEPS = 6, 4  # cases beside one, and how many ulps away
SLIGHT = 2.0**-20  # of the size: what two formulas of one function may differ by in float32
HALF = 2.0**-12  # of the size: half of the digits of float32
LITTLE = 1e-2  # of the size: what a bound next to a singular point may take from a loss
NEXT_TO = 0.05  # of the cases: those that lie next to a singular point
LOOSE = 1e-3  # of the size: what rounding may take beyond the ordinary cases, where nothing else
SAME = 2.0**-26  # differs: in float64 half of its digits are the same
EXACT = 4  # cases whose exact numbers are asked for
MEASURED = 64  # cases at most whose conditioning is measured, where this alone does not do
VALUE, GRADIENT = 0, 1  # the parts of what `Evidence.double` gives
NAMES = ("the loss", "its gradient")


@attrs.frozen(eq=False)
class Pair:
    """The same cases before and after a change, beside the loss in float64."""

    sweep: Sweep  # of the loss as it is
    before: Array  # (N, n)
    after: Array
    truth: Array
    ranges: Array  # (N,) Range codes; what is right to be too steep to train with is extreme
    scale: float  # what is ordinary
    part: int

    @property
    def cases(self) -> CaseBlock:
        """The inputs."""
        return self.sweep.cases


def pairs_of(
    before: Evidence,
    after: Evidence,
    whole: Evidence,
    doubt: Doubt = Doubt.NOTHING,
    wrong: Callable[[CaseBlock], Array] | None = None,
) -> list[Pair | None]:
    """Lay the value and the gradient of every float32 case beside those of a changed loss.

    Parameters
    ----------
    before, after
        Evidence over the cases that the change is tried on.
    whole
        All the evidence about the loss as it is, which knows what is ordinary.
    doubt, wrong
        What of the numbers as they are is wrong, and in which cases it is found to be.

    Returns
    -------
    list of Pair or None
        None stands for cases that the changed loss refuses, or gives no gradient.
    """
    found: list[Pair | None] = []
    for old in before.sweeps:
        new = next((s for s in after.sweeps if _alike(s, old)), None)
        if old.dtype != "float32":
            continue
        lost = new is not None and old.has_gradient and not new.has_gradient
        # It may take cases on which the loss raises.
        both = None if new is None else np.isin(new.cases.prints(), old.cases.prints())
        if new is None or both is None or both.sum() < len(old) or lost:
            found.append(None)
            continue
        scale = next((s.scale for s in whole.sweeps if _alike(s, old)), old.scale)
        value, slopes = before.double(old.cases)
        value, slopes = np.array(value, np.float64), np.array(_flat(slopes))
        ranges = np.where(steep(slopes, old.dtype), Range.EXTREME, old.ranges)
        share = 1.0
        match doubt:
            case Doubt.SUM:
                share = _returned(before, old.cases) / _returned(after, old.cases)
            case Doubt.GRADIENT:
                slopes = np.full_like(slopes, np.nan)
            case Doubt.FLAT:
                moving = (_flat(new.gradient[both]) != 0.0).any(axis=0)
                value[((slopes == 0.0) & moving).any(axis=1)] = np.nan
            case Doubt.CASES if wrong is not None:
                value[wrong(old.cases)] = np.nan
        slopes[~np.isfinite(value)] = np.nan  # where there is no value it is that of nothing
        for part, own, other, right, size in (
            (VALUE, old.totals, new.totals[both], value, scale.value),
            (GRADIENT, old.gradient, new.gradient[both], slopes, scale.gradient),
        ):
            numbers = _flat(own), share * _flat(other), _flat(right)
            found.append(Pair(old, *numbers, ranges, size, part))
    return found


def _returned(evidence: Evidence, cases: CaseBlock) -> int:
    """How many numbers the loss returns at the sizes of some cases."""
    one = cases.take(np.arange(1))
    program = evidence.programs.at(evidence.instance_of(one).shapes)
    return int(np.size(program.run(one.inputs).value))


def disagreement(before: Evidence, after: Evidence, pairs: Sequence[Pair | None]) -> Iterator[str]:
    """Say in words where a changed loss is another function.

    What it gave in float64 is the truth, where that is finite. On ordinary and working cases the
    changed loss may be as far from it as the loss was, and four ulps more; where the loss was not
    finite and its truth is, four ulps alone; and nowhere less than `SLIGHT` of what is ordinary.
    What the rounding of the input explains comes on top. Where float64 has all digits of both
    formulas, half of float32's do, and three where cases are not ordinary or the loss was wrong:
    whether these are too few, the rules say.
    """
    for pair in pairs:
        if pair is None:
            yield "it refuses cases that the loss takes, or gives them no gradient"
        else:
            yield from _told(before, after, pair)


def departures(pairs: Sequence[Pair | None]) -> int:
    """Count the ordinary and working cases in which a loss that was right is another function now.

    A bound next to a singular point does that, however small it is.
    """
    count = 0
    for pair in filter(None, pairs):
        with np.errstate(invalid="ignore", over="ignore"):
            was = np.abs(pair.before - pair.truth).max(axis=1, initial=0.0)
            moved = np.abs(pair.after - pair.before).max(axis=1, initial=0.0)
        size = np.fmax(np.abs(pair.truth).max(axis=1, initial=0.0), pair.scale)
        right = (pair.ranges <= Range.WORKING) & (was <= HALF * size)
        count += int((right & ~(moved <= HALF * size)).sum())
    return count


def is_slight(before: Evidence, pairs: Sequence[Pair | None]) -> bool:
    """Say whether a loss that changes does so a little, or next to a singular point alone."""
    if any(pair is not None and any(_turned(before, pair)) for pair in pairs):
        return False
    moved, tried, size = 0, 0, 0.0
    for pair in pairs:
        if pair is None:
            return False
        if pair.part == VALUE:
            of = np.fmax(np.abs(pair.truth).max(axis=1, initial=0.0), pair.scale)
            with np.errstate(invalid="ignore", over="ignore"):
                change = np.abs(pair.after - pair.before).max(axis=1, initial=0.0) / of
            right = (pair.ranges <= Range.WORKING) & np.isfinite(change)
            size = max(size, float(change[right].max(initial=0.0)))
            moved += int((right & (change > SLIGHT)).sum())
            tried += int(right.sum())
    return size <= LITTLE or moved <= NEXT_TO * tried


def _flat(numbers: Array) -> Array:
    return np.asarray(numbers, np.float64).reshape(len(numbers), -1)


def _alike(one: Sweep, other: Sweep) -> bool:
    shapes = [{n: a.shape[1:] for n, a in s.cases.inputs.items()} for s in (one, other)]
    return one.dtype == other.dtype and shapes[0] == shapes[1]


def _told(before: Evidence, after: Evidence, pair: Pair) -> Iterator[str]:
    """Name the worst case, if there is any."""
    yield from _turned(before, pair)
    with np.errstate(invalid="ignore", over="ignore"):
        was = np.abs(pair.before - pair.truth).max(axis=1, initial=0.0)
        now = np.abs(pair.after - pair.truth).max(axis=1, initial=0.0)
    size = np.abs(pair.truth).max(axis=1, initial=0.0)
    known = np.isfinite(size) & (size <= LARGEST["float32"])
    wrong = ~np.isfinite(was)
    size = np.fmax(np.where(known, size, 0.0), pair.scale)
    allowed = ULPS * ulp(size) + _usual(was / size, pair.ranges) * size
    allowed = np.fmax(allowed + np.where(wrong, 0.0, was), SLIGHT * size)
    # Where it is as wrong as it was the rules say so, and may say it of something else.
    apart = known & (pair.ranges <= Range.WORKING) & ~(now <= allowed)
    index = _some(np.flatnonzero(apart & (~wrong | np.isfinite(now))), now)
    if not len(index):
        return
    cases = pair.cases.take(index)
    allowed = allowed[index] + explained(before.double, cases, pair.part)
    allowed = np.fmax(allowed, _around(before, cases, pair.part))
    allowed = allowed + _rounded_nearby(before, pair.sweep, cases, pair.part)
    apart = ~(now[index] <= allowed)
    if apart.any():
        strange = wrong[index] | (pair.ranges[index] > Range.ORDINARY)
        near = apart & (now[index] <= np.where(strange, LOOSE, HALF) * size[index])
        apart[near] = ~_same_formula(pair, after, index[near])
    if apart.any() and not _is_right(before, pair, index[apart], allowed[apart]):
        spoiled = index[apart & ~wrong[index]]  # which says more than what is not mended
        worst = int((spoiled if len(spoiled) else index[apart])[0])
        inputs = {name: array[worst] for name, array in pair.cases.inputs.items()}
        right, given = wording.worst_pair(pair.after[worst], pair.truth[worst])[::-1]
        if wrong[worst]:
            yield f"{NAMES[pair.part]} would be {given}{wording.at(inputs)}, where {right} is right"
        else:
            yield f"{NAMES[pair.part]} would change{wording.at(inputs)}: from {right} to {given}"


def _turned(before: Evidence, pair: Pair) -> Iterator[str]:
    """Name a case where a loss that grows without bound falls once it is changed.

    Where float64 overflows as well, exact numbers say whether it does.
    """
    if pair.part != VALUE:
        return
    other = np.isinf(pair.truth) & (np.sign(pair.truth) == -np.sign(pair.after))
    turned = (other & (np.abs(pair.after) > pair.scale)).any(axis=1)
    # One speaks for all: exact numbers take long.
    for worst in np.flatnonzero(turned & (pair.ranges <= Range.WORKING))[:1]:
        case = pair.cases.take(np.asarray([worst]))
        exact = exact_numbers(before, case, Direction.FORWARD, first=True)
        if exact and np.isfinite(exact[0].sum()):
            return
        inputs = {name: array[0] for name, array in case.inputs.items()}
        right, given = wording.worst_pair(pair.after[worst], pair.truth[worst])[::-1]
        yield f"{NAMES[VALUE]} would change its sign{wording.at(inputs)}: from {right} to {given}"


def _same_formula(pair: Pair, after: Evidence, index: Array) -> Array:
    """(N,) bool: in float64 a changed loss gives what the loss does, and rounds otherwise only."""
    if not len(index):
        return np.zeros(0, bool)
    found = _flat(after.double(pair.cases.take(index))[pair.part])
    truth = pair.truth[index]
    size = np.fmax(np.abs(truth).max(axis=1, initial=0.0), pair.scale)
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(found - truth).max(axis=1, initial=0.0)
    return np.asarray(apart <= SAME * size)


def _some(index: Array, error: Array) -> Array:
    """The cases to look at closely: the worst ones, and some of the others."""
    index = index[np.argsort(-error[index], kind="stable")]
    if len(index) <= MEASURED:
        return index
    half = MEASURED // 2
    spread = np.linspace(half, len(index) - 1, MEASURED - half).astype(int)
    some: Array = index[np.concatenate([np.arange(half), spread])]
    return some


def _is_right(before: Evidence, pair: Pair, index: Array, allowed: Array) -> bool:
    """Say whether exact numbers side with the changed loss, where float64 has lost its own digits.

    They take long: some of the cases speak for all.
    """
    direction = (Direction.FORWARD, Direction.BACKWARD)[pair.part]
    for i in spread(np.arange(len(index)), EXACT):
        case = pair.cases.take(index[[i]])
        exact = exact_numbers(before, case, direction, first=True)
        if not exact:
            return False
        truth = exact[0].sum() if pair.part == VALUE else exact[0].ravel()
        if not np.abs(pair.after[index[i]] - truth).max(initial=0.0) <= allowed[i]:
            return False
    return True


def _rounded_nearby(before: Evidence, sweep: Sweep, cases: CaseBlock, part: int) -> Array:
    """(N,) the largest error that the loss as it is has within a few ulps of a case.

    A formula that is as good rounds otherwise, and may be off where this one happens not to be.
    """
    rng = np.random.default_rng(NEIGHBOURS)
    inputs = {}
    for argument in before.spec.arguments:
        domain = domains.parse(argument.domain)
        near = np.repeat(np.asarray(cases.inputs[argument.name], np.float64), NEIGHBOURS, axis=0)
        if not domain.integral:
            steps = rng.integers(-STEPS, STEPS, near.shape, endpoint=True)
            near = domain.clip(near + steps * ulp(near))
        inputs[argument.name] = near.astype(np.float32)
    block = CaseBlock(inputs, np.repeat(cases.ranges, NEIGHBOURS))
    again, truth = sweep.rerun(block), before.double(block)[part]
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(_flat((again.totals, again.gradient)[part]) - _flat(truth)).max(axis=1)
    error = np.where(np.isfinite(error), error, 0.0).reshape(len(cases), NEIGHBOURS)
    return np.asarray(error.max(axis=1))


def _usual(error: Array, ranges: Array) -> float:
    """What the loss as it is has for a relative error by its own rounding, on most cases."""
    found = error[(ranges == Range.ORDINARY) & np.isfinite(error)]
    return min(float(np.quantile(found, MOST)), ROUNDED) if len(found) else 0.0


def _around(before: Evidence, cases: CaseBlock, part: int) -> Array:
    """(N,) how much it changes between points that rounding cannot tell from a case.

    At a kink no slope is the right one, and next to 0 an input of 1e-30 is 0 beside a label of 1.
    """
    moved: list[CaseBlock] = [cases]
    integral = {a.name: domains.parse(a.domain).integral for a in before.spec.arguments}
    for name, array in cases.inputs.items():
        numbers = np.asarray(array, np.float64).reshape(len(cases), -1)
        step = CORNER * np.fmax(np.abs(numbers), 1.0)
        for element in range(0 if integral[name] else min(numbers.shape[1], MOVED)):
            for sign in (-1.0, 1.0):
                there = numbers.copy()
                there[:, element] += sign * step[:, element]
                inputs = {**cases.inputs, name: there.reshape(array.shape)}
                moved.append(CaseBlock(inputs, cases.ranges))
    found = before.double(CaseBlock.concat(moved))[part].reshape(len(moved), len(cases), -1)
    with np.errstate(invalid="ignore"):
        change = np.abs(found[1:] - found[:1])
    change = np.where(np.isfinite(change), change, 0.0)
    either_way = change.reshape(-1, 2, *change.shape[1:]).max(axis=1)
    # Twice: on the far side of a corner it may go on as it did on this side.
    return np.asarray(2.0 * either_way.sum(axis=0).max(axis=1, initial=0.0))
