"""Domains of labels: binary, sign, mask, class indices and one-hot rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from losscheck.domains import layout
from losscheck.domains.base import OUTSIDE, Domain, Shape, Wanted
from losscheck.domains.floats import cast
from losscheck.domains.layout import is_mixed, lopsided_labels, mixed_labels
from losscheck.domains.rows import axes, one_hot, row_width
from losscheck.model import Array, Range

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

# Landmarks of class indices: the first classes and the last; those between behave as they do.
_FIRST_CLASSES = 16


@attrs.frozen
class Labels(Domain):
    """Labels of two values, as floats: each occurs in an ordinary case that has room for it."""

    elementwise = True
    integral = True

    low: float
    high: float

    @property
    def bounds(self) -> tuple[float, float]:
        """The two values."""
        return self.low, self.high

    def levels(self, classes: int) -> int:
        """How many labels there are."""
        return 2

    def dimensions(self, shape: Shape) -> int:
        """None: a label has no place between two others that even spreading could reach."""
        return 0

    def draw(self, points: Array, to: Wanted) -> Array:
        """Mixed labels in the ordinary range, beyond it labels of which some are missing."""
        spread = mixed_labels if to.reach is Range.ORDINARY else lopsided_labels
        labels = spread(len(points), math.prod(to.shape), self.levels(to.classes), to.rng)
        return self._values(labels).reshape(len(points), *to.shape)

    def _values(self, labels: Array) -> Array:
        return self.low + labels * (self.high - self.low)

    def scalars(self, dtype: str, classes: int = 2) -> tuple[Array, Array]:
        """Every label: (k,) in the storage dtype, and the (k,) uint8 range of each."""
        return self.inside(np.array([self.low, self.high]), dtype, classes)

    def tokens(self, shape: Shape, dtype: str, classes: int = 2) -> Array:
        """Give the labels: (k,)."""
        return self.scalars(dtype, classes)[0]

    def classify(self, values: Array, dtype: str = "float32", classes: int = 2) -> Array:
        """Ordinary where labels are mixed, else working: (n,) uint8, 3 for outside."""
        flat = layout.flat(np.asarray(values, np.float64))
        labels = (flat - self.low) / (self.high - self.low)
        ranges = np.where(is_mixed(labels, self.levels(classes)), Range.ORDINARY, Range.WORKING)
        known = (labels == np.rint(labels)) & (labels >= 0) & (labels < self.levels(classes))
        return np.where(known.all(axis=1), ranges, OUTSIDE).astype(np.uint8)

    def strategy(
        self, shape: Shape, dtype: str = "float32", classes: int = 2
    ) -> SearchStrategy[Any]:
        """Arrays of any labels."""
        import hypothesis.extra.numpy as hnp
        import hypothesis.strategies as st

        labels = hnp.arrays(np.int64, shape, elements=st.integers(0, self.levels(classes) - 1))
        return labels.map(lambda drawn: cast(self._values(drawn), dtype))


@attrs.frozen
class Mask(Labels):
    """Zeros and ones of which some row must keep something: an empty mask is working."""

    def draw(self, points: Array, to: Wanted) -> Array:
        """Mixed masks without an empty row in the ordinary range, beyond it any mask."""
        mask = super().draw(points, to)
        if to.reach is Range.ORDINARY:
            rows = _rows(mask)
            kept = to.rng.integers(rows.shape[-1], size=rows.shape[:-1])
            empty = ~rows.any(axis=-1)
            case, row = np.nonzero(empty)
            rows[case, row, kept[case, row]] = 1.0
        return mask

    def classify(self, values: Array, dtype: str = "float32", classes: int = 2) -> Array:
        """Labels' range, and working where a row keeps nothing: (n,) uint8, 3 for outside."""
        ranges = super().classify(values, dtype, classes)
        kept = np.any(_rows(np.asarray(values)) != 0, axis=2).all(axis=1)
        floor: Array = np.where(kept, Range.ORDINARY, Range.WORKING).astype(np.uint8)
        return np.maximum(ranges, floor)


def _rows(mask: Array) -> Array:
    """View masks (n, *shape) as (n, rows, width): rows of one element are a column together."""
    if mask.ndim > 2 and mask.shape[-1] > 1:
        return layout.rows(mask)
    return layout.flat(mask)[:, np.newaxis]


@attrs.frozen
class ClassIndex(Labels):
    """The number of a class, 0 to C - 1; -1 and C are extreme: inside, for LC206 to look at."""

    bounds = 0.0, math.inf  # the number of classes is not known here

    def levels(self, classes: int) -> int:
        """One label a class."""
        return classes

    def draw(self, points: Array, to: Wanted) -> Array:
        """Labels' draws; of the extreme range, some labels are -1 or C."""
        drawn = super().draw(points, to)
        if to.reach is Range.EXTREME:
            wrong = to.rng.choice([-1.0, float(to.classes)], size=drawn.shape)
            return np.where(to.rng.random(drawn.shape) < 0.5, wrong, drawn)
        return drawn

    def scalars(self, dtype: str, classes: int = 2) -> tuple[Array, Array]:
        """Give the first classes, the last, -1 and C: (k,) in the storage dtype, with ranges."""
        some = [-1, *range(min(classes, _FIRST_CLASSES)), classes - 1, classes]
        return self.inside(np.unique(np.array(some, np.float64)), dtype, classes)

    def classify(self, values: Array, dtype: str = "float32", classes: int = 2) -> Array:
        """Labels' range; extreme where a label is -1 or C: (n,) uint8, 3 for outside."""
        flat = layout.flat(np.asarray(values, np.float64))
        wrong = (flat == -1.0) | (flat == classes)
        ranges = super().classify(np.where(wrong, 0.0, flat), dtype, classes)
        return np.where(wrong.any(axis=1), np.maximum(ranges, Range.EXTREME), ranges).astype(
            np.uint8
        )


@attrs.frozen
class PaddedClassIndex(ClassIndex):
    """Numbers of classes from 1 on, filled up with 0 at the end of a row, as CTC takes them."""

    def draw(self, points: Array, to: Wanted) -> Array:
        """Class indices' draws with the zeros at the end; ordinary rows name some class."""
        labels = super().draw(points, to)
        rows = _padded(_runs(labels))
        if to.reach is Range.ORDINARY:
            some = to.rng.integers(1, to.classes, size=rows.shape[:-1])
            rows[..., 0] = np.where(rows[..., 0] == 0.0, some, rows[..., 0])
        return rows.reshape(labels.shape)

    def classify(self, values: Array, dtype: str = "float32", classes: int = 2) -> Array:
        """Ordinary where every row names a class, else as class indices: (n,) uint8, 3 outside."""
        labels = np.asarray(values, np.float64)
        rows = _runs(labels)
        ranges = super().classify(labels, dtype, classes)
        named = (rows != 0.0).any(axis=2).all(axis=1)
        usual = np.where(named, Range.ORDINARY, Range.WORKING)
        ranges = np.where(ranges <= Range.WORKING, usual, ranges)
        padded = ((rows[..., 1:] == 0.0) | (rows[..., :-1] != 0.0)).all(axis=(1, 2))
        return np.where(padded, ranges, OUTSIDE).astype(np.uint8)

    def strategy(
        self, shape: Shape, dtype: str = "float32", classes: int = 2
    ) -> SearchStrategy[Any]:
        """Arrays of any labels, the zeros at the end."""
        drawn = super().strategy(shape, dtype, classes)
        return drawn.map(lambda labels: _padded(_runs(labels[np.newaxis])).reshape(shape))


def _runs(labels: Array) -> Array:
    """View labels (n, *shape) as (n, rows, length): without an axis beside the batch, one each."""
    return layout.rows(labels) if labels.ndim > 2 else layout.flat(labels)[..., np.newaxis]


def _padded(rows: Array) -> Array:
    """Move the zeros of each row to its end; the others keep their order."""
    order = np.argsort(rows == 0.0, axis=-1, kind="stable")
    return np.take_along_axis(rows, order, axis=-1)


@attrs.frozen
class OneHot(Domain):
    """Rows with a single 1, the rest 0."""

    integral = True
    bounds = 0.0, 1.0  # the box around the rows

    def dimensions(self, shape: Shape) -> int:
        """None, as for all labels."""
        return 0

    def draw(self, points: Array, to: Wanted) -> Array:
        """Rows of mixed classes in the ordinary range, beyond it some classes are missing."""
        width = row_width(self, to.shape)
        spread = mixed_labels if to.reach is Range.ORDINARY else lopsided_labels
        labels = spread(len(points), math.prod(to.shape[:-1]), width, to.rng)
        return one_hot(labels, width).reshape(len(points), *to.shape)

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
