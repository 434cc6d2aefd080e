"""Ops over axes (sums, products, extremes, scans, softmax), and ops that look for places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import Any, Literal

import numpy as np

from losscheck.program.exact.arithmetic import Arithmetic
from losscheck.program.exact.node import Node, Unknown, Values, run_kernel
from losscheck.program.exact.number import (
    HALF,
    INFINITY,
    MINUS_INFINITY,
    ONE,
    ZERO,
    Number,
    box,
    from_int,
    numbers,
)
from losscheck.program.exact.ops import Operation, Scalar, is_zero, lift

Binary = Callable[[Arithmetic, Number, Number], Number]


def fold(
    a: Arithmetic, function: Scalar, start: object, x: Values, axes: Values, keep: bool = False
) -> Values:
    """Reduce axes of x from ``start``; an empty axis gives ``start``."""
    gone = sorted({int(axis) % x.ndim for axis in np.ravel(axes)}) if x.ndim else []
    kept = [axis for axis in range(x.ndim) if axis not in gone]
    shape = tuple(x.shape[axis] for axis in kept)
    count = int(np.prod([x.shape[axis] for axis in gone], dtype=int))
    rows = x.transpose(kept + gone).reshape((*shape, count))
    result = np.empty(shape, object)
    for index in np.ndindex(shape):
        result[index] = reduce(partial(function, a), rows[index], start)
    if keep:
        result = result.reshape([1 if axis in gone else x.shape[axis] for axis in range(x.ndim)])
    return result


def _folding(function: Binary, start: Number) -> Operation:
    def folded(a: Arithmetic, node: Node, inputs: Sequence[Values]) -> Values:
        return fold(a, function, start, inputs[0], inputs[1], node.attr("keep_dims"))

    return folded


def total(a: Arithmetic, x: Values, axis: int | tuple[int, ...], keep: bool = False) -> Values:
    """Return the sum over an axis."""
    return fold(a, Arithmetic.add, ZERO, x, np.asarray(axis), keep)


def mean(a: Arithmetic, node: Node, inputs: Sequence[Values]) -> Values:
    """Evaluate Mean; of nothing it is 0/0."""
    x, axes = inputs
    summed = fold(a, Arithmetic.add, ZERO, x, axes, node.attr("keep_dims"))
    gone = {int(axis) % x.ndim for axis in np.ravel(axes)} if x.ndim else set()
    count = from_int(int(np.prod([x.shape[axis] for axis in gone], dtype=int)))
    return lift(a, lambda a, s: a.div(s, count), summed)


def _scanning(function: Binary, start: Number) -> Operation:
    def scan(a: Arithmetic, node: Node, inputs: Sequence[Values]) -> Values:
        x = np.moveaxis(inputs[0], int(inputs[1]), 0)
        x = x[::-1] if node.attr("reverse") else x
        result = np.empty(x.shape, object)
        running = np.full(x.shape[1:], start, object)
        for row in range(len(x)):
            following = lift(a, function, running, x[row])
            # The dots keep a row of a vector from becoming an array inside of the array.
            result[row, ...] = running if node.attr("exclusive") else following
            running = following
        result = result[::-1] if node.attr("reverse") else result
        return np.moveaxis(result, 0, int(inputs[1]))

    return scan


def _log_add(a: Arithmetic, x: Number, y: Number) -> Number:
    """Return log(exp(x) + exp(y)) by way of the larger one, which exp would overflow."""
    high, low = a.maximum(x, y), a.minimum(x, y)
    if a.compare(low, MINUS_INFINITY) == 0:
        return high
    return a.add(high, a.log1p(a.exp(a.sub(low, high))))


def matmul(a: Arithmetic, node: Node, inputs: Sequence[Values]) -> Values:
    """Evaluate MatMul, BatchMatMul and BatchMatMulV2."""
    names = ("transpose_a", "transpose_b") if node.type == "MatMul" else ("adj_x", "adj_y")
    x, y = (
        np.swapaxes(value, -1, -2) if node.attr(name) else value
        for value, name in zip(inputs, names, strict=True)
    )
    products = lift(a, Arithmetic.mul, x[..., :, :, None], y[..., None, :, :])
    return total(a, products, -2)


def einsum(a: Arithmetic, node: Node, inputs: Sequence[Values]) -> Values:
    """Evaluate Einsum by the full grid of its labels."""
    equation = node.attr("equation").decode()
    terms, output = equation.replace(" ", "").split("->")
    labels = output + "".join(sorted(set(terms) - set(output) - {","}))
    if "." in equation or any(len(set(term)) < len(term) for term in terms.split(",")):
        raise Unknown(f"{node}: the equation {equation} has an ellipsis or a repeated label")
    grids = []
    for term, values in zip(terms.split(","), inputs, strict=True):
        order = sorted(range(len(term)), key=lambda axis: labels.index(term[axis]))
        gaps = tuple(axis for axis, label in enumerate(labels) if label not in term)
        grids.append(np.expand_dims(values.transpose(order), gaps))
    product = reduce(partial(lift, a, Arithmetic.mul), grids)
    sizes = dict(zip("".join(terms.split(",")), sum((v.shape for v in inputs), ()), strict=True))
    product = np.broadcast_to(product, [sizes[label] for label in labels])
    return total(a, product, tuple(range(len(output), len(labels))))


def _shifted(a: Arithmetic, x: Values) -> Values:
    top = fold(a, Arithmetic.maximum, MINUS_INFINITY, x, np.asarray(-1), keep=True)
    return lift(a, Arithmetic.sub, x, top)


def softmax(a: Arithmetic, _: Node, inputs: Sequence[Values]) -> Values:
    """Evaluate Softmax over the last axis."""
    powers = lift(a, Arithmetic.exp, _shifted(a, inputs[0]))
    return lift(a, Arithmetic.div, powers, total(a, powers, -1, keep=True))


def log_softmax(a: Arithmetic, _: Node, inputs: Sequence[Values]) -> Values:
    """Evaluate LogSoftmax over the last axis."""
    shifted = _shifted(a, inputs[0])
    sums = total(a, lift(a, Arithmetic.exp, shifted), -1, keep=True)
    return lift(a, Arithmetic.sub, shifted, lift(a, Arithmetic.log, sums))


def cross_entropy(a: Arithmetic, node: Node, inputs: Sequence[Values]) -> list[Values]:
    """Evaluate (Sparse)SoftmaxCrossEntropyWithLogits: the loss and its slope in the logits."""
    logits, labels = inputs
    if node.type.startswith("Sparse"):
        classes = np.arange(logits.shape[-1])
        if np.any((labels < 0) | (labels >= len(classes))):
            raise Unknown(f"{node}: a label is outside the classes")
        labels = numbers(labels[..., None] == classes)
    logits, labels = np.broadcast_arrays(logits, labels)
    terms = lift(a, Arithmetic.mul, labels, log_softmax(a, node, [logits]))
    loss = lift(a, Arithmetic.neg, total(a, terms, -1))
    return [loss, lift(a, Arithmetic.sub, softmax(a, node, [logits]), labels)]


def l2_loss(a: Arithmetic, _: Node, inputs: Sequence[Values]) -> Values:
    """Evaluate L2Loss: half the sum of squares."""
    squares = lift(a, Arithmetic.square, inputs[0].ravel())
    return lift(a, Arithmetic.mul, box(HALF), total(a, squares, 0))


def bias_grad(a: Arithmetic, node: Node, inputs: Sequence[Values]) -> Values:
    """Evaluate BiasAddGrad: the sum over all axes but the last."""
    if node.attr("data_format") != b"NHWC":
        raise Unknown(f"{node}: only biases of the last axis are evaluated")
    return total(a, inputs[0], tuple(range(inputs[0].ndim - 1)))


AXES: dict[str, Operation] = {
    "BatchMatMul": matmul,
    "BatchMatMulV2": matmul,
    "BiasAddGrad": bias_grad,
    "Cumprod": _scanning(Arithmetic.mul, ONE),
    "Cumsum": _scanning(Arithmetic.add, ZERO),
    "CumulativeLogsumexp": _scanning(_log_add, MINUS_INFINITY),
    "Einsum": einsum,
    "L2Loss": l2_loss,
    "LogSoftmax": log_softmax,
    "MatMul": matmul,
    "Max": _folding(Arithmetic.maximum, MINUS_INFINITY),
    "Mean": mean,
    "Min": _folding(Arithmetic.minimum, INFINITY),
    "Prod": _folding(Arithmetic.mul, ONE),
    "Softmax": softmax,
    "SoftmaxCrossEntropyWithLogits": cross_entropy,
    "SparseSoftmaxCrossEntropyWithLogits": cross_entropy,
    "Sum": _folding(Arithmetic.add, ZERO),
}


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


def unique(a: Arithmetic, node: Node, inputs: Sequence[Values]) -> list[Values]:
    """Evaluate Unique and UniqueWithCounts: each number once, in the order in which they come."""
    x = inputs[0]
    if x.ndim != 1:
        raise Unknown(f"{node}: only the numbers of one axis are evaluated")
    firsts: list[int] = []
    index = np.zeros(len(x), node.dtypes[1].as_numpy_dtype)
    for place in range(len(x)):
        met = (n for n, first in enumerate(firsts) if a.compare(x[first], x[place]) == 0)
        index[place] = next(met, len(firsts))
        if index[place] == len(firsts):
            firsts.append(place)
    counts = np.bincount(index, minlength=len(firsts)).astype(index.dtype)
    return [x[firsts], index, counts][: len(node.dtypes)]


PLACES: dict[str, Operation] = {
    "ArgMax": arg_extreme,
    "ArgMin": arg_extreme,
    "Cross": cross,
    "MirrorPadGrad": mirror_pad_grad,
    "Range": number_range,
    "ScatterNd": scatter_nd,
    "TopKV2": top_k,
    **dict.fromkeys(("Unique", "UniqueV2", "UniqueWithCounts", "UniqueWithCountsV2"), unique),
    "UnsortedSegmentSum": segment_sum,
    "Where": where,
}
