"""Keras' reductions written out are those of Keras."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from losscheck.program.keras.keras_loss import (
    KerasLoss,
    reduced,
    reductions,
    same_rank,
    weighted,
)
from tests.program.calling import call


class Given(keras.losses.Loss):
    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return y_pred


@pytest.mark.parametrize("reduction", reductions())
@pytest.mark.parametrize("shape", [(), (4,), (4, 1), (4, 3)])
@pytest.mark.parametrize("with_weights", [False, True])
def test_reductions(reduction: str, shape: tuple[int, ...], with_weights: bool) -> None:
    values = np.random.default_rng(0).random(shape).astype(np.float32)
    weights = None
    if with_weights:
        weights = np.array([0.0, 1.0, 2.0, 0.5], np.float32)
        if shape == (4, 3):
            weights = weights[:, None]
        assert weighted(values, weights, reduction) == pytest.approx(
            reduced(values, weights, reduction), rel=1e-6
        )
    keras_value = Given(reduction=reduction)(values, values, weights)
    expected = float(np.mean(keras_value))  # what Keras leaves unreduced, its metric averages
    assert reduced(values, weights, reduction) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("left", "right", "aligned"),
    [
        ((4,), (4, 1), ((4, 1), (4, 1))),
        ((4, 1), (4,), ((4, 1), (4, 1))),
        ((4, 3, 1), (4, 3), ((4, 3), (4, 3))),
        ((4,), (4, 3), ((4,), (4, 3))),
    ],
)
def test_ranks_are_aligned_as_keras_aligns_them(
    left: tuple[int, ...], right: tuple[int, ...], aligned: tuple[tuple[int, ...], ...]
) -> None:
    seen: list[tuple[int, ...]] = []

    def loss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        seen.extend((tuple(y_true.shape), tuple(y_pred.shape)))
        return tf.reduce_mean(y_pred)

    model = keras.Sequential([keras.Input(right[1:]), keras.layers.Identity()])
    model.compile(loss=loss, run_eagerly=True)
    model.compute_loss(y=tf.zeros(left), y_pred=tf.zeros(right))
    assert tuple(seen) == aligned
    assert tuple(a.shape for a in same_rank(np.zeros(left), np.zeros(right))) == aligned


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum"])
@pytest.mark.parametrize("graph", [False, True])
def test_samples_that_a_loss_masks_are_no_part_of_its_mean(reduction: str, graph: bool) -> None:
    circle = keras.losses.Circle(reduction=reduction)
    labels = np.array([0.0, 1.0, 2.0, 0.0], np.float32)  # the second and third have no other one
    angles = np.array([0.0, 1.0, 2.0, 4.0], np.float32)
    predictions = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    made = KerasLoss(call(circle.call, handed=circle))
    found = reduced(made.returned(labels, predictions, graph=graph), None, reduction)
    assert found == pytest.approx(float(circle(labels, predictions)), rel=1e-5)
