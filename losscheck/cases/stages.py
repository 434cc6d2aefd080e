"""The stages of the search, the cheapest first: corners, and how much each of them covered."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock, first_of_equal
from losscheck.cases.data import Rows
from losscheck.cases.exhaustive import halves_met, predictions
from losscheck.cases.problem import Problem
from losscheck.cases.relations import changes, relations
from losscheck.cases.strategies import blocks_of
from losscheck.domains import layout
from losscheck.model import Argument, Array, Coverage, Range
from losscheck.settings import shapes

# Shares of the cases; what they leave is drawn from the working range.
_ORDINARY, _CORNERS, _RELATIONS = 0.1, 0.5, 0.2
# Ordinary cases that a landmark is planted into; more of them would add nothing to a corner.
_BACKGROUNDS = 1024


@attrs.frozen(eq=False)
class Search:
    """Cases, and what the stages that they come from covered."""

    cases: CaseBlock
    coverage: tuple[Coverage, ...]
    rows: CaseBlock | None = None  # of the user's data as they are


class Stages:
    """Collects the cases of one stage after the other."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._names: list[str] = []
        self._blocks: list[CaseBlock] = []
        self._prints: list[Array] = []
        self._rows: tuple[Rows, int] | None = None

    def __len__(self) -> int:
        return sum(map(len, self._blocks))

    def add(self, stage: str, block: CaseBlock) -> None:
        """Put the cases of the next stage behind the others."""
        self._names.append(stage)
        self._blocks.append(block)
        self._prints.append(block.prints())

    def add_data(self, rows: Rows, total: int) -> None:
        """Put the cases of the user's data behind the others; `total` rows there are of them."""
        self._rows = rows, total
        self.add("data", rows.cases)

    def distinct(self) -> int:
        """How many different cases there are so far."""
        return len(self._first())

    def _first(self) -> Array:
        return first_of_equal(np.concatenate(self._prints))

    def search(self) -> Search:
        """Drop what is there twice, and count."""
        whole = CaseBlock.concat(self._blocks)
        kept = self._first()
        owner = np.repeat(np.arange(len(self._blocks)), [len(block) for block in self._blocks])
        counts = np.bincount(owner[kept], minlength=len(self._blocks))
        coverage = [
            part
            for name, block, new in zip(self._names, self._blocks, counts.tolist(), strict=True)
            for part in self._covered(name, block, new)
        ]
        own = self._rows[0] if self._rows else None
        rows = None if own is None else own.cases.take(slice(own.own))
        return Search(whole.take(kept), tuple(coverage), rows)

    def _covered(self, stage: str, block: CaseBlock, new: int) -> list[Coverage]:
        pred = self._problem.with_role("y_pred")
        plain = Coverage(stage=stage, shape=pred.shape if pred is not None else (), cases=new)
        if stage == "corners":
            every = all_corners(self._problem)
            complete = self._problem.single and len(block) == every
            what = "combinations of landmarks"
            if complete:
                return [attrs.evolve(plain, what=what, covered=every, of=every)]
            at_most = f"{what}, at most"
            return [attrs.evolve(plain, what=at_most, covered=min(new, every), of=every)]
        if stage == "relations":
            count = len(changes(self._problem))
            reason = "" if count else "the domains and shapes allow none"
            return [attrs.evolve(plain, what="relations", covered=count, of=count, reason=reason)]
        if stage == "mixtures":
            described = "blocks that Hypothesis describes"
            return [attrs.evolve(plain, what=described, covered=blocks_of(len(block)))]
        if stage == "exhaustive":
            return self._exhaustive(plain, block)
        if self._rows and stage == "data":
            rows, total = self._rows
            what = "rows of the data, and points near them"
            return [attrs.evolve(plain, what=what, covered=rows.used, of=total, reason=rows.reason)]
        return [plain]

    def _exhaustive(self, plain: Coverage, block: CaseBlock) -> list[Coverage]:
        pred, true = self._problem.with_role("y_pred"), self._problem.with_role("y_true")
        dtype = self._problem.dtype
        every = None if pred is None else predictions(pred, dtype)
        if pred is None or every is None:
            reason = "for one real prediction or a row of two classes"
            return [attrs.evolve(plain, reason=reason)]
        if not len(block):
            return [attrs.evolve(plain, reason="no room in the number of cases")]
        beside = ""
        if true is not None:
            labels = len(true.tokens)
            each = max(1, len(block) // len(every))
            beside = f" beside {min(each, labels)} of {labels} labels each"
        found = []
        for half, (met, inside) in halves_met(pred, block, dtype).items():
            cases, plain = plain.cases, attrs.evolve(plain, cases=0)  # counted once
            what = f"{half} numbers inside the domain{beside}"
            found.append(attrs.evolve(plain, cases=cases, what=what, covered=met, of=inside))
        return found


def short(
    arguments: Sequence[Argument],
    sizes: Mapping[str, int],
    *,
    dtype: str,
    classes: int,
    seed: int,
    count: int,
) -> CaseBlock:
    """Generate about `count` ordinary and working cases, none of them extreme."""
    at = {argument.name: shapes.parse(argument.shape).at(sizes) for argument in arguments}
    problem = Problem.of(arguments, at, dtype, classes)
    rng = np.random.default_rng((seed, 7))
    parts = [
        problem.judge(problem.draw(max(1, int(count * _ORDINARY)), Range.ORDINARY, rng)),
        corners(problem, int(count * _CORNERS), seed),
        relations(problem, int(count * _RELATIONS), seed),
    ]
    rest = max(1, count - sum(map(len, parts)))
    parts.append(problem.judge(problem.draw(rest, Range.WORKING, rng)))
    block = CaseBlock.concat(parts)
    return block.take(block.ranges <= Range.WORKING).distinct()


def corners(problem: Problem, limit: int, seed: int) -> CaseBlock:
    """Cross the landmarks of the arguments.

    A case of one token an argument holds one combination. Larger ones hold it three ways:
    everywhere, at one place amid ordinary values (the same place in every argument), and scattered
    at random over all places. Where there are more combinations than `limit` allows, half of a
    random choice of them is working at most, so that extreme values do not hide the others.
    """
    rng = np.random.default_rng((seed, 1))
    fills = _combinations(problem, limit if problem.single else limit // 3, rng)
    blocks = [_filled(problem, fills)]
    if not problem.single:
        planted = _combinations(problem, limit // 3, rng)
        blocks += [_planted(problem, planted, rng), _scattered(problem, limit // 3, rng)]
    return problem.judge(
        {
            variable.name: np.concatenate([block[variable.name] for block in blocks])
            for variable in problem.variables
        }
    )


def all_corners(problem: Problem) -> int:
    """Count the combinations of landmarks, one an argument."""
    return math.prod(len(variable.tokens) for variable in problem.variables)


def _combinations(problem: Problem, limit: int, rng: np.random.Generator) -> dict[str, Array]:
    """Give tokens for each argument (k, ...): every combination, or a random choice of them."""
    sizes = [len(variable.tokens) for variable in problem.variables]
    total = all_corners(problem)
    if total <= limit:
        indices = np.unravel_index(np.arange(total), sizes)
        pairs = zip(problem.variables, indices, strict=True)
        return {variable.name: variable.tokens[index] for variable, index in pairs}
    half = limit // 2
    return {
        variable.name: np.concatenate(
            [
                pool[rng.integers(len(pool), size=count)]
                for pool, count in ((variable.usual, half), (variable.tokens, limit - half))
            ]
        )
        for variable in problem.variables
    }


def _filled(problem: Problem, tokens: dict[str, Array]) -> dict[str, Array]:
    return {
        variable.name: layout.fill(tokens[variable.name], variable.shape)
        for variable in problem.variables
    }


def _planted(
    problem: Problem, tokens: dict[str, Array], rng: np.random.Generator
) -> dict[str, Array]:
    count = len(tokens[problem.variables[0].name])
    ordinary = problem.draw(min(count, _BACKGROUNDS), Range.ORDINARY, rng)
    chosen = rng.integers(min(count, _BACKGROUNDS), size=count)
    place = rng.random(count)
    return {
        name: layout.plant(values[chosen], tokens[name], place) for name, values in ordinary.items()
    }


def _scattered(problem: Problem, limit: int, rng: np.random.Generator) -> dict[str, Array]:
    half = limit // 2
    return {
        variable.name: np.concatenate(
            [
                layout.scatter(pool, count, variable.shape, rng)
                for pool, count in ((variable.usual, half), (variable.tokens, limit - half))
            ]
        )
        for variable in problem.variables
    }
