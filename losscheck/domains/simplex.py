"""The domain of probabilities of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from losscheck.domains.base import Shape
from losscheck.domains.floats import cast, float_format
from losscheck.domains.rows import Rows, axes, rounding, row_width
from losscheck.model import Array, Range

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

# design.md: every part of an ordinary simplex is at least this ...
_SIMPLEX_PART = 1e-3
# ... but parts of rows wider than 100 cannot all be: there, a tenth of the mean part.
_SIMPLEX_SHARE = 0.1


@attrs.frozen
class Simplex(Rows):
    """Rows of parts of a whole: none negative, the sum 1."""

    @property
    def bounds(self) -> tuple[float, float]:
        """The box around the rows."""
        return 0.0, 1.0

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
        """Dirichlet rows above a floor; beyond the ordinary range, sharpened towards one-hot."""
        width = row_width(self, shape)
        parts = -np.log(points.reshape(len(points), *shape))
        if reach is Range.ORDINARY:
            low = _floor(width)
            return low + (1.0 - width * low) * self.project(parts)
        # Up to 30 parts of 1e-30 are left; up to 1000 rows are one-hot but for subnormals.
        decades = 1.5 if reach is Range.WORKING else 3.0
        sharpness = 10.0 ** (decades * rng.random((len(points), *(1 for _ in shape))))
        logs = sharpness * np.log(parts)
        return self.project(np.exp(logs - logs.max(axis=-1, keepdims=True)))

    def project(self, values: Array) -> Array:
        """Divide rows by their sums; rows that sum to 0 stay."""
        positive = np.maximum(values, 0.0)
        total = positive.sum(axis=-1, keepdims=True)
        rows: Array = positive / np.where(total > 0.0, total, 1.0)
        return rows

    def _landmarks(self, width: int, dtype: str) -> Array:
        fmt = float_format(dtype)
        corners = axes(width)
        opposite = np.roll(corners, 1, axis=1)
        small = (fmt.subnormal, fmt.tiny, fmt.eps / 2, fmt.eps, 1e-8, 1e-7, 1e-4, _SIMPLEX_PART)
        rows = [corners, np.full((1, width), 1.0 / width)]
        rows += [(1.0 - part) * corners + part * opposite for part in (*small, 0.5)]
        rows += [(1.0 - part) * corners + part / width for part in small]
        return np.concatenate(rows)

    def _valid(self, rows: Array, dtype: str) -> Array:
        off: Array = np.abs(rows.sum(axis=2) - 1.0)
        return np.where(np.all(rows >= 0.0, axis=2), off <= rounding(rows.shape[-1], dtype), False)

    def _usual(self, rows: Array, dtype: str) -> Array:
        low = _floor(rows.shape[-1])
        usual: Array = np.min(rows, axis=2) >= min(low, float(cast(np.array(low), dtype)))
        return usual

    def strategy(
        self, shape: Shape, dtype: str = "float32", classes: int = 2
    ) -> SearchStrategy[Any]:
        """Arrays of any rows: non-negative numbers over their sum."""
        import hypothesis.extra.numpy as hnp
        import hypothesis.strategies as st

        def rows(parts: Array) -> Array:
            whole = np.where(parts.any(axis=-1, keepdims=True), parts, 1.0)
            return cast(self.project(whole), dtype)

        return hnp.arrays(np.float64, shape, elements=st.floats(0.0, 1.0, width=32)).map(rows)


def _floor(width: int) -> float:
    """Give the smallest part of an ordinary simplex of this width."""
    return min(_SIMPLEX_PART, _SIMPLEX_SHARE / width)
