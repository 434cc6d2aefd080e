"""Two losses at one size: the same cases through both, and each case sorted by the truth.

Where two losses have the same value at a point, and the same value and gradient all around it, they
are one function, and what they differ in is what they say at that point. A slope that lies between
those around it is one that a corner allows; another one is wrong.
"""

from __future__ import annotations

import attrs
import numpy as np

from losscheck import domains
from losscheck.cases.blocks import CaseBlock, spread
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
from losscheck.domains.layout import flat
from losscheck.evidence.gather import VECTOR_MODES, Instance
from losscheck.evidence.precision.disagreement import (
    EVALUATIONS,
    NEGLIGIBLE,
    evaluations,
    explained,
)
from losscheck.evidence.search.sweep import Scale
from losscheck.model import Array, Range

VALUE, GRADIENT = 0, 1
PARTS = ("value", "gradient")
LOOKED_AT = 1 << 13  # cases of one part and mode whose truth is asked for
NEIGHBOURS = 8
FAR = 2.0**-14  # of a number, or of 1: far beyond what float32 rounds, near enough for slopes
NEAR = 2.0**-40  # of a number, or of LEAST: a whole stretch that differs, however short, shows
LEAST = 2.0**-30
ALIKE = 1e-3  # relative: gradients around the point that are the same
FARTHER = 10.0  # times that: how much more they differ at a point that stands alone
BETWEEN = 1e-2  # of the largest slope around: how far outside a slope counts as between them


@attrs.frozen(kw_only=True, eq=False)
class Sorted:
    """Some cases by both losses, in one mode."""

    cases: CaseBlock
    parts: tuple[Numbers, Numbers]  # value and gradient: of N cases each
    sorts: tuple[Array, Array]  # (N,) Sort of each part


@attrs.frozen(kw_only=True, eq=False)
class Pair:
    """The old and the new loss at one size and in one dtype."""

    old: Side
    new: Side
    instance: Instance  # of the old one
    dtype: str
    scale: Scale  # what is ordinary for the old one

    def run(self, cases: CaseBlock, mode: str) -> tuple[Numbers, Numbers] | None:
        """Value and gradient of both; None where their values have not the same shape."""
        found = []
        for side in (self.old, self.new):
            program = side.evidence.programs.at(self._shapes(side), self.dtype)
            own = side.cases(cases).inputs
            way = VECTOR_MODES.get(mode, mode)
            found.append(program.run(own, way))
        old, new = found
        if old.value.shape != new.value.shape:
            return None
        values, slopes = (
            (_flat(old.value), _flat(new.value)),
            (_flat(old.gradient), _flat(new.gradient)),
        )
        outputs = max(1, values[0].shape[1])
        return (
            Numbers(
                old=values[0], new=values[1], scale=self.scale.value / outputs, dtype=self.dtype
            ),
            Numbers(old=slopes[0], new=slopes[1], scale=self.scale.gradient, dtype=self.dtype),
        )

    def sort(self, cases: CaseBlock, mode: str) -> Sorted | None:
        """Run cases in a mode, and sort both parts; None where the shapes of values differ."""
        parts = self.run(cases, mode)
        if parts is None:
            return None
        values = self._sorted(VALUE, parts[VALUE], cases)
        finite = np.isfinite(parts[VALUE].old).all(axis=1) & (values == Sort.SAME)
        slopes = self._sorted(GRADIENT, parts[GRADIENT], cases, finite)
        return Sorted(cases=cases, parts=parts, sorts=(values, slopes))

    def _sorted(
        self, part: int, numbers: Numbers, cases: CaseBlock, usable: Array | None = None
    ) -> Array:
        """(N,) Sort; a gradient counts where the values are the same and finite."""
        usable = np.ones(len(cases), bool) if usable is None else usable
        result = np.full(len(cases), Sort.SAME)
        broken = usable & numbers.old_alone
        old_broken = usable & numbers.new_alone & ~broken
        apart = usable & numbers.apart & ~broken & ~old_broken
        result[broken] = Sort.BROKEN
        for members, sort in ((old_broken, self._beside_nonfinite), (apart, self._by_truth)):
            index = np.flatnonzero(members)
            result[index] = Sort.UNSETTLED
            index = _spread(index, cases.ranges, self._most(cases))
            if len(index):
                some = attrs.evolve(numbers, old=numbers.old[index], new=numbers.new[index])
                result[index] = sort(part, some, cases.take(index))
        return result

    def _most(self, cases: CaseBlock) -> int:
        width = sum(int(np.prod(array.shape[1:])) for array in cases.inputs.values())
        program = self.instance.program
        most = 4 * EVALUATIONS // evaluations(width)
        return max(8, min(LOOKED_AT, most // (8 if program.eager else 1)))

    def _beside_nonfinite(self, part: int, numbers: Numbers, cases: CaseBlock) -> Array:
        truth = self.truth(self.old, part, cases)
        room = self._explained(part, cases, np.asarray(np.isfinite(truth).all(axis=1)))
        return beside_nonfinite(numbers, truth, _finite(room))

    def _by_truth(self, part: int, numbers: Numbers, cases: CaseBlock) -> Array:
        old, new = (self.truth(side, part, cases) for side in (self.old, self.new))
        sizes, far = size(old, new), distance(old, new)
        floor = max(self._floor(self.old), self._floor(self.new))
        step = numbers.half if not self.has_double else ULPS * 2 * numbers.step
        room = np.fmax(max(step, floor) * sizes, NEGLIGIBLE * numbers.scale)
        unlike = (far > room) | (np.isfinite(old) != np.isfinite(new)).any(axis=1)
        loose = np.fmax(distance(numbers.old, old), distance(numbers.new, new))
        allowed = self._explained(part, cases, unlike | (loose > numbers.half * sizes))
        result = np.full(len(cases), Sort.SAME)
        result[unlike] = Sort.OTHER
        if part == GRADIENT and unlike.any():
            members = np.flatnonzero(unlike)
            result[members] = sort_points(self, numbers, cases, members)
        alike = ~unlike | (result == Sort.OTHER) & (far <= _finite(allowed))
        some = attrs.evolve(numbers, old=numbers.old[alike], new=numbers.new[alike])
        result[alike] = by_error(some, new[alike], allowed[alike])
        return result

    def truth(self, side: Side, part: int, cases: CaseBlock) -> Array:
        """(N, n) the numbers of a loss in float64."""
        program = side.evidence.programs.double(self._shapes(side))
        own = side.cases(cases).inputs
        outcome = program.run(own, "graph")
        return _flat(outcome.value if part == VALUE else outcome.gradient)

    def _explained(self, part: int, cases: CaseBlock, where: Array) -> Array:
        """(N,) what the rounding of the inputs explains, where that is asked for; else 0."""
        allowed = np.zeros(len(cases))
        index = np.flatnonzero(where)
        if len(index):
            own = self.new.cases(cases.take(index))
            found = explained(self.new.evidence.double, own, part)
            allowed[index] = found
        return allowed

    def explained(self, part: int, cases: CaseBlock) -> Array:
        """(N,) the error that the rounding of the inputs explains; 0 beside a pole."""
        return _finite(self._explained(part, cases, np.ones(len(cases), bool)))

    @property
    def has_double(self) -> bool:
        """Whether both losses can be run in float64."""
        return all(
            side.evidence.programs.has_double(self._shapes(side)) for side in (self.old, self.new)
        )

    def _floor(self, side: Side) -> float:
        return side.evidence.programs.floor(self._shapes(side))

    def _shapes(self, side: Side) -> dict[str, tuple[int, ...]]:
        return {side.names[name]: shape for name, shape in self.instance.shapes.items()}


def _finite(explained: Array) -> Array:
    """Where nothing bounds what is explained, beside a pole, nothing is."""
    return np.where(np.isfinite(explained), explained, 0.0)


def _flat(array: Array) -> Array:
    return flat(np.asarray(array)).astype(np.float64)


def _spread(index: Array, ranges: Array, most: int) -> Array:
    """Some of the cases, spread evenly over those of each range."""
    if len(index) <= most:
        return index
    found = []
    present = [r for r in Range if (ranges[index] == r).any()]
    for reach in present:
        members = index[ranges[index] == reach]
        found.append(spread(members, max(1, most // len(present))))
    return np.sort(np.concatenate(found))


def sort_points(pair: Pair, numbers: Numbers, cases: CaseBlock, members: Array) -> Array:
    """Sort cases whose gradients differ in exact arithmetic.

    Parameters
    ----------
    numbers
        Of the gradients of all cases.
    members
        (M,) indices of those that are sorted.

    Returns
    -------
    Array
        (M,) Sort: OTHER where they differ around the point, too.
    """
    some = cases.take(members)
    points = around(pair, some)
    slopes = [pair.truth(side, 1, points) for side in (pair.old, pair.new)]
    shape = (len(members), NEIGHBOURS, -1)
    finite = np.asarray(np.isfinite(slopes[0]).all(axis=1) & np.isfinite(slopes[1]).all(axis=1))
    same = distance(*slopes) <= ALIKE * np.fmax(size(*slopes), numbers.scale * 1e-6)
    alone = (same | ~finite).reshape(shape[:2]).all(axis=1) & finite.reshape(shape[:2]).any(axis=1)
    here = [numbers.old[members], numbers.new[members]]
    alone &= distance(*here) > FARTHER * ALIKE * size(*here)
    near = np.where(finite[:, None], slopes[1], np.nan).reshape(shape)
    result = np.full(len(members), Sort.OTHER)
    if not alone.any():
        return result
    near = near[alone]
    low, high = np.nanmin(near, axis=1), np.nanmax(near, axis=1)
    room = BETWEEN * np.fmax(np.abs(low), np.abs(high)).max(axis=1, keepdims=True)
    within = [
        ((part[members][alone] >= low - room) & (part[members][alone] <= high + room)).all(axis=1)
        for part in (numbers.old, numbers.new)
    ]
    sorts = np.full(len(near), Sort.TIE)
    sorts[within[0] & ~within[1]] = Sort.POINT_NEW
    sorts[within[1] & ~within[0]] = Sort.POINT_OLD
    result[alone] = sorts
    return result


def jumps(pair: Pair, case: CaseBlock, value: Array) -> bool:
    """Say whether the new loss has another value at a point than all around it.

    Parameters
    ----------
    case
        A block of one case.
    """
    near = pair.truth(pair.new, 0, around(pair, case))[1::2]  # those that are nearest
    near = near[np.isfinite(near).all(axis=1)]
    if not len(near):
        return False
    low, high = near.min(axis=0), near.max(axis=0)
    room = BETWEEN * np.abs(near).max(initial=pair.scale.value)
    given = np.asarray(value, np.float64).ravel()
    return bool(((given < low - room) | (given > high + room)).any())


def around(pair: Pair, cases: CaseBlock) -> CaseBlock:
    """Points around each case, in turn far and near: the prediction moved, within its domain."""
    argument = pair.old.evidence.spec.prediction
    domain = domains.parse(argument.domain)
    rng = np.random.default_rng(NEIGHBOURS)
    inputs = {
        name: np.repeat(np.asarray(array, np.float64), NEIGHBOURS, axis=0)
        for name, array in cases.inputs.items()
    }
    x = inputs[argument.name]
    far, near = FAR * np.fmax(np.abs(x), 1.0), NEAR * np.fmax(np.abs(x), LEAST)
    place = (np.arange(len(x)) % NEIGHBOURS).reshape(-1, *(1,) * (x.ndim - 1))
    way = rng.uniform(0.5, 1.0, x.shape) * rng.choice([-1.0, 1.0], x.shape)
    way[2::4], way[3::4] = -way[::4], -way[1::4]  # and those opposite
    moved = x + way * np.where(place % 2 == 1, near, far)
    if domain.movable:
        clipped = np.asarray(domain.clip(moved), np.float64)
        moved = np.where(clipped == x, 2 * x - moved, clipped)  # at an edge: inwards
        moved = np.asarray(domain.clip(moved), np.float64)
    inputs[argument.name] = moved
    return CaseBlock(inputs, np.repeat(cases.ranges, NEIGHBOURS))
