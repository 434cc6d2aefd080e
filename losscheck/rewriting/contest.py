"""Which of the expressions that were found are better than the original, at all points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from losscheck.model import Array
from losscheck.rewriting.arithmetic import ALL, error
from losscheck.rewriting.expressions import Expression, Leaf, leaves_of, names_of, substitute
from losscheck.rewriting.functions import ARITHMETIC
from losscheck.rewriting.judging import Judge, worst_and_others
from losscheck.rewriting.search import SIZE_WEIGHT, Candidate, Search
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
    before
        The original.
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
