"""The ordinary inputs on which layouts are compared."""

from __future__ import annotations

import functools

import numpy as np

from losscheck import domains
from losscheck.model import Array

CASES = 8  # ordinary inputs a layout is compared on


@functools.lru_cache(maxsize=64)  # losses of the same domains are tried at the same layouts
def ordinary(text: str, shape: tuple[int, ...], seed: int, classes: int) -> Array:
    """(CASES, *shape) float32: ordinary inputs of a domain; they are shared."""
    domain = domains.parse(text)
    numbers = domain.ordinary(CASES, shape, seed=seed, classes=classes)
    # Two decimals read better, and stay inside every ordinary range but that of rows.
    short = domain.elementwise and domain.contains(numbers.round(2)).all()
    found: Array = (numbers.round(2) if short else numbers).astype(np.float32)
    found.setflags(write=False)
    return found
