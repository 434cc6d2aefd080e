"""A loss as Keras calls it: what `compile` is handed, its weights, and reductions written out.

The formulas are those of `keras.losses.Loss.__call__` in Keras 3: labels and predictions are cast
to the dtype of the loss, the ranks of a function's arguments are aligned, what it returns is
multiplied by the weights and reduced.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from losscheck.model import Array, Inputs
from losscheck.program.quiet import keras_module, silence, tensorflow
from losscheck.program.tracing.trace import Call, as_tensor

MEAN = "sum_over_batch_size"
Weigh = Callable[[Inputs, Array | None], Array]  # arguments and weights -> what comes out


@functools.cache
def reductions() -> tuple[str, ...]:
    """Keras' reductions to one number; the last one came after Keras 3.3."""
    found = []
    for name in ("sum", MEAN, "mean_with_sample_weight"):
        try:
            keras_module().losses.Loss(reduction=name)
        except ValueError:
            continue
        found.append(name)
    return tuple(found)


class KerasLoss:
    """A loss that can be handed to `compile`."""

    def __init__(self, call: Call) -> None:
        base = keras_module().losses.Loss
        self._call = call
        self.is_instance = isinstance(call.handed, base)
        # A Loss with a __call__ of its own does by itself all that Keras would do around `call`.
        self.calls_itself = self.is_instance and type(call.handed).__call__ is not base.__call__
        self.handed: Any = call.handed
        if call.constants and not self.is_instance:
            self.handed = functools.partial(call.handed, **call.constants)

    @property
    def reduction(self) -> str:
        """How Keras reduces what the loss returns."""
        found = getattr(self.handed, "reduction", None) if self.is_instance else MEAN
        return {"mean": MEAN, None: "none"}.get(found, str(found))

    def returned(self, y_true: Array, y_pred: Array, *, graph: bool = False) -> Array:
        """What the loss returns for a batch, handed over as Keras does and not yet reduced."""
        dtype = getattr(self.handed, "dtype", None) if self.is_instance else None
        labels, predictions = self._as_keras(y_true, y_pred, dtype)
        run: Callable[..., Any] = functools.partial(
            self._kept, self.handed.call if self.is_instance else self.handed
        )
        if graph:
            run = tensorflow().function(run, autograph=self._call.autograph)
        return np.asarray(as_tensor(run(labels, predictions)))

    def _kept(self, loss: Callable[..., Any], y_true: Any, y_pred: Any) -> Any:
        """What a loss returns, without the samples that it masks: a mean is one of the others."""
        values = loss(y_true, y_pred)
        mask = getattr(values, "_keras_mask", None)
        if mask is None:
            return values
        tf = tensorflow()
        kept = tf.cast(mask, values.dtype)
        if self.reduction == MEAN:
            kept *= tf.cast(tf.size(kept), kept.dtype) / tf.reduce_sum(kept)
        return values * kept

    def by_itself(self, y_true: Array, y_pred: Array, weights: Array | None) -> Array:
        """What a Loss with a __call__ of its own gives, labels in the dtype that they have."""
        tf = tensorflow()
        given = None if weights is None else tf.constant(weights, tf.float32)
        value = self.handed(tf.constant(y_true), tf.constant(y_pred), given)
        return np.asarray(as_tensor(value))

    def _as_keras(self, y_true: Array, y_pred: Array, dtype: Any) -> tuple[Any, Any]:
        tf = tensorflow()
        into = dtype or keras_module().config.floatx()
        if not self.is_instance:  # Keras aligns for functions alone
            y_true, y_pred = same_rank(y_true, y_pred)
        return tf.cast(tf.constant(y_true), into), tf.cast(tf.constant(y_pred), into)


def weighted(values: Array, weights: Array, reduction: str) -> float:
    """Give what Keras makes of what a loss has returned, with weights and a reduction.

    Raises
    ------
    Exception
        Whatever Keras raises where the weights do not fit.
    """
    base: Any = keras_module().losses.Loss

    class Returned(base):  # type: ignore[misc]
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return y_pred

    made = Returned(name="returned", reduction=reduction)
    given = tensorflow().constant(np.asarray(values, np.float32))
    return float(np.asarray(made(given, given, np.asarray(weights, np.float32)), np.float64).mean())


def same_rank(x: Array, y: Array) -> tuple[Array, Array]:
    """Align two arrays as Keras does: ranks differ by one, and the longer ends in an axis of 1."""
    if x.ndim == y.ndim + 1 and x.shape[-1] == 1:
        return (x, y[..., None]) if y.ndim == 1 else (x[..., 0], y)
    if y.ndim == x.ndim + 1 and y.shape[-1] == 1:
        return (x[..., None], y) if x.ndim == 1 else (x, y[..., 0])
    return x, y


def reduced(values: Array, weights: Array | None, reduction: str) -> float:
    """Reduce what a loss returns as Keras does; the mean where it reduces nothing.

    Where Keras reduces nothing, the metric that it reports averages.
    """
    values = np.asarray(values, np.float64)
    if weights is not None:
        values, weights = same_rank(values, np.asarray(weights, np.float64))
        values = values * weights
    if reduction == "sum":
        return float(values.sum())
    if reduction == "mean_with_sample_weight" and weights is not None:
        total = float(weights.sum())
        return float(values.sum()) / total if total else 0.0
    return float(values.mean())


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
