"""A copy of a model's optimiser, that moves copies of its weights."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from losscheck.model import Array
from losscheck.program.quiet import keras_module, silence, tensorflow


class Optimising:
    """Steps of the optimiser that a model is compiled with; model and optimiser stay as they are.

    Parameters
    ----------
    model
        The compiled model.
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
