"""Where losscheck and the corpus disagree: what was examined, with a number that is run anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs
import numpy as np


@attrs.frozen(kw_only=True)
class Dispute:
    """A disagreement: what it is about, and the evidence, measured when it is asked for."""

    what: str
    evidence: Callable[[], str]


def _ctc_far_off() -> str:
    """What CTC makes of one frame that is surely wrong: its loss is the gap of the logits."""
    import keras
    import tensorflow as tf

    loss, found = keras.losses.CTC(reduction=None), []
    for gap in (600.0, 705.0, 1000.0):
        given = tf.constant([[[gap, 0.0]]])
        with tf.GradientTape() as tape:
            tape.watch(given)
            value = loss(tf.constant([[1.0]]), given)
        slope = tape.gradient(value, given).numpy()[0, 0, 0]
        found.append(f"{gap:g} it is {value[0]:.1f} with the gradient {slope:.2g}")
    return (
        "The loss of one frame with the logits (gap, 0) beside the label 1 is the gap, with the "
        f"gradient 1. At {', at '.join(found)}. Frames add up: 100 of them with gaps of 8 do it."
    )


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
        what="the corpus lists no defect, losscheck finds a wrong gradient (LC101). The loss "
        "cannot exceed 707, TensorFlow's stand-in for log(0), and the gradient fades before.",
        evidence=_ctc_far_off,
    ),
}
"""By the call of the entry."""
