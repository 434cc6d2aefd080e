"""What a traced graph says about the values that its arguments may take.

A logarithm of an argument wants it positive, a logarithm of one minus it wants it below one, a
softmax wants logits, an index wants whole numbers. Each hint keeps the reason for the report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import attrs
import numpy as np

from losscheck.infer.guards import SMALL_CONSTANT, clips_to_unit, floors, guards_total
from losscheck.model import Array
from losscheck.program.tracing.wiring import Node, Wiring

# Operations that hand values on: what is said of their result is said of what went in.
PASSING = frozenset(
    {
        "Identity", "IdentityN", "Cast", "Reshape", "Squeeze", "ExpandDims", "Transpose",
        "StopGradient", "PreventGradient", "StridedSlice", "GatherV2", "Tile", "BroadcastTo",
        "ConcatV2", "Pack", "Slice", "EnsureShape", "Unpack", "Split", "SplitV",
        "ReverseV2", "Roll", "GatherNd",
    }
)  # fmt: skip
SLICING = frozenset({"StridedSlice", "GatherV2", "Slice", "Unpack", "Split", "SplitV"})
CLIPPING = frozenset({"Maximum", "Minimum", "ClipByValue", "Relu"})
_SCALING = frozenset(
    {"Mul", "RealDiv", "AddV2", "Add", "Sub", "Neg", "BiasAdd", "MatMul", "BatchMatMulV2"}
)


@attrs.frozen
class Hint:
    """A use of an argument, its reason in words, and the columns it is of; none: of all."""

    use: str
    why: str
    columns: frozenset[int] = frozenset()


_UNARY_USES = {
    "Log": ("log", "goes into a log"),
    "Sqrt": ("nonnegative", "goes into a square root"),
    "Rsqrt": ("nonnegative", "goes into a square root"),
    "Acos": ("cosine", "goes into acos"),
    "Asin": ("cosine", "goes into asin"),
    "Atanh": ("cosine", "goes into atanh"),
    "Softmax": ("logits", "goes into a softmax"),
    "LogSoftmax": ("logits", "goes into a log-softmax"),
    "Sigmoid": ("logits", "goes into a sigmoid"),
    "Softplus": ("softplus", "goes into a softplus"),
    "Lgamma": ("gamma", "goes into lgamma"),
    "Digamma": ("gamma", "goes into digamma"),
}
# The same of numbers that are no more than scaled and shifted by constants.
_SCALED_USES = {
    kind: ("scaled-logits", f"{_UNARY_USES[kind][1]}, scaled")
    for kind in ("Softmax", "LogSoftmax", "Sigmoid")
}
_MULTIPLE_USES = {
    "Log": ("positive", "a multiple of it goes into a log"),
    "Sqrt": ("nonnegative", "a multiple of it goes into a square root"),
    "Rsqrt": ("nonnegative", "a multiple of it goes into a square root"),
    "Lgamma": ("gamma", "a multiple of it goes into lgamma"),
}


def hints(
    wiring: Wiring,
    argument: str,
    columns: Callable[[Sequence[str]], Mapping[str, frozenset[int]]] | None = None,
) -> tuple[Hint, ...]:
    """List the uses of an argument in the order of the graph, each once.

    Parameters
    ----------
    columns
        Gives the columns of the argument that tensors follow (`Moved.columns`), so that each use is
        told of its own; it is asked only where the graph takes the argument apart.
    """
    walk = _Walk(wiring, argument)
    found = [(node, hint) for node in wiring.forward for hint in walk.uses(node)]
    if columns is None or not walk.apart:
        return tuple(dict.fromkeys(hint for _, hint in found))
    own = columns([wiring.arguments[argument], *sorted(walk.followed & walk.used(found))])
    every = own.get(wiring.arguments[argument], frozenset())
    told = []
    for node, hint in found:
        follows = [own.get(t, frozenset()) for t in node.inputs if t in walk.followed]
        its = frozenset().union(*follows)
        told.append(hint if its == every else attrs.evolve(hint, columns=its))
    return tuple(dict.fromkeys(told))


class _Walk:
    """Follows an argument through the operations that hand it on, clip it, or take it from one."""

    def __init__(self, wiring: Wiring, argument: str) -> None:
        self._wiring = wiring
        self._argument = argument
        self.same: set[str] = {wiring.arguments[argument]}
        self.complement: set[str] = set()  # one minus the argument
        self.negative: set[str] = set()  # minus the argument
        self.multiple: set[str] = set(self.same)  # it, times a positive constant
        self.scaled: set[str] = set(self.same)  # it, times a constant and plus a constant
        self.square: set[str] = set()  # its square, or a multiple of that
        self.following: set[str] = set()  # it plus one
        self.apart = False  # whether columns are taken by themselves
        others = [name for name in wiring.arguments if name != argument]
        self.of_others = {t for name in others for t in wiring.depends(name)}
        self._free = {t for name in wiring.arguments for t in wiring.depends(name)}
        for node in wiring.forward:
            self._follow(node)
            self._follow_scaled(node)

    @property
    def followed(self) -> set[str]:
        """All tensors that hold the argument in one of these ways."""
        return self.same | self.complement | self.negative | self.scaled | self.square

    def used(self, found: Iterable[tuple[Node, Hint]]) -> set[str]:
        """The inputs of operations that hints are of."""
        return {t for node, _ in found for t in node.inputs}

    def uses(self, node: Node) -> list[Hint]:
        name = self._argument
        found = []
        first = node.inputs[0] if node.inputs else ""
        if node.type in _UNARY_USES and first in self.same:
            use, why = _UNARY_USES[node.type]
            found.append(Hint(use, why))
        elif node.type in _SCALED_USES and first in self.scaled:
            found.append(Hint(*_SCALED_USES[node.type]))
        elif node.type in _MULTIPLE_USES and first in self.multiple:
            found.append(Hint(*_MULTIPLE_USES[node.type]))
        if node.type in ("Log", "Sqrt") and first in self.complement:
            found.append(Hint("log-complement", f"1 - {name} goes into a {node.type.lower()}"))
        if node.type == "Lgamma" and first in self.following:
            found.append(Hint("count", "its factorial is taken"))
        if node.type == "Log1p" and first in self.negative:
            found.append(Hint("log-complement", f"-{name} goes into log1p"))
        if node.type == "Log1p" and first in self.same:
            found.append(Hint("nonnegative", "goes into log1p"))
        divides = node.type in ("RealDiv", "DivNoNan", "Reciprocal", "Inv")
        if divides and node.inputs[-1] in self.multiple | self.square:
            found.append(Hint("divisor", "is a divisor"))
            if len(node.inputs) > 1 and node.inputs[0] in self.of_others:
                found.append(Hint("scale", "is a divisor of what depends on others"))
        found += self._binary_uses(node)
        return found

    def _binary_uses(self, node: Node) -> list[Hint]:
        found = []
        first, second = (*node.inputs, "", "")[:2]
        if node.type == "Xlogy" and second in self.same:
            found.append(Hint("log", "goes into a log (xlogy)"))
        if node.type in ("Xlogy", "Xlog1py") and second in (self.complement | self.negative):
            found.append(Hint("log-complement", "goes into a log of one minus it"))
        if node.type.endswith("SoftmaxCrossEntropyWithLogits") and first in self.scaled - self.same:
            found.append(Hint("scaled-logits", "goes into a cross entropy with logits, scaled"))
        if node.type == "SoftmaxCrossEntropyWithLogits":
            if first in self.same:
                found.append(Hint("logits", "goes into a cross entropy with logits"))
            if second in self._wiring.depends(self._argument):
                found.append(Hint("one-hot", "is the label of a softmax cross entropy"))
        if node.type == "SparseSoftmaxCrossEntropyWithLogits":
            if first in self.same:
                found.append(Hint("logits", "goes into a cross entropy with logits"))
            if second in self.same:
                found.append(Hint("index", "is the label of a sparse cross entropy"))
        if node.type == "Cast" and first in self.same and node.dtypes[0].startswith("int"):
            found.append(Hint("whole", "is made a whole number"))
        if node.type == "OneHot" and first in self.same:
            found.append(Hint("index", "goes into a one_hot"))
        if node.type in ("GatherV2", "GatherNd", "ResourceGather") and second in self.same:
            found.append(Hint("index", "is used as an index"))
        if node.type == "Pow" and first in self.same and self._fraction(second):
            found.append(Hint("nonnegative", "is raised to a fractional power"))
        if node.type == "Exp" and self._less_max(node, self.same):
            found.append(Hint("logits", "goes into a softmax"))
        elif node.type == "Exp" and self._less_max(node, self.scaled):
            found.append(Hint("scaled-logits", "goes into a softmax, scaled"))
        if node.type == "Exp" and (source := self._size_of(node)):
            if source <= self.same | self.negative:
                found.append(Hint("logits", "goes into a cross entropy with logits"))
            elif source <= self.scaled:
                found.append(Hint("scaled-logits", "goes into a cross entropy with logits, scaled"))
        if node.type == "Mul" and self._paired(node):
            found.append(Hint("paired", "is multiplied by another one"))
        if node.type in ("Equal", "NotEqual") and self.same & set(node.inputs):
            found += self._compared(node)
        if node.type in ("RealDiv", "DivNoNan") and first in self.same and second in self._sums():
            found.append(Hint("sums-to-one", "is divided by its own sum"))
        if node.type in ("RealDiv", "DivNoNan") and guards_total(self._wiring, second, self.same):
            found.append(Hint("guarded", "a small number is added to its total before a division"))
        if node.type == "Mul" and self._overlaps(node):
            found.append(Hint("overlap", "is summed, and so is its product with the other one"))
        if node.type in CLIPPING and self.same.intersection(node.inputs):
            if clips_to_unit(self._wiring, node):
                found.append(Hint("unit-interval", "is clipped into [0, 1]"))
            elif floors(self._wiring, node):
                found.append(Hint("guarded", "is held above a small positive number"))
        if node.type in ("Sub", "AddV2", "Add") and self._linear(node):
            found.append(Hint("linear", "is a term of its own"))
        if node.type in ("Mul", "Xlogy", "MulNoNan") and self.complement & set(node.inputs):
            found.append(Hint("complement", f"1 - {self._argument} is a weight of the other case"))
        return found

    def _follow(self, node: Node) -> None:
        inputs = set(node.inputs)
        if node.type in PASSING | CLIPPING:
            for group in (self.same, self.complement, self.negative):
                if handed_on(node) in group:
                    group.update(node.outputs)
            if node.type in ("Maximum", "Minimum") and node.inputs[1] in self.same:
                self.same.update(node.outputs)
        elif node.type in ("AddV2", "Add", "Sub") and self._adds_epsilon(node):
            for group in (self.same, self.complement):
                if inputs & group:
                    group.update(node.outputs)
        elif node.type == "Neg" and inputs & self.same:
            self.negative.update(node.outputs)
        elif node.type == "Sub" and node.inputs[1] in self.same and self._is(node.inputs[0], 1.0):
            self.complement.update(node.outputs)
        elif node.type in ("AddV2", "Add") and inputs & self.negative:
            if any(self._is(t, 1.0) for t in node.inputs):
                self.complement.update(node.outputs)
        elif node.type in ("RealDiv", "DivNoNan") and node.inputs[0] in self.same:
            if node.inputs[1] in self._sums():  # Keras renormalises what is a distribution already
                self.same.update(node.outputs)
        elif node.type in ("SelectV2", "Select") and self._guards(node):
            self.same.update(node.outputs)

    def _follow_scaled(self, node: Node) -> None:
        """Follow what only constants are set against: logits over a temperature, times a weight."""
        inputs = set(node.inputs)
        self.apart |= node.type in SLICING and handed_on(node) in self.same
        groups = (self.multiple, self.scaled, self.square)
        free = inputs & self._free
        alone = sum(t in self._free for t in node.inputs) == 1  # set against constants
        if node.type in PASSING | CLIPPING:
            for group in groups:
                if inputs & group:
                    group.update(node.outputs)
        elif node.type in ("Square", "Mul") and inputs <= self.multiple:
            self.square.update(node.outputs)
        elif node.type in _SCALING and alone:
            times = node.type == "Mul" or (node.type == "RealDiv" and node.inputs[0] in free)
            grows = times and all(self._positive(t) for t in inputs - free)
            for group in groups:
                linear = group is self.scaled and (times or node.type != "RealDiv")
                if free <= group and (linear or grows):
                    group.update(node.outputs)
            adds = node.type in ("AddV2", "Add") and free <= self.same
            if adds and any(self._is(t, 1.0) for t in inputs - free):
                self.following.update(node.outputs)
        elif node.type == "RealDiv" and self._over_another(node):
            self.scaled.update(node.outputs)  # by a temperature
        if set(node.outputs) & self.complement:
            self.scaled.update(node.outputs)

    def _positive(self, tensor: str) -> bool:
        constant = self._constant(tensor)
        return constant is not None and bool(np.all(constant > 0.0))

    def _over_another(self, node: Node) -> bool:
        above, below = node.inputs
        return above in self.scaled and below not in self._wiring.depends(self._argument)

    def _guards(self, node: Node) -> bool:
        """Say whether a where() keeps the argument but for a constant: the double-where guard."""
        branches = node.inputs[1:3]
        kept = [t for t in branches if t in self.same]
        return len(kept) == 1 and any(self._constant(t) is not None for t in branches)

    def _sums(self) -> set[str]:
        return {
            node.outputs[0]
            for node in self._wiring.forward
            if node.type == "Sum" and node.inputs[0] in self.same
        }

    def _size_of(self, node: Node) -> set[str]:
        """Name what an Exp takes minus the size of, as a stable softplus does."""
        source = self._wiring.producer(node.inputs[0])
        if source.type in ("SelectV2", "Select"):
            branches = set(source.inputs[1:3])
            negated = {t for b in branches for t in self._negated(b)}
            return branches if negated & branches else set()
        sizes = [self._wiring.producer(t) for t in self._negated(node.inputs[0])]
        return {t for size in sizes if size.type == "Abs" for t in size.inputs}

    def _negated(self, tensor: str) -> tuple[str, ...]:
        node = self._wiring.producer(tensor)
        return node.inputs if node.type == "Neg" else ()

    def _paired(self, node: Node) -> bool:
        """Say whether it multiplies the argument by another one, as labels multiply logits."""
        raw = {
            t
            for name in self._wiring.arguments
            if name != self._argument
            for t in passed_on(self._wiring, name)
        }
        return any(t in self.same for t in node.inputs) and any(t in raw for t in node.inputs)

    def _linear(self, node: Node) -> bool:
        """Say whether the argument itself is added to or taken from something computed."""
        if not self.same & set(node.inputs) or set(node.outputs) & (self.same | self.complement):
            return False
        return all(self._constant(t) is None for t in node.inputs)

    def _overlaps(self, node: Node) -> bool:
        """Say whether it multiplies the argument by another one, both summed: an intersection."""
        other = [t for t in node.inputs if t not in self.same]
        names = [n for n in self._wiring.arguments if n != self._argument]
        raw = {t for n in names for t in passed_on(self._wiring, n)}
        summed = {t for n in self._wiring.forward if n.type == "Sum" for t in n.inputs[:1]}
        return (
            len(other) == 1
            and other[0] in raw
            and not summed.isdisjoint(node.outputs)
            and not summed.isdisjoint(self.same)
        )

    def _less_max(self, node: Node, of: set[str]) -> bool:
        """Say whether an Exp takes the argument minus its own maximum."""
        source = self._wiring.producer(node.inputs[0])
        return (
            source.type == "Sub"
            and source.inputs[0] in of
            and source.inputs[1] in self._wiring.depends(self._argument)
        )

    def _adds_epsilon(self, node: Node) -> bool:
        constants = [self._constant(t) for t in node.inputs]
        return any(c is not None and np.all(np.abs(c) <= SMALL_CONSTANT) for c in constants)

    def _compared(self, node: Node) -> list[Hint]:
        if self.same.issuperset(node.inputs):
            return [Hint("whole", "each is compared with the others")]
        for tensor in node.inputs:
            constant = self._constant(tensor)
            if self._counts(tensor) or (
                constant is not None and constant.size > 1 and not np.any(constant % 1)
            ):
                return [Hint("whole", "is compared with whole numbers")]
            if constant is not None and constant.size == 1:
                number = float(constant.ravel()[0])
                if number in (0.0, 1.0):
                    return [Hint("binary", f"is compared with {number:g}")]
                if number == -1.0:
                    return [Hint("sign", "is compared with -1")]
        return []

    def _counts(self, tensor: str) -> bool:
        """Say whether a tensor holds the first whole numbers, as those of classes are."""
        node = self._wiring.producer(tensor)
        while node.type in PASSING and node.inputs:
            node = self._wiring.producer(handed_on(node))
        return node.type == "Range"

    def _fraction(self, tensor: str) -> bool:
        constant = self._constant(tensor)
        return constant is not None and bool(np.any(constant != np.round(constant)))

    def _is(self, tensor: str, number: float) -> bool:
        constant = self._constant(tensor)
        if constant is None or not constant.size:
            return False
        return bool(np.all(np.abs(constant.astype(float) - number) <= SMALL_CONSTANT))

    def _constant(self, tensor: str) -> Array | None:
        node = self._wiring.producer(tensor)
        while node.type in ("Identity", "Cast") and node.inputs:
            node = self._wiring.producer(node.inputs[0])
        return node.constant


def handed_on(node: Node) -> str:
    """Name what an operation hands on; "" where it takes nothing."""
    return node.inputs[node.type == "Split"] if node.inputs else ""  # its axis comes first


def passed_on(wiring: Wiring, argument: str) -> frozenset[str]:
    """Name the tensors that hold the numbers of an argument as they came."""
    found = {wiring.arguments[argument]}
    for node in wiring.forward:
        if node.type in PASSING and handed_on(node) in found:
            found.update(node.outputs)
    return frozenset(found)
