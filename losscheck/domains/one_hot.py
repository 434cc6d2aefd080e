"""The domain of one-hot rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from losscheck.domains import layout
from losscheck.domains.base import OUTSIDE, Domain, Shape
from losscheck.domains.floats import cast
from losscheck.domains.rows import axes, one_hot, row_width
from losscheck.domains.spread import is_mixed, lopsided_labels, mixed_labels
from losscheck.model import Array, Range

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


@attrs.frozen
class OneHot(Domain):
    """Rows with a single 1, the rest 0."""

    @property
    def elementwise(self) -> bool:
        """A row is one label."""
        return False

    @property
    def integral(self) -> bool:
        """Zeros and ones."""
        return True

    @property
    def bounds(self) -> tuple[float, float]:
        """The box around the rows."""
        return 0.0, 1.0

    def dimensions(self, shape: Shape) -> int:
        """None, as for all labels."""
        return 0

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
        """Rows of mixed classes in the ordinary range, beyond it some classes are missing."""
        width = row_width(self, shape)
        spread = mixed_labels if reach is Range.ORDINARY else lopsided_labels
        labels = spread(len(points), math.prod(shape[:-1]), width, rng)
        return one_hot(labels, width).reshape(len(points), *shape)

    def rows(self, width: int, dtype: str) -> tuple[Array, Array]:
        """Give the first classes and the last: (k, width) in the storage dtype, with ranges."""
        return self.inside(axes(width), dtype, width)

    def tokens(self, shape: Shape, dtype: str, classes: int = 2) -> Array:
        """Give the rows of classes: (k, width)."""
        return self.rows(row_width(self, shape), dtype)[0]

    def classify(self, values: Array, dtype: str = "float32", classes: int = 2) -> Array:
        """Ordinary where classes are mixed, else working: (n,) uint8, 3 for outside."""
        rows = layout.rows(np.asarray(values, np.float64))  # a sum in a half type overflows
        valid = ((rows == 0) | (rows == 1)).all(axis=(1, 2)) & (rows.sum(axis=2) == 1).all(axis=1)
        mixed = is_mixed(rows.argmax(axis=2), rows.shape[-1])
        ranges = np.where(mixed, Range.ORDINARY, Range.WORKING)
        return np.where(valid, ranges, OUTSIDE).astype(np.uint8)

    def strategy(
        self, shape: Shape, dtype: str = "float32", classes: int = 2
    ) -> SearchStrategy[Any]:
        """Arrays of any one-hot rows."""
        import hypothesis.extra.numpy as hnp
        import hypothesis.strategies as st

        width = row_width(self, shape)
        labels = hnp.arrays(np.int64, shape[:-1], elements=st.integers(0, width - 1))
        return labels.map(lambda drawn: cast(one_hot(drawn, width), dtype))
