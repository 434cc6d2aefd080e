"""LC403: samples that depend on each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losscheck.advice import wording
from losscheck.model import Range, Severity, Suspect
from losscheck.rules.base import Rule

if TYPE_CHECKING:
    from losscheck.advice.blamed import Blame
    from losscheck.evidence.shape.reruns import Parts
    from losscheck.rules.base import Arguments, Judgment, Words

TOLERANCE = 1e-4  # relative difference of float32 results that summation order explains


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
    absent = ("parts", "a batch of it cannot be taken apart into rows")

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

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        facts = suspect.facts
        numbers = ""
        if facts.get("value") is not None and facts.get("parts") is not None:
            numbers = (
                f" The loss of the batch is {wording.array(facts['value'])}, the mean over its "
                f"parts {wording.array(facts['parts'])}."
            )
        where = f" It is at {blame.expression}." if blame.expression else ""
        if suspect.form == "alone":
            return (
                "A sample alone has another loss than in a batch.",
                "No sample changes what another one adds, but a batch of one is computed "
                f"otherwise.{numbers}",
                "x = tf.squeeze(x, axis=-1)  # names its axis: a bare tf.squeeze drops the batch "
                "of a batch of one\n"
                "# Or divide by tf.cast(tf.shape(x)[0], x.dtype), the number of samples.",
            )
        if suspect.form == "summed":
            return (
                "The loss grows with the size of the batch.",
                f"It adds up the losses of the samples.{numbers} A learning rate that suits one "
                "batch size is wrong for another, and the smaller last batch counts less.",
                "tf.reduce_mean(x)  # over the batch, or one value a sample, which Keras averages",
            )
        return (
            "One sample's loss depends on the other samples of the batch.",
            f"A statistic or a sum is taken over the batch.{where}{numbers}",
            "tf.reduce_mean(x, axis=-1)  # over a sample's own values, not over the batch (axis "
            "0)\n# If the coupling is meant, as in a contrastive loss, nothing needs to change.",
        )


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
