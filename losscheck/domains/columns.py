"""Domains by column: what stands in one place of the last axis is of another kind than the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from losscheck.domains.base import Domain, Shape
from losscheck.domains.labels import Labels
from losscheck.domains.numbers import Numbers
from losscheck.model import Array, Range

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

# Rows in which the landmarks of columns meet at random, beside those in which one stands alone.
_MIXED = 512


@attrs.frozen
class Columns(Domain):
    """Rows whose columns have domains of their own, each number judged by that of its column.

    Parameters
    ----------
    name
        The canonical text, a list in brackets.
    parts
        The domain of each column, of single numbers. Where an array is wider, as layouts of other
        sizes are tried, they start again.
    """

    parts: tuple[Numbers | Labels, ...]

    @property
    def elementwise(self) -> bool:
        """A number is judged by its place."""
        return False

    @property
    def movable(self) -> bool:
        """No column limits another."""
        return True

    @property
    def width(self) -> int | None:
        """One domain a column."""
        return len(self.parts)

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
        ends = [part.limits((), working=working) for part in self._along(shape)]
        low, high = (np.asarray([float(end[side]) for end in ends]) for side in (0, 1))
        return (low, high) if shape else (low[0], high[0])

    def dimensions(self, shape: Shape) -> int:
        """Those of all columns together."""
        return sum(part.dimensions(self._column(shape)) for part in self._along(shape))

    def draw(
        self,
        points: Array,
        shape: Shape,
        reach: Range,
        *,
        dtype: str = "float32",
        classes: int = 2,
        rng: np.random.Generator,
    ) -> Array:
        """Draw each column from its own domain."""
        rest, column = points, self._column(shape)
        drawn = []
        for part in self._along(shape):
            own, rest = np.split(rest, [part.dimensions(column)], axis=1)
            drawn.append(part.draw(own, column, reach, dtype=dtype, rng=rng))
        return np.concatenate(drawn, axis=-1).reshape(len(points), *shape)

    def tokens(self, shape: Shape, dtype: str, classes: int = 2) -> Array:
        """Give landmark rows: each number of a column beside usual ones, and any with any."""
        pools = [part.scalars(dtype)[0] for part in self._along(shape)]
        rng = np.random.default_rng(len(pools))
        width = len(pools)
        usual = self.ordinary(1, (width,), seed=0)[0]
        rows = [pool[rng.integers(len(pool), size=_MIXED)] for pool in pools]
        alone = np.concatenate([np.tile(usual, (len(pool), 1)) for pool in pools])
        alone[np.arange(len(alone)), np.repeat(np.arange(width), list(map(len, pools)))] = (
            np.concatenate(pools)
        )
        return self.inside(np.concatenate([alone, np.stack(rows, axis=1)]), dtype, classes)[0]

    def classify(self, values: Array, dtype: str = "float32", classes: int = 2) -> Array:
        """Tell the widest range that a column of each case touches: (n,) uint8, 3 for outside."""
        ranges = np.zeros(len(values), np.uint8)
        for part, column in self._columns(values):
            ranges = np.maximum(ranges, part.classify(column, dtype))
        return ranges

    def clip(self, values: Array) -> Array:
        """Bring every number between the ends of its column, whole ones to a whole number."""
        return np.concatenate(
            [
                np.rint(part.clip(column)) if part.integral else part.clip(column)
                for part, column in self._columns(values)
            ],
            axis=-1,
        ).reshape(values.shape)

    def strategy(
        self, shape: Shape, dtype: str = "float32", classes: int = 2
    ) -> SearchStrategy[Any]:
        """Arrays whose columns are any of their own domains."""
        import hypothesis.strategies as st

        column = self._column(shape)
        drawn = st.tuples(*(part.strategy(column, dtype) for part in self._along(shape)))
        return drawn.map(lambda parts: np.concatenate(parts, axis=-1).reshape(shape))

    def _along(self, shape: Shape) -> list[Numbers | Labels]:
        """The domains along the last axis of a shape; of a single number, the first."""
        width = shape[-1] if shape else 1
        return [self.parts[i % len(self.parts)] for i in range(width)]

    def _column(self, shape: Shape) -> Shape:
        return (*shape[:-1], 1)

    def _columns(self, values: Array) -> Iterator[tuple[Numbers | Labels, Array]]:
        """Each domain with its numbers: (n, ..., 1)."""
        rows = values.reshape(len(values), 1) if values.ndim == 1 else values
        for i, part in enumerate(self._along(rows.shape[1:])):
            yield part, rows[..., i : i + 1]


def named(parts: tuple[Numbers | Labels, ...]) -> Columns:
    """Give the domain by column of these domains."""
    return Columns(f"[{', '.join(part.name for part in parts)}]", parts)


def distinct(names: tuple[str, ...]) -> str:
    """Write domains of columns as one: a list, or the domain that all of them have."""
    return names[0] if len(set(names)) == 1 else f"[{', '.join(names)}]"
