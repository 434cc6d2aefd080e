"""From a bad case to the operation at fault, by following the bad value back through the graph.

Any first non-finite tensor will not do: an Inf inside can be harmless, as in 1 / (1 + exp(200)).
The walk starts at what came out wrong and goes back through wrong inputs until they are right.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

import numpy as np

from losscheck.model import Array
from losscheck.program.tracing.wiring import Node, Wiring

Values = Mapping[str, Array]  # tensor name -> its value, in one case where nothing else is said


def nonfinite_source(wiring: Wiring, start: str, values: Values) -> Node | None:
    """Find the operation that made the first NaN or Inf of those that reached `start`.

    Parameters
    ----------
    wiring
        The graph.
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
        node = wiring.producer(tensor)
        is_complex = node.dtypes[node.outputs.index(tensor)].startswith("complex")
        return is_complex and any(map(wrong, node.inputs))

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
