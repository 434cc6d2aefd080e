"""Guided search: the inputs of operations that can fail are driven to where they do.

A root of an inner expression (the 0.3 of 1 / (x - 0.3)) is a single number, which neither corners
nor random points hit. `hunting` follows the inner number itself. What it finds is handed on as
further cases. The search says nothing of the loss: its own value and gradient do.
"""

from __future__ import annotations

from collections.abc import Collection

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.cases.problem import Problem, Variable
from losscheck.evidence.search.hunting import Hunt, Outcome, Search
from losscheck.evidence.search.intervals import intervals
from losscheck.evidence.search.singular import targets
from losscheck.model import Coverage
from losscheck.program.inner import driver
from losscheck.program.running.program import Program
from losscheck.program.running.ways import Way
from losscheck.program.tracing.wiring import Wiring

__all__ = ["Guided", "Hunt", "Outcome", "guided"]

NOTHING = "no operation that can fail depends on the arguments"
EVALUATIONS = 6_000  # cases that are run for a target
COMPUTED = 1 << 30  # numbers that may be computed for all of them
LEAST = 0.1  # of a whole search; there is none below it
DONE = "one sample has settled them all"
DRIVEN = "operations that can fail, brought to where they do"


@attrs.frozen(kw_only=True, eq=False)
class Guided:
    """What the guided search found; `reason` says why it did not run."""

    cases: CaseBlock | None = None
    hunts: tuple[Hunt, ...] = ()
    reason: str = ""

    def coverage(self, shape: tuple[int, ...]) -> Coverage:
        """What was covered, of predictions of one shape."""
        cases = 0 if self.cases is None else len(self.cases)
        plain = Coverage(stage="guided", shape=shape, cases=cases, reason=self._left_out)
        if not self.hunts:
            return plain
        reached = sum(hunt.reached for hunt in self.hunts)
        return attrs.evolve(plain, what=DRIVEN, covered=reached, of=len(self.hunts))

    @property
    def _left_out(self) -> str:
        parts = [self.reason] if self.reason else []
        short = [hunt for hunt in self.hunts if hunt.outcome is Outcome.SHORT]
        if short:
            parts.append("not brought there: " + ", ".join(map(_nearest, short)))
        beyond = [hunt.op for hunt in self.hunts if hunt.outcome is Outcome.BEYOND]
        if beyond:
            names = ", ".join(dict.fromkeys(beyond))
            parts.append(f"kept away by the domains: {len(beyond)} ({names})")
        return "; ".join(parts)


def guided(
    program: Program,
    graph: Wiring,
    problem: Problem,
    block: CaseBlock,
    seed: int,
    done: Collection[tuple[str, float]] = (),
) -> Guided:
    """Search one instance of a loss.

    Parameters
    ----------
    program, graph
        The float32 program, and its graph.
    problem
        The arguments at its sizes.
    block
        The cases of the other stages.
    done
        Keys of hunts that another instance has settled.
    """
    able = targets(graph, program.traced.origins)
    if not able:
        return Guided(reason=NOTHING)
    left = [target for target in able if target.key not in done]
    if not left:
        return Guided(reason=DONE)
    inner = intervals(graph, {v.name: _ends(v) for v in problem.variables})
    beyond = tuple(
        Hunt(op=t.node.type, key=t.key, outcome=Outcome.BEYOND, nearest=away)
        for t in left
        if (away := t.least(inner)) > 0.0
    )
    wanted = tuple(target for target in left if not target.least(inner) > 0.0)
    if not wanted:
        return Guided(hunts=beyond)
    if program.way() is not Way.VECTORIZED:
        return Guided(hunts=beyond, reason="the loss cannot be vectorized")
    share = min(1.0, COMPUTED / (EVALUATIONS * len(wanted) * program.effort.numbers))
    if share < LEAST:
        much = f"{program.effort.numbers:,} numbers are computed for a case"
        return Guided(hunts=beyond, reason=f"{much}, which leaves no room for a search")
    tensors = tuple(dict.fromkeys(name for target in wanted for name in target.tensors))
    follows = driver(program, tuple(tensors))
    if follows is None:
        return Guided(hunts=beyond, reason="TensorFlow cannot derive the inner numbers")
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        search = Search(follows, graph, problem, wanted, np.random.default_rng(seed), share)
        cases, hunts = search.run(block)
    return Guided(cases=cases, hunts=(*hunts, *beyond))


def _ends(variable: Variable) -> tuple[float, float]:
    """The ends of the working range, of all columns together."""
    low, high = variable.domain.limits(variable.shape, working=True)
    return float(low.min()), float(high.max())


def _nearest(hunt: Hunt) -> str:
    return f"{hunt.op} (within {hunt.nearest:.1g} of {hunt.key[1]:g})"
