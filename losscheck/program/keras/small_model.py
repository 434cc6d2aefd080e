"""The smallest model whose outputs lie in a domain: a dense layer and what brings it there."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from losscheck.model import Array
from losscheck.program.quiet import keras_module

WIDEST = 1024  # outputs of a Dense layer, whose matrix has a million weights then
EACH = "...d,d->...d"  # a weight for each output


@attrs.frozen
class Head:
    """What follows the Dense layer."""

    activation: str = "linear"  # by its name in Keras
    # The output is scale * activation + offset.
    scale: float = 1.0
    offset: float = 0.0
    unit: bool = False  # whether rows are brought to length one


HEADS = {
    "probability": Head("sigmoid"),
    "binary": Head("sigmoid"),
    "mask": Head("sigmoid"),
    "simplex": Head("softmax"),
    "one_hot": Head("softmax"),
    "sign": Head("tanh"),
    "positive": Head("softplus"),
    "nonnegative": Head("softplus"),
    "weight": Head("softplus"),
    "count": Head("softplus"),
    "unit_vector": Head(unit=True),
}
"""By the name of a domain; the others go by their ends."""


def head(domain: str, low: float, high: float) -> Head:
    """Choose what brings a number into a domain with these ends."""
    if domain in HEADS:
        return HEADS[domain]
    below, above = low == -float("inf"), high == float("inf")
    if below and above:
        return Head()
    if below:
        return Head("softplus", -1.0, high)
    if above:
        return Head("softplus", 1.0, low)
    return Head("sigmoid", high - low, low)


def layers(shape: tuple[int, ...], made: Head, dtype: str = "float32") -> list[tuple[str, str]]:
    """Write the layers of the model as Keras calls, each with its name; the program of a finding.

    A Dense layer that starts as the identity has a weight to train and draws no random number.
    Where its matrix would be large, there is one weight for each output.
    """
    width = shape[-1] if shape else 1
    kind = "" if dtype == "float32" else f", dtype={dtype!r}"
    dense = f"Dense({width}, {made.activation!r}, kernel_initializer='identity'{kind})"
    if width > WIDEST:
        dense = (
            f"EinsumDense({EACH!r}, {width}, {made.activation!r}, bias_axes='d', "
            f"kernel_initializer='ones'{kind})"
        )
    lines = [("dense", f"keras.layers.{dense}")]
    if made.unit:
        lines.append(("unit", f"keras.layers.UnitNormalization(axis=-1{kind})"))
    if made.scale != 1.0 or made.offset != 0.0:
        lines.append(("range", f"keras.layers.Rescaling({made.scale!r}, {made.offset!r}{kind})"))
    if not shape:
        lines.append(("flat", f"keras.layers.Reshape((){kind})"))
    return lines


def inputs_of(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of one input of the model."""
    return shape or (1,)


def build(shape: tuple[int, ...], made: Head, dtype: str = "float32") -> Any:
    """Build the model for predictions of this shape."""
    keras = keras_module()
    width, named = shape[-1] if shape else 1, {"name": "dense", "dtype": dtype}
    if width > WIDEST:
        dense = keras.layers.EinsumDense(
            EACH, width, made.activation, bias_axes="d", kernel_initializer="ones", **named
        )
    else:
        dense = keras.layers.Dense(width, made.activation, kernel_initializer="identity", **named)
    stack = [keras.Input(inputs_of(shape), name="inputs"), dense]
    if made.unit:
        stack.append(keras.layers.UnitNormalization(axis=-1, name="unit", dtype=dtype))
    if made.scale != 1.0 or made.offset != 0.0:
        stack.append(keras.layers.Rescaling(made.scale, made.offset, name="range", dtype=dtype))
    if not shape:
        stack.append(keras.layers.Reshape((), name="flat", dtype=dtype))
    return keras.Sequential(stack, name="small_model")


def outputs(model: Any, x: Array) -> Array:
    """What the model gives for a batch."""
    return np.asarray(model(x, training=False))
