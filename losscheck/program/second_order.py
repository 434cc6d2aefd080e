"""A loss whose value is the slope of another one along a direction.

D(x) = sum(gradient(x) * v) has the gradient H·v, the second derivative times v. Whatever checks a
gradient against differences of the value therefore checks a second derivative against differences
of the gradient, without knowing so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from losscheck.program.quiet import tensorflow
from losscheck.program.tracing.trace import Call, as_tensor

DIRECTION = "direction v"  # no identifier, so that no argument of a loss has this name


def slope(call: Call) -> Call:
    """Give the slope of a loss along a direction as a call with one more tensor.

    Parameters
    ----------
    call
        The loss; its gradient must reach the prediction.

    Returns
    -------
    Call
        Takes the tensors of `call` and, last, the direction in the shape of the prediction.
    """
    index = call.names.index(call.prediction)

    def along(*tensors: Any) -> Any:
        *given, direction = tensors
        gradient = _gradient(call, given, index)
        return tensorflow().reduce_sum(gradient * direction)

    names = (*call.names, DIRECTION)
    return Call(
        function=along,
        names=names,
        positional=len(names),
        prediction=call.prediction,
        home=call.home,
        base=call.base,
        autograph=call.autograph,
    )


def _gradient(call: Call, tensors: Sequence[Any], index: int) -> Any:
    tf = tensorflow()
    prediction = tensors[index]
    if tf.executing_eagerly():
        with tf.GradientTape() as tape:
            tape.watch(prediction)
            value = as_tensor(call(tensors))
        gradient = tape.gradient(value, prediction)
    else:  # unlike a tape's, its operations name those that they belong to
        (gradient,) = tf.gradients(as_tensor(call(tensors)), [prediction])
    return tf.zeros_like(prediction) if gradient is None else tf.convert_to_tensor(gradient)
