"""One coordinate of the prediction moved, with the loss, its slope and what decides on the way."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.domains.base import Domain
from losscheck.evidence.gradient.deciders import Decider
from losscheck.model import Array
from losscheck.program.programs import along
from losscheck.program.running.program import Program

STEP = 2.0**-20  # half of what the prediction is moved by to see which way a walk goes


@attrs.frozen(eq=False)
class Walk:
    """Moves one coordinate of the prediction of base cases; evaluates what decides.

    Where the domain holds a row together, as that of unit vectors does, the rest of the row gives
    way, so that every point of the walk lies in the domain.
    """

    program: Program
    base: CaseBlock
    domain: Domain
    deciders: Sequence[Decider]
    widths: list[int] = attrs.field(factory=list, init=False)

    def inputs(self, case: Array, coordinate: Array, value: Array) -> dict[str, Array]:
        """The inputs of base cases with a coordinate moved to a value."""
        name = self.program.prediction
        inputs = {n: np.asarray(a, np.float64)[case] for n, a in self.base.inputs.items()}
        inputs[name] = self._moved(inputs[name], coordinate, value)
        return inputs

    def _moved(self, prediction: Array, coordinate: Array, value: Array) -> Array:
        flat = prediction.reshape(len(prediction), -1)
        flat[np.arange(len(flat)), coordinate] = value
        moved = flat.reshape(prediction.shape)
        return moved if self.domain.movable else self.domain.project(moved)

    def totals(self, case: Array, coordinate: Array, value: Array) -> Array:
        """(M,) the summed loss."""
        if self.domain.movable:
            return along(self.program, self.base.inputs)(case, coordinate, value)
        return self.program.totals(self.inputs(case, coordinate, value))

    def slopes(self, case: Array, coordinate: Array, value: Array) -> Array:
        """(M,) the gradient that the program gives, along the way."""
        gradient = self.program.run(self.inputs(case, coordinate, value)).gradient
        flat = np.asarray(gradient, np.float64).reshape(len(case), -1)
        if self.domain.movable:
            return np.asarray(flat[np.arange(len(case)), coordinate])
        name = self.program.prediction
        ends = [self.inputs(case, coordinate, value + sign * STEP)[name] for sign in (-1, 1)]
        direction = (ends[1] - ends[0]).reshape(len(case), -1) / (2 * STEP)
        return np.asarray((flat * direction).sum(axis=1))

    def quantities(self, case: Array, coordinate: Array, value: Array) -> Array:
        """(M, Q) every element of every deciding quantity, side by side."""
        names = [t for d in self.deciders for t in (d.left, d.right) if t is not None]
        unique = list(dict.fromkeys(names))
        fetched = self.program.fetch(unique, self.inputs(case, coordinate, value))
        arrays = dict(zip(unique, fetched, strict=True))
        parts = [decider.quantity(arrays) for decider in self.deciders]
        self.widths[:] = [part.shape[1] for part in parts]
        return np.concatenate(parts, axis=1)

    def owners(self) -> Array:
        """(Q,) the index of the decider of each column of the quantities evaluated last."""
        return np.repeat(np.arange(len(self.widths)), self.widths)

    def inside(self, case: Array, coordinate: Array, value: Array) -> Array:
        """(M,) bool: the domain holds such a point."""
        prediction = self.inputs(case, coordinate, value)[self.program.prediction]
        return self.domain.contains(prediction)

    def changes(self, case: Array, coordinate: Array, below: Array, above: Array) -> Array:
        """(M, deciders) bool: some element of the quantity has another sign below than above."""
        signs = [np.sign(self.quantities(case, coordinate, at)) for at in (below, above)]
        owners, apart = self.owners(), signs[0] != signs[1]
        members = [apart[:, owners == i].any(axis=1) for i in range(len(self.deciders))]
        return np.stack(members, axis=1)
