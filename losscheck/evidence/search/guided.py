"""Guided search: the inputs of operations that can fail are driven to where they do.

A root of an inner expression (the 0.3 of 1 / (x - 0.3)) is a single number, which neither corners
nor random points hit. `hunting` follows the inner number itself. What it finds is handed on as
further cases. The search says nothing of the loss: its own value and gradient do.

A log of a clipped probability, or of a sum of 1 and a square, cannot come to log(0): it needs no
search to say so. The bounds are rough (an operation that is not listed may give anything, and equal
inputs are taken for independent ones); what they exclude is excluded, what they allow may not be.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.cases.problem import Problem, Variable
from losscheck.evidence.search.hunting import Hunt, Outcome, Search
from losscheck.evidence.search.singular import targets
from losscheck.model import Coverage
from losscheck.program.inner import driver
from losscheck.program.running.program import Program
from losscheck.program.running.ways import Way
from losscheck.program.tracing.wiring import Node, Wiring

__all__ = ["Guided", "Hunt", "Outcome", "guided"]

NOTHING = "no operation that can fail depends on the arguments"
EVALUATIONS = 6_000  # cases that are run for a target
COMPUTED = 1 << 30  # numbers that may be computed for all of them
LEAST = 0.1  # of a whole search; there is none below it
DONE = "one sample has settled them all"
DRIVEN = "operations that can fail, brought to where they do"
Ends = tuple[float, float]
ANYTHING: Final[Ends] = (-np.inf, np.inf)


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


def intervals(graph: Wiring, arguments: Mapping[str, Ends]) -> dict[str, Ends]:
    """Bound every tensor that a graph computes.

    Parameters
    ----------
    arguments
        The ends of what each argument may hold.

    Returns
    -------
    dict
        Tensor name -> ends, both included.
    """
    found = {graph.arguments[name]: ends for name, ends in arguments.items()}
    with np.errstate(all="ignore"):
        for node in graph.nodes:
            for tensor in node.outputs:
                if tensor not in found:
                    given = [found.get(name, ANYTHING) for name in node.inputs]
                    found[tensor] = _sound(_of(node, given))
    return found


def _sound(ends: Ends) -> Ends:
    low, high = float(ends[0]), float(ends[1])
    return ANYTHING if np.isnan(low) or np.isnan(high) else (low, high)


def _of(node: Node, given: list[Ends]) -> Ends:
    if node.constant is not None and node.constant.size:
        return float(np.min(node.constant)), float(np.max(node.constant))
    if node.type in _SAME and given:
        return given[0]
    if node.type in _HULL and given:
        return min(e[0] for e in given), max(e[1] for e in given)
    if node.type == "Mul" and node.inputs[0] == node.inputs[1]:
        return _square(given[0])
    if node.type in ("SelectV2", "Select"):
        return min(given[1][0], given[2][0]), max(given[1][1], given[2][1])
    if node.type in _FIXED:
        return _FIXED[node.type]
    if node.type in _RISING and len(given) == 1:
        rises = _RISING[node.type]
        return rises(given[0][0]), rises(given[0][1])
    if node.type in _MADE:
        return _MADE[node.type](*given)
    return ANYTHING


def _square(a: Ends) -> Ends:
    sizes = a[0] * a[0], a[1] * a[1]
    return (0.0 if a[0] <= 0.0 <= a[1] else min(sizes)), max(sizes)


def _absolute(a: Ends) -> Ends:
    sizes = abs(a[0]), abs(a[1])
    return (0.0 if a[0] <= 0.0 <= a[1] else min(sizes)), max(sizes)


def _product(a: Ends, b: Ends) -> Ends:
    corners = [x * y for x in a for y in b]
    return (np.nan, np.nan) if np.isnan(corners).any() else (min(corners), max(corners))


def _quotient(a: Ends, b: Ends) -> Ends:
    if b[0] <= 0.0 <= b[1]:
        return ANYTHING
    return _product(a, (1.0 / b[1], 1.0 / b[0]))


def _sum(a: Ends, *_: Ends) -> Ends:
    # Of one number or more: those that add to a bound on one side leave it where it is.
    return (a[0] if a[0] >= 0.0 else -np.inf), (a[1] if a[1] <= 0.0 else np.inf)


def _power(a: Ends, b: Ends) -> Ends:
    if b[0] == b[1] == 2.0:
        return _square(a)
    return (0.0, np.inf) if a[0] >= 0.0 else ANYTHING


_SAME = frozenset(
    {
        *("Identity", "Reshape", "ExpandDims", "Squeeze", "Transpose", "StopGradient", "Max"),
        *("Min", "Mean", "StridedSlice", "Slice", "Tile", "BroadcastTo", "GatherV2", "Cast"),
        *("PreventGradient", "ReverseV2", "EnsureShape", "CheckNumerics"),
    }
)
_HULL = frozenset({"Pack", "Concat", "ConcatV2", "IdentityN"})  # axes among them only widen
_FIXED: Mapping[str, Ends] = {
    "Sigmoid": (0.0, 1.0),
    "Softmax": (0.0, 1.0),
    "Tanh": (-1.0, 1.0),
    "Erf": (-1.0, 1.0),
    "Sin": (-1.0, 1.0),
    "Cos": (-1.0, 1.0),
    "Softplus": (0.0, np.inf),
    "SquaredDifference": (0.0, np.inf),
    "Cosh": (1.0, np.inf),
    "LogSoftmax": (-np.inf, 0.0),
}
_RISING: Mapping[str, Callable[[float], float]] = {
    "Exp": lambda x: float(np.exp(x)),
    "Expm1": lambda x: float(np.expm1(x)),
    "Relu": lambda x: max(x, 0.0),
    "Atan": lambda x: float(np.arctan(x)),
    "Log1p": lambda x: float(np.log1p(x)),
    "Log": lambda x: float(np.log(x)),
    "Sqrt": lambda x: float(np.sqrt(x)),
    "Sign": lambda x: float(np.sign(x)),
}
_MADE: Mapping[str, Callable[..., Ends]] = {
    "AddV2": lambda a, b: (a[0] + b[0], a[1] + b[1]),
    "Add": lambda a, b: (a[0] + b[0], a[1] + b[1]),
    "AddN": lambda *all_: (sum(e[0] for e in all_), sum(e[1] for e in all_)),
    "Sub": lambda a, b: (a[0] - b[1], a[1] - b[0]),
    "Neg": lambda a: (-a[1], -a[0]),
    "Mul": _product,
    "RealDiv": _quotient,
    "Square": _square,
    "Abs": _absolute,
    "Pow": _power,
    "Sum": _sum,
    "Maximum": lambda a, b: (max(a[0], b[0]), max(a[1], b[1])),
    "Minimum": lambda a, b: (min(a[0], b[0]), min(a[1], b[1])),
    "ClipByValue": lambda a, low, high: (
        min(max(a[0], low[0]), high[1]),
        min(max(a[1], low[0]), high[1]),
    ),
}
