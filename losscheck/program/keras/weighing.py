"""A loss with weights, one call at a time: its own argument of weights, or Keras' around it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from losscheck.model import Array, Inputs
from losscheck.program.keras.keras_loss import KerasLoss
from losscheck.program.quiet import silence, tensorflow
from losscheck.program.tracing.trace import Call, as_tensor

Weigh = Callable[[Inputs, Array | None], Array]  # arguments and weights -> what comes out


def by_argument(call: Call, weight: str) -> Weigh:
    """Hand the weights to an argument of the loss.

    Parameters
    ----------
    weight
        The argument: one of `call.names`, or one that calls may leave out.
    """
    tf = tensorflow()

    def weigh(inputs: Inputs, weights: Array | None) -> Array:
        tensors = {name: tf.constant(np.asarray(inputs[name], np.float32)) for name in inputs}
        further = {}
        if weights is not None:
            given = tf.constant(np.asarray(weights, np.float32))
            if weight in call.names:
                tensors[weight] = given
            else:
                further[weight] = given
        with silence(), call.state.kept():
            if not further:
                return np.asarray(as_tensor(call([tensors[name] for name in call.names])))
            positional = [tensors[name] for name in call.names[: call.positional]]
            keywords = {name: tensors[name] for name in call.names[call.positional :]}
            made = call.function(*positional, **keywords, **call.constants, **further)
            return np.asarray(as_tensor(made))

    return weigh


def plainly(call: Call, label: str) -> Weigh:
    """Call the loss as Keras does, without weights: Keras multiplies what it returns."""
    loss = KerasLoss(call)

    def weigh(inputs: Inputs, weights: Array | None) -> Array:
        with silence(), call.state.kept():
            return loss.returned(inputs[label], inputs[call.prediction])

    return weigh


def calls_itself(call: Call) -> bool:
    """Say whether this is a Keras Loss with a __call__ of its own, which takes the weights."""
    return KerasLoss(call).calls_itself
