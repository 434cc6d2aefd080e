"""LC403: samples that depend on each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losscheck.model import Range, Severity, Suspect
from losscheck.rules.base import Rule

if TYPE_CHECKING:
    from losscheck.evidence.shape.reruns import Parts
    from losscheck.rules.base import Judgment


class BatchCoupling(Rule):
    """One sample's loss depends on the other samples of its batch.

    What it does
    ------------
    Compares the loss of a batch with the losses of its samples alone. Where they do not fit, some
    samples change places between batches: if none changes what the others add, only a batch of one
    is another matter, and that is told. It is a note: contrastive losses and batch statistics
    couple samples on purpose.

    Why it matters
    --------------
    With coupling, the loss depends on how the data are cut into batches: validation at another
    batch size gives another number, and several devices with a part each do not compute what
    one would. A gradient may also flow where nobody expects it, as through a threshold computed
    from the batch.

    Example
    -------
    The threshold is taken from the whole batch, and gradient flows through it as well:

        def loss(y_true, y_pred):
            error = tf.abs(y_true - y_pred)
            delta = tf.reduce_mean(error)
            return tf.where(error < delta, 0.5 * error**2, delta * (error - 0.5 * delta))

    Use instead
    -----------
    Fix the constant, or say that it is one for the gradient:

        def loss(y_true, y_pred, delta=1.0):
            error = tf.abs(y_true - y_pred)
            return tf.where(error < delta, 0.5 * error**2, delta * (error - 0.5 * delta))

    References
    ----------
    - TensorFlow guide: Custom training with tf.distribute.Strategy, section on the loss
      function.
    - keras-team/keras issue 10408; umbertogriffo/focal-loss-keras issue 5.
    """

    code = "LC403"
    slug = "batch-coupling"
    forms = {
        "coupled": Severity.NOTE,
        "alone": Severity.NOTE,
        "summed": Severity.NOTE,
    }
    needs = ("parts",)

    def judge(self, parts: Parts | None) -> Judgment:
        """Name the coupling between samples."""
        if parts is None or not len(parts.cases):
            return
        case, form = _coupled(parts), "alone" if parts.independent else "coupled"
        if case is None:
            case, form = _summed(parts), "summed"
        if case is not None:
            yield Suspect(
                code=self.code,
                form=form,
                facts={
                    "value": float(parts.whole[case].mean()),
                    "parts": float(parts.rows[case].mean()),
                },
                inputs={name: array[case] for name, array in parts.cases.inputs.items()},
                range=Range.ORDINARY,
                value=float(parts.whole[case].mean()),
                expected_value=float(parts.rows[case].mean()),
                expected_text="the mean of the losses of its rows",
            )


TOLERANCE = 1e-4  # relative difference of float32 results that summation order explains


def _summed(parts: Parts) -> int | None:
    """Find the batch whose loss is the sum over its rows and no mean; None where it is a mean."""
    n, size = parts.rows.shape
    if size < 2 or parts.returns:
        return None
    whole = parts.whole.reshape(n, -1).mean(axis=1)
    scale = np.fmax(np.abs(parts.rows).max(axis=1), 1e-30)
    with np.errstate(invalid="ignore"):
        relative = np.abs(whole - parts.rows.mean(axis=1)) / scale
    relative = np.where(np.isfinite(relative), relative, 0.0)
    worst = int(np.argmax(relative))
    return worst if relative[worst] > TOLERANCE * size else None


def _coupled(parts: Parts) -> int | None:
    """Find the batch that differs most from its rows; None if none does."""
    return int(np.argmax(parts.apart)) if parts.coupled.any() else None
