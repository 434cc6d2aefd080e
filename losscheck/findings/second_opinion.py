"""What others say of the gradient in one finding, beside the numbers of our own."""

from __future__ import annotations

import numpy as np

from losscheck.advice import wording
from losscheck.model import Array, Inputs
from losscheck.program.second_opinion import Failed, compute_gradient, forward_slope
from losscheck.program.tracing.trace import Call

LISTED = 8  # elements; of larger predictions the worst one is told
SIDES = 10.0  # times closer to the one than to the other: a side is taken


def opinions(
    call: Call,
    inputs: Inputs,
    dtype: str,
    gradient: Array,
    numeric: Array,
    *,
    loops: bool = False,
    failed: Failed | None = None,
) -> str:
    """Say what compute_gradient finds on this very case, and which side forward mode takes.

    Parameters
    ----------
    inputs
        One case.
    gradient, numeric
        Flat: what the loss gives, and what the differences say.
    loops
        Whether there are loops in it, which forward mode takes ten seconds to run through.
    failed
        What is known of `compute_gradient` on this loss.
    """
    gap = np.nan_to_num(np.abs(gradient - numeric), nan=0.0)
    # Of a large prediction, the elements that are most wrong.
    worst_first = np.argsort(-gap, kind="stable")
    said = compute_gradient(call, inputs, dtype, worst_first[:LISTED], loops=loops, failed=failed)
    if said.failure:
        text = f"tf.test.compute_gradient fails: {said.failure}"
    elif len(gradient) <= LISTED:
        numbers = np.array2string(said.numeric, precision=6, separator=", ")
        text = f"tf.test.compute_gradient gives {numbers}"
    else:
        worst = int(np.argmax(gap[said.elements]))
        text = f"tf.test.compute_gradient gives {wording.number(said.numeric[worst])}"
        text += f" at element {int(said.elements[worst])}"
    return text if loops else text + _forward(call, inputs, dtype, gradient, numeric)


def _forward(call: Call, inputs: Inputs, dtype: str, gradient: Array, numeric: Array) -> str:
    direction = np.sign(gradient - numeric)  # along it nothing that is wrong cancels
    slope = forward_slope(call, inputs, direction, dtype)
    if slope is None or not np.isfinite(slope):
        return ""
    to_gradient = abs(slope - float(gradient @ direction))
    to_numeric = abs(slope - float(numeric @ direction))
    if SIDES * to_gradient < to_numeric:
        return "; forward mode sides with the gradient"
    if SIDES * to_numeric < to_gradient:
        return "; forward mode sides with the differences"
    return ""
