"""The domain of boxes: two corners, the lower one first."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from losscheck.domains import layout
from losscheck.domains.base import OUTSIDE, Shape
from losscheck.domains.floats import between, cast, float_format
from losscheck.domains.rows import Rows
from losscheck.model import Array, Range, UsageError

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

WIDTH = 4  # x1, y1, x2, y2
# Sides of ordinary boxes, in a unit square. Two that are drawn apart from each other overlap in
# more than half of the cases, as those do that a detector is trained on once it works.
_SIDES = (0.2, 0.8)
# The working range: coordinates of pixels of large images, and sides down to one of a thousand
# pixels, or none at all.
_FAR, _THIN = 1e4, 1e-3


@attrs.frozen
class Box(Rows):
    """Rows of x1, y1, x2, y2 with x1 <= x2 and y1 <= y2, in a unit square or in pixels."""

    @property
    def width(self) -> int | None:
        """Two corners of two coordinates."""
        return WIDTH

    @property
    def movable(self) -> bool:
        """A side can be moved by itself, up to the opposite one."""
        return True

    @property
    def bounds(self) -> tuple[float, float]:
        """No ends: a corner can be anywhere."""
        return -math.inf, math.inf

    def limits(self, shape: Shape, *, working: bool = False) -> tuple[Array, Array]:
        """Give no ends, or those of the working range."""
        far = _FAR if working else math.inf
        return np.asarray(-far), np.asarray(far)

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
        """Boxes of ordinary sides anywhere in the unit square; beyond, of any size and place."""
        rows, over = divmod(points.shape[1], WIDTH)
        if over or not rows:  # a layout of another size, which is tried for its shape alone
            return points.reshape(len(points), *shape)
        quarters = points.reshape(len(points), rows, 2, 2)  # (place, side) of each axis
        low, high = _SIDES
        side = low + (high - low) * quarters[..., 1]
        begin = quarters[..., 0] * (1.0 - side)
        if reach is not Range.ORDINARY:
            largest = math.sqrt(float_format(dtype).largest)  # whose area still fits
            far = math.log(_reach(dtype) if reach is Range.WORKING else largest)
            least = 0.0 if reach is Range.WORKING else -far
            size = np.exp(least + (far - least) * rng.random((len(points), rows, 1)))
            thin = np.exp(math.log(_THIN) * rng.random(side.shape))
            side = size * np.where(rng.random(side.shape) < 0.25, thin, side)
            side = np.where(rng.random(side.shape) < 0.1, 0.0, side)
            begin = (2.0 * begin - 1.0) * size / 2.0
        boxes = np.concatenate([begin, begin + side], axis=-1)
        return boxes.reshape(len(points), *shape)

    def tokens(self, shape: Shape, dtype: str, classes: int = 2) -> Array:
        """Give the landmark boxes: (k, 4)."""
        if shape[-1:] != (WIDTH,):
            raise UsageError(
                f"A box has x1, y1, x2, y2 along its last axis, but the shape given is {shape}. "
                'Declare a shape such as "(B, 4)".'
            )
        return super().tokens(shape, dtype, classes)

    def project(self, values: Array) -> Array:
        """Put the corners of every box in order."""
        if values.shape[-1] != WIDTH:
            return values
        pairs = np.sort(values.reshape(*values.shape[:-1], 2, 2), axis=-2)
        return pairs.reshape(values.shape)

    def relatives(self) -> Iterator[Callable[[Array, np.random.Generator], Array]]:
        """Boxes within, around, beside at one side or one corner, and apart from others."""
        yield partial(_resized, 0.5)
        yield partial(_resized, 1.5)
        yield partial(_moved, 1.0, 0.0)
        yield partial(_moved, 1.0, 1.0)
        yield partial(_moved, 1.25, 0.0)
        yield partial(_moved, 2.0, -2.0)

    def strategy(
        self, shape: Shape, dtype: str = "float32", classes: int = 2
    ) -> SearchStrategy[Any]:
        """Arrays of any boxes."""
        import hypothesis.extra.numpy as hnp
        import hypothesis.strategies as st

        numbers = st.floats(-_FAR, _FAR, allow_nan=False, width=16)
        arrays = hnp.arrays(np.float64, shape, elements=numbers)
        return arrays.map(lambda drawn: cast(self.project(drawn), dtype))

    def classify(self, values: Array, dtype: str = "float32", classes: int = 2) -> Array:
        """Ordinary boxes fill a good part of a unit square, working ones lie in large images."""
        if values.shape[-1] != WIDTH:
            return np.full(len(values), OUTSIDE, np.uint8)
        ranges = super().classify(values, dtype, classes)
        rows, far = layout.rows(np.asarray(values, np.float64)), _reach(dtype)
        with np.errstate(invalid="ignore"):  # of infinite rows, which are outside
            sides = rows[..., 2:] - rows[..., :2]
        least = _THIN - 2.0 * float_format(dtype).eps
        near = between(rows, (-far, far), dtype).all(axis=(1, 2))
        near &= ((sides == 0.0) | (sides >= least)).all(axis=(1, 2))
        beyond = np.where(near, Range.ORDINARY, Range.EXTREME).astype(np.uint8)
        return np.maximum(ranges, beyond)

    def _landmarks(self, width: int, dtype: str) -> Array:
        unit = np.array([0.0, 0.0, 1.0, 1.0])
        rows = [unit, np.zeros(4), np.array([0.25, 0.25, 0.75, 0.75])]
        rows += [np.array([1.0, 0.0, 2.0, 1.0]), np.array([1.0, 1.0, 2.0, 2.0])]  # beside the first
        rows += [np.array([0.0, 0.0, 1.0, 0.0]), np.array([0.0, 0.0, 0.0, 1.0])]  # of no area
        rows += [np.full(4, 0.5), -unit[::-1], np.array([-1.0, -1.0, 1.0, 1.0])]
        rows += [unit * size for size in (1e-8, 1e-4, 1e-2, 0.1, 10.0, 1e2, 1e3, _FAR, 1e9, 1e19)]
        rows += [1.0 + unit * size for size in (2.0**-23, 1e-6, 1e-4)]
        rows += [np.array([0.0, 0.0, 1.0, thin]) for thin in (1e-8, 1e-2)]
        rows += [np.array([0.0, 0.0, thin, 1.0]) for thin in (1e-8, 1e-2)]
        return np.stack(rows)

    def _valid(self, rows: Array, dtype: str) -> Array:
        finite = np.isfinite(rows).all(axis=2)
        return np.asarray(finite & (rows[..., :2] <= rows[..., 2:]).all(axis=2))

    def _usual(self, rows: Array, dtype: str) -> Array:
        with np.errstate(invalid="ignore"):  # of infinite rows, which are outside
            sides = rows[..., 2:] - rows[..., :2]
        inside = between(rows, (0.0, 1.0), dtype).all(axis=2)
        least = _SIDES[0] - 2.0 * float_format(dtype).eps  # both corners are rounded
        return np.asarray(inside & (sides >= least).all(axis=2))


def _reach(dtype: str) -> float:
    """How far out the working range reaches in a float type."""
    return min(_FAR, float_format(dtype).reach)


def _resized(factor: float, boxes: Array, rng: np.random.Generator) -> Array:
    """Boxes about the same centres."""
    low, high = boxes[..., :2], boxes[..., 2:]
    centre, half = (low + high) / 2.0, factor * (high - low) / 2.0
    return np.concatenate([centre - half, centre + half], axis=-1)


def _moved(right: float, up: float, boxes: Array, rng: np.random.Generator) -> Array:
    """Boxes moved by parts of their own sides."""
    step = (boxes[..., 2:] - boxes[..., :2]) * np.array([right, up])
    # From the opposite side where it is moved by a whole side, so that they touch to the last bit.
    low = np.where(np.array([right, up]) == 1.0, boxes[..., 2:], boxes[..., :2] + step)
    return np.concatenate([low, low + (boxes[..., 2:] - boxes[..., :2])], axis=-1)
