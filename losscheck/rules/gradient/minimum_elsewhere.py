"""LC108: the loss prefers wrong predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from losscheck.advice import wording
from losscheck.model import Range, Severity, Suspect
from losscheck.rules.base import Rule, Trail
from losscheck.rules.crowd import Crowd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from losscheck.advice.blamed import Blame
    from losscheck.evidence.gradient.minima import Floor, RightAndWrong
    from losscheck.rules.base import Arguments, Judgment, Words


MOST = 0.5  # share of the batches: a loss that repeats itself falls now and then, not mostly

_FOLLOWS = "Training goes where the loss is lower."
_UNFLOORED = (
    "tf.reduce_logsumexp(x, axis=-1)  # of a sum of exponentials: finite without a constant\n"
    "tf.math.cumulative_logsumexp(x, axis=-1)  # of a cumulative one"
)


class MinimumElsewhere(Rule):
    """The loss is lower at a wrong prediction than at the right one, or falls as it gets worse.

    What it does
    ------------
    Where the domains say what right is (a label and a prediction of the same kind; a class and
    its probability or logit), it takes ordinary batches and compares the loss of right
    predictions with that of wrong ones, and wrong ones with worse ones. It reports batches whose
    wrong predictions have a loss lower by more than 1% of the ordinary loss, and a loss that
    falls from step to step, in most batches, as the predictions move away.
    Of logits it also looks at right predictions that are ever surer: where their loss rises above
    that of wrong ones, and does not without a small constant inside a logarithm, it names that.

    Why it matters
    --------------
    Training finds the minimum, wherever it is. A sign, a pair of swapped arguments or a power
    of the wrong probability leaves a loss that goes down nicely while the model gets worse.

    Example
    -------
    A focal loss whose factor has the wrong base: the surer and wronger, the smaller:

        def loss(y_true, y_pred):
            pt = tf.where(y_true > 0.5, y_pred, 1.0 - y_pred)
            pt = tf.clip_by_value(pt, 1e-6, 1.0 - 1e-6)
            return -tf.reduce_mean(tf.square(pt) * tf.math.log(pt), axis=-1)

    Use instead
    -----------
    The factor is the probability that is missing:

        def loss(y_true, y_pred):
            pt = tf.where(y_true > 0.5, y_pred, 1.0 - y_pred)
            pt = tf.clip_by_value(pt, 1e-6, 1.0 - 1e-6)
            return -tf.reduce_mean(tf.square(1.0 - pt) * tf.math.log(pt), axis=-1)

    References
    ----------
    - T.-Y. Lin et al., Focal Loss for Dense Object Detection, ICCV 2017.
    - aim-uofa/AdelaiDet issue 610.
    """

    code = "LC108"
    slug = "minimum-elsewhere"
    forms = {
        "lower": Severity.WARNING,
        "falls": Severity.WARNING,
        "floor": Severity.WARNING,
    }
    masked_by = ("LC102",)
    absent = ("right_and_wrong", "the domains do not say which prediction is right")
    trail = Trail.KNOWN

    def judge(self, right_and_wrong: RightAndWrong | None, floor: Floor | None) -> Judgment:
        """Name the batches whose wrong predictions have the lower loss."""
        if floor is not None:
            yield Suspect(
                code=self.code,
                form="floor",
                facts={
                    "right": floor.value,
                    "wrong": floor.wrong,
                    "without": floor.without,
                    "constant": floor.constant,
                },
                inputs=floor.inputs,
                range=Range.WORKING,
                count=floor.count,
                value=floor.value,
                expected_value=floor.without,
                expected_text="its loss without that constant",
                location=floor.location,
            )
        if right_and_wrong is None:
            return
        for form, found in (("lower", right_and_wrong.lower), ("falls", right_and_wrong.falling)):
            if found.any() and (form == "lower" or found.mean() > MOST):
                yield Crowd(
                    code=self.code,
                    form=form,
                    population=right_and_wrong,
                    members=np.flatnonzero(found),
                )
                return

    def facts(self, again: Callable[[], Any]) -> Mapping[str, Any]:
        """Give the losses at the right prediction and at the wrong ones."""
        seen = again()
        return {
            "right": float(seen.right[0]),
            "wrong": [float(step) for step in seen.wrong[0]],
            "prediction": next(iter(seen.right_inputs.values()))[0],
        }

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        if suspect.form == "floor":
            return _floor(suspect, blame)
        facts = suspect.facts
        pred = next((a.name for a in arguments if a.role == "y_pred"), "y_pred")
        label = next((a.name for a in arguments if a.role == "y_true"), "y_true")
        fix = (
            f"-loss({label}, {pred})  # if the sign is wrong\n"
            f"# Look for swapped arguments, a sign, or a factor of {pred} where 1 - {pred} is "
            "meant."
        )
        wrong = [float(step) for step in facts.get("wrong", ())]
        if suspect.form == "falls":
            steps = f": {', '.join(map(wording.number, wrong))}" if wrong else ""
            return (
                f"The loss falls as the predictions get worse{steps}.",
                "Worse predictions of the same labels have a smaller loss from step to step"
                f"{steps}; training follows it there.",
                fix,
            )
        if not wrong or "right" not in facts:
            return "A wrong prediction has a lower loss than the right one.", _FOLLOWS, fix
        right = wording.number(facts["right"])
        there = wording.array(facts["prediction"]) if "prediction" in facts else "the label"
        return (
            f"A wrong prediction has the loss {wording.number(wrong[0])}, the right one {right}.",
            f"At {pred} = {there}, which is right, the loss is {right}; here it is "
            f"{wording.number(wrong[0])}. {_FOLLOWS}",
            fix,
        )


def _floor(suspect: Suspect, blame: Blame) -> Words:
    facts = suspect.facts
    numbers = {key: wording.number(value) for key, value in facts.items()}
    where = f" in {blame.expression}" if blame.expression else ""
    if not {"right", "wrong", "without", "constant"} <= set(facts):
        return "A right prediction has a large loss.", f"A constant is added{where}.", _UNFLOORED
    return (
        f"A sure and right prediction has the loss {numbers['right']}, a wrong one "
        f"{numbers['wrong']}{wording.at(suspect.inputs)}.",
        f"{numbers['constant']} is added{where}: below that number the logarithm stays the same, "
        "while the term that should cancel it goes on changing. Without the constant the loss is "
        f"{numbers['without']}.",
        _UNFLOORED,
    )
