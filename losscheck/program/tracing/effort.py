"""What one case of a loss costs: counted in its graph, so that it is the same on every machine."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

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


@attrs.frozen(kw_only=True)
class Effort:
    """What value and gradient of one case take.

    Attributes
    ----------
    operations
        That are executed, those of a loop as often as it goes round.
    numbers
        That they compute, each counted as often as numbers are multiplied for it.
    """

    operations: int
    numbers: int


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
        node = wiring.producer(tensor)
    except KeyError:  # what a loop is handed from outside
        return ()
    shape = node.shapes[node.outputs.index(tensor)]
    return tuple(size or 1 for size in shape or ())
