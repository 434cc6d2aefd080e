"""The operations that can fail, and where: numbers at which they or their slopes are not finite.

What is listed is a fact of the operation. Whether a loss may bring its input there is another
question, which `guided` asks, and whether the loss then fails is for the loss itself to show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import attrs
import numpy as np

from losscheck.model import Array
from losscheck.program.tracing.origin import Origins
from losscheck.program.tracing.wiring import Node, Wiring

EXP_OVERFLOWS = 88.72284
"""The smallest float32 number beyond ln(largest float32): exp of it is infinite."""
SINH_OVERFLOWS = 89.41599
"""The same for exp(x) / 2."""


@attrs.frozen
class Singular:
    """A singular set of an operation: of its input number `operand`, on one side of a number.

    `beyond` is -1 where everything at or below `at` is singular, 1 where everything at or above
    it is, and 0 where it is that number alone.
    """

    operand: int
    at: float
    beyond: int


_AT_ZERO = (Singular(0, 0.0, 0),)
_NOT_ABOVE_ZERO = (Singular(0, 0.0, -1),)
_DENOMINATOR = (Singular(1, 0.0, 0),)
_ENDS = (Singular(0, -1.0, -1), Singular(0, 1.0, 1))
SINGULAR: Final[Mapping[str, tuple[Singular, ...]]] = {
    "Log": _NOT_ABOVE_ZERO,
    "Log1p": (Singular(0, -1.0, -1),),
    "Sqrt": _NOT_ABOVE_ZERO,
    "Rsqrt": _NOT_ABOVE_ZERO,
    "Reciprocal": _AT_ZERO,
    "Inv": _AT_ZERO,
    "RealDiv": _DENOMINATOR,
    "Div": _DENOMINATOR,
    "DivNoNan": _DENOMINATOR,  # finite itself; it overflows beside 0
    "Xdivy": _DENOMINATOR,
    "FloorMod": _DENOMINATOR,
    "Xlogy": (Singular(1, 0.0, -1),),
    "Xlog1py": (Singular(1, -1.0, -1),),
    "Pow": _NOT_ABOVE_ZERO,
    "Exp": (Singular(0, EXP_OVERFLOWS, 1),),
    "Expm1": (Singular(0, EXP_OVERFLOWS, 1),),
    "Sinh": (Singular(0, -SINH_OVERFLOWS, -1), Singular(0, SINH_OVERFLOWS, 1)),
    "Cosh": (Singular(0, -SINH_OVERFLOWS, -1), Singular(0, SINH_OVERFLOWS, 1)),
    "Acos": _ENDS,
    "Asin": _ENDS,
    "Atanh": _ENDS,
    "Erfinv": _ENDS,
    "Ndtri": (Singular(0, 0.0, -1), Singular(0, 1.0, 1)),
    "Acosh": (Singular(0, 1.0, -1),),
    "Lgamma": _NOT_ABOVE_ZERO,  # poles at 0, -1, -2, ...: below 0 there is no way around them
    "Digamma": _NOT_ABOVE_ZERO,
    "BesselK0": _NOT_ABOVE_ZERO,
    "BesselK1": _NOT_ABOVE_ZERO,
}
PAIRED: Final = frozenset({"Atan2"})
"""Singular where both operands are zero."""


@attrs.frozen(eq=False)
class Target:
    """One number inside a loss, to be driven to where an operation fails."""

    node: Node
    tensors: tuple[str, ...]  # the operand; of an operation that fails where two are zero, both
    # As in `Singular`.
    at: float
    beyond: int

    @property
    def key(self) -> tuple[str, float]:
        """What tells it from the other targets of a loss, at any size of it."""
        return self.node.name, self.at

    def least(self, ends: Mapping[str, tuple[float, float]]) -> float:
        """How near it can come at the most, by the ends of its tensors; 0 where it can be met."""
        away = 0.0
        for name in self.tensors:
            low, high = ends[name]
            apart = (low - self.at, self.at - high)
            if self.beyond:
                away = max(away, apart[0] if self.beyond < 0 else apart[1])
            else:
                away = max(away, *apart)
        return away

    def gap(self, arrays: Mapping[str, Array]) -> Array:
        """(N, E) how far each element is from the singular set, 0 on its edge.

        Signed: negative beyond the edge of a one-sided set, of either sign beside a single number.
        """
        with np.errstate(invalid="ignore", over="ignore"):
            if len(self.tensors) == 2:
                return np.asarray(np.hypot(*(arrays[name] for name in self.tensors)))
            apart = arrays[self.tensors[0]] - self.at
        return np.asarray(-apart if self.beyond > 0 else apart)

    def met(self, gap: Array) -> Array:
        """Whether a gap lies in the singular set."""
        return np.asarray(gap <= 0.0 if self.beyond else gap == 0.0)

    @property
    def sign(self) -> float:
        """The slope of the gap in the number that is followed."""
        return -1.0 if self.beyond > 0 else 1.0


def targets(graph: Wiring, origins: Origins) -> tuple[Target, ...]:
    """List the numbers of a loss at which an operation of it would fail.

    Of the backward pass only what a user's own gradient holds: TensorFlow's operations fail where
    those of the forward pass do. Two operations of the same input fail at the same place, and the
    first of them stands for both.
    """
    ends = [graph.value] + ([graph.gradient] if graph.gradient else [])
    needed = {node.name for end in ends for node in graph.ancestors(end)}
    moving = frozenset[str]().union(*(graph.depends(name) for name in graph.arguments))
    found: dict[tuple[tuple[str, ...], float, int], Target] = {}
    for node in graph.nodes:
        if node.name not in needed or (node.backward and not origins.users_own(node.name)):
            continue
        for target in _of(node, graph):
            if not moving.isdisjoint(target.tensors):
                found.setdefault((target.tensors, target.at, target.beyond), target)
    return tuple(found.values())


def _of(node: Node, graph: Wiring) -> Iterator[Target]:
    if node.type in PAIRED:
        if _shape(graph, node.inputs[0]) == _shape(graph, node.inputs[1]):
            yield Target(node, node.inputs[:2], 0.0, 0)
        return
    if node.type == "Pow" and _natural(graph.producer(node.inputs[1])):
        return
    for place in SINGULAR.get(node.type, ()):
        tensor = node.inputs[place.operand]
        if _shape(graph, tensor) is not None:
            yield Target(node, (tensor,), place.at, place.beyond)


def _natural(node: Node) -> bool:
    """Whether an exponent is one or more constants, all of them 1, 2, 3, ..."""
    numbers = node.constant
    return numbers is not None and bool(((numbers >= 1) & (numbers == np.rint(numbers))).all())


def _shape(graph: Wiring, tensor: str) -> tuple[int, ...] | None:
    """The shape of a float32 tensor; None where it is another or not all known."""
    return graph.known_shape(tensor) if graph.dtype(tensor) == "float32" else None
