"""Faults of what Keras does around a loss: configs, weights, training; each with its sound twin."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

RAMP = 1000  # calls after which a loss counts in full


class PowerError(keras.losses.Loss):
    """Loses its power: the config that it inherits does not hold it."""

    def __init__(self, power: float = 2.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.power = power

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1) ** (self.power / 2.0)


class PowerKept(PowerError):  # noqa: N818  (the error of a prediction)
    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "power": self.power}


class RigidError(keras.losses.Loss):
    """Takes no name and no reduction, which its config holds."""

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = scale

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return self.scale * tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


class TensorScale(keras.losses.Loss):
    """Its config holds a tensor: it survives from_config, and no file."""

    def __init__(self, scale: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = tf.constant(2.0) if scale is None else scale

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale}

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1) * tf.cast(self.scale, "float32")


class BareCall(keras.losses.Loss):
    """Its __call__ takes two arguments; Keras hands it three."""

    def __call__(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


class BareCallTwin(keras.losses.Loss):
    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


class DeafCall(keras.losses.Loss):
    """Its __call__ takes the weights and leaves them."""

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> tf.Tensor:
        labels = tf.cast(y_true, y_pred.dtype)
        return tf.reduce_mean(tf.square(labels - y_pred))


class WeighingCall(keras.losses.Loss):
    """The twin of DeafCall and BareCall that does it all by itself."""

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> tf.Tensor:
        labels = tf.cast(y_true, y_pred.dtype)
        each = tf.reduce_mean(tf.square(labels - y_pred), axis=-1)
        if sample_weight is not None:
            each = each * tf.cast(sample_weight, each.dtype)
        return tf.reduce_mean(each)


class WarmUp(keras.losses.Loss):
    """Counts its calls in Python, which a graph does once."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.calls = 0

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        self.calls += 1
        return self.calls / RAMP * tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def weights_within(y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor) -> tf.Tensor:
    """Squares the weights together with the errors."""
    error = sample_weight[:, tf.newaxis] * (y_true - y_pred)
    return tf.reduce_mean(tf.square(error))


def weights_within_twin(
    y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor
) -> tf.Tensor:
    each = tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
    return tf.reduce_sum(sample_weight * each) / tf.reduce_sum(sample_weight)


def weights_apart(y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor) -> tf.Tensor:
    """The mean loss times the mean weight: which sample has which weight does not matter."""
    return tf.reduce_mean(tf.square(y_true - y_pred)) * tf.reduce_mean(sample_weight)


def weights_left(y_true: Any, y_pred: Any, sample_weight: Any = None) -> tf.Tensor:
    """Takes weights that it may be called without, and leaves them."""
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def penalty_unweighted(y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor) -> tf.Tensor:
    each = tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
    return tf.reduce_mean(sample_weight * each) + 0.1 * tf.reduce_mean(tf.abs(y_pred))


def scalar(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    each = tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
    return tf.reduce_mean(each)


def elements(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.square(y_true - y_pred)


def of_steps(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """One value a step of a sequence, as Keras' own give."""
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def of_samples(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
