"""From a case that lost its digits to the operation that lost them first.

Every tensor of the float32 graph stands beside the same tensor of the same graph in float64. The
walk starts at what came out wrong and goes back through what was wrong before it, an element at a
time: a sum passes on the largest error, a product or a function the largest relative one.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import numpy as np

from losscheck.explain.blame import Values
from losscheck.model import Array
from losscheck.program.wiring import Node, Wiring

# Relative: two digits of a float32's seven are gone, 128 half ulps. A chain of a dozen sound
# operations makes ten; the first one beyond this is where digits went.
WRONG = 2.0**-17
# What passes an error on as it is, whatever the size of the result.
ADDING = frozenset({"Add", "AddV2", "AddN", "Sub", "Sum", "Mean", "BiasAdd", "Cumsum"})
# What gives one of its inputs: the others had no say.
CHOOSING = frozenset({"Select", "SelectV2", "Maximum", "Minimum", "ClipByValue"})


@attrs.frozen(kw_only=True, eq=False)
class Loss:
    """The operation that lost digits, at the element where it did."""

    node: Node
    operands: tuple[float, ...]  # its floating inputs, in float32
    single: float  # what it gave
    exact: float  # what the same graph gives in float64


def lost_source(graph: Wiring, start: str, single: Values, exact: Values) -> Loss | None:
    """Find where digits were lost first; None where `start` has them all.

    Parameters
    ----------
    graph
        The graph.
    start
        The loss or its gradient.
    single, exact
        Every floating-point tensor in this case, in float32 and in float64.
    """
    tensor = start
    if tensor not in single or not single[tensor].size:
        return None
    element = _worst(single[tensor], exact[tensor], absolute=True)
    if _relative(single[tensor], exact[tensor]).flat[element] <= WRONG:
        return None
    seen: set[tuple[str, int]] = set()
    while (tensor, element) not in seen:
        seen.add((tensor, element))
        before = _worst_input(graph.producer(tensor), tensor, element, single, exact)
        if before is None:
            break
        tensor, element = before
    node = graph.producer(tensor)
    inputs = (
        float(single[name].flat[index])
        for name, index in _inputs(node, single[tensor].shape, element, single, exact)
    )
    return Loss(
        node=node,
        operands=tuple(inputs),
        single=float(single[tensor].flat[element]),
        exact=float(exact[tensor].flat[element]),
    )


def _worst_input(
    node: Node, tensor: str, element: int, single: Values, exact: Values
) -> tuple[str, int] | None:
    """The input that made an element wrong; None where the inputs are right."""
    found = list(_inputs(node, single[tensor].shape, element, single, exact))
    if node.type in CHOOSING:
        taken = [values[tensor].flat[element] for values in (single, exact)]
        kept = [
            (t, i)
            for t, i in found
            if taken[0] == single[t].flat[i] or taken[1] == exact[t].flat[i]
        ]
        found = kept or found
    apart = _far if node.type in ADDING else _share
    pairs = [(float(single[t].flat[i]), float(exact[t].flat[i])) for t, i in found]
    order = sorted(range(len(found)), key=lambda i: apart(*pairs[i]), reverse=True)
    return next((found[i] for i in order[:1] if _share(*pairs[i]) > WRONG), None)


def _far(single: float, exact: float) -> float:
    """How far apart two numbers are; 0 where they are the same, infinite ones too."""
    return 0.0 if single == exact else abs(single - exact)


def _share(single: float, exact: float) -> float:
    """The same over the exact number: 1 at the most, where nothing of it is right."""
    apart = _far(single, exact)
    if apart == 0.0:
        return 0.0
    return min(apart / abs(exact), 1.0) if exact and np.isfinite(apart) else 1.0


def _inputs(
    node: Node, shape: tuple[int, ...], element: int, single: Values, exact: Values
) -> Iterator[tuple[str, int]]:
    """Each floating input, with the element of it that belongs to one of the output."""
    for name in node.inputs:
        if name in single and single[name].size:
            index = _same_place(single[name].shape, shape, element)
            if index is None:  # moved, summed up: the element that is most wrong
                absolute = node.type in ADDING
                index = _worst(single[name], exact[name], absolute=absolute)
            yield name, index


def _same_place(shape: tuple[int, ...], output: tuple[int, ...], element: int) -> int | None:
    """The element of an input that broadcasting puts at an element of the output."""
    if shape == output:
        return element
    try:
        if np.broadcast_shapes(shape, output) != output:
            return None
    except ValueError:
        return None
    places = np.arange(int(np.prod(shape))).reshape(shape)
    return int(np.broadcast_to(places, output).flat[element])


def _worst(single: Array, exact: Array, *, absolute: bool) -> int:
    return int(np.argmax((_absolute if absolute else _relative)(single, exact)))


def _absolute(single: Array, exact: Array) -> Array:
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(np.asarray(single, np.float64) - exact)
    return np.where(np.isnan(apart), 0.0, apart)


def _relative(single: Array, exact: Array) -> Array:
    """1 where nothing of a number is right; 0 where both are the same, infinities too."""
    apart = _absolute(single, exact)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = apart / np.abs(exact)
    return np.where(apart == 0, 0.0, np.where(np.isnan(share), 1.0, np.fmin(share, 1.0)))
