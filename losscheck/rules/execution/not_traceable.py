"""LC501: the loss fails while Keras traces it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscheck.advice import wording
from losscheck.model import Severity, Suspect
from losscheck.rules.base import Pin, Rule

if TYPE_CHECKING:
    from losscheck.advice.blamed import Blame
    from losscheck.evidence.shape.calls import CallOutcome
    from losscheck.program.programs import Tracing
    from losscheck.program.tracing.trace import CallError
    from losscheck.rules.base import Arguments, Judgment, Words


class NotTraceable(Rule):
    """The loss cannot be traced into a graph as Keras does it.

    What it does
    ------------
    Traces the loss with symbolic tensors and without AutoGraph, as Keras does in fit. It fails
    on a Python if, while or for over a tensor, on .numpy(), and on NumPy functions. If
    AutoGraph can still trace it, or an eager call works, the other rules go on with that.

    Why it matters
    --------------
    Such a loss works when it is tried by hand, on eager tensors, and fails in fit. A plain
    tf.function accepts a Python if on a tensor, so a test with tf.function does not show it
    either.

    Example
    -------
    The condition is a symbolic tensor in fit, and has no truth value:

        def loss(y_true, y_pred):
            error = tf.reduce_mean(tf.abs(y_true - y_pred))
            if error < 1.0:
                return 0.5 * error**2
            return error - 0.5

    Use instead
    -----------
    Let the graph choose:

        def loss(y_true, y_pred):
            error = tf.reduce_mean(tf.abs(y_true - y_pred))
            return tf.where(error < 1.0, 0.5 * error**2, error - 0.5)

    References
    ----------
    - TensorFlow guide: Better performance with tf.function.
    - TensorFlow API documentation: tf.where, tf.cond, tf.while_loop.
    """

    code = "LC501"
    slug = "not-traceable"
    forms = {
        "python-control-flow": Severity.ERROR,
        "numpy": Severity.ERROR,
        "other": Severity.ERROR,
    }
    pinned = Pin.RUNS

    def judge(self, call: CallOutcome, tracing: Tracing | None) -> Judgment:
        """Name the loss if it cannot be traced."""
        error = call.error if tracing is None else tracing.error
        if error is not None and (tracing is not None or call.runs_eagerly):
            yield Suspect(
                code=self.code,
                form=_form(error),
                facts={
                    "exception": str(error).split("\n")[0],
                    "how": "eager" if tracing is None else tracing.how,
                },
                location=error.location,
                expected_text="a graph",
            )

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        exception = wording.sentence(suspect.facts.get("exception", ""))
        raised = f" It raises: {exception}." if exception else ""
        if suspect.form == "python-control-flow":
            return (
                "The loss cannot be traced: Python decides on a tensor.",
                f"While Keras traces, a tensor has no value to decide on.{raised}",
                "tf.where(condition, value_if_true, value_if_false)\n"
                "# For whole branches: tf.cond(condition, lambda: ..., lambda: ...).",
            )
        if suspect.form == "numpy":
            return (
                "The loss cannot be traced: it needs the numbers of a tensor.",
                f"NumPy and .numpy() need numbers; while Keras traces there are none.{raised}",
                "tf.reduce_mean(x)  # the TensorFlow or keras.ops function of the same name, not "
                "np",
            )
        return (
            "The loss cannot be traced as Keras does it.",
            f"It works on eager tensors only.{raised}",
            "tf.function(loss, autograph=False)  # reproduces it: use TensorFlow ops throughout",
        )


def _form(error: CallError) -> str:
    text = str(error)
    if "bool" in text and "OperatorNotAllowedInGraphError" in text:
        return "python-control-flow"
    return "numpy" if "numpy" in text.lower() else "other"
