"""LC504: the same input, another loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losscheck.advice import wording
from losscheck.model import Range, Severity, Suspect
from losscheck.rules.base import Pin, Rule

if TYPE_CHECKING:
    from losscheck.advice.blamed import Blame
    from losscheck.evidence.shape.reruns import Repeat
    from losscheck.rules.base import Arguments, Judgment, Words


class Nondeterministic(Rule):
    """Two runs on the same input give different losses.

    What it does
    ------------
    Runs the loss twice on the same ordinary input, in the same mode, and reports a difference
    beyond rounding. The line to blame is the op that draws random numbers, where there is one.

    Why it matters
    --------------
    A loss with noise in it cannot be checked against its numeric derivative, two evaluations of
    one model disagree, and a run cannot be repeated. Where the noise is meant, it belongs into
    the model or into the data, or needs a seed.

    Example
    -------
    New noise in every call, at evaluation too:

        def loss(y_true, y_pred):
            noise = tf.random.normal(tf.shape(y_true), stddev=0.1)
            return tf.reduce_mean(tf.square(y_true + noise - y_pred), axis=-1)

    Use instead
    -----------
    Let a layer add the noise, in training only, or draw it from a seed:

        def loss(y_true, y_pred):
            noise = tf.random.stateless_normal(tf.shape(y_true), seed=(1, 2), stddev=0.1)
            return tf.reduce_mean(tf.square(y_true + noise - y_pred), axis=-1)

    References
    ----------
    - TensorFlow guide: Random number generation.
    - TensorFlow API documentation: tf.random.stateless_normal,
      tf.config.experimental.enable_op_determinism.
    """

    code = "LC504"
    slug = "nondeterministic"
    forms = {"random": Severity.WARNING}
    pinned = Pin.SAME

    def judge(self, repeats: Repeat) -> Judgment:
        """Name the loss if two runs differ."""
        differs = repeats.differs
        if differs.any():
            case = int(np.flatnonzero(differs)[0])
            yield Suspect(
                code=self.code,
                form="random",
                facts={
                    "first": float(repeats.first[case]),
                    "second": float(repeats.second[case]),
                    "op": repeats.random_op,
                },
                inputs={n: array[case] for n, array in repeats.cases.inputs.items()},
                range=Range.ORDINARY,
                value=float(repeats.second[case]),
                expected_value=float(repeats.first[case]),
                expected_text="the loss of the first run",
                count=int(differs.sum()),
                location=repeats.random,
            )

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        facts = suspect.facts
        numbers = ""
        if facts.get("first") is not None and facts.get("second") is not None:
            first, second = wording.array(facts["first"]), wording.array(facts["second"])
            numbers = f" The first gives {first}, the second {second}."
        where = f" at {blame.expression}" if blame.expression else ""
        return (
            "Two runs on the same input give different losses.",
            f"Random numbers are drawn inside the loss{where}.{numbers}",
            "tf.random.stateless_normal(tf.shape(y_pred), seed=(1, 2))\n"
            "# Or let a layer add the noise, in training only.",
        )
