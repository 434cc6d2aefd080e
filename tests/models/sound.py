"""Small compiled models without a fault, the twins of those in `planted`."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from tests.models.planted import compiled, near_enough, started


class SafeLength(keras.layers.Layer):
    def call(self, x: Any) -> Any:
        return tf.sqrt(tf.reduce_sum(tf.square(x), axis=-1, keepdims=True) + 1e-6)


def length() -> Any:
    inputs = keras.Input((4,))
    hidden = started(units=5)(inputs)
    return compiled(inputs, SafeLength()(hidden))


class Drift(keras.layers.Layer):
    """Adds a loss of its own."""

    def call(self, x: Any) -> Any:
        self.add_loss(0.1 * tf.reduce_mean(tf.square(x)))
        return x


def two_outputs() -> Any:
    """Two outputs, a layer with a loss of its own, a regulariser, a loss that reads the model."""
    inputs = keras.Input((4,))
    hidden = started(units=5, activation="tanh", name="hidden", kernel_regularizer="l2")(inputs)
    hidden = Drift()(hidden)
    kind = started(activation="softmax", name="kind")(hidden)
    size = started(units=1, name="size")(hidden)

    def penalised(y_true: Any, y_pred: Any) -> Any:
        penalty = tf.reduce_sum(tf.square(model.layers[1].kernel))
        return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1) + 0.01 * penalty

    losses = {"kind": "sparse_categorical_crossentropy", "size": penalised}
    model = compiled(inputs, [kind, size], losses, loss_weights={"kind": 1.0, "size": 0.5})
    return model


def noisy() -> Any:
    """Dropout, batch normalisation, and the optimisers that remember."""
    inputs = keras.Input((4,))
    hidden = keras.layers.BatchNormalization()(started(units=6, activation="relu")(inputs))
    hidden = keras.layers.Dropout(0.5)(hidden)
    model = keras.Model(inputs, started(units=1, activation="sigmoid")(hidden))
    model.compile("adam", loss=keras.losses.BinaryCrossentropy())
    return model


def zero_residual() -> Any:
    """A branch that starts at 0 on purpose: what lies behind it moves from the second step on."""
    inputs = keras.Input((3,))
    branch = started(units=5, activation="tanh")(inputs)
    branch = keras.layers.Dense(3, kernel_initializer="zeros")(branch)
    return compiled(inputs, started(units=1)(inputs + branch))


def frozen() -> Any:
    inputs = keras.Input((4,))
    behind = started(trainable=False)(inputs)
    return compiled(inputs, started(units=1)(behind))


def words() -> Any:
    """Numbers of words beside a number, in a mapping, into two outputs in a mapping."""
    word = keras.Input((5,), dtype="int32", name="word")
    length = keras.Input((1,), name="length")
    hidden = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(7, 4)(word))
    hidden = keras.layers.Concatenate()([hidden, length])
    outputs = {"level": started(units=1)(hidden), "mood": started(activation="softmax")(hidden)}
    model = keras.Model({"word": word, "length": length}, outputs)
    model.compile("adam", loss={"level": "huber", "mood": "kl_divergence"})
    return model


def text() -> Any:
    """Numbers of words, a recurrence, a class for each step."""
    inputs = keras.Input((5,), dtype="int32")
    hidden = keras.layers.Embedding(7, 4)(inputs)
    hidden = keras.layers.GRU(3, return_sequences=True)(hidden)
    return compiled(
        inputs,
        keras.layers.Dense(4)(hidden),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )


def pictures() -> Any:
    inputs = keras.Input((8, 8, 1))
    hidden = keras.layers.Conv2D(2, 3, activation="relu")(inputs)
    hidden = keras.layers.MaxPooling2D()(hidden)
    hidden = keras.layers.Flatten()(hidden)
    return compiled(
        inputs, keras.layers.Dense(3, activation="softmax")(hidden), "categorical_crossentropy"
    )


class Own(keras.Model):
    """A model of a class of its own, built from a shape, that names its outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = keras.layers.Dense(4, activation="tanh")
        self.head = keras.layers.Dense(1)

    def call(self, x: Any) -> Any:
        hidden = self.hidden(x)
        return {"size": self.head(hidden), "kind": tf.nn.softmax(hidden)}


def own_class() -> Any:
    model = Own()
    model(tf.zeros((1, 3)))
    model.compile("adam", loss={"size": "mse", "kind": "categorical_crossentropy"})
    return model


def only_added() -> Any:
    """A model that is trained on what its layers add alone."""
    inputs = keras.Input((4,))
    model = keras.Model(inputs, Drift()(started()(inputs)))
    model.compile("adam")
    return model


def unbuilt() -> Any:
    model = keras.Sequential([keras.layers.Dense(3, activation="tanh"), keras.layers.Dense(1)])
    model.compile("adam", loss="mse")
    return model


def with_settings(units: int = 3, rate: float = 0.1) -> Any:
    inputs = keras.Input((4,))
    model = keras.Model(inputs, started(units=units)(inputs))
    model.compile(keras.optimizers.SGD(rate), loss="mse")
    return model


@tf.custom_gradient
def right(x: Any) -> Any:
    def grad(upstream: Any) -> Any:
        return upstream * 2.0 * x

    return x * x, grad


class Squared(keras.layers.Layer):
    def call(self, x: Any) -> Any:
        return right(x)


def right_custom_gradient() -> Any:
    inputs = keras.Input((4,))
    return compiled(inputs, started(units=1)(Squared()(started()(inputs))))


def satisfied() -> Any:
    """One of two losses is 0 from the start, and so is all that it teaches."""
    inputs = keras.Input((4,))
    one, two = started(units=1, name="one")(inputs), started(units=1, name="two")(inputs)
    return compiled(inputs, [one, keras.layers.Add()([one, two])], [near_enough, "mse"])


class Sampled(keras.layers.Layer):
    """Adds noise of TensorFlow's own in evaluation, too."""

    def call(self, x: Any) -> Any:
        return x * (1.0 + tf.random.normal(tf.shape(x)))


def sampled() -> Any:
    inputs = keras.Input((4,))
    return compiled(inputs, started(units=1)(Sampled()(started()(inputs))))


def read_by_its_loss() -> Any:
    """The example of a loss that reads `model.layers[0].kernel`, compiled."""
    from examples import seed_model

    seed_model.model.compile("sgd", loss=seed_model.custom_huber_loss_with_regularization)
    return seed_model.model


def strided() -> Any:
    """Pictures of any size, a class for every fourth pixel."""
    inputs = keras.Input((None, None, 1))
    hidden = keras.layers.Conv2D(2, 3, strides=2, padding="same", activation="relu")(inputs)
    outputs = keras.layers.Conv2D(3, 1, activation="softmax")(hidden)
    return compiled(inputs, outputs, "sparse_categorical_crossentropy")
