"""The part of a reproduction that shows a second derivative beside differences of the gradient."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from losscheck.model import Array, Suspect

# Step over the size of the prediction: the rounding of a gradient, 1e-16 or 6e-8 of it, over the
# step leaves ten digits in float64 and four in float32.
STEPS = {"float64": 1e-5, "float32": 1e-3}


def dtype(suspect: Suspect) -> str:
    """The dtype that the numbers are best seen in, where the loss takes it."""
    return str(suspect.facts.get("dtype", suspect.dtype))


def second_order(
    suspect: Suspect, prediction: str, call: str, literal: Callable[[Array], str]
) -> list[str]:
    """Write the lines behind the inputs.

    Parameters
    ----------
    prediction
        The argument that is differentiated.
    call
        The text that calls the loss.
    literal
        Writes an array.
    """
    x = np.asarray(suspect.inputs[prediction], np.float64)
    direction = suspect.facts.get("direction")
    v = np.ones_like(x) if direction is None else np.asarray(direction, np.float64)
    chosen = dtype(suspect)
    step = STEPS.get(chosen, STEPS["float32"]) * max(1.0, float(np.abs(x).max(initial=0.0)))
    return [
        f"v = tf.constant({literal(v.astype(np.float32))}, tf.{chosen})",
        f"h = {step:.1e}",
        "",
        "",
        f"def gradient({prediction}):",
        "    with tf.GradientTape() as tape:",
        f"        tape.watch({prediction})",
        f"        value = {call}",
        f"    return tf.convert_to_tensor(tape.gradient(value, {prediction}))",
        "",
        "",
        "@tf.function(autograph=False)",
        "def differences():",
        f"    return (gradient({prediction} + h * v) - gradient({prediction} - h * v)) / (2.0 * h)",
        "",
        "",
        "@tf.function(autograph=False)",
        "def product():",
        "    with tf.GradientTape() as tape:",
        f"        tape.watch({prediction})",
        f"        slope = tf.reduce_sum(gradient({prediction}) * v)",
        f"    return tape.gradient(slope, {prediction})",
        "",
        "",
        'print("differences of the gradient along v:", differences().numpy())',
        "found = product()",
        'print("second derivative times v:", None if found is None else found.numpy())',
    ]
