"""`tf.test.compute_gradient` on the same loss: its numbers stand beside ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import numpy as np

from losscheck.model import Array, Inputs
from losscheck.program.quiet import silence, tensorflow
from losscheck.program.tracing.trace import Call, as_tensor

ELEMENTS = 64  # its Python loop calls the loss twice an element
FEW = 32  # elements for which the loss is called eagerly


@attrs.define
class Failed:
    """That `compute_gradient` failed on a loss that loops, which takes it seconds; "" if not."""

    said: str = ""


@attrs.frozen(kw_only=True, eq=False)
class SecondOpinion:
    """What `tf.test.compute_gradient` says of some elements of one prediction."""

    elements: Array  # (k,) flat indices of the prediction
    # (k,) float64; empty where it failed.
    theoretical: Array = attrs.field(factory=lambda: np.zeros(0))
    numeric: Array = attrs.field(factory=lambda: np.zeros(0))
    failure: str = ""  # what it raised; "" where it ran

    @property
    def error(self) -> float | None:
        """The largest difference between its two gradients; None where there is no such number."""
        gap = float(np.max(np.abs(self.theoretical - self.numeric), initial=0.0))
        return gap if not self.failure and np.isfinite(gap) else None


def compute_gradient(
    call: Call,
    inputs: Inputs,
    dtype: str,
    elements: Array | None = None,
    *,
    loops: bool = False,
    failed: Failed | None = None,
) -> SecondOpinion:
    """Run `tf.test.compute_gradient` on one case.

    Parameters
    ----------
    dtype
        float64 where the loss takes it, else float32.
    elements
        Flat indices of the elements of a large prediction to differentiate by, the rest held; the
        first 64 where None. A prediction of at most 64 elements is differentiated whole.
    loops
        Whether the loss loops, which eager calls are slow at.
    failed
        What is known of the loss: where it failed, it is not asked again.
    """
    tf = tensorflow()
    prediction = np.asarray(inputs[call.prediction], dtype)
    whole = prediction.size <= ELEMENTS
    chosen = np.arange(prediction.size) if whole or elements is None else np.asarray(elements)
    chosen = chosen[:ELEMENTS]
    failed = Failed() if failed is None else failed
    if failed.said:
        return SecondOpinion(elements=chosen, failure=failed.said)
    loss = _of_some(call, inputs, dtype, None if whole else chosen)

    def alone(tensor: Any) -> Any:
        with call.state.kept():  # each call begins as the first one does
            return loss(tensor)

    # A graph of it, and of its gradient, costs what a hundred eager calls cost.
    eagerly = (len(chosen) <= FEW and not loops) or call.state.assigns
    compute = alone if eagerly else tf.function(loss, autograph=False)
    variable = tf.constant(prediction if whole else prediction.ravel()[chosen])
    try:
        with silence(), call.state.kept():
            (theoretical,), (numeric,) = tf.test.compute_gradient(compute, [variable])
    except Exception as error:  # its failure says nothing of the loss, but is said
        if loops:
            failed.said = _said(error)
        return SecondOpinion(elements=chosen, failure=_said(error))
    return SecondOpinion(
        elements=chosen,
        theoretical=np.asarray(theoretical, np.float64).ravel(),
        numeric=np.asarray(numeric, np.float64).ravel(),
    )


def _of_some(call: Call, inputs: Inputs, dtype: str, chosen: Array | None) -> Callable[[Any], Any]:
    """The loss by its whole prediction, or by chosen elements of it with the rest held."""
    tf = tensorflow()
    given = {n: tf.constant(np.asarray(a, dtype)) for n, a in inputs.items()}
    prediction = given[call.prediction]
    around = tf.reshape(prediction, [-1])

    def loss(tensor: Any) -> Any:
        if chosen is not None:
            tensor = tf.tensor_scatter_nd_update(around, chosen[:, None], tensor)
            tensor = tf.reshape(tensor, prediction.shape)
        return tf.reduce_sum(_value(call, {**given, call.prediction: tensor}))

    return loss


def forward_slope(call: Call, inputs: Inputs, direction: Array, dtype: str) -> float | None:
    """Differentiate the summed loss of one case along a direction of the prediction, forwards.

    Returns
    -------
    float or None
        What `tf.autodiff.ForwardAccumulator` gives, run eagerly (tracing it takes longer than
        running it does); None where an op has no such derivative.
    """
    tf = tensorflow()
    tensors = {n: tf.constant(np.asarray(a, dtype)) for n, a in inputs.items()}
    prediction = tensors[call.prediction]
    try:
        with silence(), call.state.kept():
            tangent = tf.constant(np.asarray(direction, dtype).reshape(prediction.shape))
            with tf.autodiff.ForwardAccumulator(prediction, tangent) as forward:
                value = tf.reduce_sum(_value(call, tensors))
            slope = forward.jvp(value)
    except Exception:  # a Python function, an op without a gradient: nothing to corroborate with
        return None
    return None if slope is None else float(slope)


def _value(call: Call, tensors: Mapping[str, Any]) -> Any:
    return as_tensor(call([tensors[name] for name in call.names]))


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".strip().split("\n")[0][:160]
