"""One case of any size, moved as a whole: the prediction goes to x + t·d for directions d.

A small prediction is moved in NumPy and run in blocks. A large one is moved inside the graph, one
step a call, for copying a million numbers in and out costs more than the loss does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from losscheck.model import Array, Inputs
from losscheck.program.quiet import silence, tensorflow
from losscheck.program.running.program import Program
from losscheck.program.running.runnable import remembered
from losscheck.program.running.runners import outside

LARGE = 1 << 14  # elements of a prediction from which it is moved inside the graph


@attrs.frozen(eq=False)
class Readout:
    """What is read off the loss: weighted sums of tensors inside it, a block of elements each."""

    # Their names; each has a number of elements that `blocks` divides, a block after the other.
    tensors: tuple[str, ...]
    weights: tuple[Array, ...]  # (size,) float64 a tensor, or (1,) where all are the same
    blocks: int = 1  # how many sums
    sizes: tuple[int, ...] = ()  # elements of each tensor, where it has been taken apart

    def sums(self, arrays: Sequence[Array]) -> Array:
        """(M, blocks) the sums of M runs."""
        total: Array | float = 0.0
        for array, weight in zip(arrays, self.weights, strict=True):
            flat = array.reshape(len(array), self.blocks, -1)
            if len(weight) == 1:
                total = total + flat.sum(axis=2) * weight
            else:
                total = total + (flat * weight.reshape(self.blocks, -1)).sum(axis=2)
        return np.asarray(total, np.float64)


class Probe:
    """One case of a program, to be moved.

    Parameters
    ----------
    program
        The loss in float64.
    inputs
        One case: arrays without an axis of cases.
    """

    def __init__(self, program: Program, inputs: Inputs) -> None:
        self._program = program
        self._inputs = {name: np.asarray(inputs[name], np.float64) for name in program.names}
        self._shape = self._inputs[program.prediction].shape
        self._tensors: list[Any] = []
        self.x = self._inputs[program.prediction].ravel()
        self.forward = 0  # evaluations of the loss so far
        value = program.traced.value.name
        self.whole = Readout((value,), (np.ones(1),))

    @property
    def large(self) -> bool:
        """Whether the prediction is moved inside the graph."""
        return len(self.x) >= LARGE

    def gradient(self) -> Array:
        """(n,) the gradient that the program computes."""
        traced = self._program.traced
        if traced.gradient is None:
            return np.zeros(len(self.x))
        (gradient,) = self._program.once([traced.gradient.name], self._inputs)
        return np.asarray(gradient, np.float64).ravel()

    def fetch(self, names: Sequence[str]) -> list[Array]:
        """Tensors of the graph at the case itself."""
        return self._program.once(names, self._inputs) if names else []

    def along(self, readout: Readout, directions: Array, probe: Array, t: Array) -> Array:
        """Move the prediction along directions.

        Parameters
        ----------
        directions
            (P, n) float64.
        probe, t
            (M,) which direction, and how far.

        Returns
        -------
        Array
            (M, blocks) float64.
        """
        if not self.large:
            return self.at(readout, self.x + t[:, None] * directions[probe])
        self.forward += len(t)
        step = _stepper(self._program, tuple(readout.tensors), readout.blocks)
        tf = tensorflow()
        rows = np.empty((len(t), readout.blocks))
        with silence():
            weights = [tf.constant(weight) for weight in readout.weights]
            for p in dict.fromkeys(probe.tolist()):
                direction = tf.constant(directions[p].reshape(self._shape))
                for i in np.flatnonzero(probe == p):
                    far = tf.constant(t[i], tf.float64)
                    rows[i] = step(far, direction, weights, *self._constants()).numpy()
        return rows

    def at(self, readout: Readout, points: Array) -> Array:
        """Put the prediction at M points, (M, n) float64, and read (M, blocks) off."""
        self.forward += len(points)
        name = self._program.prediction
        inputs = {
            n: np.broadcast_to(a, (len(points), *a.shape)) for n, a in self._inputs.items()
        } | {name: points.reshape(len(points), *self._shape)}
        return readout.sums(self._program.fetch(list(readout.tensors), inputs))

    def _constants(self) -> list[Any]:
        if not self._tensors:
            tf = tensorflow()
            self._tensors = [tf.constant(array) for array in self._inputs.values()]
        return self._tensors


@remembered
def _stepper(program: Program, tensors: tuple[str, ...], blocks: int) -> Callable[..., Any]:
    """The weighted sums of tensors in blocks, a step along a direction, as a tf.function."""
    tf = tensorflow()
    cut = program.cut(tensors)
    place = program.names.index(program.prediction)

    def step(t: Any, direction: Any, weights: Sequence[Any], *arrays: Any) -> Any:
        moved = list(arrays)
        moved[place] = arrays[place] + t * direction
        total = tf.zeros((blocks,), tf.float64)
        for result, weight in zip(cut.embed([*moved, *outside(cut)]), weights, strict=True):
            flat = tf.cast(tf.reshape(result, (blocks, -1)), tf.float64)
            if weight.shape[0] == 1:  # a pass over the numbers less
                total += tf.reduce_sum(flat, axis=1) * weight
            else:
                total += tf.reduce_sum(flat * tf.reshape(weight, (blocks, -1)), axis=1)
        return total

    compiled: Callable[..., Any] = tf.function(step, autograph=False)
    return compiled


def shapes_of(inputs: Inputs) -> Mapping[str, tuple[int, ...]]:
    """The shape of every argument of one case."""
    return {name: np.shape(array) for name, array in inputs.items()}
