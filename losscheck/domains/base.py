"""What a domain is: the values that an argument may take, and how far out each of them lies."""

from __future__ import annotations

import abc
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from losscheck.domains import layout
from losscheck.domains.floats import cast
from losscheck.domains.layout import uniform
from losscheck.model import Array, Range

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

OUTSIDE = 3  # the code of values outside the domain, beyond every `Range`
Shape = tuple[int, ...]


@attrs.frozen(kw_only=True, eq=False)
class Wanted:
    """What drawn arrays are to be."""

    shape: Shape  # of each
    reach: Range  # that they come from
    rng: np.random.Generator
    dtype: str = "float32"
    classes: int = 2


@attrs.frozen
class Domain(abc.ABC):
    """The values that one argument may take, in three ranges (see `Range`).

    Notes
    -----
    Wherever a method takes `classes`, it is the number of classes of a `class_index`; the other
    domains disregard it.
    """

    name: str  # the canonical text, as `parse` reads it

    @property
    def elementwise(self) -> bool:
        """False where the constraint holds rows along the last axis together."""
        return False

    @property
    def movable(self) -> bool:
        """Whether one number of a row may be moved by itself."""
        return self.elementwise

    @property
    def representative(self) -> bool:
        """Whether shares of ordinary rows say something of those that training meets."""
        return True

    @property
    def width(self) -> int | None:
        """The size of the last axis, where only one will do."""
        return None

    @property
    def integral(self) -> bool:
        """Whether only whole numbers are inside."""
        return False

    @property
    @abc.abstractmethod
    def bounds(self) -> tuple[float, float]:
        """The box that finite differences must stay in."""

    @property
    def open_ends(self) -> tuple[bool, bool]:
        """Whether the lower and the upper end of `bounds` are themselves outside."""
        low, high = self.bounds
        return math.isinf(low), math.isinf(high)

    def dimensions(self, shape: Shape) -> int:
        """How many uniform coordinates `draw` takes for one array of this shape."""
        return math.prod(shape)

    @abc.abstractmethod
    def draw(self, points: Array, to: Wanted) -> Array:
        """Turn uniform points into arrays that reach out to a range.

        Draws of a wider range may fall into a narrower one, and extreme ones may round out of the
        domain: `classify` has the last word.

        Parameters
        ----------
        points
            (n, dimensions(shape)) float64 in (0, 1).

        Returns
        -------
        Array
            (n, *shape) float64.
        """

    @abc.abstractmethod
    def tokens(self, shape: Shape, dtype: str, classes: int = 2) -> Array:
        """Give the landmark values that arrays of this shape are put together from.

        Returns
        -------
        Array
            (k,) numbers for elementwise domains, else (k, shape[-1]) rows; each inside the domain.
        """

    @abc.abstractmethod
    def classify(self, values: Array, dtype: str = "float32", classes: int = 2) -> Array:
        """Tell the widest range that each case touches.

        Parameters
        ----------
        values
            (n, *shape); the ends of ranges are rounded to `dtype` before they are compared.

        Returns
        -------
        Array
            (n,) uint8: a `Range`, or 3 for values outside the domain.
        """

    @abc.abstractmethod
    def strategy(
        self, shape: Shape, dtype: str = "float32", classes: int = 2
    ) -> SearchStrategy[Any]:
        """Give a Hypothesis strategy of arrays inside the domain, of this shape and dtype."""

    def limits(self, shape: Shape, *, working: bool = False) -> tuple[Array, Array]:
        """Give the ends of each number, as arrays that broadcast to a shape.

        Parameters
        ----------
        working
            The ends of the working range instead of those of the domain, where it has such.
        """
        low, high = self.bounds
        return np.asarray(low), np.asarray(high)

    def clip(self, values: Array) -> Array:
        """Bring numbers between their ends."""
        clipped: Array = np.clip(values, *self.bounds)
        return clipped

    def project(self, values: Array) -> Array:
        """Bring rows that were moved a little back into the domain, where rows are constrained."""
        return values

    def relatives(self) -> Iterator[Callable[[Array, np.random.Generator], Array]]:
        """Give moves of labels (n, *shape) to predictions that stand in a special relation."""
        return iter(())

    def ordinary(self, n: int, shape: Shape, seed: int, *, classes: int = 2) -> Array:
        """Evenly spread cases of the ordinary range.

        Returns
        -------
        Array
            (n, *shape) float64.
        """
        rng = np.random.default_rng(seed)
        # Shuffled: two arguments drawn with different seeds would otherwise depend on each other.
        points = rng.permutation(uniform(n, self.dimensions(shape), rng))
        to = Wanted(shape=shape, reach=Range.ORDINARY, rng=rng, classes=classes)
        return self.draw(points, to)

    def contains(
        self,
        values: Array,
        within: Range = Range.WORKING,
        *,
        dtype: str = "float32",
        classes: int = 2,
    ) -> Array:
        """Whether each case of (n, *shape) lies in a range or in one inside of it: (n,) bool."""
        inside: Array = self.classify(values, dtype, classes) <= int(within)
        return inside

    def corners(
        self, shape: Shape, dtype: str = "float32", classes: int = 2, seed: int = 0
    ) -> tuple[Array, Array]:
        """Landmark arrays: one token everywhere, one amid ordinary values, and tokens mixed.

        Returns
        -------
        tuple[Array, Array]
            (k, *shape) in the storage dtype of `dtype`, and the (k,) uint8 range of each.
        """
        tokens = self.tokens(shape, dtype, classes)
        arrays = layout.fill(tokens, shape)
        if layout.slots(shape, tokens) > 1:
            rng = np.random.default_rng(seed)
            background = self.ordinary(len(tokens), shape, seed, classes=classes)
            planted = layout.plant(background, tokens, rng.random(len(tokens)))
            usual = tokens[self.contains(tokens, dtype=dtype, classes=classes)]
            mixed = [layout.scatter(pool, len(pool), shape, rng) for pool in (usual, tokens)]
            arrays = np.concatenate([arrays, planted, *mixed])
        return self.inside(arrays, dtype, classes)

    def inside(self, values: Array, dtype: str, classes: int) -> tuple[Array, Array]:
        """Cast cases and keep those that are inside the domain afterwards, with their ranges."""
        stored = cast(values, dtype)
        ranges = self.classify(stored, dtype, classes)
        kept = ranges < OUTSIDE
        return stored[kept], ranges[kept]
