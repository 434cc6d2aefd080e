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


def _dead_boxes() -> str:
    """How many raw outputs are no box, and get no gradient: boxes are (y0, x0, y1, x1)."""
    import keras_unet_collection.losses
    import tensorflow as tf

    raw = np.random.default_rng(0).normal(size=(2000, 4)).astype(np.float32)
    label = tf.constant(np.tile([[0.0, 0.0, 1.0, 1.0]], (len(raw), 1)), tf.float32)
    with tf.GradientTape() as tape:
        given = tf.constant(raw)
        tape.watch(given)
        value = keras_unet_collection.losses.iou_box(label, given)
    dead = (np.abs(tape.gradient(value, given).numpy()).max(axis=1) == 0) & (value.numpy() > 0)
    return (
        f"Of 2,000 normal raw outputs beside the unit box {dead.mean():.0%} have a loss above 0 "
        "and no gradient."
    )


def _column_labels() -> str:
    """What a loss of labels (B,) does with the labels that Keras hands it."""
    import deepordinal.tf
    import tensorflow as tf

    thresholds = tf.constant([-1.0, 0.0, 1.0, 2.0])
    try:
        deepordinal.tf.ordistic_loss(tf.zeros((2, 1)), tf.constant([[0.0], [1.0]]), thresholds)
    except Exception as error:  # whichever it raises is the evidence
        return f"With labels (B, 1) it raises {type(error).__name__}."
    return "With labels (B, 1) it runs."


DISPUTES: Mapping[str, Dispute] = {
    "M.iou_box": Dispute(
        what="the corpus lists no defect for boxes, losscheck finds no gradient and jumps (LC103, "
        "LC105) among real numbers. What a model gives need not be a box.",
        evidence=_dead_boxes,
    ),
    "(lambda t,p: M.ordistic_loss(p,t,tf.constant([-1.,0.,1.,2.])))": Dispute(
        what="the corpus runs it on labels (B,), losscheck on those of a training (LC603): Keras "
        "gives labels the rank of predictions (B, 1).",
        evidence=_column_labels,
    ),
    "keras.losses.CTC()": Dispute(
        what="the corpus lists no defect, losscheck finds a wrong gradient (LC101). Both hold: the "
        "labels are ones that CTC's documentation rules out, and that nothing refuses.",
        evidence=_blank_in_a_label,
    ),
}
"""By the call of the entry."""
