"""From a case that lost its digits to the operation that lost them first.

Every tensor of the float32 graph stands beside the same tensor of the same graph in float64. The
walk starts at what came out wrong and goes back through what was wrong before it, an element at a
time: a sum passes on the largest error, a product or a function the largest relative one. Cases
that have come to the same tensor take the next step together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs
import numpy as np

from losscheck.model import Array
from losscheck.program.tracing.wiring import Node, Wiring

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


@attrs.frozen(eq=False)
class Pair:
    """A tensor in float32 and in float64."""

    single: Array  # (N, *shape)
    exact: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the tensor in one case."""
        return self.single.shape[1:]

    def take(self, rows: Array) -> Pair:
        """Some of the cases."""
        return Pair(self.single[rows], self.exact[rows])

    def at(self, element: Array) -> Pair:
        """One element, by its flat index, of each case: (N,)."""
        rows = np.arange(len(element))
        size = int(np.prod(self.shape))
        flat = (array.reshape(len(element), size) for array in (self.single, self.exact))
        return Pair(*(array[rows, element] for array in flat))

    def far(self) -> Array:
        """How far apart the numbers are; 0 where they are the same, infinite ones too."""
        single, exact = np.asarray(self.single, np.float64), np.asarray(self.exact, np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            return np.where(single == exact, 0.0, np.abs(single - exact))

    def share(self) -> Array:
        """The same over the exact number: 1 at the most, where nothing of it is right."""
        far = self.far()
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.fmin(far / np.abs(np.asarray(self.exact, np.float64)), 1.0)
        share = np.where(np.isnan(share) | ~np.isfinite(far), 1.0, share)
        return np.where(far == 0, 0.0, share)

    def worst(self, *, absolute: bool) -> Array:
        """(N,) the flat index of the element that is furthest off."""
        off = self.far() if absolute else self.share()
        off = off.reshape(len(off), -1)
        return np.asarray(np.argmax(np.where(np.isnan(off), 0.0, off), axis=1))


Pairs = Mapping[str, Pair]  # tensor name -> its numbers


def lost_sources(graph: Wiring, start: str, pairs: Pairs) -> list[Loss | None]:
    """Find where digits were lost first, case by case; None where `start` has them all.

    Parameters
    ----------
    start
        The loss or its gradient.
    pairs
        Every floating-point tensor, in float32 and in float64.
    """
    count = len(pairs[start].single) if start in pairs else 0
    found: list[Loss | None] = [None] * count
    if not count or not int(np.prod(pairs[start].shape)):
        return found
    element = pairs[start].worst(absolute=True)
    rows = np.flatnonzero(pairs[start].at(element).share() > WRONG)
    if not len(rows):
        return found
    # Back from the last operation to the first one: no tensor is come to after it was left.
    waiting: dict[str, tuple[Array, Array]] = {start: (rows, element[rows])}
    while waiting:
        tensor = max(waiting, key=lambda name: graph.order(graph.producer(name)))
        rows, element = waiting.pop(tensor)
        node = graph.producer(tensor)
        inputs = list(_inputs(node, pairs, tensor, rows, element))
        before = _worst_input(node, pairs[tensor].take(rows).at(element), inputs)
        for i, (name, index, _) in enumerate(inputs):
            here = before == i
            if here.any():
                more, places = waiting.get(name, (rows[:0], element[:0]))
                waiting[name] = (
                    np.concatenate([more, rows[here]]),
                    np.concatenate([places, index[here]]),
                )
        for row in np.flatnonzero(before < 0):
            case = pairs[tensor].take(rows[[row]]).at(element[[row]])
            found[rows[row]] = Loss(
                node=node,
                operands=tuple(float(pair.single[row]) for _, _, pair in inputs),
                single=float(case.single[0]),
                exact=float(case.exact[0]),
            )
    return found


def _worst_input(node: Node, taken: Pair, inputs: Sequence[tuple[str, Array, Pair]]) -> Array:
    """(N,) the number of the input that made an element wrong; -1 where the inputs are right."""
    if not inputs:
        return np.full(len(taken.single), -1)
    shares = np.stack([pair.share() for _, _, pair in inputs])
    apart = np.stack([pair.far() for _, _, pair in inputs]) if node.type in ADDING else shares
    apart = np.where(np.isnan(apart), np.inf, apart)
    if node.type in CHOOSING:
        kept = np.stack(
            [(taken.single == p.single) | (taken.exact == p.exact) for _, _, p in inputs]
        )
        apart = np.where(kept | ~kept.any(axis=0), apart, -1.0)
    worst = np.argmax(apart, axis=0)
    wrong = shares[worst, np.arange(len(worst))] > WRONG
    return np.asarray(np.where(wrong, worst, -1))


def _inputs(
    node: Node, pairs: Pairs, tensor: str, rows: Array, element: Array
) -> Iterator[tuple[str, Array, Pair]]:
    """Each floating input, with the element of it that belongs to one of the output, case by case.

    Yields
    ------
    name : str
    index : (N,) int
    numbers : Pair of (N,)
    """
    for name in node.inputs:
        if name in pairs and int(np.prod(pairs[name].shape)):
            pair = pairs[name].take(rows)
            index = _same_place(pair.shape, pairs[tensor].shape, element)
            if index is None:  # moved, summed up: the element that is most wrong
                index = pair.worst(absolute=node.type in ADDING)
            yield name, index, pair.at(index)


def _same_place(shape: tuple[int, ...], output: tuple[int, ...], element: Array) -> Array | None:
    """The elements of an input that broadcasting puts at elements of the output."""
    if shape == output:
        return element
    try:
        if np.broadcast_shapes(shape, output) != output:
            return None
    except ValueError:
        return None
    places = np.arange(int(np.prod(shape))).reshape(shape)
    return np.asarray(np.broadcast_to(places, output).ravel()[element])
