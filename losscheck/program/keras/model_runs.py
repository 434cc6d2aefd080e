"""What goes into a model's loss and what comes out, as plain data."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import numpy as np

from losscheck.model import Array


@attrs.frozen(kw_only=True, eq=False)
class Weight:
    """A trainable variable of a model."""

    name: str  # as Keras' `Variable.path`, within the model
    argument: str  # of the objective
    value: Array  # at the start

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return int(self.value.size)


@attrs.frozen(kw_only=True, eq=False)
class Batch:
    """Inputs and labels, by the names of the objective's arguments."""

    arrays: Mapping[str, Array]
    domains: Mapping[str, str] = attrs.field(factory=dict)  # what the inputs were drawn from
    spelled: Mapping[str, str] = attrs.field(factory=dict)  # how Python code draws them again

    @property
    def rows(self) -> int:
        """How many samples."""
        return len(next(iter(self.arrays.values())))

    def labelled(self, other: Batch) -> Batch:
        """The same inputs with the labels of another batch."""
        labels = {name: array for name, array in other.arrays.items() if name[0] == "y"}
        return attrs.evolve(self, arrays={**self.arrays, **labels}, spelled={})

    def take(self, rows: slice) -> Batch:
        """Some of its samples."""
        return attrs.evolve(
            self,
            arrays={name: array[rows] for name, array in self.arrays.items()},
            spelled={n: f"{text}[{rows.start}:{rows.stop}]" for n, text in self.spelled.items()},
        )


@attrs.frozen(kw_only=True, eq=False)
class Run:
    """Loss and gradients of one batch."""

    value: float
    gradients: tuple[Array | None, ...]  # a weight each; None where none reaches it
    shares: tuple[tuple[Array | None, ...], ...]  # a loss each: what comes by way of its output
    parts: tuple[float, ...]  # the value of each of these losses
    state: tuple[Array, ...]  # of what the model changes as it is called

    @property
    def finite(self) -> bool:
        """Whether loss and gradients are."""
        return bool(np.isfinite(self.value)) and all(
            g is None or bool(np.isfinite(g).all()) for g in self.gradients
        )
