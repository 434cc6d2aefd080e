"""Small numbers that are added so that nothing is divided by 0."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from losscheck.program.tracing.wiring import Wiring

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
