"""Comparisons that come out alike in every case, because of what was done to an argument before.

A guard that needs a value outside the domains (a label of -1, an empty row) comes out alike, too,
and is meant: so the argument itself, compared with the same number, has to come out either way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import attrs
import numpy as np

from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.search.sweep import Sweep
from losscheck.model import Array, Location
from losscheck.program.tracing.wiring import Node, Wiring

FIRST = 48  # cases that most comparisons have come out either way after
_COMPARED: Mapping[str, tuple[Callable[..., Array], tuple[str, ...]]] = {
    "Equal": (np.equal, ("==", "equal(")),
    "NotEqual": (np.not_equal, ("!=", "not_equal(")),
    "Less": (np.less, ("<", ">", "less(")),  # `0 < x` may be written either way
    "LessEqual": (np.less_equal, ("<=", ">=", "less_equal(")),
    "Greater": (np.greater, (">", "<", "greater(")),
    "GreaterEqual": (np.greater_equal, (">=", "<=", "greater_equal(")),
}
_ARITHMETIC = frozenset(
    {
        "Add", "AddV2", "Sub", "Mul", "RealDiv", "DivNoNan", "Maximum", "Minimum", "ClipByValue",
        "Neg", "Abs", "Square", "Sqrt", "Exp", "Sigmoid", "Tanh", "Softplus", "Relu", "Pow",
    }
)  # fmt: skip
_CARRYING = frozenset({"Identity", "Cast", "Reshape", "ExpandDims", "Squeeze", "StopGradient"})


@attrs.frozen(kw_only=True, eq=False)
class Untaken:
    """A comparison that always says the same."""

    # What is compared, after some arithmetic, and what with.
    argument: str
    number: float
    op: str
    says: bool  # what it says in every case
    predicted: bool  # the argument is the prediction
    cases: int  # how many were looked at
    location: Location | None


def untaken(evidence: Evidence) -> tuple[Untaken, ...]:
    """Evaluate the comparisons that the user wrote, on the cases of the sweeps."""
    main = evidence.main
    if main.wiring is None or main.program.traced is None:
        return ()
    origins = main.program.traced.origins
    candidates = {}
    for node, argument, tensor in _comparisons(main.wiring):
        where = origins.location(node.name)
        if where is not None and any(sign in where.source for sign in _COMPARED[node.type][1]):
            candidates[node.name] = node, argument, tensor, where
    if not candidates:
        return ()
    numbers = _numbers(main, evidence.main_sweep, [t for _, _, t, _ in candidates.values()])
    found = []
    for (node, argument, _, where), number in zip(candidates.values(), numbers, strict=True):
        if number is None or not _either_way(evidence, node, argument, number):
            continue
        says = _always(evidence, node)
        if says is not None:
            found.append(
                Untaken(
                    argument=argument,
                    number=number,
                    op=node.type,
                    says=says,
                    predicted=argument == main.prediction,
                    cases=sum(len(sweep) for sweep in _swept(evidence)),
                    location=where,
                )
            )
    return tuple(found)


def _comparisons(graph: Wiring) -> Iterator[tuple[Node, str, str]]:
    """Comparisons of one argument, changed element by element, with what no argument changes."""
    arithmetic: dict[str, tuple[str, bool]] = {t: (n, False) for n, t in graph.arguments.items()}
    dependent = frozenset().union(*(graph.depends(name) for name in graph.arguments))
    for node in graph.forward:
        varying = [t for t in node.inputs if t in dependent]
        if len(varying) != 1 or varying[0] not in arithmetic:
            continue
        argument, changed = arithmetic[varying[0]]
        if node.type in _ARITHMETIC or node.type in _CARRYING:
            changed = changed or node.type in _ARITHMETIC
            arithmetic.update(dict.fromkeys(node.outputs, (argument, changed)))
        elif node.type in _COMPARED and changed:
            [other] = [t for t in node.inputs if t not in dependent]
            yield node, argument, other


def _numbers(instance: Instance, sweep: Sweep, tensors: list[str]) -> list[float | None]:
    """What the comparisons are with, where that is one number."""
    program = instance.program.graphed
    assert program is not None
    one = {name: array[0] for name, array in sweep.cases.inputs.items()}
    values = [np.unique(array) for array in program.once(tensors, one)]
    return [float(value[0]) if len(value) == 1 else None for value in values]


def _swept(evidence: Evidence) -> tuple[Sweep, ...]:
    return evidence.sweeps[: len(evidence.instances)]


def _either_way(evidence: Evidence, node: Node, argument: str, number: float) -> bool:
    """Whether the argument as it is comes out either way."""
    compare = _COMPARED[node.type][0]
    outcomes = [compare(sweep.cases.inputs[argument], number) for sweep in _swept(evidence)]
    return any(o.any() for o in outcomes) and not all(o.all() for o in outcomes)


def _always(evidence: Evidence, node: Node) -> bool | None:
    """What a comparison says in every case; None where it says one thing here and another there."""
    seen: set[bool] = set()
    for few in (True, False):
        for instance, sweep in zip(evidence.instances, _swept(evidence), strict=True):
            program, cases = instance.program.graphed, sweep.cases
            if instance.wiring is None or program is None:
                return None
            # At other sizes the same line has made an operation of the same name.
            name = next((n.outputs[0] for n in instance.wiring.forward if n.name == node.name), "")
            if not name:
                continue
            if few:
                cases = cases.take(np.linspace(0, len(cases) - 1, FIRST).astype(int))
            said = program.fetch([name], cases.inputs)[0]
            seen |= {bool(x) for x in np.unique(said)}
            if len(seen) > 1:
                return None
    return seen.pop() if seen else None
