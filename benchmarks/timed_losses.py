"""The losses whose whole verdict is timed, as a Keras user writes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import attrs
import numpy as np

from benchmarks.family import Array

SEED: Final = 22

SMALL: Final = (32, 10)
LARGE: Final = (64, 64)
MILLION: Final = (1000, 1000)

DOUBLED: Final = (617, 382)
"""The one element of a million whose gradient is twice what it should be."""


@attrs.frozen(kw_only=True, eq=False)
class TimedLoss:
    """A loss and the labels that it takes.

    Attributes
    ----------
    kind
        "separable": a sum over elements; "row-wise": a sum over rows; "coupled": neither.
    function
        function(y_true, y_pred) -> a tensor.
    labels
        labels(rng, shape) -> float64.
    """

    name: str
    kind: str
    function: Callable[[Any, Any], Any]
    labels: Callable[[Any, tuple[int, ...]], Array]

    def inputs(self, shape: tuple[int, ...]) -> dict[str, Array]:
        """One case of this shape, the same in every run."""
        rng = np.random.default_rng(SEED)
        return {"y_true": self.labels(rng, shape), "y_pred": rng.normal(size=shape)}


def _normal(rng: Any, shape: tuple[int, ...]) -> Array:
    return np.asarray(rng.normal(size=shape))


def _binary(rng: Any, shape: tuple[int, ...]) -> Array:
    return np.asarray(rng.integers(0, 2, shape), np.float64)


def _one_hot(rng: Any, shape: tuple[int, ...]) -> Array:
    return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]


def timed_losses() -> tuple[TimedLoss, ...]:
    """Separable, row-wise and fully coupled ones."""
    import tensorflow as tf

    def squared(y_true: Any, y_pred: Any) -> Any:
        return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)

    def absolute(y_true: Any, y_pred: Any) -> Any:
        return tf.reduce_mean(tf.abs(y_true - y_pred), axis=-1)

    def binary(y_true: Any, y_pred: Any) -> Any:
        entropy = tf.nn.sigmoid_cross_entropy_with_logits(labels=y_true, logits=y_pred)
        return tf.reduce_mean(entropy, axis=-1)

    def categorical(y_true: Any, y_pred: Any) -> Any:
        return tf.nn.softmax_cross_entropy_with_logits(labels=y_true, logits=y_pred)

    def cosine(y_true: Any, y_pred: Any) -> Any:
        unit = tf.math.l2_normalize(y_true, axis=-1), tf.math.l2_normalize(y_pred, axis=-1)
        return 1 - tf.reduce_sum(unit[0] * unit[1], axis=-1)

    def log_sum_exp(y_true: Any, y_pred: Any) -> Any:
        return tf.reduce_logsumexp(y_pred - y_true)

    return (
        TimedLoss(name="MSE", kind="separable", function=squared, labels=_normal),
        TimedLoss(name="MAE", kind="separable", function=absolute, labels=_normal),
        TimedLoss(name="sigmoid cross entropy", kind="separable", function=binary, labels=_binary),
        TimedLoss(
            name="softmax cross entropy", kind="row-wise", function=categorical, labels=_one_hot
        ),
        TimedLoss(name="cosine", kind="row-wise", function=cosine, labels=_normal),
        TimedLoss(name="1 - correlation", kind="coupled", function=correlation, labels=_normal),
        TimedLoss(name="log-sum-exp", kind="coupled", function=log_sum_exp, labels=_normal),
    )


def correlation(y_true: Any, y_pred: Any) -> Any:
    """One minus Pearson's correlation over the whole tensor."""
    import tensorflow as tf

    a, b = y_true - tf.reduce_mean(y_true), y_pred - tf.reduce_mean(y_pred)
    norms = tf.sqrt(tf.reduce_sum(a * a) * tf.reduce_sum(b * b))
    return 1 - tf.reduce_sum(a * b) / norms


def million_losses() -> tuple[TimedLoss, ...]:
    """A separable and a coupled one that are sound, and both with one element doubled."""
    mse, coupled = timed_losses()[0], timed_losses()[-2]
    return (
        mse,
        coupled,
        attrs.evolve(mse, name="MSE, one element doubled", function=_doubled(mse.function)),
        attrs.evolve(
            coupled,
            name="1 - correlation, one element doubled",
            function=_doubled(coupled.function),
        ),
    )


def _doubled(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Double the gradient of one element, wherever it has come to."""
    import tensorflow as tf

    @tf.custom_gradient
    def faulty(x: Any) -> Any:
        def backward(upstream: Any) -> Any:
            here = [tf.one_hot(i, n, dtype=x.dtype) for i, n in zip(DOUBLED, MILLION, strict=True)]
            return upstream * (1 + here[0][:, None] * here[1][None, :])

        return tf.identity(x), backward

    return lambda y_true, y_pred: function(y_true, faulty(y_pred))
