"""Where losscheck and the corpus disagree: what was examined, with a number that is run anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs
import numpy as np


@attrs.frozen(kw_only=True)
class Dispute:
    """A disagreement: what it is about, and the evidence, measured when it is asked for."""

    what: str
    evidence: Callable[[], str]


def _blank_in_a_label() -> str:
    """Differences of CTC beside its gradient, with the blank in a label and without."""
    with_blank, without = _gap([0, 2]), _gap([1, 2])
    return (
        f"The gradient and central differences of one sample of five frames are {with_blank:.2g} "
        f"apart at the label (0, 2), where 0 is the blank, and {without:.0e} at (1, 2)."
    )


def _gap(label: Sequence[int]) -> float:
    """The largest difference between gradient and central differences; differences err by 1e-4."""
    import keras
    import tensorflow as tf

    loss, labels = keras.losses.CTC(reduction=None), tf.constant([label], tf.float32)
    logits = np.random.default_rng(0).normal(size=(1, 5, 3)).astype(np.float32)
    steps = 1e-2 * np.eye(logits.size, dtype=np.float32).reshape(-1, *logits.shape)
    ends = [[float(loss(labels, logits + sign * s)[0]) for sign in (1, -1)] for s in steps]
    with tf.GradientTape() as tape:
        given = tf.constant(logits)
        tape.watch(given)
        value = loss(labels, given)
    slopes = np.array([(up - down) / 2e-2 for up, down in ends])
    return float(np.abs(tape.gradient(value, given).numpy().ravel() - slopes).max())


DISPUTES: Mapping[str, Dispute] = {
    "keras.losses.CTC()": Dispute(
        what="the corpus lists no defect, losscheck finds a wrong gradient (LC101). Both hold: the "
        "labels are ones that CTC's documentation rules out, and that nothing refuses.",
        evidence=_blank_in_a_label,
    ),
}
"""By the call of the entry."""
