"""LC502: dtypes that the loss does not take."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from losscheck.advice import wording
from losscheck.model import Severity, Suspect
from losscheck.rules.base import Pin, Rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from losscheck.advice.blamed import Blame
    from losscheck.evidence.shape.calls import CallOutcome
    from losscheck.evidence.shape.reruns import DtypeRun
    from losscheck.model import Location
    from losscheck.program.tracing.trace import CallError
    from losscheck.rules.base import Arguments, Judgment, Words

# How TensorFlow says that an operation does not exist for a dtype.
_NO_KERNEL = re.compile(r"OpKernel|find device|list of allowed values|requires tf\.")


class DtypeRejected(Rule):
    """The loss fails in a dtype.

    What it does
    ------------
    Traces the loss with float16, bfloat16, float32 and float64 predictions, and with labels as
    Keras hands them over (integer labels arrive as float32), and reports what raises. It is an
    error for float32 and for the dtypes that the user requires, else a warning; a note where no
    dtype is fixed, and an operation does not take one that nobody requires.

    Why it matters
    --------------
    A cast to tf.float32 inside ties the loss to that dtype: TensorFlow does not mix dtypes, so
    the first multiplication with a float16 or float64 prediction raises. And labels that were
    integers in the data set are floats by the time the loss sees them, so tf.one_hot without a
    cast fails in fit.

    Example
    -------
    The cast makes labels float32, whatever the predictions are:

        def loss(y_true, y_pred):
            y_true = tf.cast(y_true, tf.float32)
            return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)

    Use instead
    -----------
    Follow the dtype of the prediction:

        def loss(y_true, y_pred):
            y_true = tf.cast(y_true, y_pred.dtype)
            return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)

    References
    ----------
    - TensorFlow API documentation: tf.cast, tf.one_hot.
    - TensorFlow guide: Mixed precision.
    """

    code = "LC502"
    slug = "dtype-rejected"
    forms = {
        "dtype": Severity.ERROR,
        "kernel": Severity.ERROR,  # the loss fixes no dtype; an operation does not take this one
        "labels": Severity.ERROR,  # Keras hands labels over as floats: it fails in fit
    }
    pinned = Pin.RUNS

    def judge(self, dtypes: Sequence[DtypeRun], call: CallOutcome) -> Judgment:
        """Name the dtypes on which the loss fails."""
        if call.error is not None:
            if call.other_shapes is None and call.other_dtype:
                yield self._suspect([("float32", call.error)])
            return
        by_line: dict[Location | None, list[tuple[str, CallError]]] = {}
        for run in dtypes:
            if run.error is not None and run.labels:
                yield attrs.evolve(
                    self._suspect([(run.dtype, run.error)]),
                    form="labels",
                    facts={"exception": str(run.error), "shapes": call.shapes},
                )
            elif run.error is not None:
                by_line.setdefault(run.error.location, []).append((run.dtype, run.error))
        for runs in by_line.values():
            yield self._suspect(runs)

    def _suspect(self, runs: Sequence[tuple[str, CallError]]) -> Suspect:
        dtype, error = runs[0]
        return Suspect(
            code=self.code,
            form="kernel" if _NO_KERNEL.search(str(error)) else "dtype",
            facts={"dtype": dtype, "dtypes": [d for d, _ in runs], "exception": str(error)},
            dtype=dtype,
            location=error.location,
        )

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        dtype = str(suspect.facts.get("dtype", suspect.dtype))
        exception = wording.sentence(suspect.facts.get("exception", ""))
        names = [a.name for a in arguments if a.role == "y_true"] or ["y_true"]
        pred = next((a.name for a in arguments if a.role == "y_pred"), "y_pred")
        if suspect.form == "labels":
            raised = f" On floats it raises: {exception}." if exception else ""
            return (
                f"The loss takes {names[0]} as integers alone.",
                f"Keras hands integer labels over as float32.{raised}",
                f"{names[0]} = tf.cast({names[0]}, tf.int32)  # first line of the loss\n"
                "# The rest of this report is about the loss with such labels.",
            )
        if blame.op == "OneHot" or "one_hot(" in blame.expression:
            fix = f"tf.one_hot(tf.cast({names[0]}, tf.int32), depth)"
        else:
            fix = f"{names[0]} = tf.cast({names[0]}, {pred}.dtype)"
            fix += (
                f"\n# Constants too: tf.constant(0.5, dtype={pred}.dtype), not a fixed tf.float32."
            )
        raised = f" It raises: {exception}." if exception else ""
        why = "A dtype is fixed inside, and TensorFlow does not mix dtypes."
        if suspect.form == "kernel":
            why = f"An operation inside does not take {dtype}."
            fix = f"{names[0]}, {pred} = (tf.cast(x, tf.float32) for x in ({names[0]}, {pred}))"
        return f"The loss fails in {dtype}.", why + raised, fix
