"""How well a layout fits a loss that runs with it, read off the graph.

Much runs by accident: a slice that comes out empty, halves of different widths of which one is
broadcast, samples beside samples. What the author meant uses what it is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs

from losscheck.infer.slices import SLICES, Dims, Part, numbers, parts, union
from losscheck.program.tracing.wiring import SHAPE_OPS, Node, Wiring

UNARY = frozenset(
    {
        "Identity", "Cast", "Neg", "Abs", "Exp", "Log", "Log1p", "Expm1", "Square", "Sqrt",
        "Rsqrt", "Sigmoid", "Tanh", "Relu", "Softplus", "StopGradient", "ClipByValue", "Sin",
        "Cos", "Acos", "Asin", "Atan", "Sign", "Floor", "Round", "Reciprocal", "Lgamma", "Erf",
        "EnsureShape", "CheckNumerics", "IsNan", "IsFinite", "LogicalNot", "Erfc", "Elu",
    }
)  # fmt: skip
BINARY = frozenset(
    {
        "Add", "AddV2", "Sub", "Mul", "RealDiv", "DivNoNan", "MulNoNan", "Maximum", "Minimum",
        "Pow", "SquaredDifference", "Equal", "NotEqual", "Less", "LessEqual", "Greater",
        "GreaterEqual", "LogicalAnd", "LogicalOr", "SelectV2", "Xlogy", "Xdivy", "Xlog1py",
        "Atan2", "FloorDiv", "FloorMod",
    }
)  # fmt: skip
REDUCTIONS = frozenset({"Sum", "Mean", "Max", "Min", "Prod", "All", "Any"})
ASSERTING = frozenset({"Assert", "If", "StatelessIf"})
CALLING = frozenset({"While", "StatelessWhile", "PartitionedCall", "StatefulPartitionedCall"})
OVER_THE_LAST = frozenset({"Softmax", "LogSoftmax"})


@attrs.frozen(kw_only=True, order=True)
class Faults:
    """What is wrong with a layout, the worst first: those of one that fits are all 0."""

    of_batch: bool = False  # no other batch runs
    # The batch is reduced by an axis counted from the end, set against another axis, or sliced
    # between two numbers.
    crossed: bool = False
    # What comes out is neither a scalar nor a leading part of the prediction's shape; 2 where not
    # even its first axis is the batch.
    apart: int = 0
    empty: bool = False  # something inside has no elements, or a slice fewer than it asks for
    # A part of an argument is broadcast, and would not be if the axis were longer; or kernels of
    # convolutions are given more channels than they are made for.
    stretched: bool = False
    unused: int = 0  # axes of the prediction of which only a part is used
    idle: int = 0  # those of labels, which an author may well mean
    thin: bool = False  # parts that grow with an axis are one wide

    @property
    def grave(self) -> list[str]:
        """Those that an author hardly means."""
        return [k for k, n in attrs.asdict(self).items() if n and k not in ("idle", "thin")]


@attrs.frozen(kw_only=True, eq=False)
class Fit:
    """How well a layout fits, and what it asks for."""

    faults: Faults
    # Samples meet others because an axis is written out for something that is not given.
    raised: bool
    # A part of an argument that is one wide is broadcast against one that grows with the axis.
    uneven: bool
    # How many channels the kernels of convolutions are made for that are given more.
    channels: tuple[int, ...]
    # Argument -> axis behind the batch -> the indices that alone are used.
    unused: Mapping[str, Mapping[int, frozenset[int]]]
    # Numbers that bound slices of an axis, and into how many parts axes are split.
    ends: tuple[int, ...]
    pieces: tuple[int, ...]


def fit(
    wiring: Wiring,
    returns: Dims | None,
    at: Mapping[str, tuple[int, ...]],
    labels: Sequence[str] = (),
) -> Fit:
    """Read how well a layout fits.

    Parameters
    ----------
    wiring
        The graph, traced for it.
    returns
        The shape of what the loss returns; None if it is unknown.
    at
        The shape of every argument. The batch has a size that no other axis has.
    labels
        Those that are labels. Of parameters in the last axis, a mean and a scale, the loss has the
        shape of labels.
    """
    prediction = at[wiring.prediction]
    heads = (at[name] for name in labels if at[name][:-1] == prediction[:-1] != ())
    shapes = [prediction, *(shape for shape in heads if shape < prediction)]
    reading = _Reading(wiring, prediction[0] if prediction else 0)
    crossed = any(map(reading.crosses, wiring.forward))
    apart = bool(returns) and all(returns != shape[: len(returns or ())] for shape in shapes)
    scattered = bool(returns) and (returns or ())[:1] != prediction[:1]
    channels = tuple(sorted({*map(reading.made_for, wiring.forward)} - {0}))
    unused = {name: reading.unused(name) for name in at}
    faults = Faults(
        crossed=crossed or reading.picked,
        apart=apart + scattered,
        empty=reading.cut or any(map(reading.is_empty, wiring.forward)),
        stretched=reading.stretched or bool(channels),
        unused=len(unused[wiring.prediction]),
        idle=sum(len(unused[name]) for name in labels),
        thin=reading.thin,
    )
    return Fit(
        faults=faults,
        raised=reading.raised,
        uneven=reading.uneven,
        channels=channels,
        unused=unused,
        ends=tuple(sorted(reading.ends)),
        pieces=tuple(sorted(reading.pieces)),
    )


def rests_on_numbers(wiring: Wiring) -> bool:
    """Say whether a loss may fail on some numbers: it asserts, loops, or has unknown shapes."""
    return any(node.type in ASSERTING for node in wiring.nodes) or any(
        node.type in CALLING or any(s is None or None in s for s in node.shapes)
        for node in wiring.forward
    )


def reached(wiring: Wiring) -> frozenset[str]:
    """Name the arguments that a gradient can reach, through floats that nothing stops.

    An index, a comparison and what is cast to whole numbers are the way of no gradient.
    """
    floating = {
        tensor
        for node in wiring.forward
        for tensor, dtype in zip(node.outputs, node.dtypes, strict=True)
        if dtype.startswith(("float", "bfloat", "complex", "resource", "variant"))
    }
    found = set()
    for name, tensor in wiring.arguments.items():
        way = {tensor}
        for node in wiring.forward:
            stops = node.type in ("StopGradient", "PreventGradient") or not node.differentiable
            if not stops and not way.isdisjoint(node.inputs):
                way.update(floating.intersection(node.outputs))
        if wiring.value in way:
            found.add(name)
    return frozenset(found)


class _Reading:
    """One walk through a graph, and what it tells."""

    def __init__(self, wiring: Wiring, batch: int) -> None:
        self._wiring = wiring
        self._batch = batch
        self._depends = frozenset().union(*(wiring.depends(name) for name in wiring.arguments))
        self._used = {t for node in wiring.forward for t in node.inputs} | {wiring.value}
        self.like = {name: self._like(name) for name in wiring.arguments}
        self.ends: set[int] = set()
        self.pieces: set[int] = set()
        self.thin = False
        self.uneven = False
        self.cut = False
        self.picked = False
        self.raised = False
        self.stretched = self._stretches()

    def is_empty(self, node: Node) -> bool:
        if self._depends.isdisjoint(node.outputs):
            return False
        return any(s is not None and 0 in s for s in node.shapes)

    def made_for(self, node: Node) -> int:
        """Give the channels of a kernel that is given more, in groups; 0 where all is as it should.

        TensorFlow does not differentiate that on CPUs, and channels by themselves have an
        operation of their own: it is hardly ever meant.
        """
        if node.type != "Conv2D" or self._depends.isdisjoint(node.inputs):
            return 0
        image, kernel = (self._wiring.shape(tensor) for tensor in node.inputs[:2])
        if not image or not kernel or None in (image[1], image[-1], kernel[-2]):
            return 0
        return 0 if kernel[-2] in (image[1], image[-1]) else kernel[-2] or 0

    def crosses(self, node: Node) -> bool:
        """Say whether samples meet because an axis is missing."""
        depend = [t for t in node.inputs if t in self._depends]
        shapes = [s for t in depend if (s := self._wiring.shape(t))]
        if not shapes:
            return False
        if node.type in REDUCTIONS:
            axes = numbers(self._wiring, node.inputs[1]) or ()
            return shapes[0][0] == self._batch and any(
                axis < 0 and axis + len(shapes[0]) == 0 for axis in axes
            )
        if node.type in OVER_THE_LAST:
            return shapes[0] == (self._batch,)
        return node.type in BINARY and self._pairs(node, depend)

    def _pairs(self, node: Node, operands: Sequence[str]) -> bool:
        """Say whether the batch of one operand meets another axis that nobody wrote out.

        Who writes an axis out to set an argument against itself means every pair.
        """
        rank = len(node.shapes[0] or ())
        tall = [t for t in operands if len(self._wiring.shape(t) or ()) == rank]
        written = [t for t in tall if rank > self._given_rank(t)]
        by_hand = frozenset().union(*map(self._arguments, written))
        found = any(
            shape[0] == self._batch and by_hand.isdisjoint(self._arguments(t))
            for t in operands
            if t not in tall and (shape := self._wiring.shape(t))
        )
        self.raised |= found and bool(written)
        return found

    def _arguments(self, tensor: str) -> frozenset[str]:
        wiring = self._wiring
        return frozenset(name for name in wiring.arguments if tensor in wiring.depends(name))

    def _given_rank(self, tensor: str) -> int:
        """The most axes of the arguments that a tensor stems from."""
        own = (self._wiring.arguments[name] for name in self._arguments(tensor))
        return max((len(self._wiring.shape(t) or ()) for t in own), default=0)

    def unused(self, name: str) -> Mapping[int, frozenset[int]]:
        """The indices of an argument that alone are used, by axis; {} where all of it is."""
        shape = self._wiring.shape(self._wiring.arguments[name]) or ()
        like, found = self.like[name], []
        for node in self._wiring.forward:
            if like.isdisjoint(node.inputs) or node.type in SHAPE_OPS:
                continue
            if node.type in SLICES and node.inputs[self._sliced(node)] in like:
                for tensor, part in self._parts(node):
                    if tensor not in self._used or tensor in like:
                        continue
                    if part is None or part.whole:
                        return {}
                    found.append(part)
            elif not like.issuperset(node.outputs):
                return {}
        if not found or self._wiring.value in like:
            return {}
        return union(found, shape)

    def _like(self, name: str) -> set[str]:
        """Tensors that hold a number for each of an argument."""
        found = {self._wiring.arguments[name]}
        shape = self._wiring.shape(self._wiring.arguments[name])
        for node in self._wiring.forward:
            if node.type in UNARY | BINARY and not found.isdisjoint(node.inputs):
                found.update(t for t in node.outputs if self._wiring.shape(t) == shape)
        return found

    @staticmethod
    def _sliced(node: Node) -> int:
        """Which input of a slice is sliced."""
        return 1 if node.type == "Split" else 0

    def _parts(self, node: Node) -> Iterator[tuple[str, Part | None]]:
        shape = self._wiring.shape(node.inputs[self._sliced(node)])
        if shape is None:
            return ((tensor, None) for tensor in node.outputs)
        return zip(node.outputs, parts(node, self._wiring, shape), strict=True)

    def _stretches(self) -> bool:
        """Follow axes that were sliced to one, to where they are broadcast."""
        whole = frozenset().union(*self.like.values())
        narrow: dict[str, dict[int, bool]] = {}  # tensor -> axis from the end -> elastic
        growing: dict[str, set[int]] = {}  # tensor -> axes from the end
        stretched = False
        for node in self._wiring.forward:
            if self._depends.isdisjoint(node.outputs):
                continue
            if node.type in SLICES:
                self._slice(node, narrow, growing)
            elif node.type in UNARY | BINARY and node.shapes[0] is not None:
                stretched |= self._hands_on(node, narrow, whole)
                self._grows(node, narrow, growing)
        return stretched

    def _slice(
        self, node: Node, narrow: dict[str, dict[int, bool]], growing: dict[str, set[int]]
    ) -> None:
        if node.type == "Split":
            self.pieces.add(len(node.outputs))
        for tensor, part in self._parts(node):
            shape = self._wiring.shape(tensor)
            if part is None or shape is None:
                continue
            self.ends.update(number for axis, number in part.ends if axis)
            self.cut |= part.cut
            self.picked |= self._picks(node, part)
            for axis, taken in enumerate(part.taken):
                if taken is None or not axis:
                    continue
                if len(taken) != 1:
                    if part.keeps and axis in part.elastic:
                        growing.setdefault(tensor, set()).add(axis - len(shape))
                    continue
                self.thin |= axis in part.elastic
                if part.keeps:
                    narrow.setdefault(tensor, {})[axis - len(shape)] = axis in part.elastic

    def _picks(self, node: Node, part: Part) -> bool:
        """Say whether a slice takes the samples between two numbers, however many there are."""
        given = self._wiring.shape(node.inputs[self._sliced(node)]) or ()
        inside = part.keeps and part.taken[:1] not in ((), (None,)) and 0 not in part.elastic
        return inside and given[:1] == (self._batch,)

    def _hands_on(
        self, node: Node, narrow: dict[str, dict[int, bool]], whole: frozenset[str]
    ) -> bool:
        """Say whether an operation broadcasts an axis that was sliced to one."""
        shape = node.shapes[0] or ()
        stretched = False
        for tensor in node.inputs:
            for axis, elastic in narrow.get(tensor, {}).items():
                if shape[axis] == 1:
                    narrow.setdefault(node.outputs[0], {})[axis] = elastic
                else:
                    wide = {t for t in node.inputs if t in whole and t != tensor}
                    stretched |= elastic or any(self._wiring.shape(t) == shape for t in wide)
        return stretched

    def _grows(
        self, node: Node, narrow: dict[str, dict[int, bool]], growing: dict[str, set[int]]
    ) -> None:
        """Follow axes that grow, and see whether a part that is always one wide meets them."""
        axes = set().union(*(growing.get(tensor, set()) for tensor in node.inputs))
        if axes:
            growing.setdefault(node.outputs[0], set()).update(axes)
        self.uneven |= any(
            not elastic and axis in axes
            for tensor in node.inputs
            for axis, elastic in narrow.get(tensor, {}).items()
        )
