"""What one case of a loss costs, counted in its graph, and slices that end XLA's compiler.

XLA gives each tensor one size, and keeps beside it how much is used of one whose size only the run
tells. In a loop the two can come apart; its compiler takes that for a fault of its own and aborts,
which no caller can catch.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from losscheck.program.running.execution import executed
from losscheck.program.tracing.wiring import Node, Wiring

if TYPE_CHECKING:
    from losscheck.program.running.program import Program

_CONTRACTIONS = frozenset(
    {"MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum", "MatrixTriangularSolve"}
)

WINDOW = 9  # numbers that a pooling looks at for each that it gives, as most do
_PASSED_ON = frozenset({"Identity", "Cast", "ConcatV2", "Pack", "ExpandDims", "Reshape"})
_BOUNDS = {"StridedSlice": (1, 2), "Slice": (2,)}  # the operands that settle the size


@attrs.frozen(kw_only=True)
class Effort:
    """What value and gradient of one case take."""

    operations: int  # that are executed, those of a loop as often as it goes round
    numbers: int  # that they compute, each counted as often as numbers are multiplied for it


def effort(program: Program) -> Effort:
    """Count what one case of a program takes."""
    nodes = program.wiring.nodes
    operations = max(1, len(nodes))
    numbers = sum(_numbers(node, program.wiring) for node in nodes)
    cut = program.cut(program.whole)
    if program.loops and cut.sessions:
        ones = [np.ones(program.shapes[name]) for name in program.names]
        rounds = max(1.0, executed(cut, ones) / operations)
        operations, numbers = int(operations * rounds), int(numbers * rounds)
    return Effort(operations=operations, numbers=max(1, numbers))


def _numbers(node: Node, wiring: Wiring) -> int:
    if node.constant is not None:
        return 0
    own = sum(math.prod(size or 1 for size in shape or ()) for shape in node.shapes)
    return own * _terms(node, wiring)


def _terms(node: Node, wiring: Wiring) -> int:
    """How many products each number that an operation gives is a sum of."""
    if "Conv" in node.type and len(node.inputs) > 1:
        taps = _shape(wiring, node.inputs[1])[:-1]
        depthwise = node.type.startswith("Depthwise")
        return max(1, math.prod(taps[:-1] if depthwise else taps))
    if "Pool" in node.type:
        return WINDOW
    if node.type in _CONTRACTIONS:
        return max(1, *_shape(wiring, node.inputs[0])[-1:], 1)
    return 1


def _shape(wiring: Wiring, tensor: str) -> tuple[int, ...]:
    try:
        shape = wiring.shape(tensor)
    except KeyError:  # what a loop is handed from outside
        return ()
    return tuple(size or 1 for size in shape or ())


def sized_in_loops(definition: Any, rounds: Set[str]) -> bool:
    """Whether a loop takes a slice whose size is not written down.

    Parameters
    ----------
    definition
        The graph, a GraphDef.
    rounds
        Names of operations of loops that are no loops in it, but repeated.
    """
    functions = {f.signature.name: f for f in definition.library.function}
    inside = set(_called([n for n in _nodes(definition, functions) if "body" in n.attr], functions))
    repeated = {node.name: node for node in definition.node}
    return any(_of_unknown_size(functions[name].node_def) for name in inside) or any(
        _unknown(repeated[name], repeated) for name in rounds if name in repeated
    )


def _nodes(definition: Any, functions: Mapping[str, Any]) -> Iterator[Any]:
    yield from definition.node
    for function in functions.values():
        yield from function.node_def


def _called(nodes: list[Any], functions: Mapping[str, Any]) -> Iterator[str]:
    """The functions that nodes call, and those that these call."""
    seen: set[str] = set()
    while nodes:
        for value in nodes.pop().attr.values():
            for name in (value.func.name, *(f.name for f in value.list.func)):
                if name in functions and name not in seen:
                    seen.add(name)
                    nodes += functions[name].node_def
                    yield name


def _of_unknown_size(nodes: Iterable[Any]) -> bool:
    made = {node.name: node for node in nodes}
    return any(_unknown(node, made) for node in made.values())


def _unknown(node: Any, made: Mapping[str, Any]) -> bool:
    for operand, ends in zip(_BOUNDS.get(node.op, ()), ("begin_mask", "end_mask"), strict=False):
        # One entry (x[:, i]) has the size 1 whatever i is, and an end left open needs no number.
        free = node.attr["shrink_axis_mask"].i | node.attr[ends].i
        if not _settled(node.input[operand], made, free):
            return True
    return False


def _settled(tensor: str, made: Mapping[str, Any], free: int = 0) -> bool:
    """Whether each number of a tensor is a constant; bits of `free` stand for those left out."""
    node = made.get(tensor.lstrip("^").partition(":")[0])
    if node is None:  # comes from outside the function
        return False
    if node.op == "Const":
        return True
    if node.op == "Pack":
        return all(_settled(t, made) for i, t in enumerate(node.input) if not free >> i & 1)
    return node.op in _PASSED_ON and all(_settled(t, made) for t in node.input)
