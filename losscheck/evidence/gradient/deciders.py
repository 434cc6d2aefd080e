"""The operations at which a loss may change over, and how they go along one coordinate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.domains.base import Domain
from losscheck.model import Array
from losscheck.numerics.crossing import lead, margins
from losscheck.program.programs import along
from losscheck.program.running.program import Program
from losscheck.program.tracing.wiring import Node, Wiring

COMPARISONS = frozenset({"Less", "LessEqual", "Greater", "GreaterEqual", "Maximum", "Minimum"})
KINKED: Final[Mapping[str, tuple[float, ...]]] = {  # type -> where its argument decides
    "Abs": (0.0,),
    "Relu": (0.0,),
    "Relu6": (0.0, 6.0),
    "LeakyRelu": (0.0,),
    "Selu": (0.0,),
    "Sign": (0.0,),
}
CHOOSING = frozenset({"Max", "Min", "ArgMax", "ArgMin"})  # along axes, their second input
# Their own result jumps, as the sign of x does; that of the others is continuous.
BREAKING = frozenset(
    {"Less", "LessEqual", "Greater", "GreaterEqual", "Sign", "ArgMax", "ArgMin", "TopKV2"}
)
STEPPED = frozenset({"Floor", "Ceil", "Round", "Rint", "FloorDiv", "FloorMod", "Bucketize"})
# What a number that stands for all of a row goes through before it meets them.
SPREADING = frozenset({"Reshape", "ExpandDims", "Squeeze", "BroadcastTo", "Tile", "Identity"})
JOINT = frozenset(  # numbers in a row, of which a narrow case has one
    {"Max", "Min", "Mean", "Sum", "Prod", "MatMul", "BatchMatMulV2", "Einsum", "Cumsum", "TopKV2"}
)
COLUMNS = 64  # of one order; in a longer row only the last rank is followed
STEP = 2.0**-20  # half of what the prediction is moved by to see which way a walk goes


@attrs.frozen(eq=False)
class Decider:
    """A quantity whose sign decides: left minus right, left minus a number, or an order in left."""

    node: Node
    left: str
    right: str | None = None
    offset: float = 0.0
    axes: tuple[int, ...] = ()  # of a maximum
    smallest: bool = False  # a minimum instead
    ranks: int = 0  # of an order on the last axis
    joint: bool = False  # of numbers that a row, or a batch, was brought together in

    @property
    def ordered(self) -> bool:
        """Whether it takes several numbers in a row, of which a narrow case has one."""
        return bool(self.axes) or self.ranks > 0 or self.joint

    @property
    def breaks(self) -> bool:
        """Whether what it decides may jump where the quantity changes its sign."""
        return self.node.type in BREAKING

    def quantity(self, arrays: Mapping[str, Array]) -> Array:
        """(M, Q) the quantity of each element, from (M, *shape) arrays of the tensors."""
        left = np.asarray(arrays[self.left], np.float64)
        with np.errstate(invalid="ignore"):
            if self.axes:
                return lead(-left if self.smallest else left, self.axes)
            if self.ranks:
                found = margins(left, self.ranks)
                width = left[0].size
                return found if found.shape[1] <= COLUMNS else found[:, -width:]
            gap = left - self.offset if self.right is None else _minus(left, arrays[self.right])
        return gap.reshape(len(gap), -1)


def _minus(left: Array, right: Array) -> Array:
    # A block has its cases in front: operands of lower rank get their missing axes behind that.
    rank = max(left.ndim, right.ndim)
    left, right = (
        a.reshape(a.shape[0], *(1,) * (rank - a.ndim), *a.shape[1:]) for a in (left, right)
    )
    return np.asarray(left - right)


def deciders_of(graph: Wiring) -> list[Decider]:
    """List the deciding quantities that depend on the prediction, and have one size in all cases.

    How many numbers are picked by what labels say differs from case to case.
    """
    depends = graph.depends(graph.prediction)
    found: list[Decider] = []
    for node in graph.forward:
        inputs = [t for t in node.inputs if graph.dtype(t).startswith("float")]
        sized = all(graph.known_shape(tensor) is not None for tensor in inputs)
        if sized and not depends.isdisjoint(inputs):
            found += _of_node(graph, node, inputs)
    return found


def _of_node(graph: Wiring, node: Node, inputs: list[str]) -> list[Decider]:
    if node.type in COMPARISONS and len(inputs) == 2:
        return [Decider(node, inputs[0], inputs[1], joint=_joint(graph, node))]
    if node.type == "ClipByValue":
        return [Decider(node, inputs[0], bound) for bound in inputs[1:3]]
    if node.type in KINKED:
        return [Decider(node, inputs[0], offset=offset) for offset in KINKED[node.type]]
    shape = graph.known_shape(inputs[0]) or ()
    constant = graph.producer(node.inputs[1]).constant if len(node.inputs) > 1 else None
    if node.type in CHOOSING and shape and constant is not None:
        axes = tuple(int(axis) for axis in np.ravel(constant))
        several = axes and np.prod([shape[axis] for axis in axes]) > 1
        smallest = node.type in ("Min", "ArgMin")
        return [Decider(node, inputs[0], axes=axes, smallest=smallest)] if several else []
    if node.type == "TopKV2" and shape[-1:] > (1,):  # tf.sort is one, of all
        return [Decider(node, inputs[0], ranks=shape[-1] if constant is None else int(constant))]
    return []


def _joint(graph: Wiring, node: Node) -> bool:
    """Say whether numbers of a row are brought together on the way from the prediction."""
    depends = graph.depends(graph.prediction)
    return any(
        before.type in JOINT and not depends.isdisjoint(before.inputs)
        for tensor in node.inputs
        for before in graph.ancestors(tensor)
    )


def steps(graph: Wiring) -> list[Node]:
    """List the operations that jump at places which no quantity tells, as a rounding does."""
    depends = graph.depends(graph.prediction)
    return [
        node
        for node in graph.forward
        if not depends.isdisjoint(node.inputs) and (node.type in STEPPED or _whole(node))
    ]


def _whole(node: Node) -> bool:
    return node.type == "Cast" and node.dtypes[0].startswith("int")


def joins(graph: Wiring, node: Node) -> str:
    """Say whether a comparison chooses between two formulas in the prediction.

    A selection it is where the other choice is a constant, or one number for a whole row (the
    largest distance in place of those left out).
    """
    depends = graph.depends(graph.prediction)
    followed = set(node.outputs)
    masks: set[str] = set()
    for user in graph.forward:
        if followed.isdisjoint(user.inputs):
            continue
        if user.type in ("SelectV2", "Select") and user.inputs[0] in followed:
            branches = user.inputs[1:3]
            formulas = all(t in depends and not _of_a_row(graph, t) for t in branches)
            return "branches" if formulas else "selection"
        if user.type in ("If", "StatelessIf") and user.inputs[0] in followed:
            return "branches"
        if user.type in ("LogicalAnd", "LogicalOr", "LogicalNot", "Identity", "Cast", "Reshape"):
            followed.update(user.outputs)
            masks.update(user.outputs if user.type == "Cast" else ())
    return "branches" if _complementary(graph, masks) else "selection"


def _of_a_row(graph: Wiring, tensor: str) -> bool:
    """Say whether a tensor is the maximum or minimum of a row, spread over it again."""
    node = graph.producer(tensor)
    while node.type in SPREADING:
        node = graph.producer(node.inputs[0])
    return node.type in ("Max", "Min")


def _complementary(graph: Wiring, masks: set[str]) -> bool:
    """Say whether a sum adds one formula times a mask to another one times 1 - mask."""
    depends = graph.depends(graph.prediction)
    opposite = {
        out
        for node in graph.forward
        if node.type == "Sub" and node.inputs[1] in masks and node.inputs[0] not in depends
        for out in node.outputs
    }
    for node in graph.forward:
        if node.type in ("Add", "AddV2"):
            terms = [_factors(graph, tensor) for tensor in node.inputs]
            inside, outside = (
                {term - mask for term in terms if term & mask and term & (depends - mask)}
                for mask in (frozenset(masks), frozenset(opposite))
            )
            if inside and outside and inside != outside:
                return True
    return False


def _factors(graph: Wiring, tensor: str) -> frozenset[str]:
    """The tensors that a product is made of."""
    node = graph.producer(tensor)
    if node.type != "Mul":
        return frozenset({tensor})
    return frozenset[str]().union(*(_factors(graph, one) for one in node.inputs))


@attrs.frozen(eq=False)
class Walk:
    """Moves one coordinate of the prediction of base cases; evaluates what decides.

    Where the domain holds a row together, as that of unit vectors does, the rest of the row gives
    way, so that every point of the walk lies in the domain.
    """

    program: Program
    base: CaseBlock
    domain: Domain
    deciders: Sequence[Decider]
    widths: list[int] = attrs.field(factory=list, init=False)

    def inputs(self, case: Array, coordinate: Array, value: Array) -> dict[str, Array]:
        """The inputs of base cases with a coordinate moved to a value."""
        name = self.program.prediction
        inputs = {n: np.asarray(a, np.float64)[case] for n, a in self.base.inputs.items()}
        inputs[name] = self._moved(inputs[name], coordinate, value)
        return inputs

    def _moved(self, prediction: Array, coordinate: Array, value: Array) -> Array:
        flat = prediction.reshape(len(prediction), -1)
        flat[np.arange(len(flat)), coordinate] = value
        moved = flat.reshape(prediction.shape)
        return moved if self.domain.movable else self.domain.project(moved)

    def totals(self, case: Array, coordinate: Array, value: Array) -> Array:
        """(M,) the summed loss."""
        if self.domain.movable:
            return along(self.program, self.base.inputs)(case, coordinate, value)
        return self.program.totals(self.inputs(case, coordinate, value))

    def slopes(self, case: Array, coordinate: Array, value: Array) -> Array:
        """(M,) the gradient that the program gives, along the way."""
        gradient = self.program.run(self.inputs(case, coordinate, value)).gradient
        flat = np.asarray(gradient, np.float64).reshape(len(case), -1)
        if self.domain.movable:
            return np.asarray(flat[np.arange(len(case)), coordinate])
        name = self.program.prediction
        ends = [self.inputs(case, coordinate, value + sign * STEP)[name] for sign in (-1, 1)]
        direction = (ends[1] - ends[0]).reshape(len(case), -1) / (2 * STEP)
        return np.asarray((flat * direction).sum(axis=1))

    def quantities(self, case: Array, coordinate: Array, value: Array) -> Array:
        """(M, Q) every element of every deciding quantity, side by side."""
        names = [t for d in self.deciders for t in (d.left, d.right) if t is not None]
        unique = list(dict.fromkeys(names))
        fetched = self.program.fetch(unique, self.inputs(case, coordinate, value))
        arrays = dict(zip(unique, fetched, strict=True))
        parts = [decider.quantity(arrays) for decider in self.deciders]
        self.widths[:] = [part.shape[1] for part in parts]
        return np.concatenate(parts, axis=1)

    def owners(self) -> Array:
        """(Q,) the index of the decider of each column of the quantities evaluated last."""
        return np.repeat(np.arange(len(self.widths)), self.widths)

    def inside(self, case: Array, coordinate: Array, value: Array) -> Array:
        """(M,) bool: the domain holds such a point."""
        prediction = self.inputs(case, coordinate, value)[self.program.prediction]
        return self.domain.contains(prediction)

    def changes(self, case: Array, coordinate: Array, below: Array, above: Array) -> Array:
        """(M, deciders) bool: some element of the quantity has another sign below than above."""
        signs = [np.sign(self.quantities(case, coordinate, at)) for at in (below, above)]
        owners, apart = self.owners(), signs[0] != signs[1]
        members = [apart[:, owners == i].any(axis=1) for i in range(len(self.deciders))]
        return np.stack(members, axis=1)
