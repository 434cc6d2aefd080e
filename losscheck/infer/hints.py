"""What a traced graph says about the values that its arguments may take.

A logarithm of an argument wants it positive, a logarithm of one minus it wants it below one, a
softmax wants logits, an index wants whole numbers. Each hint keeps the reason for the report.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

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


_DENSE, _SPARSE = "SoftmaxCrossEntropyWithLogits", "SparseSoftmaxCrossEntropyWithLogits"
_ENTROPIES = f"{_DENSE} {_SPARSE}"
# Operations, which of their inputs holds the argument, and how; the use, and why. What holds it
# scaled or as a multiple does not hold the same.
_ROWS = (
    ("Log", 0, "same", "log", "goes into a log"),
    ("Sqrt Rsqrt", 0, "same", "nonnegative", "goes into a square root"),
    ("Acos Asin Atanh", 0, "same", "cosine", "goes into {op}"),
    ("Softmax", 0, "same", "logits", "goes into a softmax"),
    ("LogSoftmax", 0, "same", "logits", "goes into a log-softmax"),
    ("Sigmoid", 0, "same", "logits", "goes into a sigmoid"),
    ("Softplus", 0, "same", "softplus", "goes into a softplus"),
    ("Lgamma Digamma", 0, "same", "gamma", "goes into {op}"),
    ("Softmax", 0, "scaled", "scaled-logits", "goes into a softmax, scaled"),
    ("LogSoftmax", 0, "scaled", "scaled-logits", "goes into a log-softmax, scaled"),
    ("Sigmoid", 0, "scaled", "scaled-logits", "goes into a sigmoid, scaled"),
    ("Log", 0, "multiple", "positive", "a multiple of it goes into a log"),
    ("Sqrt Rsqrt", 0, "multiple", "nonnegative", "a multiple of it goes into a square root"),
    ("Lgamma", 0, "multiple", "gamma", "a multiple of it goes into lgamma"),
    ("Log Sqrt", 0, "complement", "log-complement", "1 - {name} goes into a {op}"),
    ("Lgamma", 0, "following", "count", "its factorial is taken"),
    ("Log1p", 0, "negative", "log-complement", "-{name} goes into log1p"),
    ("Log1p", 0, "same", "nonnegative", "goes into log1p"),
    ("Xlogy", 1, "same", "log", "goes into a log (xlogy)"),
    ("Xlogy Xlog1py", 1, "complement", "log-complement", "goes into a log of one minus it"),
    ("Xlogy Xlog1py", 1, "negative", "log-complement", "goes into a log of one minus it"),
    (_ENTROPIES, 0, "scaled", "scaled-logits", "goes into a cross entropy with logits, scaled"),
    (_ENTROPIES, 0, "same", "logits", "goes into a cross entropy with logits"),
    (_SPARSE, 1, "same", "index", "is the label of a sparse cross entropy"),
    ("OneHot", 0, "same", "index", "goes into a one_hot"),
    ("GatherV2 GatherNd ResourceGather", 1, "same", "index", "is used as an index"),
)


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

    def uses(self, node: Node) -> Iterator[Hint]:
        """The uses that an operation puts the argument to."""
        op, inputs = node.type, node.inputs
        for kinds, place, group, use, why in _ROWS:
            if op in kinds.split() and self._holds(group, inputs[place]):
                yield Hint(use, why.format(op=op.lower(), name=self._argument))
        if op == _DENSE and inputs[1] in self._wiring.depends(self._argument):
            yield Hint("one-hot", "is the label of a softmax cross entropy")
        if op == "Cast" and inputs[0] in self.same and node.dtypes[0].startswith("int"):
            yield Hint("whole", "is made a whole number")
        if op == "Pow" and inputs[0] in self.same and self._fraction(inputs[1]):
            yield Hint("nonnegative", "is raised to a fractional power")
        if op in ("Equal", "NotEqual") and not self.same.isdisjoint(inputs):
            yield from self._compared(node)
        if op in CLIPPING and not self.same.isdisjoint(inputs):
            if clips_to_unit(self._wiring, node):
                yield Hint("unit-interval", "is clipped into [0, 1]")
            elif floors(self._wiring, node):
                yield Hint("guarded", "is held above a small positive number")
        if op in ("Sub", "AddV2", "Add") and self._linear(node):
            yield Hint("linear", "is a term of its own")
        if op == "Exp":
            yield from self._exponents(inputs[0])
        yield from self._products(node)
        yield from self._quotients(node)

    def _holds(self, group: str, tensor: str) -> bool:
        apart = group in ("scaled", "multiple") and tensor in self.same
        return tensor in getattr(self, group) and not apart

    def _products(self, node: Node) -> Iterator[Hint]:
        others = [tensor for tensor in node.inputs if tensor not in self.same]
        if node.type == "Mul" and len(others) < 2 and not self._raw.isdisjoint(node.inputs):
            yield Hint("paired", "is multiplied by another one")
            if others and self._is_summed(node.outputs) and self._is_summed(self.same):
                yield Hint("overlap", "is summed, and so is its product with the other one")
        if node.type in ("Mul", "Xlogy", "MulNoNan") and self.complement & set(node.inputs):
            yield Hint("complement", f"1 - {self._argument} is a weight of the other case")

    def _quotients(self, node: Node) -> Iterator[Hint]:
        if node.type not in ("RealDiv", "DivNoNan", "Reciprocal", "Inv"):
            return
        *above, below = node.inputs
        if below in self.multiple | self.square:
            yield Hint("divisor", "is a divisor")
            if not self.of_others.isdisjoint(above):
                yield Hint("scale", "is a divisor of what depends on others")
        if above and above[0] in self.same and below in self._sums():
            yield Hint("sums-to-one", "is divided by its own sum")
        if above and guards_total(self._wiring, below, self.same):
            yield Hint("guarded", "a small number is added to its total before a division")

    def _exponents(self, tensor: str) -> Iterator[Hint]:
        """A softmax written out takes its maximum away, a stable softplus its size."""
        source = self._wiring.producer(tensor)
        shifted = source.type == "Sub" and source.inputs[1] in self._wiring.depends(self._argument)
        whole = {source.inputs[0]} if shifted else set()
        for taken, same, what in (
            (whole, self.same, "a softmax"),
            (self._size_of(tensor), self.same | self.negative, "a cross entropy with logits"),
        ):
            if taken and taken <= same:
                yield Hint("logits", f"goes into {what}")
            elif taken and taken <= self.scaled:
                yield Hint("scaled-logits", f"goes into {what}, scaled")

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

    def _size_of(self, tensor: str) -> set[str]:
        """Name what a tensor is minus the size of, as in the exponent of a stable softplus."""
        source = self._wiring.producer(tensor)
        if source.type in ("SelectV2", "Select"):
            branches = set(source.inputs[1:3])
            negated = {t for b in branches for t in self._negated(b)}
            return branches if negated & branches else set()
        sizes = [self._wiring.producer(t) for t in self._negated(tensor)]
        return {t for size in sizes if size.type == "Abs" for t in size.inputs}

    def _negated(self, tensor: str) -> tuple[str, ...]:
        node = self._wiring.producer(tensor)
        return node.inputs if node.type == "Neg" else ()

    @functools.cached_property
    def _raw(self) -> frozenset[str]:
        """The tensors that hold the numbers of other arguments as they came."""
        others = (name for name in self._wiring.arguments if name != self._argument)
        return frozenset().union(*(passed_on(self._wiring, name) for name in others))

    def _is_summed(self, tensors: Collection[str]) -> bool:
        return any(n.type == "Sum" and n.inputs[0] in tensors for n in self._wiring.forward)

    def _linear(self, node: Node) -> bool:
        """Say whether the argument itself is added to or taken from something computed."""
        if not self.same & set(node.inputs) or set(node.outputs) & (self.same | self.complement):
            return False
        return all(self._constant(t) is None for t in node.inputs)

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
