"""LC109: a comparison that always says the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscheck.advice import wording
from losscheck.model import Severity, Suspect
from losscheck.rules.base import Rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from losscheck.advice.blamed import Blame
    from losscheck.evidence.search.untaken import Untaken
    from losscheck.rules.base import Arguments, Judgment, Words


class BranchUntaken(Rule):
    """A comparison says the same in every case, so that one of its branches is never taken.

    What it does
    ------------
    Looks for comparisons of an argument, after some arithmetic, with a number, and evaluates them
    in every case. It reports those that always say the same, although the argument as it is,
    compared with the same number, comes out either way. It is a warning of labels and weights, and
    a note of predictions. A guard for values that the domains leave out, such as a label of -1,
    is not reported.

    Why it matters
    --------------
    What was meant for some of the samples happens to none of them, or to all: a weight, a margin,
    a mask. The loss is finite and its gradient is that of the loss as it is, so nothing tells.

    Example
    -------
    The labels are smoothed before they are asked whether they are 1; all get the weight 0.25:

        def loss(y_true, y_pred):
            y_true = y_true * 0.9 + 0.05
            weight = tf.where(tf.equal(y_true, 1.0), 0.75, 0.25)
            return tf.reduce_mean(weight * tf.square(y_true - y_pred), axis=-1)

    Use instead
    -----------
    Ask first:

        def loss(y_true, y_pred):
            weight = tf.where(tf.equal(y_true, 1.0), 0.75, 0.25)
            y_true = y_true * 0.9 + 0.05
            return tf.reduce_mean(weight * tf.square(y_true - y_pred), axis=-1)

    References
    ----------
    - TensorFlow API documentation: tf.where, tf.math.equal.
    - Keras documentation: argument label_smoothing of keras.losses.BinaryCrossentropy.
    """

    code = "LC109"
    slug = "branch-untaken"
    forms = {
        "label": Severity.WARNING,
        "prediction": Severity.NOTE,  # a guard that another one has made needless
    }

    def judge(self, untaken: Sequence[Untaken]) -> Judgment:
        """Name the comparisons."""
        for found in untaken:
            yield Suspect(
                code=self.code,
                form="prediction" if found.predicted else "label",
                facts={
                    "argument": found.argument,
                    "number": found.number,
                    "op": found.op,
                    "says": found.says,
                    "cases": found.cases,
                },
                location=found.location,
                expected_text="a comparison that is true of some cases and false of others",
            )

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        facts = suspect.facts
        name = str(facts.get("argument", "") or "y_true")
        says = "true" if facts.get("says") else "false"
        other = "false" if facts.get("says") else "true"
        what = blame.expression or "The comparison"
        cases = f" in all {facts['cases']:,} cases" if "cases" in facts else ""
        compared = (
            f" {wording.number(facts['number'])}" if "number" in facts else " the same number"
        )
        return (
            f"{what} is {says}{cases}: what is meant for {other} is never taken.",
            f"Compared with{compared}, {name} itself gives true and false; after what was done to "
            f"it before, the comparison never gives {other}.",
            f"# Compare {name} before it is changed, or with what it has become.",
        )
