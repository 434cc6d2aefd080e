"""Which columns of an argument the inner numbers of a loss follow: found by moving each of them."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import attrs
import numpy as np

from losscheck.model import Array
from losscheck.program.running.program import Program

MOST = 16  # columns that are told apart
STEP = 2.0**-6
# Of the argument: what is clipped away about one of them moves about another. Odd ones, so that no
# two columns are equal, nor a difference of some 0.
BASES = (0.0217, -0.7391, 1.6183)


@attrs.frozen(eq=False)
class Moved:
    """A loss at a few points, and at the same with one column of an argument moved.

    Parameters
    ----------
    program
        Of the loss.
    argument
        The one whose columns, along its last axis, are moved.
    """

    program: Program
    argument: str

    @property
    def width(self) -> int:
        """The number of columns; 0 where they are not told apart."""
        shape = self.program.shapes[self.argument]
        return shape[-1] if len(shape) > 1 and 1 < shape[-1] <= MOST else 0

    @functools.cached_property
    def inputs(self) -> dict[str, Array]:
        """For each argument (bases * (1 + columns), *shape): each base, and each move of it."""
        count = len(BASES) * (1 + self.width)
        found = {}
        for name, shape in self.program.shapes.items():
            size = max(1, int(np.prod(shape)))
            # Spread about 0.5: inside of most domains, and no two of them alike.
            spread = 0.25 + 0.5 * ((np.arange(size) * 0.61803) % 1.0)
            found[name] = np.tile(spread.reshape(shape), (count, *(1 for _ in shape)))
        own = found[self.argument].reshape(
            len(BASES), 1 + self.width, *found[self.argument].shape[1:]
        )
        for i, base in enumerate(BASES):
            own[i] += base
            for column in range(self.width):
                own[i, 1 + column, ..., column] += STEP
        return found

    def columns(self, tensors: Sequence[str]) -> dict[str, frozenset[int]]:
        """Name the columns that each tensor changes with."""
        return {
            name: frozenset(
                np.flatnonzero((values[:, 1:] != values[:, :1]).any(axis=(0, 2))).tolist()
            )
            for name, values in self._values(tensors).items()
        }

    def slopes(self, tensors: Sequence[str]) -> dict[str, Array]:
        """By how much each element of a tensor moves with each column: (elements, columns)."""
        return {
            name: ((values[0, 1:] - values[0, :1]) / STEP).T
            for name, values in self._values(tensors).items()
        }

    def _values(self, tensors: Sequence[str]) -> dict[str, Array]:
        """(bases, 1 + columns, elements) of each; nothing where the loss refuses the points."""
        if not self.width or not tensors:
            return {}
        try:
            fetched = self.program.fetch(tensors, self.inputs)
        except Exception:  # an index out of range, say
            return {}
        return {
            name: np.nan_to_num(np.asarray(array, np.float64)).reshape(
                len(BASES), 1 + self.width, -1
            )
            for name, array in zip(tensors, fetched, strict=True)
        }
