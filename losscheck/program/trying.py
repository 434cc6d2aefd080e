"""Whether a loss runs at all: one call, on numbers that hardly any operation refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from losscheck.model import Array, Inputs

DRAWS = 4  # of small whole numbers, which are labels as well; a few of them are all different
Maker = Callable[[Sequence[int], int], Array]  # of a shape, for the argument at a place


def tried(run: Callable[[Inputs], object], shapes: Mapping[str, Sequence[int]]) -> None:
    """Run one case: of ones, or of numbers whose matrices have inverses and roots, if those raise.

    Raises
    ------
    Exception
        What the ones raise, where the others do, too.
    """
    first: Exception | None = None
    makers: tuple[Maker, ...] = (
        lambda shape, _: np.ones(shape),
        _regular,
        *(_drawn(seed) for seed in range(DRAWS)),
        _spread,
        lambda shape, _: np.zeros(shape),
    )
    for make in makers:
        try:
            run({n: make(tuple(s), place)[None] for place, (n, s) in enumerate(shapes.items())})
        except Exception as error:  # it may be the numbers
            first = first or error
        else:
            return
    if first is not None:
        raise first from None


def _regular(shape: Sequence[int], _: int) -> Array:
    """Ones on the diagonal of the last two axes, and small numbers beside it."""
    numbers = np.full(shape, 0.125)
    if len(shape) > 1:
        numbers += 0.875 * np.eye(shape[-2], shape[-1])
    return numbers


def _drawn(seed: int) -> Maker:
    return lambda shape, _: np.random.default_rng(seed).integers(0, 3, shape).astype(float)


def _spread(shape: Sequence[int], place: int) -> Array:
    """Numbers between 0 and 1, others in each argument: shares, and what differs from another."""
    return np.random.default_rng(place).uniform(size=shape)
