"""A loss at fixed sizes, and how much it can afford there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import numpy as np

from losscheck.infer.uses import tables
from losscheck.program.running.runnable import Runnable
from losscheck.program.tracing.wiring import Wiring

SWEPT = 1 << 26  # numbers that a sweep computes at the most: some 0.1 s
FEWEST = 16  # cases, however much one takes
EAGER_CASES = 300  # of a loss that runs one case a call (160 to 550 microseconds each)
USUAL_NODES = 150  # operations of a loss with its gradient, as most have at the most
COMPILED = 300  # operations that XLA compiles at every size, in some 3 s
MOST_COMPILED = 1_000  # the same at the last size; graphs of more are not run under XLA


@attrs.frozen(kw_only=True, eq=False)
class Instance:
    """A loss at fixed sizes: its programs and the graph to read."""

    name: str  # narrow or main
    sizes: Mapping[str, int]
    shapes: Mapping[str, tuple[int, ...]]
    program: Runnable
    wiring: Wiring | None

    @property
    def prediction(self) -> str:
        """The argument that the gradient is taken of."""
        return self.program.prediction

    @property
    def loops(self) -> bool:
        """Whether its graph runs anything again and again."""
        return self.program.graphed is not None and self.program.graphed.loops

    @property
    def lightness(self) -> float:
        """How fast one case runs against a graph of a usual size; 1 at the most."""
        if self.program.graphed is None:
            return 1.0
        return min(1.0, USUAL_NODES / self.program.graphed.effort.operations)

    @property
    def affordable(self) -> int:
        """How many cases a sweep has room for, by what is computed for one."""
        if self.program.graphed is None:
            return EAGER_CASES
        return max(FEWEST, SWEPT // self.program.graphed.effort.numbers)

    def compiles(self, *, last: bool) -> bool:
        """Whether its cases are run under XLA, which takes seconds to compile a large graph."""
        nodes = len(self.wiring.nodes) if self.wiring else 0
        return nodes <= (MOST_COMPILED if last else COMPILED)

    def classes_taken(self, labels: Sequence[str], most: int) -> int:
        """Try the last class, and fewer of them as long as the loss refuses it.

        A class that the loss's own one-hot row has no place for is none.
        """
        if self.wiring is not None:
            met = (table for name in labels for table in tables(self.wiring, name))
            most = min((most, *(rows for kind, rows in met if kind == "OneHot")))
        ones = {name: np.ones((1, *shape)) for name, shape in self.shapes.items()}
        for classes in range(most, 1, -1):
            last = {name: np.full_like(ones[name], classes - 1) for name in labels}
            try:
                self.program.run({**ones, **last})
            except Exception:  # out of the range of the loss's own table
                continue
            return classes
        return 1
