"""Boxes among the arguments: where they meet, the lower upper end less the upper lower end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs
import numpy as np

from losscheck.infer.hints import PASSING
from losscheck.infer.moved import Moved
from losscheck.model import Array
from losscheck.program.tracing.wiring import Node, Wiring

FLAT = 1e-3  # a slope by a column that does not count: differences in float32 have three digits


@attrs.frozen
class Corners:
    """What an intersection says of the columns of an argument.

    Attributes
    ----------
    pairs
        (lower, upper) columns of which the first is the lower end of an axis.
    sides
        Columns that are the length of a side.
    """

    pairs: tuple[tuple[int, int], ...] = ()
    sides: frozenset[int] = frozenset()


def corners(graph: Wiring, moved: Mapping[str, Moved]) -> dict[str, Corners]:
    """Look for intersections: min of two upper ends minus max of two lower ends.

    Where an end is a sum of columns (a centre and half a side), what the upper end has more than
    the lower one says what must not be negative.

    Parameters
    ----------
    moved
        The arguments whose columns can be told apart.
    """
    depends = {name: graph.depends(name) for name in graph.arguments}
    found: dict[str, Corners] = {}
    meeting = list(_meetings(graph))
    for name, own in moved.items():
        others = frozenset().union(*(depends[n] for n in depends if n != name))
        ends = [
            (upper[0], lower[0])
            for least, most in meeting
            if len(upper := [t for t in least.inputs if t in depends[name] - others]) == 1
            and len(lower := [t for t in most.inputs if t in depends[name] - others]) == 1
        ]
        slopes = own.slopes(list(dict.fromkeys(t for pair in ends for t in pair)))
        rows = [
            slopes[upper] - slopes[lower]
            for upper, lower in ends
            if upper in slopes and slopes[upper].shape == slopes[lower].shape
        ]
        if rows:
            found[name] = _read(np.concatenate(rows))
    return found


def _read(rows: Array) -> Corners:
    """Read the columns with which sides (elements, columns) grow and shrink."""
    pairs, sides = set(), set()
    for row in rows:
        grow, shrink = np.flatnonzero(row > FLAT), np.flatnonzero(row < -FLAT)
        if len(grow) == 1 and len(shrink) == 1:
            pairs.add((int(shrink[0]), int(grow[0])))
        elif len(grow) == 1 and not len(shrink):
            sides.add(int(grow[0]))
    return Corners(tuple(sorted(pairs)), frozenset(sides))


def _meetings(graph: Wiring) -> Iterator[tuple[Node, Node]]:
    """The minima and maxima of which one is taken from the other."""
    for node in graph.forward:
        if node.type == "Sub":
            least, most = (_source(graph, tensor) for tensor in node.inputs)
            if (least.type, most.type) == ("Minimum", "Maximum"):
                yield least, most


def _source(graph: Wiring, tensor: str) -> Node:
    node = graph.producer(tensor)
    while node.type in PASSING and node.inputs:
        node = graph.producer(node.inputs[0])
    return node
