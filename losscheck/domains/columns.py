"""Domains by column: what stands in one place of the last axis is of another kind than the rest."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from losscheck.domains.base import Domain, Shape, Wanted
from losscheck.domains.box import Box
from losscheck.domains.labels import Labels
from losscheck.domains.numbers import Numbers
from losscheck.model import Array

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

# Rows in which the landmarks of columns meet at random, beside those in which one stands alone.
_MIXED = 512


Part = Numbers | Labels | Box


@attrs.frozen
class Columns(Domain):
    """Rows whose columns have domains of their own, each number judged by that of its column.

    Parameters
    ----------
    name
        The canonical text, a list in brackets.
    parts
        The domain of each column, or of the columns of a box. Where an array is wider, as layouts
        of other sizes are tried, they start again.
    """

    parts: tuple[Part, ...]
    movable = True  # every number by itself

    @property
    def representative(self) -> bool:
        """Whether no column is one of a box."""
        return all(part.representative for part in self.parts)

    @property
    def width(self) -> int | None:
        """One domain a column, or a box of several."""
        return sum(part.width or 1 for part in self.parts)

    @property
    def integral(self) -> bool:
        """Whether no column holds anything but whole numbers."""
        return all(part.integral for part in self.parts)

    @property
    def bounds(self) -> tuple[float, float]:
        """The interval around all columns; `limits` has those of each."""
        lows, highs = zip(*(part.bounds for part in self.parts), strict=True)
        return min(lows), max(highs)

    def limits(self, shape: Shape, *, working: bool = False) -> tuple[Array, Array]:
        """Give the ends of each column, along the last axis."""
        ends = [(part.limits((), working=working), size) for part, size in self._along(shape)]
        low, high = (
            np.concatenate([np.full(size, end[side], float) for end, size in ends])
            for side in (0, 1)
        )
        return (low, high) if shape else (low[0], high[0])

    def dimensions(self, shape: Shape) -> int:
        """Those of all columns together."""
        return sum(part.dimensions((*shape[:-1], size)) for part, size in self._along(shape))

    def draw(self, points: Array, to: Wanted) -> Array:
        """Draw each column from its own domain."""
        rest, drawn = points, []
        for part, size in self._along(to.shape):
            alone = attrs.evolve(to, shape=(*to.shape[:-1], size), classes=2)
            own, rest = np.split(rest, [part.dimensions(alone.shape)], axis=1)
            drawn.append(part.draw(own, alone))
        return np.concatenate(drawn, axis=-1).reshape(len(points), *to.shape)

    def tokens(self, shape: Shape, dtype: str, classes: int = 2) -> Array:
        """Give landmark rows: each number of a column beside usual ones, and any with any."""
        pools = [_pool(part, size, dtype) for part, size in self._along(shape)]
        rng = np.random.default_rng(len(pools))
        usual = self.ordinary(1, shape[-1:] or (1,), seed=0)[0]
        alone, column = [], 0
        for pool in pools:
            rows = np.tile(usual, (len(pool), 1))
            rows[:, column : column + pool.shape[1]] = pool
            alone.append(rows)
            column += pool.shape[1]
        mixed = [pool[rng.integers(len(pool), size=_MIXED)] for pool in pools]
        rows = np.concatenate([*alone, np.concatenate(mixed, axis=1)])
        return self.inside(rows, dtype, classes)[0]

    def classify(self, values: Array, dtype: str = "float32", classes: int = 2) -> Array:
        """Tell the widest range that a column of each case touches: (n,) uint8, 3 for outside."""
        ranges = np.zeros(len(values), np.uint8)
        for part, columns in self._columns(values):
            ranges = np.maximum(ranges, part.classify(columns, dtype))
        return ranges

    def clip(self, values: Array) -> Array:
        """Bring every number between the ends of its column, whole ones to a whole number."""
        return np.concatenate(
            [
                np.rint(part.clip(columns)) if part.integral else part.clip(columns)
                for part, columns in self._columns(values)
            ],
            axis=-1,
        ).reshape(values.shape)

    def project(self, values: Array) -> Array:
        """Put the corners of boxes in order."""
        parts = [part.project(columns) for part, columns in self._columns(values)]
        return np.concatenate(parts, axis=-1).reshape(values.shape)

    def strategy(
        self, shape: Shape, dtype: str = "float32", classes: int = 2
    ) -> SearchStrategy[Any]:
        """Arrays whose columns are any of their own domains."""
        import hypothesis.strategies as st

        along = self._along(shape)
        drawn = st.tuples(*(part.strategy((*shape[:-1], size), dtype) for part, size in along))
        return drawn.map(lambda parts: np.concatenate(parts, axis=-1).reshape(shape))

    def _along(self, shape: Shape) -> list[tuple[Part, int]]:
        """The domains along the last axis of a shape, and their columns; one of a number."""
        left, found = shape[-1] if shape else 1, []
        for part in itertools.cycle(self.parts):
            if left <= 0:
                break
            found.append((part, min(part.width or 1, left)))
            left -= part.width or 1
        return found

    def _columns(self, values: Array) -> Iterator[tuple[Part, Array]]:
        """Each domain with its numbers: (n, ..., columns)."""
        rows = values.reshape(len(values), 1) if values.ndim == 1 else values
        column = 0
        for part, size in self._along(rows.shape[1:]):
            yield part, rows[..., column : column + size]
            column += size


def _pool(part: Part, size: int, dtype: str) -> Array:
    """The landmarks of a part: (k, columns)."""
    if isinstance(part, Box):
        return part.tokens((size,), dtype)
    return part.scalars(dtype)[0][:, np.newaxis]


def named(parts: tuple[Part, ...]) -> Columns:
    """Give the domain by column of these domains."""
    return Columns(f"[{', '.join(part.name for part in parts)}]", parts)


def distinct(names: tuple[str, ...]) -> str:
    """Write domains of columns as one: a list, or the domain that all of them have."""
    return names[0] if len(set(names)) == 1 else f"[{', '.join(names)}]"
