"""LC603: a small model does not train with the loss."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from losscheck.advice import wording
from losscheck.model import Range, Severity, Suspect
from losscheck.rules.base import Pin, Rule, Shown

if TYPE_CHECKING:
    from losscheck.advice.blamed import Blame
    from losscheck.evidence.keras.training import Training
    from losscheck.program.keras.training import Trial
    from losscheck.rules.base import Arguments, Judgment, Words
    from losscheck.rules.evidence import LeftOut


ROUNDING = 1e-3
"""Relative to the size of the loss: float32 sums in another order, and what XLA makes of a cosine
(1,487 ulps, 1e-4), stay well below; another reduction or a frozen number does not."""

_WAYS = {
    "evaluate": "model.evaluate",
    "fit": "model.fit with sample weights",
    "eager": "model.train_on_batch with run_eagerly=True",
    "jit": "model.train_on_batch with jit_compile=True",
    "mixed": "model.train_on_batch in mixed_float16",
    "mirrored": "model.evaluate under MirroredStrategy",
}
# How TensorFlow says that numbers of two types meet.
_OF_A_DTYPE = re.compile(r"\bd?types?\b|expected to be an? \w+ tensor|allowed values")


class TrainingFails(Rule):
    """A small model does not train with the loss, or reports another number than the loss gives.

    What it does
    ------------
    Compiles a small model whose outputs lie in the domain of the predictions, and evaluates and
    fits it: with a smaller last batch, an unknown batch size, sample weights, labels as integers
    and bools where they are such, eagerly, under XLA, and in mixed_float16 with loss scaling. What
    Keras reports must be the loss of each batch, called directly on the model's own outputs and
    reduced as Keras does, averaged over the batches by their sizes. Where TensorFlow has two
    logical devices, the model is evaluated under MirroredStrategy too.

    Why it matters
    --------------
    A loss can be right when it is called by hand and fail in fit, or give another number there:
    Keras calls it once to trace it, so that a counter or a schedule kept in Python stands still,
    and it hands a Loss three arguments, the weights among them.

    Example
    -------
    Keras hands the weights over as a third argument, which this does not take:

        class SquaredError(keras.losses.Loss):
            def __call__(self, y_true, y_pred):
                return self.loss(y_true, y_pred)

            def loss(self, y_true, y_pred):
                return tf.reduce_mean(tf.square(y_true - y_pred))

    Use instead
    -----------
    Write call, and leave weights and reduction to the base class:

        class SquaredError(keras.losses.Loss):
            def call(self, y_true, y_pred):
                return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)

    References
    ----------
    - Keras documentation: Training and evaluation with the built-in methods, section Custom
      losses; keras.losses.Loss.
    - TensorFlow guide: Better performance with tf.function, section on Python side effects.
    """

    code = "LC603"
    slug = "training-fails"
    forms = {
        "raises": Severity.ERROR,
        "differs": Severity.ERROR,
        "jit": Severity.WARNING,  # as LC506: it trains where XLA is switched off
    }
    # They say why it cannot train; and two runs of a random loss differ in Keras as elsewhere.
    masked_by = ("LC102", "LC404", "LC501", "LC504", "LC901")
    absent = ("training", "no small model was trained")
    shown_by = Shown.TRAINING
    pinned = Pin.RUNS

    def judge(self, training: Training | LeftOut) -> Judgment:
        """Name the first way in which the loss does not train."""
        if not training:
            return
        for trial in training.trials:
            wrong = trial.error is not None or trial.apart > ROUNDING
            if wrong:
                yield self._suspect(training, trial)
                return

    def _suspect(self, training: Training, trial: Trial) -> Suspect:
        raised = trial.error
        form = "differs" if raised is None else "raises"
        if raised is not None and trial.how == "jit":
            form = "jit"
        task = training.task
        return Suspect(
            code=self.code,
            form=form,
            facts={
                "how": trial.how,
                "exception": "" if raised is None else str(raised),
                "labels": trial.labels,
                "reported": trial.reported,
                "direct": trial.direct,
                "ran": [other.how for other in training.trials if other.error is None],
                "task": task,
            },
            inputs=training.first_batch,
            range=Range.ORDINARY,
            dtype="float16" if trial.how == "mixed" else "float32",
            mode={"jit": "xla", "eager": "eager"}.get(trial.how, "graph"),
            value=trial.reported,
            expected_value=trial.direct,
            expected_text="the loss called directly on the model's outputs"
            if raised is None
            else "",
            location=None if raised is None else raised.location,
        )

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        facts = suspect.facts
        way = _WAYS.get(str(facts.get("how")), "Training")
        raised = wording.sentence(facts.get("exception", ""))
        if suspect.form == "differs":
            return (
                f"{way} reports another loss than a direct call gives.",
                f"Keras reports {wording.number(facts['reported'])}, the loss called on the "
                f"model's own outputs gives {wording.number(facts['direct'])}. Keras calls the "
                "loss once, to trace it: what Python keeps or decides inside stands still from "
                "then on.",
                "self.step = tf.Variable(0, trainable=False)  # state that a graph can change, "
                "made outside of call",
            )
        ran = [_WAYS[how] for how in facts.get("ran", ()) if how in _WAYS]
        works = (
            f" {wording.listed(ran, 'and')} {'work' if len(ran) > 1 else 'works'}." if ran else ""
        )
        labels = "" if facts.get("labels") == "float32" else f" with {facts.get('labels')} labels"
        return (
            f"{way}{labels} fails.",
            f"It raises: {raised}.{works}",
            _repair(suspect, raised),
        )


def _repair(suspect: Suspect, raised: str) -> str:
    if "positional argument" in raised and "__call__" in raised:
        return (
            "def call(self, y_true, y_pred):  # in place of __call__, which Keras gives the weights"
            " too"
        )
    if suspect.facts.get("how") == "jit":
        return "model.compile(..., jit_compile=False)  # for the whole model"
    if re.search(r"\brank\b|[Ss]hapes? must|[Dd]imension", raised):  # not a matter of the dtype
        return (
            "y_true = tf.reshape(y_true, tf.shape(y_pred)[:1])  # first thing in the loss\n"
            "# Keras hands labels (B,) over as (B, 1) where predictions are (B, 1)."
        )
    if _OF_A_DTYPE.search(raised):
        return "y_true = tf.cast(y_true, y_pred.dtype)  # first thing in the loss"
    known = (
        "# Keras traces the loss for batches of any size: an operation that must know the size\n"
        "# of the batch fails there, or its gradient does."
    )
    if "eager" in suspect.facts.get("ran", ()):
        return f"model.compile(..., run_eagerly=True)  # which runs, and slowly\n{known}"
    return known
