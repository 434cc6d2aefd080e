"""Ops that look for places, or put things there: arg max, top k, where, segments and scatters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from losscheck.program.exact.arithmetic import Arithmetic
from losscheck.program.exact.node import Node, Values, run_kernel
from losscheck.program.exact.number import ZERO, Number, from_int
from losscheck.program.exact.ops import Operation, is_zero, lift


def _before(a: Arithmetic, x: Number, y: Number, sign: int) -> bool:
    """Whether y comes strictly before x in the order of the largest (or smallest) first."""
    order = a.compare(y, x)
    return order is not None and order * sign > 0


def arg_extreme(a: Arithmetic, node: Node, inputs: Sequence[Values]) -> Values:
    """Evaluate ArgMax and ArgMin: the first of equals."""
    sign = 1 if node.type == "ArgMax" else -1
    rows = np.moveaxis(inputs[0], int(inputs[1]), -1)
    result = np.zeros(rows.shape[:-1], node.dtypes[0].as_numpy_dtype)
    for index in np.ndindex(result.shape):
        row = rows[index].tolist()
        for place in range(len(row)):
            if _before(a, row[result[index]], row[place], sign):
                result[index] = place
    return result


def top_k(a: Arithmetic, node: Node, inputs: Sequence[Values]) -> list[Values]:
    """Evaluate TopKV2: the k largest of the last axis, the first of equals first."""
    x, count = inputs[0], int(inputs[1])
    places = np.zeros((*x.shape[:-1], count), node.dtypes[1].as_numpy_dtype)
    for index in np.ndindex(x.shape[:-1]):
        left = list(range(x.shape[-1]))
        for rank in range(count):
            best = left[0]
            for place in left[1:]:
                best = place if _before(a, x[index][best], x[index][place], 1) else best
            left.remove(best)
            places[(*index, rank)] = best
    return [np.take_along_axis(x, places, -1), places]


def _accumulate(a: Arithmetic, result: Values, place: tuple[Any, ...], update: Values) -> None:
    """Add an update to a row, or to an element, of the result."""
    result[(*place, ...)] = lift(a, Arithmetic.add, result[place], update)


def segment_sum(a: Arithmetic, _: Node, inputs: Sequence[Values]) -> Values:
    """Evaluate UnsortedSegmentSum: negative segments are dropped."""
    data, segments, count = inputs
    shape = data.shape[segments.ndim :]
    result = np.full((int(count), *shape), ZERO, object)
    for index in np.ndindex(segments.shape):
        if segments[index] >= 0:
            _accumulate(a, result, (segments[index],), data[index])
    return result


def scatter_nd(a: Arithmetic, _: Node, inputs: Sequence[Values]) -> Values:
    """Evaluate ScatterNd: updates of the same place add up."""
    indices, updates, shape = inputs
    result = np.full(tuple(shape), ZERO, object)
    for index in np.ndindex(indices.shape[:-1]):
        _accumulate(a, result, tuple(indices[index]), updates[index])
    return result


def mirror_pad_grad(a: Arithmetic, node: Node, inputs: Sequence[Values]) -> Values:
    """Evaluate MirrorPadGrad: what was mirrored adds to what it mirrors."""
    padded, widths = inputs
    shape = np.array(padded.shape) - widths.sum(axis=1)
    places = np.arange(shape.prod()).reshape(shape)
    mode: Literal["reflect", "symmetric"]
    mode = "reflect" if node.attr("mode") == b"REFLECT" else "symmetric"
    result = np.full(places.size, ZERO, object)
    for place, update in zip(np.pad(places, widths, mode).flat, padded.flat, strict=True):
        _accumulate(a, result, (place,), update)
    return result.reshape(shape)


def cross(a: Arithmetic, _: Node, inputs: Sequence[Values]) -> Values:
    """Evaluate Cross: the vector product over the last axis of 3."""
    x, y = inputs
    products = [
        lift(a, Arithmetic.mul, np.roll(x, -shift, -1), np.roll(y, shift, -1)) for shift in (1, -1)
    ]
    return lift(a, Arithmetic.sub, *products)


def number_range(a: Arithmetic, _: Node, inputs: Sequence[Values]) -> Values:
    """Evaluate Range of floating tensors."""
    start, limit, step = (values.item() for values in inputs)
    count = max(0, a.whole(a.ceil(a.div(a.sub(limit, start), step))))
    result = np.empty(count, object)
    result[:] = [a.add(start, a.mul(from_int(place), step)) for place in range(count)]
    return result


def where(a: Arithmetic, node: Node, inputs: Sequence[Values]) -> list[Values]:
    """Evaluate Where: the positions of what is not 0."""
    nonzero = lift(a, lambda a, x: not is_zero(a, x), inputs[0])
    return run_kernel(node, [nonzero.astype(np.int64)])


PLACES: dict[str, Operation] = {
    "ArgMax": arg_extreme,
    "ArgMin": arg_extreme,
    "Cross": cross,
    "MirrorPadGrad": mirror_pad_grad,
    "Range": number_range,
    "ScatterNd": scatter_nd,
    "TopKV2": top_k,
    "UnsortedSegmentSum": segment_sum,
    "Where": where,
}
