"""A loss with some of its tensors held still: what `tf.stop_gradient` asks the gradient to assume.

TensorFlow's gradient takes what goes through a `tf.stop_gradient` for constant, the loss does not.
Held at what it was at a case, while the prediction moves, both mean the same function. A Cholesky
factor is made of the lower triangle of a matrix alone, but its gradient takes the matrix for
symmetric, whichever way it moves: moved with its mirror image, both mean the same again.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from losscheck.model import Array, Inputs
from losscheck.program.programs import Evaluate
from losscheck.program.quiet import silence
from losscheck.program.running.execution import Run
from losscheck.program.running.program import Program
from losscheck.program.running.runnable import remembered
from losscheck.program.running.ways import Way

Tensors = tuple[str, ...]  # names


@attrs.frozen(kw_only=True)
class Factor:
    """A Cholesky factor: the names of the matrix and of what is made of it."""

    matrix: str
    factor: str


class Held:
    """A program with tensors inside it held.

    Parameters
    ----------
    program
        The loss in float64.
    tensors
        Names of those that stay what they were.
    factors
        Those whose matrices move with their mirror image, in the order of the graph.
    """

    def __init__(
        self, program: Program, tensors: Sequence[str], factors: Sequence[Factor] = ()
    ) -> None:
        self.program = program
        self._tensors = tuple(tensors)
        self._factors = tuple(factors)

    @property
    def slow(self) -> bool:
        """Whether cases are run one by one."""
        return self.program.settle() is not Way.VECTORIZED

    def along(self, inputs: Inputs) -> Evaluate:
        """Give the summed loss as a function of one coordinate, as `programs.along` does."""
        program = self.program
        base = {name: np.asarray(inputs[name], np.float64) for name in program.names}
        matrices = [each.matrix for each in self._factors]
        before = program.fetch([*self._tensors, *matrices], base)
        held, matrices_before = before[: len(self._tensors)], before[len(self._tensors) :]
        flat = base[program.prediction].reshape(len(base[program.prediction]), -1)
        value = (program.traced.value.name,)

        def evaluate(case: Array, coordinate: Array, number: Array) -> Array:
            moved = flat[case]
            moved[np.arange(len(case)), coordinate] = number
            arrays = [
                moved.reshape(len(case), *base[name].shape[1:])
                if name == program.prediction
                else base[name][case]
                for name in program.names
            ]
            arrays += [array[case] for array in held]
            names = self._tensors
            for each, matrix in zip(self._factors, matrices_before, strict=True):
                (now,) = self._fetch((each.matrix,), names, arrays)
                arrays.append(_factored(_mirrored(matrix[case], now)))
                names = (*names, each.factor)
            (whole,) = self._fetch(value, names, arrays)
            return np.asarray(whole.reshape(len(whole), -1).sum(axis=1))

        return evaluate

    def _fetch(self, wanted: Tensors, held: Tensors, arrays: list[Array]) -> list[Array]:
        runners = _runners(self.program)
        if (wanted, held) not in runners:
            runners[wanted, held] = self._runner(wanted, held, [array[:1] for array in arrays])
        run = runners[wanted, held]
        rows = max(1, BLOCK // max(1, sum(int(np.prod(a.shape[1:])) for a in arrays)))
        parts = []
        with silence():
            for i in range(0, len(arrays[0]), rows):
                found = run(*(a[i : i + rows] for a in arrays))
                parts.append([np.asarray(array, np.float64) for array in found])
        return [np.concatenate(column) for column in zip(*parts, strict=True)]

    def _runner(self, wanted: Tensors, held: Tensors, probe: Sequence[Array]) -> Run:
        """Tensors for a block of cases: vectorized, or one call each where it cannot be."""
        try:
            with silence():
                return self.program.blocks(wanted, held, probe)
        except Exception:  # a loop, say; each version of TensorFlow says so in its own way
            single = self.program.single(wanted, held)

        def each(*arrays: Array) -> list[Array]:
            rows = [single(*case) for case in zip(*arrays, strict=True)]
            return [np.stack(column) for column in zip(*rows, strict=True)]

        return each


@remembered
def _runners(_: Program) -> dict[tuple[Tensors, Tensors], Run]:
    """The runners of a program, by what is wanted and what is held."""
    return {}


def _mirrored(before: Array, now: Array) -> Array:
    """Matrices that have moved by half of what they did, and by the mirror image of the rest."""
    moved = now - before
    return np.asarray(before + (moved + np.swapaxes(moved, -1, -2)) / 2)


def _factored(matrices: Array) -> Array:
    """The Cholesky factors of a stack of matrices; NaN for what has none."""
    try:
        return np.asarray(np.linalg.cholesky(matrices))
    except np.linalg.LinAlgError:
        if matrices.ndim == 2:
            return np.full_like(matrices, np.nan)
        return np.stack([_factored(matrix) for matrix in matrices])


BLOCK = 1 << 19
"""Numbers of the arguments that are run at a time, as in `program.batch`."""
