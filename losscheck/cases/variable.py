"""An argument at one size."""

from __future__ import annotations

import math
from collections.abc import Callable

import attrs
import numpy as np

from losscheck.domains import OUTSIDE, Domain, layout
from losscheck.domains.floats import between, float_format
from losscheck.model import Array, Inputs, Met, Range

# A change of some arguments, which it returns; it makes of independent values related ones.
Change = Callable[[Inputs, np.random.Generator], dict[str, Array]]


@attrs.frozen(eq=False)
class Variable:
    """An argument at one size, with its landmarks.

    Parameters
    ----------
    name, role
        Those of the argument.
    domain
        What it may hold.
    shape
        Of one case.
    tokens
        (k,) or (k, width): its landmark numbers or rows.
    usual
        Those of the tokens that are working or ordinary.
    met
        The numbers of the user's data, where the domain was learnt from them.
    """

    name: str
    role: str
    domain: Domain
    shape: tuple[int, ...]
    tokens: Array
    usual: Array
    met: Met | None = None

    @property
    def continuous(self) -> bool:
        """Whether two equal values are a coincidence.

        Among labels and weights they are not; nor among rows of one entry, which can only be 1.
        """
        free = self.domain.elementwise or self.shape[-1] > 1
        return free and not self.domain.integral and self.role != "weight"

    @property
    def slots(self) -> int:
        """How many tokens one case has room for."""
        return layout.slots(self.shape, self.tokens)

    @property
    def samples(self) -> int:
        """The number of rows along the batch axis."""
        return self.shape[0] if self.shape else 1

    @property
    def size(self) -> int:
        """The number of elements of one case."""
        return math.prod(self.shape)

    def draw(
        self, points: Array, reach: Range, dtype: str, classes: int, rng: np.random.Generator
    ) -> Array:
        """Turn uniform points into (n, *shape) float64 cases; see `Domain.draw`."""
        return self.domain.draw(points, self.shape, reach, dtype=dtype, classes=classes, rng=rng)

    def classify(self, values: Array, dtype: str, classes: int) -> Array:
        """Tell the widest range that each case touches; see `Domain.classify`.

        What lies between the ends of the user's data is ordinary, since a model gave it.
        """
        codes = self.domain.classify(values, dtype, classes)
        if self.met is None:
            return codes
        flat = layout.flat(np.asarray(values, np.float64))
        sizes = np.abs(flat)
        met = between(flat, (self.met.least, self.met.greatest), dtype)
        met &= (sizes == 0.0) | (sizes >= float_format(dtype).tiny)  # TensorFlow flushes subnormals
        inside = met.all(axis=1) & (codes < OUTSIDE)
        return np.where(inside, np.uint8(Range.ORDINARY), codes)
