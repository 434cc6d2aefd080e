"""One search for places where operations fail: by bisection, down the slope, and number by number.

From cases on either side of a place it bisects, from the nearest ones it follows the slope, and at
last it tries the float32 numbers about the place, for only an exact hit makes a loss fail.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock, spread
from losscheck.cases.problem import Problem, Variable
from losscheck.domains.floats import step_magnitude
from losscheck.evidence.search.singular import Target
from losscheck.model import Array, Inputs, Range
from losscheck.numerics.descent import Descent, bounded, newton
from losscheck.program.inner import Driver
from losscheck.program.tracing.wiring import Wiring

LOOKED_AT = 1 << 15  # cases of the other stages whose inner numbers are evaluated
STARTS = 24  # of the descent for each target: the nearest cases, and ordinary ones
PARTNERS = 16  # predictions tried in place of a start's own, for one on the other side
HALVINGS = 30  # of such a segment; the descent does the rest
LANDED = 12  # ends of descents, the nearest ones, about which numbers are tried one by one
AGAIN = 6  # of those that missed, the nearest ones that L-BFGS-B starts from again
KEPT = 48  # cases of each target that are handed on
NEAREST = 8  # where none was hit
ULPS = (*range(9), *(2**k for k in range(4, 15)))  # away from an end; noise hides a double root
DECIMALS = 5  # numbers that people write: rounded to 0, 1, ... 4 places


class Outcome(enum.StrEnum):
    """How the search for one target ended."""

    MET = "met"  # the other stages have been there
    DRIVEN = "driven"  # the search came there
    SHORT = "short"  # it did not
    BEYOND = "beyond"  # no argument inside the domains can bring it there


@attrs.frozen(kw_only=True)
class Hunt:
    """The search for one target."""

    op: str
    key: tuple[str, float]  # the name of the operation, and the number
    outcome: Outcome
    nearest: float  # the smallest distance of the operation's input, 0 where it was met

    @property
    def reached(self) -> bool:
        """Whether some case is in the singular set."""
        return self.outcome in (Outcome.MET, Outcome.DRIVEN)

    @property
    def settled(self) -> bool:
        """Whether another instance need not search again."""
        return self.outcome is not Outcome.SHORT


@attrs.frozen(eq=False)
class _Rows:
    """Cases, each after one element of one target."""

    inputs: Inputs
    target: Array  # (M,) int
    element: Array  # (M,) int

    def __len__(self) -> int:
        return len(self.target)

    def take(self, index: Array) -> _Rows:
        inputs = {name: array[index] for name, array in self.inputs.items()}
        return _Rows(inputs, self.target[index], self.element[index])

    def moved(self, changed: Mapping[str, Array]) -> _Rows:
        return attrs.evolve(self, inputs={**self.inputs, **changed})

    @staticmethod
    def concat(parts: Sequence[_Rows]) -> _Rows:
        return _Rows(
            {n: np.concatenate([p.inputs[n] for p in parts]) for n in parts[0].inputs},
            np.concatenate([p.target for p in parts]),
            np.concatenate([p.element for p in parts]),
        )


@attrs.frozen(eq=False)
class Search:
    """Searches for several targets at once."""

    driver: Driver
    graph: Wiring
    problem: Problem
    targets: tuple[Target, ...]
    rng: np.random.Generator
    share: float = 1.0  # of the starts and ends: where a case takes long there are fewer

    def _some(self, count: int) -> int:
        return max(2, int(count * self.share))

    def run(self, block: CaseBlock) -> tuple[CaseBlock | None, tuple[Hunt, ...]]:
        """Start from the cases of other stages; give further cases and how each hunt ended."""
        usual = np.flatnonzero(block.ranges < Range.EXTREME)
        # Ordinary ones come first: all along the block.
        known = block.take(spread(usual, LOOKED_AT))
        gaps = self._gaps(known.inputs)
        nearest = np.array([_nearest(t, g) for t, g in zip(self.targets, gaps, strict=True)])
        open_ = [i for i, away in enumerate(nearest) if away > 0 and np.isfinite(away)]
        found: list[CaseBlock] = []
        driven: set[int] = set()
        if open_:
            starts = _Rows.concat([self._starts(i, known, gaps[i]) for i in open_])
            landed = self._land(self._descend(starts, newton))
            short = landed.take(np.flatnonzero(~np.isin(landed.target, self._hit(landed))))
            if len(short):
                again = self._nearest(short)
                further = self._land(self._descend(again, bounded))
                landed = _Rows.concat([landed, further])
            found, driven = self._chosen(landed, nearest)
        hunts = tuple(
            Hunt(op=t.node.type, key=t.key, outcome=_outcome(i, away, driven), nearest=away)
            for i, (t, away) in enumerate(zip(self.targets, nearest.tolist(), strict=True))
        )
        return CaseBlock.concat(found) if found else None, hunts

    def _gaps(self, inputs: Inputs) -> list[Array]:
        """(N, E) a target."""
        values, _ = self.driver.follow(inputs)
        arrays = dict(zip(self.driver.tensors, values, strict=True))
        return [target.gap(arrays) for target in self.targets]

    def _own(self, rows: _Rows) -> Array:
        """(M,) the gap that each row is after."""
        gaps = self._gaps(rows.inputs)
        own = np.empty(len(rows))
        for i in np.unique(rows.target):
            at = np.flatnonzero(rows.target == i)
            own[at] = gaps[i][at, rows.element[at]]
        return own

    def _slopes(self, rows: _Rows) -> tuple[Array, dict[str, Array]]:
        """(M,) the gap of each row, and its slopes in the arguments."""
        n = len(rows)
        names = self.driver.tensors
        paired = [i for i, target in enumerate(self.targets) if len(target.tensors) > 1]
        values: Mapping[str, Array] = {}
        if np.isin(rows.target, paired).any():
            values = dict(zip(names, self.driver.follow(rows.inputs)[0], strict=True))
        asked = {t: np.zeros((n, size)) for t, size in zip(names, self.driver.sizes, strict=True)}
        for i in np.unique(rows.target):
            at, target = np.flatnonzero(rows.target == i), self.targets[i]
            cells = at, rows.element[at]
            if len(target.tensors) == 1:
                asked[target.tensors[0]][cells] = target.sign
                continue
            parts = [values[name][cells] for name in target.tensors]
            length = np.maximum(np.hypot(*parts), np.finfo(np.float32).tiny)
            for name, part in zip(target.tensors, parts, strict=True):
                asked[name][cells] += part / length
        found, slopes = self.driver.follow(rows.inputs, [asked[name] for name in names])
        arrays = dict(zip(names, found, strict=True))
        own = np.empty(n)
        for i in np.unique(rows.target):
            at = np.flatnonzero(rows.target == i)
            own[at] = self.targets[i].gap(arrays)[at, rows.element[at]]
        return own, slopes

    def _free(self, target: Target) -> list[Variable]:
        """The arguments that may be moved for a target: the prediction first."""
        free = [
            v
            for v in self.problem.variables
            if not v.domain.integral
            and (v.domain.elementwise or v.shape[-1] > 1)
            and not self.graph.depends(v.name).isdisjoint(target.tensors)
        ]
        return sorted(free, key=lambda v: v.role != "y_pred")

    def _starts(self, i: int, known: CaseBlock, gaps: Array) -> _Rows:
        """Take the cases nearest to a target, ordinary ones, and points between the two sides."""
        target = self.targets[i]
        size = np.where(np.isfinite(gaps), np.abs(gaps), np.inf)
        element = size.argmin(axis=1)
        near = np.argsort(size.min(axis=1), kind="stable")[: self._some(STARTS) // 2]
        ordinary = np.flatnonzero(known.ranges == Range.ORDINARY)
        drawn = self.rng.choice(
            ordinary, min(self._some(STARTS) - len(near), len(ordinary)), replace=False
        )
        picked = np.concatenate([near, np.sort(drawn)])
        inputs = {n: a[picked].astype(np.float64) for n, a in known.inputs.items()}
        rows = _Rows(inputs, np.full(len(picked), i), element[picked])
        free = self._free(target)
        if target.beyond or len(target.tensors) > 1 or not free:
            return rows
        between = self._between(rows, free[0], known, gaps)
        return rows if between is None else _Rows.concat([rows, between])

    def _between(self, rows: _Rows, free: Variable, known: CaseBlock, gaps: Array) -> _Rows | None:
        """Bisect from each start to an argument with which the gap has the other sign."""
        own = self._own(rows)
        # Few candidates, ordinary ones if there are such, of either sign.
        columns = gaps[:, rows.element[0]]
        pools = [np.flatnonzero(columns < 0), np.flatnonzero(columns > 0)]
        if not all(map(len, pools)):
            return None
        pools = [p[np.argsort(known.ranges[p], kind="stable")][: 1 << 12] for p in pools]
        partners = self._some(PARTNERS)
        choice = np.stack([self.rng.choice(pool, (len(rows), partners)) for pool in pools])
        partner = np.where((own < 0)[:, None], choice[1], choice[0])
        index = np.repeat(np.arange(len(rows)), partners)
        others = known.inputs[free.name][partner.ravel()].astype(np.float64)
        tried = rows.take(index)
        crossed = self._own(tried.moved({free.name: others})) * own[index] < 0
        if not crossed.any():
            return None
        _, first = np.unique(index[crossed], return_index=True)
        taken = np.flatnonzero(crossed)[first]
        rows, others = tried.take(taken), others[taken]
        sign = np.sign(own[index[taken]])
        low, high = np.zeros(len(rows)), np.ones(len(rows))
        begin = rows.inputs[free.name]

        def at(share: Array) -> _Rows:
            share = share.reshape(-1, *(1 for _ in free.shape))
            return rows.moved({free.name: free.domain.project(begin + share * (others - begin))})

        for _ in range(HALVINGS):
            middle = (low + high) / 2
            same = np.sign(self._own(at(middle))) == sign
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        return at(low)

    def _descend(self, rows: _Rows, method: object) -> _Rows:
        """Follow the slopes of all rows at once; half of them move the prediction alone."""
        variables = [v for v in self.problem.variables if not v.domain.integral]
        widths = [v.size for v in variables]
        free = {i: self._free(self.targets[i]) for i in np.unique(rows.target).tolist()}
        alone = np.arange(len(rows)) % 2 == 0
        masks = []
        for v in variables:
            moves = np.array(
                [
                    any(v is f for f in (free[i][:1] if one else free[i]))
                    for i, one in zip(rows.target.tolist(), alone.tolist(), strict=True)
                ]
            )
            masks.append(np.repeat(moves[:, None], v.size, axis=1))
        mask = np.concatenate(masks, axis=1)
        begin = np.concatenate([rows.inputs[v.name].reshape(len(rows), -1) for v in variables], 1)
        borders = [v.domain.limits(v.shape, working=True) for v in variables]
        low, high = (
            np.broadcast_to(
                np.concatenate(
                    [
                        np.broadcast_to(ends[side], v.shape).ravel()
                        for v, ends in zip(variables, borders, strict=True)
                    ]
                ),
                begin.shape,
            )
            for side in (0, 1)
        )

        def put(index: Array, points: Array) -> _Rows:
            parts = np.split(points, np.cumsum(widths)[:-1], axis=1)
            return rows.take(index).moved(
                {
                    v.name: v.domain.project(part.reshape(len(part), *v.shape))
                    for v, part in zip(variables, parts, strict=True)
                }
            )

        def gap(index: Array, points: Array) -> tuple[Array, Array]:
            own, slopes = self._slopes(put(index, points))
            flat = [slopes[v.name].reshape(len(points), -1) for v in variables]
            return own, np.where(mask[index], np.concatenate(flat, axis=1), 0.0)

        one_sided = np.array([self.targets[i].beyond != 0 for i in rows.target.tolist()])
        assert callable(method)
        done: Descent = method(gap, np.clip(begin, low, high), low.copy(), high.copy(), one_sided)
        nearest = _first(rows.target, np.abs(done.gaps), self._some(LANDED))
        return put(nearest, done.points[nearest])

    def _land(self, rows: _Rows) -> _Rows:
        """Try the float32 numbers about the ends of descents, for an exact hit."""
        _, slopes = self._slopes(rows)
        parts = [rows]
        for v in self.problem.variables:
            after = np.array(
                [any(v is f for f in self._free(self.targets[i])) for i in rows.target.tolist()]
            )
            if not after.any():
                continue
            index = np.flatnonzero(after)
            values = rows.inputs[v.name][index].reshape(len(index), -1)
            pull = np.abs(slopes[v.name][index].reshape(len(index), -1))
            column = np.where(np.isfinite(pull), pull, 0.0).argmax(axis=1)
            moved = [values.round(places) for places in range(DECIMALS)]
            for ulps in ULPS:
                for way in (-ulps, ulps):
                    other = values.copy()
                    cells = np.arange(len(index)), column
                    other[cells] = step_magnitude(values[cells], way, "float32")
                    moved.append(other)
            some = rows.take(index)
            parts += [
                some.moved({v.name: v.domain.project(m.reshape(len(index), *v.shape))})
                for m in moved
            ]
        return _Rows.concat(parts)

    def _nearest(self, rows: _Rows) -> _Rows:
        """The rows of each target that came nearest: where another method starts again."""
        away = np.abs(self._own(rows))
        return rows.take(
            _first(rows.target, np.where(np.isnan(away), np.inf, away), self._some(AGAIN))
        )

    def _hit(self, rows: _Rows) -> Array:
        """The targets that some row has met."""
        own = self._own(rows)
        met = [self.targets[i].met(gap) for i, gap in zip(rows.target.tolist(), own, strict=True)]
        return np.unique(rows.target[np.array(met, bool)])

    def _chosen(self, rows: _Rows, nearest: Array) -> tuple[list[CaseBlock], set[int]]:
        """Keep the cases inside the working range that met their target, or came nearest."""
        found: list[CaseBlock] = []
        driven: set[int] = set()
        for i in np.unique(rows.target).tolist():
            some = rows.take(np.flatnonzero(rows.target == i))
            block = self.problem.judge(some.inputs)
            block = block.take(block.ranges < Range.EXTREME).distinct()
            if not len(block):
                continue
            gaps = self._gaps(block.inputs)[i]
            target = self.targets[i]
            met = target.met(gaps).any(axis=1)
            away = np.where(np.isfinite(gaps), np.abs(gaps), np.inf).min(axis=1)
            order = np.lexsort((np.arange(len(block)), away, block.ranges, ~met))
            if met.any():
                driven.add(i)
                nearest[i] = 0.0
                found.append(block.take(order[: min(KEPT, int(met.sum()) + NEAREST)]))
            else:
                nearest[i] = min(nearest[i], float(away.min()))
                found.append(block.take(np.argsort(away, kind="stable")[:NEAREST]))
        return found, driven


def _nearest(target: Target, gaps: Array) -> float:
    """The smallest distance to a target; 0 where it is met, infinite where no gap is a number."""
    if target.met(gaps).any():
        return 0.0
    size = np.abs(gaps)
    return float(np.where(np.isnan(size), np.inf, size).min(initial=np.inf))


def _first(owners: Array, away: Array, count: int) -> Array:
    """Indices of the `count` nearest rows of each owner."""
    return np.concatenate(
        [
            at[np.argsort(away[at], kind="stable")][:count]
            for owner in np.unique(owners)
            for at in [np.flatnonzero(owners == owner)]
        ]
    )


def _outcome(target: int, nearest: float, driven: set[int]) -> Outcome:
    if target in driven:
        return Outcome.DRIVEN
    return Outcome.MET if nearest == 0.0 else Outcome.SHORT
