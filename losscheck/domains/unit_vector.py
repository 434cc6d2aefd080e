"""The domain of directions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from losscheck.domains.base import Shape
from losscheck.domains.floats import cast, float_format
from losscheck.domains.rows import Rows, axes, rounding
from losscheck.model import Array, Range

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

# Parts up to this size leave a direction along an axis: their squares vanish beside 1 in float32.
_AXIS = 1e-8


@attrs.frozen
class UnitVector(Rows):
    """Rows of length 1."""

    @property
    def bounds(self) -> tuple[float, float]:
        """No box: formulas of unit vectors are defined around them."""
        return -math.inf, math.inf

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
        """Random directions; beyond the ordinary range, with parts made small one by one."""
        from scipy.special import ndtri

        directions: Array = ndtri(points).reshape(len(points), *shape)
        if reach is not Range.ORDINARY:
            # Half of the working parts are so small that the direction is along another axis.
            smallest = float_format(dtype).subnormal if reach is Range.EXTREME else _AXIS**2
            directions = directions * smallest ** rng.random(directions.shape)
        return self.project(directions)

    def project(self, values: Array) -> Array:
        """Divide rows by their lengths; rows of zeros stay."""
        largest = np.abs(values).max(axis=-1, keepdims=True)
        scaled = values / np.where(largest > 0.0, largest, 1.0)
        length = np.sqrt((scaled**2).sum(axis=-1, keepdims=True))
        rows: Array = scaled / np.where(length > 0.0, length, 1.0)
        return rows

    def _landmarks(self, width: int, dtype: str) -> Array:
        fmt = float_format(dtype)
        along = axes(width)
        beside = np.roll(along, 1, axis=1)
        equal = np.full((1, width), 1.0)
        first = equal.copy()
        first[0, 0] = -1.0
        rows = [along, equal, first]
        rows += [along + part * beside for part in (fmt.subnormal, fmt.tiny, fmt.eps, 1e-4, 1.0)]
        stacked = self.project(np.concatenate(rows))
        return np.concatenate([stacked, -stacked])

    def _valid(self, rows: Array, dtype: str) -> Array:
        # The square of a length moves twice as far as the length.
        far = 2.0 * rounding(rows.shape[-1], dtype)
        valid: Array = np.abs(np.square(rows).sum(axis=2) - 1.0) <= far
        return valid

    def _usual(self, rows: Array, dtype: str) -> Array:
        """Neither along an axis nor with all parts equal; a row of one part is always usual."""
        if rows.shape[-1] == 1:
            return np.ones(rows.shape[:2], bool)
        along = np.count_nonzero(np.abs(rows) > _AXIS, axis=2) == 1
        equal = (rows == rows[..., :1]).all(axis=2)
        usual: Array = ~(along | equal)
        return usual

    def strategy(
        self, shape: Shape, dtype: str = "float32", classes: int = 2
    ) -> SearchStrategy[Any]:
        """Arrays of any rows: numbers over their length."""
        import hypothesis.extra.numpy as hnp
        import hypothesis.strategies as st

        def rows(parts: Array) -> Array:
            whole = np.where(parts.any(axis=-1, keepdims=True), parts, 1.0)
            return cast(self.project(whole), dtype)

        return hnp.arrays(np.float64, shape, elements=st.floats(-1.0, 1.0, width=32)).map(rows)
