"""Losses in forms that few write, and of shapes that no model gives."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Iterator
from typing import Any

import numpy as np
import tensorflow as tf


async def awaited(y_true: Any, y_pred: Any) -> Any:
    """Nobody awaits it."""
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


class Served:
    """Called as an object, and awaited by nobody either."""

    async def __call__(self, y_true: Any, y_pred: Any) -> Any:
        """The loss."""
        return tf.reduce_mean(tf.abs(y_true - y_pred), axis=-1)


def in_steps(y_true: Any, y_pred: Any) -> Iterator[Any]:
    """A generator."""
    for power in (1, 2):
        yield tf.reduce_mean(tf.abs(y_true - y_pred) ** power, axis=-1)


async def streamed(y_true: Any, y_pred: Any) -> AsyncIterator[Any]:
    """A generator that is awaited besides."""
    yield tf.reduce_mean(y_true - y_pred, axis=-1)


class Scaled:
    """A class that is called; its scale is no default."""

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    def __call__(self, y_true: Any, y_pred: Any) -> Any:
        """A log of what may be 0."""
        return -self.scale * tf.reduce_mean(y_true * tf.math.log(y_pred), axis=-1)


scaled = Scaled(3.0)


def weighted_log(y_true: Any, y_pred: Any, power: float, scale: float = 1.0) -> Any:
    """A log of what may be 0, with settings."""
    return -scale * tf.reduce_mean((1.0 - y_pred) ** power * y_true * tf.math.log(y_pred), axis=-1)


bound = functools.partial(weighted_log, power=2.0)


class Converting:
    """Runs `call` through AutoGraph and weighs what it gives, as the losses of Keras 2 do."""

    def __init__(self, reduction: str = "auto", name: str = "") -> None:
        self.reduction = reduction
        self.name = name

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The mean."""
        autograph = tf.__internal__.autograph
        call = self.call
        if not tf.executing_eagerly():
            call = autograph.tf_convert(self.call, autograph.control_status_ctx())
        losses = call(y_true, y_pred)
        return tf.reduce_mean(losses if sample_weight is None else losses * sample_weight)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Written by its subclasses."""
        raise NotImplementedError


class ByRank(Converting):
    """Python decides on a rank that is a tensor."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Squares."""
        error = tf.square(y_true - y_pred)
        if tf.rank(y_pred) > 1:
            error = tf.reduce_mean(error, axis=-1, keepdims=True)
        return tf.reshape(error, (-1,))


class BySize(Converting):
    """Python decides on a number."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Squares, or absolute errors where all are small."""
        error = y_true - y_pred
        if tf.reduce_max(tf.abs(error)) > 1e30:
            error = tf.zeros_like(error)
        return tf.reduce_mean(tf.square(error), axis=-1)


class Unconverted:
    """Like a Loss, and nobody converts what it calls."""

    def __init__(self) -> None:
        self.reduction = "mean"

    def __call__(self, y_true: Any, y_pred: Any) -> Any:
        """The mean."""
        return tf.reduce_mean(self.call(y_true, y_pred))

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Squares."""
        error = tf.square(y_true - y_pred)
        if tf.rank(y_pred) > 1:
            return tf.reduce_mean(error, axis=-1)
        return error


def pairs(y_true: Any, y_pred: Any) -> Any:
    """A logit for each pair of samples; those of one class belong together."""
    same = tf.cast(y_true[:, None] == y_true[None, :], y_pred.dtype)
    shares = same / tf.reduce_sum(same, axis=1, keepdims=True)
    return tf.nn.softmax_cross_entropy_with_logits(labels=shares, logits=y_pred)


def in_order(y_true: Any, y_pred: Any) -> Any:
    """A score for each pair of samples: the diagonal should win its row by 1."""
    won = tf.linalg.diag_part(y_pred)[:, None]
    margin = tf.nn.relu(1.0 + y_pred - won)
    return tf.reduce_sum(margin, axis=1) - 1.0 + 0.0 * y_true


def closed(scale: float) -> Any:
    """A loss that no module holds, with what it needs around it."""

    def log_loss(y_true: Any, y_pred: Any) -> Any:
        return scale * kept_mean(-y_true * tf.math.log(y_pred))

    return log_loss


def kept_mean(values: Any) -> Any:
    """What the loss above calls."""
    return tf.reduce_mean(values, axis=-1)


def _root_above(y_true: Any, y_pred: Any, low: float) -> Any:
    """A NumPy function, which nobody evaluates in exact numbers; NaN below `low`."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def root(error: Any) -> Any:
        value = tf.numpy_function(
            lambda x: np.where(x > low, np.sqrt(np.abs(x) + 1.0), np.nan).astype(x.dtype),
            [error],
            error.dtype,
        )
        value = tf.ensure_shape(value, error.shape)
        return value, lambda up: 0.5 * up * tf.sign(error) / value

    return tf.reduce_mean(root(y_pred - y_true), axis=-1)


def nan_nearby(y_true: Any, y_pred: Any) -> Any:
    """NaN at errors below -1."""
    return _root_above(y_true, y_pred, -1.0)


def nan_far_off(y_true: Any, y_pred: Any) -> Any:
    """NaN at errors below -100, which no healthy model makes."""
    return _root_above(y_true, y_pred, -100.0)
