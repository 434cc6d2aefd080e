"""Broadcasts that nobody wrote down, read off the shapes of the graph."""

from __future__ import annotations

import attrs

from losscheck.program.tracing.wiring import SHAPE_OPS, Wiring

_ELEMENTWISE = frozenset(
    {
        "Add", "AddV2", "Sub", "Mul", "RealDiv", "DivNoNan", "MulNoNan", "Maximum", "Minimum",
        "Pow",
        "SquaredDifference", "Equal", "NotEqual", "Less", "LessEqual", "Greater", "GreaterEqual",
        "LogicalAnd", "LogicalOr", "SelectV2", "Xlogy", "Xdivy", "Atan2", "FloorDiv", "FloorMod",
    }
)  # fmt: skip


def rank_promotion(graph: Wiring, argument: str) -> str | None:
    """Find the first operation on an argument that gives an operand further axes by itself."""
    depends = graph.depends(argument)
    for node in graph.forward:
        if node.type in _ELEMENTWISE and not depends.isdisjoint(node.inputs):
            ranks = {len(shape) for t in node.inputs if (shape := graph.shape(t))}
            if len(ranks) > 1:  # scalars are no matter of rank
                return node.name
    return None


_REDUCTIONS = frozenset({"Sum", "Mean", "Max", "Min", "Prod"})
_AXES = frozenset({"ExpandDims", "StridedSlice", "Reshape"})  # `x[:, None]` is a StridedSlice


def axes_written(graph: Wiring, argument: str) -> bool:
    """Whether the loss gives an argument further axes by its own hand, as in `y[:, None]`.

    It is written for the rank that it has then: who pairs the labels of a batch means a vector.
    """
    same = {graph.arguments[argument]}  # the argument, as it is
    for node in graph.forward:
        first = node.inputs[0] if node.inputs else ""
        if first not in same:
            continue
        if node.type in ("Identity", "Cast"):
            same.update(node.outputs)
        elif node.type in _AXES:
            before, after = graph.shape(first), graph.shape(node.outputs[0])
            if before is not None and after is not None and len(after) > len(before):
                return True
    return False


def batch_by_number(graph: Wiring, argument: str, batch: int) -> bool:
    """Whether the loss sums up the samples alone of what it makes of an argument: over axis 0.

    Each class is then compared with all samples, in the order of axes that the argument has.
    """
    depends = graph.depends(argument)
    for node in graph.forward:
        if node.type not in _REDUCTIONS or depends.isdisjoint(node.inputs[:1]):
            continue
        axes, shape = graph.producer(node.inputs[1]).constant, graph.shape(node.inputs[0]) or ()
        over = () if axes is None or not shape else {int(a) % len(shape) for a in axes.ravel()}
        if over == {0} and len(shape) > 1 and shape[0] == batch:
            return True
    return False


def indexed(graph: Wiring, argument: str) -> bool:
    """Whether integers are made of an argument: the indices that a table or a one-hot row takes."""
    depends = graph.depends(argument)
    return any(
        dtype.startswith(("int", "uint")) and tensor in depends
        for node in graph.forward
        for tensor, dtype in zip(node.outputs, node.dtypes, strict=True)
    )


def constant_broadcast(graph: Wiring) -> str | None:
    """Find a product of something of width 1 with a wider constant, summed afterwards.

    The sum of such a product is the sum of the constant times the thing: nobody writes the
    constant out for that, so its width says how wide the prediction was meant to be.
    """
    for node in graph.forward:
        if node.type != "Mul" or node.shapes[0] is None:
            continue
        shapes = {t: graph.shape(t) for t in node.inputs}
        constant = [t for t in node.inputs if not _depends(graph, t)]
        other = [t for t in node.inputs if _depends(graph, t)]
        if len(constant) != 1 or len(other) != 1:
            continue
        wide, thin = shapes[constant[0]], shapes[other[0]]
        if not wide or not thin or wide[-1] == 1 or thin[-1] != 1:
            continue
        if all(
            user.type in ("Sum", "Mean")
            for user in graph.consumers.get(node.outputs[0], ())
            if not user.backward and user.type not in ("Shape", "Size")
        ):
            return node.name
    return None


@attrs.frozen(kw_only=True)
class Outer:
    """Samples beside others than themselves, where nobody wrote so."""

    # "layout": each beside all, as (B,) against (B, 1) is (B, B); "batch": each label beside one
    # number for all predictions of the batch.
    form: str = "layout"
    node: str
    argument: str  # the argument whose axis has wandered from the batch to the last, or is lost
    # Shapes of the operands and of what they give.
    flat: tuple[int | None, ...]
    column: tuple[int | None, ...]
    result: tuple[int | None, ...]
    place: int | None = None  # of the column among the operands of the operation; None of a number


def beside_others(graph: Wiring, label: str | None, batch: int) -> Outer | None:
    """Find the first operation that sets samples beside others than themselves."""
    return outer_product(graph, batch) or (batch_number(graph, label, batch) if label else None)


def outer_product(graph: Wiring, batch: int) -> Outer | None:
    """Find the first operation that pairs samples of one argument with all of another.

    Who means every pair writes the axis out (`a[:, None] - b`), or pairs an argument with itself.
    So one operand has lost its column on the way, the other one has the axes it was given, and
    they stem from different arguments; a product may also be of a loss and a weight.
    """
    for node in graph.forward:
        if node.type not in _ELEMENTWISE or len(node.inputs) < 2 or not node.outputs:
            continue
        flat, column = sorted(node.inputs[:2], key=lambda t: len(graph.shape(t) or ()))
        thin, tall = graph.shape(flat), graph.shape(column)
        result = graph.shape(node.outputs[0])
        if thin != (batch,) or tall != (batch, 1) or result != (batch, batch):
            continue
        one, other = _arguments(graph, flat), _arguments(graph, column)
        apart = one and other and one.isdisjoint(other)
        weight = node.type == "Mul" and other < one
        if (apart or weight) and not _raised(graph, column, other):
            return Outer(
                node=node.name,
                argument=min(one),
                flat=thin,
                column=tall,
                result=result,
                place=node.inputs.index(column),
            )
    return None


_DIFFERENCES = frozenset({"Sub", "SquaredDifference"})


def batch_number(graph: Wiring, label: str, batch: int) -> Outer | None:
    """Find the first difference of the labels of a batch and one number for all predictions.

    What is computed of both, as a temperature or a normaliser is, is no prediction of a label; nor
    is a quotient, a product or a comparison a difference of the two. Where predictions reach the
    loss by another way too, the number is one of their distribution, and meant (a relativistic
    critic weighs each score against the mean of the others).
    """
    for node in graph.forward:
        if node.type not in _DIFFERENCES or len(node.inputs) != 2:
            continue
        for single, many in (node.inputs, node.inputs[::-1]):
            thin, tall = graph.shape(single), graph.shape(many)
            if thin is None or not tall or set(thin) - {1} or tall[0] != batch:
                continue
            of = _arguments(graph, single)
            alone = of == {graph.prediction} and _arguments(graph, many) == {label}
            if alone and not _reaches_past(graph, single):
                return Outer(
                    form="batch",
                    node=node.name,
                    argument=min(of),
                    flat=thin,
                    column=tall,
                    result=graph.shape(node.outputs[0]) or (),
                )
    return None


def _reaches_past(graph: Wiring, tensor: str) -> bool:
    """Whether the prediction reaches the value by a way that does not lead through a tensor."""
    reached, waiting = set(), [graph.arguments[graph.prediction]]
    while waiting:
        found = waiting.pop()
        if found in reached or found == tensor:
            continue
        reached.add(found)
        users = graph.consumers.get(found, ())
        waiting += [out for user in users if user.type not in SHAPE_OPS for out in user.outputs]
    return graph.value in reached


def _arguments(graph: Wiring, tensor: str) -> frozenset[str]:
    return frozenset(name for name in graph.arguments if tensor in graph.depends(name))


def _raised(graph: Wiring, tensor: str, arguments: frozenset[str]) -> bool:
    """Whether an axis was added between these arguments and a tensor."""
    ranks = [len(graph.shape(graph.arguments[name]) or ()) for name in arguments]
    return max(ranks, default=0) < len(graph.shape(tensor) or ())


def _depends(graph: Wiring, tensor: str) -> bool:
    return any(tensor in graph.depends(name) for name in graph.arguments)
