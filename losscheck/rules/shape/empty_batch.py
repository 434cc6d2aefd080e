"""LC405: a batch without a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losscheck.advice import wording
from losscheck.model import Severity, Suspect
from losscheck.rules.base import Rule

if TYPE_CHECKING:
    from losscheck.advice.blamed import Blame
    from losscheck.evidence.shape.reruns import EmptyBatch
    from losscheck.rules.base import Arguments, Judgment, Words


class EmptyBatchRule(Rule):
    """The loss of an empty batch is NaN or Inf, or the loss fails on it.

    What it does
    ------------
    Calls the loss with a batch of no sample. It is a note: in `fit` no batch is empty.

    Why it matters
    --------------
    In a training loop of one's own a filter may leave nothing of a batch (no positive pair, no
    visible box), and a device may get no part of the last one. The mean of nothing is NaN, and one
    such step spoils every weight.

    Example
    -------
    A mean over the batch divides by a count of zero:

        def loss(y_true, y_pred):
            return tf.reduce_mean(tf.square(y_true - y_pred))

    Use instead
    -----------
    Return one value a sample, or guard the count:

        def loss(y_true, y_pred):
            error = tf.square(y_true - y_pred)
            count = tf.cast(tf.size(error), error.dtype)
            return tf.math.divide_no_nan(tf.reduce_sum(error), count)

    References
    ----------
    - tensorflow/tensorflow issue 30040; tensorflow/addons issue 2447.
    """

    code = "LC405"
    slug = "empty-batch"
    forms = {
        "fails": Severity.NOTE,
        "nonfinite": Severity.NOTE,
    }
    absent = ("empty_batch", "no axis is a batch, or the loss has no graph")

    def judge(self, empty_batch: EmptyBatch | None) -> Judgment:
        """Name what happens to an empty batch."""
        if empty_batch is None:
            return
        value = empty_batch.value
        if empty_batch.error is not None:
            form = "fails"
        elif value is not None and not np.isfinite(value).all():
            form = "nonfinite"
        else:
            return
        yield Suspect(
            code=self.code,
            form=form,
            facts={"exception": str(empty_batch.error), "value": value},
            inputs=empty_batch.inputs,
            value=value,
            location=empty_batch.made_at,
            expected_text="0, or no value for no sample",
        )

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        fix = (
            "tf.math.divide_no_nan(tf.reduce_sum(x), count)  # 0 where nothing is counted\n"
            "# Or return one value a sample, and leave the mean to Keras."
        )
        if suspect.form == "fails":
            exception = wording.sentence(suspect.facts.get("exception", "")) or "an exception"
            return "The loss fails on an empty batch.", f"It raises: {exception}.", fix
        value = wording.array(suspect.facts.get("value"))
        return f"The loss of an empty batch is {value}.", "A mean over no sample divides by 0.", fix
