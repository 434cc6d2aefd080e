"""Small numbers that keep what is never negative from 0, and clips to where an argument lies."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from losscheck.program.tracing.wiring import Node, Wiring

SMALL_CONSTANT = 1e-2  # what people add before a logarithm or a division is an epsilon below this


def guards_total(wiring: Wiring, tensor: str, argument: Collection[str]) -> bool:
    """Say whether a tensor is a sum or mean of an argument and a small positive number.

    That keeps from 0 what is never below it; of numbers of either sign it only moves the pole.

    Parameters
    ----------
    argument
        The tensors that hold the argument's own numbers.
    """
    node = wiring.producer(tensor)
    if node.type not in ("Add", "AddV2"):
        return False
    sources = [wiring.producer(name) for name in node.inputs]
    constants = [source.constant for source in sources if source.constant is not None]
    small = any(bool(np.all((c > 0) & (c <= SMALL_CONSTANT))) for c in constants)
    totals = (source for source in sources if source.type in ("Sum", "Mean"))
    return small and any(source.inputs[0] in argument for source in totals)


def clips_to_unit(wiring: Wiring, node: Node) -> bool:
    """Say whether a clip ends at 1, or next to it."""
    return any(abs(bound - 1.0) <= SMALL_CONSTANT for bound in _bounds(wiring, node))


def floors(wiring: Wiring, node: Node) -> bool:
    """Say whether a clip begins at a small positive number: it is made for what ends at 0."""
    below = node.type in ("Maximum", "ClipByValue")
    return below and any(0.0 < bound <= SMALL_CONSTANT for bound in _bounds(wiring, node))


def _bounds(wiring: Wiring, node: Node) -> list[float]:
    constants = [wiring.producer(tensor).constant for tensor in node.inputs]
    return [float(c.ravel()[0]) for c in constants if c is not None and c.size == 1]
