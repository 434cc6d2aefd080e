"""`tf.test.compute_gradient` on the same loss: its numbers stand beside ours."""

from __future__ import annotations

from typing import Any

import numpy as np

from losscheck.model import Array, Inputs
from losscheck.program.quiet import silence, tensorflow
from losscheck.program.trace import Call, as_tensor

ELEMENTS = 64  # its Python loop calls the loss twice an element


def compute_gradient(call: Call, inputs: Inputs, dtype: str) -> tuple[Array, Array] | None:
    """Run `tf.test.compute_gradient` on one case.

    Parameters
    ----------
    inputs
        One case; None comes back for a prediction of more than 64 elements.
    dtype
        float64 where the loss takes it, else float32.

    Returns
    -------
    tuple or None
        Its theoretical and its numeric gradient, (n,) each; None where it fails.
    """
    tf = tensorflow()
    prediction = np.asarray(inputs[call.prediction], dtype)
    if prediction.size > ELEMENTS:
        return None
    others = {n: tf.constant(np.asarray(a, dtype)) for n, a in inputs.items()}

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def loss(tensor: Any) -> Any:
        tensors = {**others, call.prediction: tensor}
        return tf.reduce_sum(as_tensor(call([tensors[name] for name in call.names])))

    try:
        with silence():
            (theoretical,), (numeric,) = tf.test.compute_gradient(loss, [tf.constant(prediction)])
    except Exception:  # its failure says nothing of the loss
        return None
    return np.asarray(theoretical, np.float64).ravel(), np.asarray(numeric, np.float64).ravel()
