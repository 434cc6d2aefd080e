"""Small compiled models with one fault each; `sound` has their twins."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


def started(layer: Any = None, *, units: int = 3, seed: int = 1, **settings: Any) -> Any:
    """A dense layer that starts where it always does."""
    kernel = keras.initializers.GlorotUniform(seed=seed)
    return keras.layers.Dense(units, **{"kernel_initializer": kernel, **settings})


def compiled(inputs: Any, outputs: Any, loss: Any = "mse", **settings: Any) -> Any:
    model = keras.Model(inputs, outputs)
    model.compile("sgd", loss=loss, **settings)
    return model


class Length(keras.layers.Layer):
    """The length of a row."""

    def call(self, x: Any) -> Any:
        return tf.sqrt(tf.reduce_sum(tf.square(x), axis=-1, keepdims=True))


def nan_at_the_start() -> Any:
    """The length of what starts at 0: its slope there is infinite."""
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(5, kernel_initializer="zeros", name="hidden")(inputs)
    return compiled(inputs, Length()(hidden))


class Share(keras.layers.Layer):
    """What comes in over a weight that starts at 0."""

    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(shape=(1,), initializer="zeros", name="scale")

    def call(self, x: Any) -> Any:
        return x / self.scale


def divides_by_zero() -> Any:
    inputs = keras.Input((4,))
    return compiled(inputs, Share()(started()(inputs)))


def log_of_softmax() -> Any:
    """The gradient passes log(0) wherever a class is improbable enough."""
    inputs = keras.Input((4,))
    scale = keras.initializers.RandomNormal(stddev=200.0, seed=1)
    chances = keras.layers.Dense(3, kernel_initializer=scale, activation="softmax")(inputs)

    def likelihood(y_true: Any, y_pred: Any) -> Any:
        return -tf.reduce_sum(y_true * tf.math.log(y_pred), axis=-1)

    return compiled(inputs, chances, likelihood)


class Choice(keras.layers.Layer):
    """The number of the largest."""

    def call(self, x: Any) -> Any:
        return tf.cast(tf.argmax(x, axis=-1), tf.float32)[:, None]


def argmax_inside() -> Any:
    inputs = keras.Input((4,))
    hidden = started(name="behind")(inputs)
    return compiled(inputs, started(units=1, name="front")(Choice()(hidden)))


def argmax_at_the_end() -> Any:
    inputs = keras.Input((4,))
    shared = started(name="shared")(inputs)
    outputs = {"kind": Choice()(shared), "size": started(units=1)(shared)}
    return compiled(inputs, outputs, {"kind": "mse", "size": "mse"})


def one_output_without_a_loss() -> Any:
    inputs = keras.Input((4,))
    one = started(units=1, name="one")(inputs)
    other = started(units=1, name="other")(inputs)
    return compiled(inputs, [one, other], {"one": "mse", "other": None})


def stopped() -> Any:
    inputs = keras.Input((4,))
    held = keras.layers.Lambda(lambda x: tf.stop_gradient(x))(started(name="behind")(inputs))
    return compiled(inputs, started(units=1, name="front")(held))


def dead_relu() -> Any:
    """A regulariser moves the weights, and hides that nothing else does."""
    inputs = keras.Input((4,))
    low = keras.initializers.Constant(-1000.0)
    settings = {"activation": "relu", "bias_initializer": low, "kernel_regularizer": "l2"}
    one = started(units=1, name="one", **settings)(inputs)
    return compiled(inputs, [one, started(units=1, name="two")(inputs)], ["mse", "mse"])


class Clip(keras.layers.Layer):
    def call(self, x: Any) -> Any:
        return tf.clip_by_value(x, 50.0, 60.0)


def clipped() -> Any:
    inputs = keras.Input((4,))
    return compiled(inputs, Clip()(started(units=1)(inputs)))


def all_zero() -> Any:
    """No weight ever moves another."""
    inputs = keras.Input((4,))
    settings = {"kernel_initializer": "zeros", "use_bias": False}
    hidden = keras.layers.Dense(3, name="first", **settings)(inputs)
    return compiled(inputs, keras.layers.Dense(1, name="second", **settings)(hidden))


@tf.custom_gradient
def doubled(x: Any) -> Any:
    def grad(upstream: Any) -> Any:
        return upstream * 4.0 * x  # the slope of x * x is 2 x

    return x * x, grad


class Squared(keras.layers.Layer):
    def call(self, x: Any) -> Any:
        return doubled(x)


def wrong_custom_gradient() -> Any:
    inputs = keras.Input((4,))
    hidden = Squared()(started(name="behind")(inputs))
    return compiled(inputs, started(units=1, name="front")(hidden))


class Straight(keras.layers.Layer):
    """Rounds, and hands the gradient on as if it did not."""

    def call(self, x: Any) -> Any:
        return x + tf.stop_gradient(x * x - x)


def held_part() -> Any:
    inputs = keras.Input((4,))
    return compiled(inputs, started(units=1, name="front")(Straight()(started()(inputs))))


class Energy(keras.layers.Layer):
    """Adds a loss of its own, which is NaN at once."""

    def call(self, x: Any) -> Any:
        self.add_loss(tf.reduce_mean(tf.math.log(tf.reduce_sum(x, axis=-1) * 0.0)))
        return x


def bad_added_loss() -> Any:
    inputs = keras.Input((4,))
    return compiled(inputs, started(units=1)(Energy()(started()(inputs))))


class Falls(keras.layers.Layer):
    """A root that the first step of training leads to a negative number."""

    def build(self, shape: Any) -> None:
        self.level = self.add_weight(shape=(), initializer="ones", name="level")

    def call(self, x: Any) -> Any:
        self.add_loss(100.0 * self.level)
        return x * tf.sqrt(self.level)


def nan_after_a_step() -> Any:
    inputs = keras.Input((4,))
    return compiled(inputs, Falls()(started(units=1)(inputs)))


def near_enough(y_true: Any, y_pred: Any) -> Any:
    """Nothing to learn as long as the prediction is about 0."""
    return tf.reduce_mean(tf.maximum(tf.abs(y_pred) - 1e6, 0.0), axis=-1)


@tf.custom_gradient
def penalty(weights: Any) -> Any:
    def grad(upstream: Any) -> Any:
        return -2.0 * upstream * weights

    return tf.reduce_sum(tf.square(weights)), grad


def wrong_second_path() -> Any:
    """The loss reads the model, and the gradient of that part has the wrong sign."""
    inputs = keras.Input((4,))
    model = keras.Sequential([inputs, started(name="read"), started(units=1, name="front")])

    def penalised(y_true: Any, y_pred: Any) -> Any:
        return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1) + penalty(model.layers[0].kernel)

    model.compile("sgd", loss=penalised)
    return model


def unseen_labels() -> Any:
    """Labels that are compared with what none of them is: nothing is left to learn."""
    inputs = keras.Input((4,))

    def apart(y_true: Any, y_pred: Any) -> Any:
        same = tf.cast(y_true == 0.125, tf.float32)
        return 1.0 + tf.reduce_mean(y_pred) * tf.reduce_mean(same)

    return compiled(inputs, started(units=3)(inputs), apart)


class Own(keras.Model):
    """A model with a training step of its own, and no loss."""

    def train_step(self, data: Any) -> Any:
        return {}


def own_step() -> Any:
    inputs = keras.Input((4,))
    model = Own(inputs, started()(inputs))
    model.compile("sgd")
    return model


def python_choice() -> Any:
    """A loss that Keras cannot trace."""
    inputs = keras.Input((4,))

    def chosen(y_true: Any, y_pred: Any) -> Any:
        return y_pred if tf.reduce_sum(y_pred) > 0 else y_true

    return compiled(inputs, started()(inputs), chosen)
