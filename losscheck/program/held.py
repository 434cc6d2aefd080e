"""A loss with some of its tensors held still: what `tf.stop_gradient` asks the gradient to assume.

TensorFlow's gradient takes what goes through a `tf.stop_gradient` for constant, the loss does not.
Held at what it was at a case, while the prediction moves, both mean the same function.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from losscheck.model import Array, Inputs
from losscheck.program.batch import Program
from losscheck.program.execution import Run
from losscheck.program.programs import Evaluate
from losscheck.program.quiet import silence
from losscheck.program.ways import Way


class Held:
    """A program with tensors inside it held.

    Parameters
    ----------
    program
        The loss in float64.
    tensors
        Their names.
    """

    def __init__(self, program: Program, tensors: Sequence[str]) -> None:
        self.program = program
        self._tensors = tuple(tensors)

    @property
    def slow(self) -> bool:
        """Whether cases are run one by one."""
        return self.program.settle() is not Way.VECTORIZED

    def along(self, inputs: Inputs) -> Evaluate:
        """Give the summed loss as a function of one coordinate, as `programs.along` does."""
        program = self.program
        base = {name: np.asarray(inputs[name], np.float64) for name in program.names}
        held = program.fetch(list(self._tensors), base)
        flat = base[program.prediction].reshape(len(base[program.prediction]), -1)

        def evaluate(case: Array, coordinate: Array, value: Array) -> Array:
            moved = flat[case]
            moved[np.arange(len(case)), coordinate] = value
            arrays = [
                moved.reshape(len(case), *base[name].shape[1:])
                if name == program.prediction
                else base[name][case]
                for name in program.names
            ]
            return self._totals([*arrays, *(array[case] for array in held)])

        return evaluate

    def _totals(self, arrays: list[Array]) -> Array:
        key = "held", self._tensors
        if key not in self.program.kept:
            self.program.kept[key] = self._runner([array[:1] for array in arrays])
        run = self.program.kept[key]
        rows = max(1, BLOCK // max(1, sum(int(np.prod(a.shape[1:])) for a in arrays)))
        parts = []
        with silence():
            for i in range(0, len(arrays[0]), rows):
                (value,) = run(*(a[i : i + rows] for a in arrays))
                parts.append(np.asarray(value, np.float64))
        whole = np.concatenate(parts)
        return np.asarray(whole.reshape(len(whole), -1).sum(axis=1))

    def _runner(self, probe: Sequence[Array]) -> Run:
        """The loss for a block of cases: vectorized, or one call each where it cannot be."""
        value = (self.program.traced.value.name,)
        try:
            with silence():
                return self.program.blocks(value, self._tensors, probe)
        except Exception:  # a loop, say; each version of TensorFlow says so in its own way
            single = self.program.single(value, self._tensors)

        def each(*arrays: Array) -> list[Array]:
            rows = [single(*case) for case in zip(*arrays, strict=True)]
            return [np.stack(column) for column in zip(*rows, strict=True)]

        return each


BLOCK = 1 << 19
"""Numbers of the arguments that are run at a time, as in `program.batch`."""
