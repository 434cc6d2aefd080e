"""Rewriting an expression of the user's: from text and numbers to texts and what each loses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from losscheck.model import Array
from losscheck.rewriting.expressions import Expression, Leaf, leaves_of, names_of, substitute
from losscheck.rewriting.functions import ARITHMETIC
from losscheck.rewriting.judging import ALL, Error, Judge, error
from losscheck.rewriting.printing import imports, write
from losscheck.rewriting.reading import Spelling, read
from losscheck.rewriting.search import SIZE_WEIGHT, Candidate, Search
from losscheck.rewriting.splits import THRESHOLDS, Split, by_regions, by_series, by_sign

POINTS = 256  # at which what is handed out is judged
SEARCHED = 40  # at which the search judges
NUMBERS = 4096  # in all points of a leaf
FINALISTS = 10
LONGEST = 60  # a longer expression is not searched
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
class Rewriting:
    """Another expression for the same thing, that loses fewer bits in float32.

    Parameters
    ----------
    text
        Python, in the spelling of the original.
    statements
        Assignments that must stand before it.
    imports
        Import statements that it needs and the module does not have.
    conditions
        Comparisons, as Python, without which both are not equal; they hold at all points.
    value_before, value_after
        Bits lost in the value.
    slope_before, slope_after
        Bits lost in the derivative that TensorFlow makes of the expression.
    """

    text: str
    statements: tuple[str, ...]
    imports: tuple[str, ...]
    conditions: tuple[str, ...]
    value_before: Error
    value_after: Error
    slope_before: Error
    slope_after: Error


@dataclass(frozen=True)
class _Judged:
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


def leaves_in(expression: str, spelling: Spelling | None = None) -> tuple[str, ...]:
    """Name the parts of an expression whose numbers `rewritings` needs.

    Examples
    --------
    >>> leaves_in("tf.exp(net(x)[0]) - 1.0 / self.temperature")
    ('net(x)[0]', 'self.temperature')
    """
    return tuple(sorted(leaf.text for leaf in leaves_of(read(expression, spelling))))


def rewritings(
    expression: str,
    leaves: Mapping[str, Array],
    spelling: Spelling | None = None,
    by: Sequence[str] = (),
    most: int = 5,
) -> list[Rewriting]:
    """Find expressions that are equal to one and lose fewer bits in float32.

    Parameters
    ----------
    expression
        Python source; `SyntaxError` where it is none.
    leaves
        (N, *shape) float32 for each text that `leaves_in` names: the numbers of N points or cases.
        `ValueError` where one is missing.
    spelling
        What the names of the user's module stand for.
    by
        The leaves by which derivatives are taken, such as the prediction; all where none is named.
    most
        How many to hand out.

    Returns
    -------
    list of Rewriting
        The best first; empty where the original loses nothing, or nothing better was found. None
        of them is worse than the original at any point where that one is right.
    """
    spelling = replace(spelling or Spelling(), used={})
    original = read(expression, spelling)
    texts = sorted(leaf.text for leaf in leaves_of(original))
    missing = [text for text in texts if text not in leaves]
    if missing:
        raise ValueError(f"no numbers for {', '.join(missing)}")
    if not texts or original.size > LONGEST:
        return []
    judge = Judge(original, _thinned({text: leaves[text] for text in texts}), frozenset(by))
    before = _judged(judge, Candidate(0.0, 0, original), None)
    if not (_loses(before.value) or _loses(before.slope)):
        return []
    found = sorted(_better(original, judge, before), key=lambda each: each.score)
    return [_told(each, before, spelling) for each in found[:most]]


def _thinned(leaves: Mapping[str, Array]) -> dict[str, Array]:
    """As many points as there is time for, evenly from all of them."""
    count = min(len(values) for values in leaves.values())
    largest = max(values[:1].size for values in leaves.values())
    kept = min(count, POINTS, max(NUMBERS // max(largest, 1), 8))
    rows = np.unique(np.linspace(0, count - 1, kept).astype(int))
    return {text: np.asarray(values)[rows] for text, values in leaves.items()}


def _better(original: Expression, judge: Judge, before: _Judged) -> Iterator[_Judged]:
    """Search, and judge the best at all points."""
    few = judge.at(_chosen(before))
    start = Candidate(0.0, 0, original)
    found = Search(few).run([start])
    plain = _various(found)
    judged = [_judged(judge, candidate, None) for candidate in plain]
    if not any(_fine(each, before) for each in judged):
        further = Search(few, slopes=True, steps=8, candidates=100).run(plain[:5])
        judged += [_judged(judge, candidate, None) for candidate in _various(further)]
    if not any(_fine(each, before) for each in judged):
        judged += _split(original, judge, few, judged, found)
    seen: set[Expression] = set()
    for each in judged:
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


def _chosen(before: _Judged) -> Array:
    """The points of the search: half of them where most is lost, half evenly from the others."""
    lost = before.value + before.slope
    order = np.argsort(-lost, kind="stable")
    worst, others = order[: SEARCHED // 2], np.sort(order[SEARCHED // 2 :])
    even = (
        others[np.unique(np.linspace(0, len(others) - 1, SEARCHED // 2).astype(int))]
        if len(others)
        else others
    )
    return np.sort(np.concatenate([worst, even]))


def _judged(judge: Judge, candidate: Candidate, split: Split | None) -> _Judged:
    root = candidate.root
    return _Judged(
        root,
        candidate.conditions,
        split,
        judge.value_bits(root),
        judge.slope_bits(root),
        judge.truth.condition(judge.leaves),
    )


def _fine(one: _Judged, before: _Judged) -> bool:
    """Whether there is no reason to look further."""
    means = error(one.value).mean, error(one.slope).mean
    return max(means) < GOOD and _nowhere_worse(one, before)


def _loses(lost: Array) -> bool:
    """Whether bits are lost on average, or most of them somewhere."""
    return error(lost).mean >= WORTH or error(lost).maximum >= LOST


def _improves(one: _Judged, before: _Judged) -> bool:
    saved = error(before.value).mean - error(one.value).mean
    saved_slope = error(before.slope).mean - error(one.slope).mean
    least = min(WORTH, max(error(before.value).mean, error(before.slope).mean) / 2)
    return max(saved, saved_slope) >= least and _nowhere_worse(one, before)


def _nowhere_worse(one: _Judged, before: _Judged) -> bool:
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
    original: Expression,
    judge: Judge,
    few: Judge,
    judged: Sequence[_Judged],
    found: Sequence[Candidate],
) -> list[_Judged]:
    """Two branches: a series and an expression, or two expressions."""
    ranked = sorted(judged, key=lambda each: each.score)[:3]
    known = {each.root: each.conditions for each in ranked}
    splits: list[tuple[Split, tuple[Expression, ...]]] = []
    for root in dict.fromkeys([*known, original]):
        splits += [(split, known.get(root, ())) for split in by_series(root)]
    splits += _pairs(found)
    scored = [
        (error(few.value_bits(s.root)).mean + error(few.slope_bits(s.root)).mean, i)
        for i, (s, _) in enumerate(splits)
    ]
    best = [splits[i] for _, i in sorted(scored)[:FINALISTS]]
    return [_judged(judge, Candidate(0.0, 0, s.root, c), s) for s, c in best]


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


def _told(one: _Judged, before: _Judged, spelling: Spelling) -> Rewriting:
    named: dict[Expression, str] = {}
    statements = []
    texts = " ".join(leaf.text for leaf in leaves_of(before.root))
    for name, meaning in one.split.names if one.split else ():
        free = name
        while free in texts:
            free += "_"
        statements.append(f"{free} = {write(meaning, spelling, named)}")
        named[meaning] = free
    return Rewriting(
        text=write(one.root, spelling, named),
        statements=tuple(statements),
        imports=imports(one.root, spelling),
        conditions=tuple(write(condition, spelling) for condition in one.conditions),
        value_before=error(before.value),
        value_after=error(one.value),
        slope_before=error(before.slope),
        slope_after=error(one.slope),
    )
