"""What the graph of a loss says of its arguments, as a whole and column by column, and of boxes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import attrs
import numpy as np

from losscheck.domains.box import boxes
from losscheck.infer.choose import Choice, by_column
from losscheck.infer.hints import PASSING, Hint, hints
from losscheck.model import Array
from losscheck.program.running.program import Program
from losscheck.program.tracing.wiring import Node, Wiring

Chooser = Callable[[Sequence[Hint]], tuple[Choice, ...]]
MOST = 16  # columns that are told apart
STEP = 2.0**-6
# Of the argument: what is clipped away about one of them moves about another. Odd ones, so that no
# two columns are equal, nor a difference of some 0.
BASES = (0.0217, -0.7391, 1.6183)
FLAT = 1e-3  # a slope by a column that does not count: differences in float32 have three digits


class Uses:
    """The uses of the arguments of a traced loss.

    Parameters
    ----------
    program
        Of the loss; None where it cannot be traced, so that nothing is known.
    columned
        The arguments whose columns may have domains of their own.
    """

    def __init__(self, program: Program | None, columned: Collection[str]) -> None:
        self._program = program
        moved = {} if program is None else {n: Moved(program, n) for n in columned}
        self._moved = {name: own for name, own in moved.items() if own.width}

    @functools.cached_property
    def _corners(self) -> dict[str, Corners]:
        assert self._program is not None
        return corners(self._program.wiring, self._moved)

    def choices(self, name: str, choose: Chooser) -> tuple[Choice, ...]:
        """Choose domains of an argument: that of boxes or of columns before one for all of it."""
        if self._program is None:
            return choose(())
        moved = self._moved.get(name)
        found = hints(self._program.wiring, name, None if moved is None else moved.columns)
        whole = choose(found)
        if moved is None:
            return whole
        own = self._corners.get(name, Corners())
        box = _box(own)
        if box is not None and len(box[1]) == moved.width:
            return (box[0], *whole)
        side = (Hint("side", "is the side of a box", own.sides),) if own.sides else ()
        if not box and not any(hint.columns for hint in (*found, *side)):
            return whole
        parts: list[Sequence[Choice]] = []
        for column in range(moved.width):
            if box is None or column not in box[1] or box[0].domain != "box":
                uses = [h for h in (*side, *found) if not h.columns or column in h.columns]
                parts.append(choose(uses))
            elif column == min(box[1]):
                parts.append((box[0],))
        apart = by_column(parts)
        if apart is None:
            return whole
        above = None if box else by_column(_above_zero(parts, found))
        kept = () if above is None or above.domain == apart.domain else (above,)
        return (apart, *kept, *whole)


def _above_zero(parts: Sequence[Sequence[Choice]], found: Sequence[Hint]) -> list[list[Choice]]:
    """The choices of columns, those of spreads beside a mean above 0: what is left of real ones."""
    spreads = {c: h for h in found if h.use == "scale" for c in h.columns}
    return [
        [Choice("positive", spreads[column].why)]
        if column in spreads and part[0].domain == "real"
        else [part[0]]
        for column, part in enumerate(parts)
    ]


def _box(found: Corners) -> tuple[Choice, range] | None:
    """Choose boxes where columns beside each other are the ends of axes, and say which."""
    columns = sorted(column for pair in found.pairs for column in pair)
    if not columns or len(found.pairs) > len("xyz"):
        return None
    own = range(columns[0], columns[0] + len(columns))
    if columns != list(own):
        return None
    lower, upper = (tuple(pair[end] - own[0] for pair in found.pairs) for end in (0, 1))
    why = "the lesser of its upper ends and the greater of its lower ones are an intersection"
    return Choice(boxes(lower, upper).name, why, ("real",)), own


@attrs.frozen(eq=False)
class Moved:
    """A loss at a few points, and at the same with one column of an argument moved."""

    program: Program
    argument: str  # the one whose columns, along its last axis, are moved

    @property
    def width(self) -> int:
        """The number of columns; 0 where they are not told apart."""
        shape = self.program.shapes[self.argument]
        return shape[-1] if len(shape) > 1 and 1 < shape[-1] <= MOST else 0

    @functools.cached_property
    def inputs(self) -> dict[str, Array]:
        """For each argument (bases * (1 + columns), *shape): each base, and each move of it."""
        count = len(BASES) * (1 + self.width)
        found = {}
        for name, shape in self.program.shapes.items():
            size = max(1, int(np.prod(shape)))
            # Spread about 0.5: inside of most domains, and no two of them alike.
            spread = 0.25 + 0.5 * ((np.arange(size) * 0.61803) % 1.0)
            found[name] = np.tile(spread.reshape(shape), (count, *(1 for _ in shape)))
        own = found[self.argument].reshape(
            len(BASES), 1 + self.width, *found[self.argument].shape[1:]
        )
        for i, base in enumerate(BASES):
            own[i] += base
            for column in range(self.width):
                own[i, 1 + column, ..., column] += STEP
        return found

    def columns(self, tensors: Sequence[str]) -> dict[str, frozenset[int]]:
        """Name the columns that each tensor changes with."""
        return {
            name: frozenset(
                np.flatnonzero((values[:, 1:] != values[:, :1]).any(axis=(0, 2))).tolist()
            )
            for name, values in self._values(tensors).items()
        }

    def slopes(self, tensors: Sequence[str]) -> dict[str, Array]:
        """By how much each element of a tensor moves with each column: (elements, columns)."""
        return {
            name: ((values[0, 1:] - values[0, :1]) / STEP).T
            for name, values in self._values(tensors).items()
        }

    def _values(self, tensors: Sequence[str]) -> dict[str, Array]:
        """(bases, 1 + columns, elements) of each; nothing where the loss refuses the points."""
        if not self.width or not tensors:
            return {}
        try:
            fetched = self.program.fetch(tensors, self.inputs)
        except Exception:  # an index out of range, say
            return {}
        return {
            name: np.nan_to_num(np.asarray(array, np.float64)).reshape(
                len(BASES), 1 + self.width, -1
            )
            for name, array in zip(tensors, fetched, strict=True)
        }


@attrs.frozen
class Corners:
    """What an intersection says of the columns of an argument."""

    # (lower, upper) columns of which the first is the lower end of an axis.
    pairs: tuple[tuple[int, int], ...] = ()
    sides: frozenset[int] = frozenset()  # columns that are the length of a side


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


# What a whole number goes through on its way to a table: handed on, wrapped where it is negative,
# kept inside.
WRAPPING = frozenset({"SelectV2", "AddV2", "FloorMod", "Minimum", "Maximum", "ClipByValue"})


def tables(graph: Wiring, name: str) -> Iterator[tuple[str, int]]:
    """The tables and one-hot rows that an input looks something up in: what does it, and rows."""
    same = {graph.arguments[name]}
    for node in graph.nodes:
        if node.type in ("GatherV2", "GatherNd") and node.inputs[1] in same:
            shape = graph.shape(node.inputs[0])
            if shape and shape[0]:
                yield node.type, shape[0]
        elif node.type == "OneHot" and node.inputs[0] in same:
            depth = graph.producer(node.inputs[1]).constant
            if depth is not None:
                yield node.type, int(depth)
        elif node.type in PASSING | WRAPPING and not same.isdisjoint(node.inputs):
            same.update(node.outputs)
