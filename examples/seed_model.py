"""A loss that reads a model's weights, with the model: a second path for the gradient."""

from __future__ import annotations

import keras
import tensorflow as tf

model = keras.Sequential(
    [
        keras.Input((3,)),
        keras.layers.Dense(4, kernel_initializer=keras.initializers.GlorotUniform(seed=1)),
        keras.layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(seed=2)),
    ]
)


def custom_huber_loss_with_regularization(
    y_true: tf.Tensor, y_pred: tf.Tensor, delta: float = 1.0, lambda_reg: float = 0.01
) -> tf.Tensor:
    """Huber loss and an L2 penalty on the first layer of `model`."""
    size = tf.abs(y_true - y_pred)
    huber = tf.where(size < delta, 0.5 * tf.square(size), delta * (size - 0.5 * delta))
    penalty = tf.reduce_mean(tf.square(model.layers[0].kernel))
    return tf.reduce_mean(huber) + lambda_reg * penalty
