"""A search for an expression that loses fewer bits: the best one found so far goes on first."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from losscheck.model import Array
from losscheck.rewriting.arithmetic import bits, error, rounded
from losscheck.rewriting.expressions import Expression, Operation, names_of, walk
from losscheck.rewriting.functions import REDUCTIONS
from losscheck.rewriting.judging import Judge
from losscheck.rewriting.moves import moves

CANDIDATES = 500  # that are looked at
STEPS = 30  # expressions from which the search goes on
LONGEST = 3  # times as long as the original, and some more
SIZE_WEIGHT = 0.03  # bits that a node is worth: of two that are as good the shorter goes first
SETTLED = 1.0  # mean bits with which an expression is as good as it gets, or nearly
PATIENCE = 5
BLAMED = 0.3  # mean bits that an operation of exact operands loses by itself


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
