"""LC105: the loss is discontinuous in the prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from losscheck.advice import wording
from losscheck.model import Range, Severity, Suspect
from losscheck.rules.base import Pin, Rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from losscheck.advice.blamed import Blame
    from losscheck.evidence.gradient.crossings import Crossing
    from losscheck.model import Finding
    from losscheck.rules.base import Arguments, Judgment, Words

MEANT = "# If the step is meant, ignore LC105 for this loss and give the reason."


class ValueJump(Rule):
    """The loss jumps: it is discontinuous in the prediction.

    What it does
    ------------
    Evaluates the loss in float64 on both sides of the points where it switches between formulas
    or selections, ever closer, and reports a difference that does not go to 0 with the
    distance. It is an error where two branches of a formula fail to meet, and a warning where a
    selection or a count is behind it (top-k, a threshold that picks samples), where a jump may
    be what the author wants.

    Why it matters
    --------------
    The gradient does not see a jump: it is right on both sides and says nothing of the step
    between them. The optimizer may go down the slope and up the step for ever.

    Example
    -------
    The outer branch of this Huber loss lacks its constant: at an error of 1 the loss goes from
    0.5 to 1:

        def loss(y_true, y_pred):
            error = tf.abs(y_true - y_pred)
            near = 0.5 * tf.square(error)
            return tf.reduce_mean(tf.where(error < 1.0, near, error), axis=-1)

    Use instead
    -----------
    Add the constant that makes the branches meet:

        def loss(y_true, y_pred):
            error = tf.abs(y_true - y_pred)
            near = 0.5 * tf.square(error)
            return tf.reduce_mean(tf.where(error < 1.0, near, error - 0.5), axis=-1)

    References
    ----------
    - P. J. Huber, Robust Estimation of a Location Parameter, Annals of Mathematical Statistics
      35(1), 1964.
    - TensorFlow API documentation: tf.where, tf.cond.
    """

    code = "LC105"
    slug = "value-jump"
    forms = {
        "branches": Severity.ERROR,
        "selection": Severity.WARNING,
    }

    pinned = Pin.OWN

    def judge(self, crossings: Sequence[Crossing]) -> Judgment:
        """Name the jumps of the loss."""
        by_op: dict[str, list[Crossing]] = {}
        for crossing in crossings:
            if crossing.jump:
                by_op.setdefault(crossing.node, []).append(crossing)
        for found in by_op.values():
            largest = max(found, key=lambda crossing: abs(crossing.step))
            yield Suspect(
                code=self.code,
                form=largest.joins,
                facts={
                    "at": largest.at,
                    "left": largest.below,
                    "right": largest.above,
                    "error": largest.error,
                },
                inputs=largest.inputs,
                range=Range.ORDINARY,
                count=len(found),
                scale=abs(largest.step) / largest.value_scale,
                location=largest.location,
                expected_text="the same loss on both sides",
            )

    def asserts(self, finding: Finding, prediction: str) -> tuple[str, ...]:
        """Ask that the loss changes less the nearer to each other the two sides are."""
        sides = (
            ", ".join(
                f"{name} {sign} side" if name == prediction else name for name in finding.inputs
            )
            for sign in "+-"
        )
        after, before = (f'run("{finding.mode}", {given})[0]' for given in sides)
        return (
            "def changes(step):",
            f'    """How much the loss changes across the case, by each number of {prediction}."""',
            f"    steps = step * np.maximum(1.0, np.abs({prediction}))",
            "    sides = np.eye(steps.size).reshape(-1, *steps.shape) * steps",
            f"    sides = sides.astype({prediction}.dtype)",
            "    return np.abs([",
            f"        np.sum({after})",
            f"        - np.sum({before})",
            "        for side in sides",
            "    ])",
            "",
            "far, near = changes(1e-2), changes(1e-3)",
            "assert (near <= far / 2 + 1e-5 * (1.0 + far)).all()",
        )

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        facts = suspect.facts
        where = (
            place(facts["at"], arguments)
            if facts.get("at") is not None
            else wording.at(suspect.inputs)
        )
        values = both_sides(
            facts, "The loss goes from {} to {} there", "The loss differs on both sides"
        )
        if blame.op == "Sign" and blame.operands:
            return (
                f"The loss jumps{where}.",
                f"{values}: {blame.expression} is a step, of which the gradient knows nothing.",
                f"tf.tanh({blame.operands[0]} / 0.1)  # in place of {blame.expression}\n{MEANT}",
            )
        if suspect.form == "selection":
            return (
                f"The loss jumps{where}.",
                f"{values}: what is selected or counted changes.",
                "weight = tf.sigmoid((score - threshold) / 0.1)  # a weight that fades, no "
                f"selection\n{MEANT}",
            )
        return (
            f"The loss jumps{where}: two branches of its formula do not meet.",
            f"{values}, and the gradient knows nothing of that step.",
            "tf.where(error < delta, 0.5 * tf.square(error), delta * (error - 0.5 * delta))\n"
            "# Add to one branch the constant by which the two differ where they meet.",
        )


def place(at: Any, arguments: Arguments) -> str:
    """Say where it is: the number that the prediction passes, or numbers of arguments."""
    if hasattr(at, "items"):
        return " at " + ", ".join(f"{name} = {wording.array(value)}" for name, value in at.items())
    name = next((a.name for a in arguments if a.role == "y_pred"), "y_pred")
    return f" where {name} passes {wording.array(at)}"


def both_sides(facts: Mapping[str, Any], numbers: str, without: str) -> str:
    """Fill in what the two sides have, or say it without."""
    left, right = facts.get("left"), facts.get("right")
    if left is None or right is None:
        return without
    return numbers.format(wording.array(left), wording.array(right))
