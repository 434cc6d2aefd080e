"""The domain of boxes: a lower and an upper corner."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from losscheck.domains import layout
from losscheck.domains.base import OUTSIDE, Shape, Wanted
from losscheck.domains.floats import between, cast, float_format
from losscheck.domains.rows import Rows
from losscheck.model import Array, Range, UsageError

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

# Sides of ordinary boxes, in a unit square. Two that are drawn apart from each other overlap in
# more than half of the cases, as those do that a detector is trained on once it works.
_SIDES = (0.2, 0.8)
# The working range: coordinates of pixels of large images, and sides down to one of a thousand
# pixels, or none at all.
_FAR, _THIN = 1e4, 1e-3
_OTHERWISE = re.compile(r"box of ((?:[xyz][12]\s*,\s*)+[xyz][12])")


@attrs.frozen
class Box(Rows):
    """Rows of the lower and the upper end along each axis, in a unit square or in pixels."""

    # The columns of the lower ends of the axes, and those of the upper ends.
    lower: tuple[int, ...]
    upper: tuple[int, ...]
    representative = False  # how often boxes meet is for training to say
    movable = True  # a side by itself, up to the opposite one
    bounds = -math.inf, math.inf  # a corner can be anywhere

    @property
    def width(self) -> int | None:
        """Two ends an axis."""
        return 2 * len(self.lower)

    def limits(self, shape: Shape, *, working: bool = False) -> tuple[Array, Array]:
        """Give no ends, or those of the working range."""
        far = _FAR if working else math.inf
        return np.asarray(-far), np.asarray(far)

    def draw(self, points: Array, to: Wanted) -> Array:
        """Boxes of ordinary sides anywhere in the unit square; beyond, of any size and place."""
        if to.shape[-1:] != (self.width,):  # another layout, which is tried for its shape alone
            return points.reshape(len(points), *to.shape)
        rows = math.prod(to.shape[:-1])
        place, share = np.split(points.reshape(len(points), rows, 2, len(self.lower)), 2, axis=2)
        low, high = _SIDES
        side = low + (high - low) * share[:, :, 0]
        begin = place[:, :, 0] * (1.0 - side)
        if to.reach is not Range.ORDINARY:
            largest = math.sqrt(float_format(to.dtype).largest)  # whose area still fits
            far = math.log(_reach(to.dtype) if to.reach is Range.WORKING else largest)
            least = 0.0 if to.reach is Range.WORKING else -far
            size = np.exp(least + (far - least) * to.rng.random((*side.shape[:2], 1)))
            thin = np.exp(math.log(_THIN) * to.rng.random(side.shape))
            side = size * np.where(to.rng.random(side.shape) < 0.25, thin, side)
            side = np.where(to.rng.random(side.shape) < 0.1, 0.0, side)
            begin = (2.0 * begin - 1.0) * size / 2.0
        return self._joined(begin, begin + side).reshape(len(points), *to.shape)

    def tokens(self, shape: Shape, dtype: str, classes: int = 2) -> Array:
        """Give the landmark boxes: (k, width)."""
        if shape[-1:] != (self.width,):
            raise UsageError(
                f"A {self.name} has {self.width} columns along its last axis, but the shape given "
                f'is {shape}. Declare a shape such as "(B, {self.width})".'
            )
        return super().tokens(shape, dtype, classes)

    def project(self, values: Array) -> Array:
        """Put the ends of every axis in order."""
        if values.shape[-1:] != (self.width,):
            return values
        low, high = self._ends(values)
        return self._joined(np.fmin(low, high), np.fmax(low, high))

    def relatives(self) -> Iterator[Callable[[Array, np.random.Generator], Array]]:
        """Boxes within, around, beside at one side or one corner, and apart from others."""
        yield partial(self._resized, 0.5)
        yield partial(self._resized, 1.5)
        for first, others in ((1.0, 0.0), (1.0, 1.0), (1.25, 0.0), (2.0, -2.0)):
            yield partial(self._moved, np.array([first, *(others for _ in self.lower[1:])]))

    def _resized(self, factor: float, boxes: Array, rng: np.random.Generator) -> Array:
        """Boxes about the same centres."""
        low, high = self._ends(boxes)
        centre, half = (low + high) / 2.0, factor * (high - low) / 2.0
        return self._joined(centre - half, centre + half)

    def _moved(self, sides: Array, boxes: Array, rng: np.random.Generator) -> Array:
        """Boxes moved by so many of their own sides."""
        low, high = self._ends(boxes)
        # From the opposite side where it is moved by a whole side: they touch to the last bit.
        begin = np.where(sides == 1.0, high, low + sides * (high - low))
        return self._joined(begin, begin + (high - low))

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
        if values.shape[-1:] != (self.width,):
            return np.full(len(values), OUTSIDE, np.uint8)
        ranges = super().classify(values, dtype, classes)
        rows, far = layout.rows(np.asarray(values, np.float64)), _reach(dtype)
        sides = self._sides(rows)
        least = _THIN - 2.0 * float_format(dtype).eps
        near = between(rows, (-far, far), dtype).all(axis=(1, 2))
        near &= ((sides == 0.0) | (sides >= least)).all(axis=(1, 2))
        beyond = np.where(near, Range.ORDINARY, Range.EXTREME).astype(np.uint8)
        return np.maximum(ranges, beyond)

    def _landmarks(self, width: int, dtype: str) -> Array:
        axes = len(self.lower)
        unit = (np.zeros(axes), np.ones(axes))
        first = np.eye(axes)[0]
        pairs = [unit, (unit[0], unit[0]), (unit[1] / 4, 3 * unit[1] / 4), (-unit[1], unit[1])]
        pairs += [(first, 1.0 + first), (unit[1], 2.0 * unit[1])]  # beside the first
        pairs += [(unit[0], first), (unit[0], unit[1] - first)]  # of no area
        pairs += [(unit[1] / 2, unit[1] / 2), (-unit[1], unit[0])]
        sizes = (1e-8, 1e-4, 1e-2, 0.1, 10.0, 1e2, 1e3, _FAR, 1e9, 1e19)
        pairs += [(unit[0], size * unit[1]) for size in sizes]
        pairs += [(unit[1], 1.0 + size * unit[1]) for size in (2.0**-23, 1e-6, 1e-4)]
        for thin in (1e-8, 1e-2):
            pairs += [
                (unit[0], first + thin * (1.0 - first)),
                (unit[0], 1.0 - first + thin * first),
            ]
        return np.stack([self._joined(low, high) for low, high in pairs])

    def _valid(self, rows: Array, dtype: str) -> Array:
        finite = np.isfinite(rows).all(axis=2)
        low, high = self._ends(rows)
        return np.asarray(finite & (low <= high).all(axis=2))

    def _usual(self, rows: Array, dtype: str) -> Array:
        inside = between(rows, (0.0, 1.0), dtype).all(axis=2)
        least = _SIDES[0] - 2.0 * float_format(dtype).eps  # both corners are rounded
        return np.asarray(inside & (self._sides(rows) >= least).all(axis=2))

    def _sides(self, rows: Array) -> Array:
        low, high = self._ends(rows)
        with np.errstate(invalid="ignore"):  # of infinite rows, which are outside
            return np.asarray(high - low)

    def _ends(self, rows: Array) -> tuple[Array, Array]:
        """The lower and the upper ends (..., axes) of boxes (..., width)."""
        return rows[..., list(self.lower)], rows[..., list(self.upper)]

    def _joined(self, low: Array, high: Array) -> Array:
        rows = np.empty((*low.shape[:-1], 2 * len(self.lower)))
        rows[..., list(self.lower)], rows[..., list(self.upper)] = low, high
        return rows


def boxes(lower: tuple[int, ...], upper: tuple[int, ...]) -> Box:
    """Give the domain of boxes with the ends of their axes in these columns."""
    columns = {c: f"{axis}1" for c, axis in zip(lower, "xyz", strict=False)}
    columns |= {c: f"{axis}2" for c, axis in zip(upper, "xyz", strict=False)}
    names = [columns[c] for c in range(2 * len(lower))]
    usual = names == ["x1", "y1", "x2", "y2"]
    return Box("box" if usual else f"box of {', '.join(names)}", lower, upper)


def otherwise(text: str) -> Box | None:
    """Read boxes with other columns, as in "box of x1, x2, y1, y2"; None for anything else."""
    match = _OTHERWISE.fullmatch(text.lower())
    if match is None:
        return None
    columns = [part.strip() for part in match[1].split(",")]
    axes = sorted({column[0] for column in columns})
    wanted = sorted(f"{axis}{end}" for axis in axes for end in (1, 2))
    if sorted(columns) != wanted or axes != list("xyz")[: len(axes)]:
        return None
    lower, upper = (tuple(columns.index(f"{axis}{end}") for axis in axes) for end in (1, 2))
    return boxes(lower, upper)


def _reach(dtype: str) -> float:
    """How far out the working range reaches in a float type."""
    return min(_FAR, float_format(dtype).reach)
