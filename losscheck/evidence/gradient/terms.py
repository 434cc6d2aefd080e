"""What a loss adds up, and which parts of a prediction share no term of it.

A mean over a million terms hides each of them in the rounding of the others. The terms themselves
do not: a prediction that only its own term depends on is differentiated through that term alone,
and all such predictions at once. The way back from the value goes through operations that are
linear for certain (sums, means, signs, products with what does not depend on the prediction) and
stops at the first that is not.

The pattern is not read off the graph but tried, and every pair of blocks is: with the blocks
numbered, each bit of the number picks half of them; those are moved, and the others must not feel
it. Two blocks differ in some bit, so 2·log2(blocks) moves leave no pair out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import numpy as np

from losscheck.model import Array
from losscheck.numerics.rungs import EPSILON
from losscheck.program.probing import Probe, Readout
from losscheck.program.tracing.wiring import Node, Wiring

RESHAPING = frozenset({"Identity", "Reshape", "Squeeze", "ExpandDims"})
REDUCING = frozenset({"Sum", "Mean"})
ADDING = frozenset({"AddV2", "Add", "AddN", "Sub"})
DIVIDING = frozenset({"RealDiv", "DivNoNan"})
SCALING = frozenset({"Mul"}) | DIVIDING
WIDEST = 2.0**-3
"""How far predictions are moved, of their scale: the widest step of the ladder."""

UNMOVED = 64 * EPSILON
"""Relative change of a block that counts as none: sums of other lengths may round otherwise."""


def terms(probe: Probe, graph: Wiring) -> Readout | None:
    """Find the terms of a loss at one case, with the weights that they have in it.

    Parameters
    ----------
    graph
        The graph of its program, with all shapes known.

    Returns
    -------
    Readout or None
        One block; None where the value itself is the only term, or shapes are unknown.
    """
    names = _factors(graph)
    factors = dict(zip(names, probe.fetch(names), strict=True))
    shape = graph.known_shape(graph.value)
    if shape is None:
        return None
    weights: dict[str, Array] = {graph.value: np.ones(shape)}
    last: dict[str, Array] = {}
    for node in reversed(graph.forward):
        reached = [tensor for tensor in node.outputs if tensor in weights]
        for tensor in reached:
            weight = weights.pop(tensor)
            shares = _shares(graph, node, weight, factors)
            if shares is None:
                last[tensor] = weight
            for source, share in (shares or {}).items():
                weights[source] = weights.get(source, 0.0) + share
    if not last or graph.value in last:
        return None
    flat = [np.ravel(weight) for weight in last.values()]
    sizes = tuple(len(weight) for weight in flat)
    return Readout(tuple(last), tuple(_plain(weight) for weight in flat), sizes=sizes)


def _plain(weight: Array) -> Array:
    """One number where all are the same."""
    return weight[:1] if weight.size and (weight == weight[0]).all() else weight


def _shares(
    graph: Wiring, node: Node, weight: Array, factors: Mapping[str, Array]
) -> dict[str, Array] | None:
    """Hand the weight of a result down to the operands; None where it is not linear in them."""
    depends = graph.depends(graph.prediction)
    operands = [tensor for tensor in node.inputs if tensor in depends]
    shapes = [graph.known_shape(tensor) for tensor in operands]
    if not operands or any(shape is None for shape in shapes):
        return None
    known = [shape for shape in shapes if shape is not None]
    if node.type == "Neg":
        return {operands[0]: -weight}
    if node.type in RESHAPING:
        return {operands[0]: weight.reshape(known[0])}
    if node.type in REDUCING and operands == [node.inputs[0]]:
        return _spread(graph, node, weight, known[0])
    if node.type in ADDING:
        signs = [-1.0 if node.type == "Sub" and i == 1 else 1.0 for i in range(len(node.inputs))]
        found: dict[str, Array] = {}
        for tensor, sign in zip(node.inputs, signs, strict=True):
            if tensor in depends:
                share = sign * _folded(weight, graph.known_shape(tensor) or ())
                found[tensor] = found.get(tensor, 0.0) + share
        return found
    if node.type in SCALING and len(operands) == 1:
        left = operands[0] == node.inputs[0]
        other = factors.get(node.inputs[1 if left else 0])
        if other is None or (node.type in DIVIDING and not left):
            return None
        factor = np.asarray(other, np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            scaled = weight / factor if node.type in DIVIDING else weight * factor
        return {operands[0]: _folded(scaled, known[0])} if np.isfinite(scaled).all() else None
    return None


def _spread(
    graph: Wiring, node: Node, weight: Array, shape: tuple[int, ...]
) -> dict[str, Array] | None:
    """Spread the weight of a sum or a mean over what it reduces."""
    constant = graph.producer(node.inputs[1]).constant
    if constant is None:
        return None
    axes = tuple(int(axis) % len(shape) for axis in np.ravel(constant)) if shape else ()
    kept = tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    whole = np.broadcast_to(weight.reshape(kept), shape)
    count = np.prod([shape[axis] for axis in axes]) if node.type == "Mean" else 1.0
    return {node.inputs[0]: whole / count}


def _folded(weight: Array, shape: tuple[int, ...]) -> Array:
    """Sum a weight over the axes along which an operand was broadcast."""
    extra = tuple(range(weight.ndim - len(shape)))
    folded = weight.sum(axis=extra)
    stretched = tuple(
        axis for axis, size in enumerate(shape) if size == 1 and folded.shape[axis] != 1
    )
    return np.asarray(folded.sum(axis=stretched, keepdims=True))


def _factors(graph: Wiring) -> Sequence[str]:
    """Name the operands of products and quotients that do not depend on the prediction."""
    depends = graph.depends(graph.prediction)
    return [
        tensor
        for tensor in dict.fromkeys(
            t for node in graph.forward if node.type in SCALING for t in node.inputs
        )
        if tensor not in depends and graph.dtype(tensor).startswith("float")
    ]


def apart(
    probe: Probe,
    found: Readout | None,
    shape: Sequence[int],
    scale: Array,
    most: int,
    seed: int,
) -> Readout | None:
    """Find the most blocks of a prediction that share no term.

    Parameters
    ----------
    found
        The terms of the loss, as one block.
    shape
        Of the prediction.
    scale
        (n,) float64, how far each element may be moved.
    most
        Blocks at most.

    Returns
    -------
    Readout or None
        The terms by blocks, at least two; None where the whole prediction hangs together.
    """
    if found is None:
        return None
    rng = np.random.default_rng(seed)
    signs = np.where(rng.random(len(scale)) < 0.5, -1.0, 1.0)
    move = WIDEST * scale * signs * rng.uniform(0.5, 1.0, len(scale))
    for blocks in candidates(shape, found.sizes, most):
        readout = attrs.evolve(found, blocks=blocks)
        if _independent(probe, readout, move):
            return readout
    return None


def candidates(shape: Sequence[int], terms: Sequence[int], most: int) -> list[int]:
    """Numbers of blocks worth a try, from the most to two.

    Leading axes are what losses keep apart: every element, every row, every sample.
    """
    found = []
    for rank in range(len(shape), 0, -1):
        natural = int(np.prod(shape[:rank]))
        blocks = next((b for b in range(min(natural, most), 1, -1) if natural % b == 0), 1)
        if blocks > 1 and all(size % blocks == 0 for size in terms):
            found.append(blocks)
    return list(dict.fromkeys(found))


def _independent(probe: Probe, readout: Readout, move: Array) -> bool:
    """Try every pair of blocks; the first two moves tell most of what hangs together."""
    number = np.arange(readout.blocks)
    masks = [
        ((number >> bit) & 1) == side
        for bit in range(int(readout.blocks - 1).bit_length())
        for side in (0, 1)
    ]
    each = len(move) // readout.blocks
    still = probe.along(readout, move[None], np.zeros(1, int), np.zeros(1))[0]
    bound = UNMOVED * np.fmax(np.abs(still), np.abs(still).max() * EPSILON)
    if not np.isfinite(still).all():
        return False
    for group in (masks[:2], masks[2:]):
        moved = np.asarray(group)
        if not len(moved):
            continue
        directions = np.repeat(moved, each, axis=1) * move
        there = probe.along(readout, directions, np.arange(len(moved)), np.ones(len(moved)))
        with np.errstate(invalid="ignore"):
            felt = ~(np.abs(there - still) <= bound)
        if (felt & ~moved).any():
            return False
    return True
