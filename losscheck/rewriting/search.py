"""A search for expressions that lose fewer bits, and which of them are better at all points."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from losscheck.model import Array
from losscheck.rewriting.arithmetic import ALL, bits, error, rounded
from losscheck.rewriting.expressions import (
    Expression,
    Leaf,
    Operation,
    leaves_of,
    names_of,
    substitute,
    walk,
)
from losscheck.rewriting.functions import ARITHMETIC, REDUCTIONS
from losscheck.rewriting.judging import Judge, worst_and_others
from losscheck.rewriting.moves import moves
from losscheck.rewriting.splits import THRESHOLDS, Split, by_regions, by_series, by_sign

SEARCHED = 40  # points at which the search judges
NUMBERS = 120  # elements in these, where they have several
FINALISTS = 10
WORTH = 1.0  # mean bits that a rewriting must save, or half of them where less is lost
LOST = 12.0  # bits: half of a float32 is wrong
GOOD = 1.5  # mean bits of value or derivative with which nothing further is tried
WORSE = 3.0  # ulps by which a value may be further off where the original is right
EXPLAINED = 2.0  # and this many times what the value moves when its operands move by an ulp
RIGHT_SLOPE = 4.0  # bits that a derivative may have lost to be right still
WORSE_SLOPE = 10.0  # bits that it may not lose then, but at few of these points
FEW = 0.03
SPLIT_WEIGHT = 1.0  # bits that doing without a second branch is worth
CANDIDATES = 500  # that are looked at
STEPS = 30  # expressions from which the search goes on
LONGEST = 3  # times as long as the original, and some more
SIZE_WEIGHT = 0.03  # bits that a node is worth: of two that are as good the shorter goes first
SETTLED = 1.0  # mean bits with which an expression is as good as it gets, or nearly
PATIENCE = 5
BLAMED = 0.3  # mean bits that an operation of exact operands loses by itself


@dataclass(frozen=True)
class Judged:
    """A candidate, at all points."""

    root: Expression
    conditions: tuple[Expression, ...]
    split: Split | None
    value: Array
    slope: Array
    condition: Array

    @property
    def score(self) -> float:
        """Bits lost on average, with a little for length and branches."""
        named = self.split.names if self.split else ()
        names = {meaning: Leaf(name) for name, meaning in named}
        extra = SIZE_WEIGHT * substitute(self.root, names).size + (SPLIT_WEIGHT if names else 0.0)
        return error(self.value).mean + 0.5 * error(self.slope).mean + extra


def better(judge: Judge, before: Judged) -> Iterator[Judged]:
    """Search for expressions that do better than the original, and judge the best at all points.

    Parameters
    ----------
    judge
        Knows the truth at all points.
    """
    size = max(values[:1].size for values in judge.leaves.values())
    lost = before.value + before.slope
    few = judge.at(worst_and_others(lost, min(SEARCHED, max(NUMBERS // max(size, 1), 4))))
    found = Search(few).run([Candidate(0.0, 0, before.root)])
    plain = _various(found)
    all_judged = [judged(judge, c.root, c.conditions) for c in plain]
    if not any(_fine(each, before) for each in all_judged):
        further = Search(few, slopes=True, steps=8, candidates=100).run(plain[:5])
        all_judged += [judged(judge, c.root, c.conditions) for c in _various(further)]
    if not any(_fine(each, before) for each in all_judged):
        all_judged += _split(judge, few, [*all_judged, before], found)
    seen: set[Expression] = set()
    for each in all_judged:
        if each.root not in seen and _improves(each, before):
            seen.add(each.root)
            yield each


def _various(found: Sequence[Candidate]) -> list[Candidate]:
    """The best of each kind, by the functions that they call; then the best of all others."""
    kinds: dict[tuple[str, ...], Candidate] = {}
    for candidate in found:
        calls = (name for name in names_of(candidate.root) if name not in ARITHMETIC)
        kinds.setdefault(tuple(sorted(calls)), candidate)
    first = sorted(kinds.values())[:FINALISTS]
    return (first + [c for c in found if c not in first])[: max(FINALISTS, len(first))]


def judged(
    judge: Judge,
    root: Expression,
    conditions: tuple[Expression, ...] = (),
    split: Split | None = None,
) -> Judged:
    """Judge an expression at all points."""
    explained = judge.truth.condition(judge.leaves)
    return Judged(
        root, conditions, split, judge.value_bits(root), judge.slope_bits(root), explained
    )


def _fine(one: Judged, before: Judged) -> bool:
    """Whether there is no reason to look further."""
    means = error(one.value).mean, error(one.slope).mean
    return max(means) < GOOD and _nowhere_worse(one, before)


def loses(lost: Array) -> bool:
    """Whether bits are lost on average, or most of them somewhere."""
    return error(lost).mean >= WORTH or error(lost).maximum >= LOST


def _improves(one: Judged, before: Judged) -> bool:
    """Whether value or derivative is better, and the other one no worse."""
    saved = error(before.value).mean - error(one.value).mean
    saved_slope = error(before.slope).mean - error(one.slope).mean
    least = min(WORTH, max(error(before.value).mean, error(before.slope).mean) / 2)
    enough = max(saved, saved_slope) >= least and min(saved, saved_slope) > -WORTH
    return enough and _nowhere_worse(one, before)


def _nowhere_worse(one: Judged, before: Judged) -> bool:
    """Whether nothing that was right is wrong now.

    A value may be off by what its operands' own rounding explains. For a derivative that would
    take second derivatives: it must stay finite, and right on average, and may be wrong at few
    points, since among many that are wrong some are right by chance.
    """
    right = before.value <= np.log2(1.0 + WORSE)
    more = np.exp2(one.value) - np.exp2(before.value)
    if np.any(right & (more > WORSE + EXPLAINED * before.condition)):
        return False
    right = before.slope <= RIGHT_SLOPE
    lost = one.slope[right] - before.slope[right]
    if np.any(right & (one.slope >= ALL)):
        return False
    few = np.count_nonzero(lost > WORSE_SLOPE) <= FEW * len(lost)
    return bool(few) and (not lost.size or float(lost.mean()) < 1.0)


def _split(
    judge: Judge, few: Judge, known: Sequence[Judged], found: Sequence[Candidate]
) -> list[Judged]:
    """Two branches: a series and an expression, or two expressions."""
    *others, original = known
    ranked = {each.root: each for each in sorted(others, key=lambda each: each.score)[:3]}
    ranked.setdefault(original.root, original)
    splits = [
        (split, each.conditions) for each in ranked.values() for split in by_series(each.root)
    ]
    splits += _pairs(found)
    scored = [
        (error(few.value_bits(s.root)).mean + error(few.slope_bits(s.root)).mean, i)
        for i, (s, _) in enumerate(splits)
    ]
    best = [splits[i] for _, i in sorted(scored)[:FINALISTS]]
    return [judged(judge, split.root, conditions, split) for split, conditions in best]


def _pairs(found: Sequence[Candidate]) -> Iterator[tuple[Split, tuple[Expression, ...]]]:
    """Two expressions that are right in different places, on either side of a threshold."""
    for one in found[:2]:
        other = min(
            found,
            key=lambda c: error(np.minimum(one.lost, c.lost)).mean + SIZE_WEIGHT * c.root.size,
        )
        if other is one:
            continue
        conditions = tuple(dict.fromkeys((*one.conditions, *other.conditions)))
        for variable in sorted(leaves_of(one.root), key=lambda leaf: leaf.text):
            for first, second in ((one.root, other.root), (other.root, one.root)):
                yield by_sign(first, second, variable), conditions
                for threshold in THRESHOLDS:
                    yield by_regions(first, second, variable, threshold), conditions


@dataclass(order=True)
class Candidate:
    """An expression that is equal to the original, with how well it does."""

    score: float
    order: int
    root: Expression = field(compare=False)
    conditions: tuple[Expression, ...] = field(compare=False, default=())
    lost: Array = field(compare=False, default_factory=lambda: np.zeros(0))  # bits at each point


class Search:
    """Searches among what identities lead to.

    Parameters
    ----------
    judge
        Knows what is true, at the points of the search.
    slopes
        Whether what is lost in the derivative counts, too; that takes longer.
    steps
        The number of expressions from which the search goes on.
    candidates
        The number of expressions that it looks at.
    """

    def __init__(
        self,
        judge: Judge,
        *,
        slopes: bool = False,
        steps: int = STEPS,
        candidates: int = CANDIDATES,
    ) -> None:
        self._judge = judge
        self._slopes = slopes
        self._steps = steps
        self._most = candidates
        self._seen: set[Expression] = set()
        self._alike: set[tuple[object, ...]] = set()
        self._found: list[Candidate] = []

    def run(self, starts: Sequence[Candidate]) -> list[Candidate]:
        """Search from some expressions on; all that were found, the best one first."""
        longest = LONGEST * max(start.root.size for start in starts) + 20
        waiting: list[Candidate] = []
        last: Candidate | None = None
        for start in starts:
            self._look(start.root, start.conditions, waiting)
        since = 0  # steps without a better one, once there is one that loses next to nothing
        for _ in range(self._steps):
            top = min(self._found)
            settled = top.score < SETTLED + SIZE_WEIGHT * top.root.size
            since = since + 1 if settled and top is last else 0
            last = top
            if not waiting or since > PATIENCE:
                break
            best = heapq.heappop(waiting)
            for new, conditions in moves(best.root, self._places(best.root), self._holds):
                if new.size <= longest and new not in self._seen:
                    known = tuple(dict.fromkeys((*best.conditions, *conditions)))
                    self._look(new, known, waiting)
                if len(self._found) >= self._most:
                    return sorted(self._found)
        return sorted(self._found)

    def _look(
        self, root: Expression, conditions: tuple[Expression, ...], waiting: list[Candidate]
    ) -> None:
        """Judge an expression; it waits for its turn unless it only puts another one in order."""
        self._seen.add(root)
        lost = self._judge.value_bits(root)
        alike = (root.size, lost.tobytes(), *sorted(names_of(root)))
        if alike in self._alike:
            return
        self._alike.add(alike)
        mean = error(lost).mean
        if self._slopes:
            mean += error(self._judge.slope_bits(root)).mean
        score = round(mean + SIZE_WEIGHT * root.size, 3)
        candidate = Candidate(score, len(self._found), root, conditions, lost)
        self._found.append(candidate)
        heapq.heappush(waiting, candidate)

    def _places(self, root: Expression) -> frozenset[Expression]:
        """Where bits are lost, and what that is a part of; everywhere where no one is to blame."""
        chosen: set[Expression] = set()
        for node in walk(root):
            if any(arg in chosen for arg in node.args) or self._local(node) > BLAMED:
                chosen.add(node)
        return frozenset(chosen or walk(root))

    def _local(self, node: Expression) -> float:
        """Mean bits that an operation loses by itself, from exact operands that are rounded."""
        if not isinstance(node, Operation) or node.name in REDUCTIONS:
            return 0.0
        exact = self._judge.truth.exact
        inner = [_single(exact.of(arg)) for arg in node.operands]
        with np.errstate(all="ignore"):
            given = self._judge.single.call(node.name, *inner)
        truth = exact.of(node)
        if given.dtype == bool:
            return 0.0
        return error(bits(given, rounded(truth))).mean

    def _holds(self, conditions: tuple[Expression, ...]) -> bool:
        """Whether conditions hold at every point that has a truth."""
        has = ~np.isnan(self._judge.truth.value)
        for condition in conditions:
            kept = self._judge.truth.exact.of(condition)
            kept = (
                np.broadcast_to(kept.reshape(len(kept), -1).all(axis=1), len(has))
                if kept.ndim
                else kept
            )
            if not np.all(kept | ~has.reshape(len(has), -1).all(axis=1)):
                return False
        return True


def _single(numbers: Array) -> Array:
    if numbers.dtype == bool:
        return numbers
    with np.errstate(all="ignore"):
        return np.asarray(rounded(numbers), np.float32)
