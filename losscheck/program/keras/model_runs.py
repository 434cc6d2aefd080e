"""What goes into a model's loss and what comes out, as plain data, and steps of its optimiser."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from losscheck.model import Array
from losscheck.program.quiet import keras_module, silence, tensorflow


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


class Optimising:
    """Steps of the optimiser that a model is compiled with; model and optimiser stay as they are.

    Parameters
    ----------
    values
        Of its trainable variables, where the steps begin.

    Raises
    ------
    Exception
        Whatever an optimiser raises that cannot be copied.
    """

    def __init__(self, model: Any, values: Sequence[Array]) -> None:
        keras = keras_module()
        # The wrapper that scales losses expects scaled gradients; these are not.
        optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
        self._optimizer = type(optimizer).from_config(optimizer.get_config())
        self._copies = []
        for variable, value in zip(model.trainable_variables, values, strict=True):
            copy = keras.Variable(value, dtype=variable.dtype)
            copy.constraint = getattr(variable, "constraint", None)
            self._copies.append(copy)
        with silence():
            self._optimizer.build(self._copies)

    def step(self, gradients: Sequence[Array | None]) -> list[Array]:
        """Apply the gradients once, and give the weights afterwards."""
        tf = tensorflow()
        pairs = [
            (None if gradient is None else tf.constant(gradient), copy)
            for gradient, copy in zip(gradients, self._copies, strict=True)
        ]
        if any(gradient is not None for gradient, _ in pairs):
            with silence(), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it warns of gradients that are None
                self._optimizer.apply_gradients(pairs)
        return [np.array(copy.numpy()) for copy in self._copies]
