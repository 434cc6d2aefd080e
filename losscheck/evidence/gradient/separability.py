"""Which parts of a prediction a loss treats apart: blocks that share no term.

The pattern is not read off the graph but tried, and every pair of blocks is: with the blocks
numbered, each bit of the number picks half of them; those are moved, and the others must not feel
it. Two blocks differ in some bit, so 2·log2(blocks) moves leave no pair out.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from losscheck.model import Array
from losscheck.numerics.noise import EPSILON
from losscheck.program.probing import Probe, Readout

WIDEST = 2.0**-3
"""How far predictions are moved, of their scale: the widest step of the ladder."""

UNMOVED = 64 * EPSILON
"""Relative change of a block that counts as none: sums of other lengths may round otherwise."""


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
    probe
        The case.
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
