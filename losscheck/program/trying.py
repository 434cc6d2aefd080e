"""Whether a loss runs at all: one call, on numbers that hardly any operation refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from losscheck.model import Array, Inputs


def tried(run: Callable[[Inputs], object], shapes: Mapping[str, Sequence[int]]) -> None:
    """Run one case: of ones, or of numbers whose matrices have inverses and roots, if those raise.

    Raises
    ------
    Exception
        What the ones raise, where the others do, too.
    """
    try:
        run({name: np.ones((1, *shape)) for name, shape in shapes.items()})
    except Exception as error:
        try:
            run({name: _regular(shape)[None] for name, shape in shapes.items()})
        except Exception:  # it is not the numbers
            raise error from None


def _regular(shape: Sequence[int]) -> Array:
    """Ones on the diagonal of the last two axes, and small numbers beside it."""
    numbers = np.full(shape, 0.125)
    if len(shape) > 1:
        numbers += 0.875 * np.eye(shape[-2], shape[-1])
    return numbers
