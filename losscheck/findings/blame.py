"""From a bad case to what is at fault, by following the bad value back through the graph.

Any first non-finite tensor will not do: an Inf inside can be harmless, as in 1 / (1 + exp(200)).
The walk starts at what came out wrong and goes back through wrong inputs until they are right.
Constants are looked at apart: those that are not what was written, an epsilon that is 0 in the
dtype or a bound that is 1, are read off the float64 program, whose constants keep their digits.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from losscheck.advice import wording
from losscheck.advice.blamed import Ran
from losscheck.domains.floats import cast
from losscheck.evidence.gather import Evidence, Instance
from losscheck.model import Array
from losscheck.numerics.ulps import LEAST_EXPONENT
from losscheck.program.tracing.wiring import Node, Wiring

Values = Mapping[str, Array]  # tensor name -> its value, in one case where nothing else is said
FOLLOWED = 64  # operations that an infinity is followed through
NEAR = 6  # operations before the blamed one whose constants are looked at
SUMS = frozenset({"Add", "AddV2", "Sub"})


def nonfinite_source(wiring: Wiring, start: str, values: Values) -> Node | None:
    """Find the operation that made the first NaN or Inf of those that reached `start`.

    Parameters
    ----------
    start
        The tensor that came out non-finite: the loss or its gradient.
    values
        Every floating-point tensor of the graph in this case.
    """

    @functools.cache
    def wrong(tensor: str) -> bool:
        if tensor in values:
            return _bad(values[tensor])
        # Complex numbers are not looked at: what is not finite before them goes through them.
        is_complex = wiring.dtype(tensor).startswith("complex")
        return is_complex and any(map(wrong, wiring.producer(tensor).inputs))

    found = _source(wiring, start, wrong)
    if found is not None and found.type == "Const":  # an infinity that is written, on no line
        takers = [n for n in wiring.ancestors(start) if not set(found.outputs).isdisjoint(n.inputs)]
        letting = [node for node in takers if any(map(wrong, node.outputs))]
        found = min(letting, key=wiring.order, default=found)
    # An edge that rounding decides may be met in the graph that ran, and missed where all tensors
    # are asked for. What hands a number on has not made it: then it is the operation before.
    while found is not None and found.type == "Identity":
        before = wiring.producer(found.inputs[0])
        if not before.inputs:
            break
        found = before
    return found


def zero_source(wiring: Wiring, start: str, values: Values) -> Node | None:
    """Find the backward operation whose result is all zero though what came to it was not."""

    def dead(tensor: str) -> bool:
        return tensor in values and not np.any(values[tensor])

    seen: set[str] = set()
    first = wiring.producer(start)
    queue = list(first.inputs) if first.type == "Identity" else [start]  # what tracing hands out
    found: list[Node] = []
    while queue:
        node = wiring.producer(queue.pop())
        if node.name in seen or not node.backward:
            continue
        seen.add(node.name)
        incoming = [t for t in node.inputs if t in values and wiring.producer(t).backward]
        if incoming and not all(dead(t) for t in incoming):
            found.append(node)
        else:
            queue.extend(incoming)
    return min(found, key=wiring.order, default=None)


def gain_sources(wiring: Wiring, start: str, values: Values, *, largest: bool) -> list[Node | None]:
    """Find, case by case, the backward operation that changes the size of what comes to it most.

    Parameters
    ----------
    values
        Every floating-point tensor of the graph: (N, *shape).
    largest
        The one that enlarges it most; else the one that leaves least of it.
    """
    sizes = {name: _sizes(array) for name, array in values.items()}
    best: Array | None = None
    found: list[Node | None] = []
    flow: set[str] = set()  # what the loss's own gradient of 1 comes down to
    for node in wiring.ancestors(start):
        incoming = [sizes[t] for t in node.inputs if t in flow and t in sizes]
        outgoing = [sizes[t] for t in node.outputs if t in sizes]
        if "grad_ys" in node.name or not flow.isdisjoint(node.inputs):
            flow.update(node.outputs)
        if not incoming or not outgoing:
            continue
        before, after = np.max(incoming, axis=0), np.max(outgoing, axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            gain = after / before if largest else before / after
        gain = np.where((before > 0) & (after > 0), gain, -np.inf)
        if best is None:
            best, found = np.full(len(gain), -np.inf), [None] * len(gain)
        for row in np.flatnonzero(gain > best):
            found[row] = node
        best = np.fmax(best, gain)
    return found or [None] * len(next(iter(sizes.values()), ()))


def _sizes(array: Array) -> Array:
    """(N,) the largest size of an element, case by case."""
    flat = np.asarray(array, np.float64).reshape(len(array), -1)
    return np.asarray(np.abs(flat).max(axis=1, initial=0.0))


def _source(wiring: Wiring, start: str, wrong: Callable[[str], bool]) -> Node | None:
    seen: set[str] = set()
    queue = [start]
    sources: list[Node] = []
    while queue:
        node = wiring.producer(queue.pop())
        if node.name in seen:
            continue
        seen.add(node.name)
        further = [t for t in node.inputs if wrong(t)]
        queue.extend(further)
        if not further:
            sources.append(node)
    return min(sources, key=wiring.order, default=None)


def _bad(array: Array) -> bool:
    return not bool(np.all(np.isfinite(array)))


def ran(graph: Wiring, node: Node, values: Values) -> Ran | None:
    """Give an operation with its numbers of a case; None where not all of them are known."""
    outcome = values.get(node.outputs[0]) if node.outputs else None
    operands = [value_of(graph, tensor, values) for tensor in node.inputs]
    if outcome is None or not operands:
        return None
    known = tuple(array for array in operands if array is not None)
    if len(known) < len(operands):
        return None
    return Ran(
        op=node.type,
        operands=known,
        outcome=np.asarray(outcome),
        dtype=str(np.asarray(outcome).dtype),
    )


def made_nan(graph: Wiring, node: Node, values: Values) -> Ran | None:
    """Follow an infinity until an operation makes NaN of it; None where none does.

    Parameters
    ----------
    node
        The operation that gave the infinity.
    values
        Every floating-point tensor of the case.
    """
    seen: set[str] = set()
    queue = list(node.outputs)
    while queue and len(seen) < FOLLOWED:
        tensor = queue.pop(0)
        for user in graph.consumers.get(tensor, ()):
            if user.name in seen or not user.outputs or user.outputs[0] not in values:
                continue
            seen.add(user.name)
            came = np.asarray(values[user.outputs[0]], np.float64)
            if np.isnan(came).any():
                return ran(graph, user, values)
            if np.isinf(came).any():
                queue.extend(user.outputs)
    return None


def value_of(graph: Wiring, tensor: str, values: Values) -> Array | None:
    """What a tensor holds in a case, constants included; None where that is not known."""
    constant = graph.producer(tensor).constant
    return values.get(tensor) if constant is None else constant


def vanished(
    evidence: Evidence,
    instance: Instance,
    graph: Wiring,
    node: Node,
    values: Mapping[str, Array],
    dtype: str,
) -> str:
    """Say which constant before an operation vanishes in the dtype; "" where none does.

    Parameters
    ----------
    instance, graph
        The loss and the graph that ran, in `dtype`.
    node
        The forward operation at fault.
    values
        Every floating-point tensor of the case.
    """
    written = _written(evidence, instance)
    for user, constant in _constants(graph, node):
        meant = written.get(constant.name, np.asarray(constant.constant, np.float64))
        if meant.size != 1:
            continue
        number = float(meant.ravel()[0])
        said = (
            _rounded(number, dtype)
            or _absorbed(graph, user, constant, number, values, dtype)
            or _added_first(graph, user, constant, number, values, dtype)
        )
        if said:
            return said
    return ""


def _written(evidence: Evidence, instance: Instance) -> dict[str, Array]:
    """The constants of the loss as traced in float64, by the name of their node."""
    double = evidence.programs.double(instance.shapes).graphed
    if double is None or double.rewritten:
        return {}
    nodes = double.wiring.nodes
    return {n.name: np.asarray(n.constant, np.float64) for n in nodes if n.constant is not None}


def _constants(graph: Wiring, node: Node) -> Iterator[tuple[Node, Node]]:
    """Operations near before a node, each with a floating-point constant that it takes."""
    near, seen = [node], {node.name}
    for _ in range(NEAR):
        further = []
        for user in near:
            for tensor in user.inputs:
                source = graph.producer(tensor)
                if source.constant is not None and source.floating:
                    yield user, source
                elif source.name not in seen:
                    seen.add(source.name)
                    further.append(source)
        near = further


def _rounded(meant: float, dtype: str) -> str:
    """Say that a constant rounds to 0 or to a whole number, or is flushed to 0."""
    with np.errstate(over="ignore"):
        held = float(cast(np.asarray([meant]), dtype)[0])
    if np.isfinite(meant) and not np.isfinite(held):
        return f"{wording.exactly(meant)} does not fit {dtype}."
    if meant != held and held == np.round(held):
        return f"{wording.exactly(meant)} is {wording.number(held)} in {dtype}."
    if 0 < abs(held) < 2.0 ** LEAST_EXPONENT[dtype] and dtype != "float64":
        return f"{wording.exactly(meant)} is subnormal in {dtype}, and kernels flush it to 0."
    return ""


def _absorbed(
    graph: Wiring,
    user: Node,
    constant: Node,
    epsilon: float,
    values: Mapping[str, Array],
    dtype: str,
) -> str:
    """Say that a sum gives back its other operand, as 1 + 1e-9 does."""
    if user.type not in SUMS or user.outputs[0] not in values:
        return ""
    others = [t for t in user.inputs if graph.producer(t) is not constant and t in values]
    if not epsilon or not others or abs(epsilon) >= 1:
        return ""
    x = np.asarray(values[others[0]], np.float64)
    result = np.asarray(values[user.outputs[0]], np.float64)
    if x.shape != result.shape:
        return ""
    same = (np.abs(x) == np.abs(result)) & (np.abs(x) == 1)  # 1 is what an epsilon is taken from
    if not same.any():
        return ""
    number, sign = wording.exactly(abs(epsilon)), "-" if user.type == "Sub" else "+"
    return f"1 {sign} {number} is 1 in {dtype}."


def _added_first(
    graph: Wiring,
    user: Node,
    constant: Node,
    epsilon: float,
    values: Mapping[str, Array],
    dtype: str,
) -> str:
    """Say that a graph adds an epsilon to another constant, as in 1 - p + 1e-8, and loses it."""
    others = [graph.producer(t) for t in user.inputs if graph.producer(t) is not constant]
    if user.type not in SUMS or len(others) != 1 or others[0].type not in SUMS:
        return ""
    numbers = [
        float(np.ravel(made.constant)[0])
        for t in others[0].inputs
        if (made := graph.producer(t)).constant is not None and np.size(made.constant) == 1
    ]
    x, result = (values.get(node.outputs[0]) for node in (others[0], user))
    if len(numbers) != 1 or x is None or result is None or x.shape != result.shape:
        return ""
    sign = -1.0 if user.type == "Sub" else 1.0
    with np.errstate(all="ignore"):
        kept = cast(np.asarray(x, np.float64) + sign * epsilon, dtype) != np.asarray(x)
    if not (kept & (np.asarray(x) == np.asarray(result))).any():
        return ""
    beside = wording.number(numbers[0])
    total = f"{beside} {'-' if sign < 0 else '+'} {wording.exactly(epsilon)}"
    return f"The graph adds the constants first, and {total} is {beside} in {dtype}."
