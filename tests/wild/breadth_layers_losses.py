"""Sound losses of images, state, random numbers, Python and layers, as in breadth_losses."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tests.wild.breadth_losses import SMALL, SQUARE, T, mean_square

IMAGE = ("[0, 1]", "(B, 6, 6, 2)")


# Images.
_EDGES = tf.constant(np.array([[1.0, 0.0], [0.0, -1.0]]).reshape(2, 2, 1, 1), tf.float32)


def edges(y_true: T, y_pred: T) -> T:
    kernel = tf.tile(tf.cast(_EDGES, y_pred.dtype), [1, 1, 2, 1])
    found = tf.nn.conv2d(y_pred - y_true, kernel, strides=1, padding="SAME")
    return tf.reduce_mean(tf.square(found), axis=[1, 2, 3])


def pooled(y_true: T, y_pred: T) -> T:
    gap = tf.nn.avg_pool2d(y_true - y_pred, 2, 2, "VALID")
    return tf.reduce_mean(tf.square(gap), axis=[1, 2, 3])


def largest_of_windows(y_true: T, y_pred: T) -> T:
    gap = tf.nn.max_pool2d(y_true, 2, 2, "VALID") - tf.nn.max_pool2d(y_pred, 2, 2, "VALID")
    return tf.reduce_mean(tf.square(gap), axis=[1, 2, 3])


def similarity(y_true: T, y_pred: T) -> T:
    return 1.0 - tf.image.ssim(y_true, y_pred, 1.0, filter_size=3)


def sobel(y_true: T, y_pred: T) -> T:
    gap = tf.image.sobel_edges(y_true) - tf.image.sobel_edges(y_pred)
    return tf.reduce_mean(tf.square(gap), axis=[1, 2, 3, 4])


def variation(y_true: T, y_pred: T) -> T:
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=[1, 2, 3]) + 1e-3 * (
        tf.image.total_variation(y_pred)
    )


def resized(y_true: T, y_pred: T) -> T:
    gap = tf.image.resize(y_pred - y_true, [3, 3], method="bilinear")
    return tf.reduce_mean(tf.square(tf.cast(gap, y_pred.dtype)), axis=[1, 2, 3])


def cropped(y_true: T, y_pred: T) -> T:
    gap = tf.image.central_crop(y_true - y_pred, 0.5)
    whole = tf.reduce_mean(tf.square(y_true - y_pred), axis=[1, 2, 3])
    return whole + tf.reduce_mean(tf.square(gap), axis=[1, 2, 3])


def patches(y_true: T, y_pred: T) -> T:
    found = tf.image.extract_patches(
        y_true - y_pred, [1, 2, 2, 1], [1, 2, 2, 1], [1, 1, 1, 1], "VALID"
    )
    return tf.reduce_mean(tf.square(tf.reduce_mean(found, axis=-1)), axis=[1, 2])


# State.
class RunningScale(keras.losses.Loss):
    """A scale of the labels that moves from batch to batch."""

    def __init__(self) -> None:
        super().__init__(name="running_scale")
        self.scale = tf.Variable(1.0, trainable=False)

    def call(self, y_true: T, y_pred: T) -> T:
        self.scale.assign(0.9 * self.scale + 0.1 * tf.reduce_mean(tf.abs(y_true)))
        return mean_square(y_true, y_pred) / (1.0 + self.scale)


class Counted(keras.losses.Loss):
    """Weighs by the number of its calls, in a variable of Keras and in Python."""

    def __init__(self) -> None:
        super().__init__(name="counted")
        self.steps = keras.Variable(0.0, trainable=False)
        self.calls = 0

    def call(self, y_true: T, y_pred: T) -> T:
        self.calls += 1
        self.steps.assign_add(1.0)
        return mean_square(y_true, y_pred) * (1.0 + tf.exp(-0.1 * self.steps.value))


class RunningMean(keras.losses.Loss):
    """A mean of the predictions, through which TensorFlow sends no gradient."""

    def __init__(self) -> None:
        super().__init__(name="running_mean")
        self.mean = tf.Variable(0.0, trainable=False)

    def call(self, y_true: T, y_pred: T) -> T:
        self.mean.assign(0.9 * self.mean + 0.1 * tf.reduce_mean(y_pred))
        return tf.reduce_mean(tf.square(y_true - y_pred + self.mean), axis=-1)


seen = tf.Variable(0.0, trainable=False)


def state_in_branch(y_true: T, y_pred: T) -> T:
    def more() -> T:
        seen.assign_add(1.0)
        return seen + 0.0

    count = tf.cond(tf.reduce_mean(y_true) > 0.0, more, lambda: seen + 0.0)
    return mean_square(y_true, y_pred) * (1.0 + tf.sigmoid(count))


# Random numbers.
def jittered(y_true: T, y_pred: T) -> T:
    noise = tf.random.stateless_normal(tf.shape(y_pred), seed=[1, 2], dtype=y_pred.dtype)
    return mean_square(y_true, y_pred + 0.1 * noise)


def dropped(y_true: T, y_pred: T) -> T:
    return tf.reduce_mean(tf.nn.dropout(tf.square(y_true - y_pred), rate=0.5), axis=-1)


# Python inside.
def by_numpy(y_true: T, y_pred: T) -> T:
    weights = tf.numpy_function(lambda t: (1.0 + np.abs(t)).astype(t.dtype), [y_true], y_true.dtype)
    weights = tf.ensure_shape(weights, y_true.shape)
    return tf.reduce_mean(weights * tf.square(y_true - y_pred), axis=-1)


def by_python(y_true: T, y_pred: T) -> T:
    found = tf.py_function(lambda t, p: tf.square(t - p), [y_true, y_pred], y_pred.dtype)
    return tf.reduce_mean(tf.ensure_shape(found, y_pred.shape), axis=-1)


def python_beside_lost_digits(y_true: T, y_pred: T) -> T:
    found = tf.py_function(lambda t, p: tf.square(t - p), [y_true, y_pred], y_pred.dtype)
    found = tf.ensure_shape(found, y_pred.shape) + 1.0 - tf.cos(0.01 * y_pred)
    return tf.reduce_mean(found / (1.0 + y_true), axis=-1)


# Linear algebra row by row, on labels of which a matrix is made that only these have an inverse.
def solved_by_rows(y_true: T, y_pred: T) -> T:
    def row(pair: tuple[T, T]) -> T:
        label, prediction = pair
        matrix = tf.linalg.diag(tf.math.log(label - 1.0))
        return tf.reduce_sum(tf.square(tf.linalg.solve(matrix, prediction[:, None])))

    return tf.map_fn(row, (y_true, y_pred), fn_output_signature=tf.float32)


# A convolution, whose kernel ends the process where it is handed a matrix.
def convolved(y_true: T, y_pred: T) -> T:
    kernel = tf.constant(np.full((3, 3, 1, 1), 1.0 / 9.0), y_pred.dtype)
    return tf.reduce_mean(tf.square(tf.nn.conv2d(y_true - y_pred, kernel, 1, "SAME")), axis=[1, 2])


# Layers, networks, keras.ops.
def _start(seed: int) -> Any:
    return keras.initializers.RandomNormal(stddev=0.3, seed=seed)


_net = keras.Sequential(
    [
        keras.Input((6, 6, 2)),
        keras.layers.Conv2D(3, 3, activation="tanh", kernel_initializer=_start(1)),
        keras.layers.BatchNormalization(),
        keras.layers.Flatten(),
        keras.layers.Dense(4, kernel_initializer=_start(2)),
    ]
)
_norm = keras.layers.LayerNormalization()
_norm.build((None, 3, 3))


def perceptual(y_true: T, y_pred: T) -> T:
    return mean_square(_net(y_true), _net(y_pred))


def by_layer(y_true: T, y_pred: T) -> T:
    return tf.reduce_mean(tf.square(y_true - _norm(y_pred)), axis=[1, 2])


def by_keras_ops(y_true: T, y_pred: T) -> T:
    gap = keras.ops.subtract(keras.ops.softplus(y_pred), keras.ops.relu(y_true))
    return keras.ops.mean(keras.ops.logaddexp(gap, -gap), axis=-1)


def by_keras_linalg(y_true: T, y_pred: T) -> T:
    return keras.ops.mean(keras.ops.norm(y_true - y_pred + 3.0, axis=-1), axis=-1)


def by_keras_loop(y_true: T, y_pred: T) -> T:
    return keras.ops.mean(
        keras.ops.vectorized_map(lambda x: keras.ops.sum(keras.ops.square(x)), y_pred - y_true)
    )


_wide = keras.Sequential([keras.Input((192,)), keras.layers.Dense(4, kernel_initializer=_start(4))])


def frozen_network(y_true: T, y_pred: T) -> T:
    return mean_square(_wide(y_true), _wide(y_pred))


DECLARED: dict[Any, tuple[Any, Any]] = {
    **dict.fromkeys(
        (edges, pooled, largest_of_windows, similarity, sobel, variation),
        (IMAGE, IMAGE),
    ),
    **dict.fromkeys((resized, cropped, patches, perceptual), (IMAGE, IMAGE)),
    **dict.fromkeys((RunningScale, Counted, state_in_branch), (SMALL, SMALL)),
    **dict.fromkeys((jittered, dropped, by_numpy, by_python), (SMALL, SMALL)),
    **dict.fromkeys((by_keras_ops, by_keras_loop), (SMALL, SMALL)),
    **dict.fromkeys((by_layer, by_keras_linalg), (SQUARE, SQUARE)),
}
