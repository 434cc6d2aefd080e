"""LC104: where the loss is not differentiable."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from losscheck.advice import wording
from losscheck.model import Direction, Range, Severity, Suspect
from losscheck.numerics import DIVERGING
from losscheck.rules.base import Rule
from losscheck.rules.gradient.value_jump import both_sides, place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from losscheck.advice.blamed import Blame
    from losscheck.evidence.gradient.crossings import Crossing
    from losscheck.rules.base import Arguments, Judgment, Words

SAME = 1e-6  # relative difference below which two places of a kink are one
TAKES = {  # Crossing.takes
    "below": ", the slope below",
    "above": ", the slope above",
    "between": ", between the two",
    "outside": ", which is neither of the two nor between them",
}


class GradientKink(Rule):
    """The slope of the loss jumps at a point other than y_pred == y_true.

    What it does
    ------------
    Compares the one-sided numeric derivatives of the loss. Where they differ beyond their error
    estimates, or one of them is infinite, the loss has a kink there; the finding gives both
    slopes, and which of them the gradient takes at the very point. A kink at y_pred == y_true, as
    of the absolute error, is what such losses are for and is not reported. It is a note: a kink
    is no fault by itself.

    Why it matters
    --------------
    A kink that the author means is fine. One that comes from two formulas which meet in value
    but not in slope makes the step size jump there, and an optimizer may settle on the kink.

    Example
    -------
    Absolute below an error of 1, square above: the slope jumps from 1 to 2 there:

        def loss(y_true, y_pred):
            error = tf.abs(y_true - y_pred)
            return tf.reduce_mean(tf.where(error < 1.0, error, tf.square(error)), axis=-1)

    Use instead
    -----------
    Choose the pieces so that value and slope agree where they meet, as Huber's loss does:

        def loss(y_true, y_pred):
            error = tf.abs(y_true - y_pred)
            near = 0.5 * tf.square(error)
            return tf.reduce_mean(tf.where(error < 1.0, near, error - 0.5), axis=-1)

    References
    ----------
    - P. J. Huber, Robust Estimation of a Location Parameter, Annals of Mathematical Statistics
      35(1), 1964.
    - J. Bolte, E. Pauwels, A mathematical model for automatic differentiation in machine
      learning, NeurIPS 2020.
    """

    code = "LC104"
    slug = "gradient-kink"
    forms = {"kink": Severity.NOTE}
    masked_by = ("LC102",)

    def judge(self, crossings: Sequence[Crossing]) -> Judgment:
        """Name the kinks away from y_pred == y_true."""
        by_op: dict[str, list[Crossing]] = {}
        for crossing in crossings:
            if crossing.kink and not crossing.jump and not crossing.perfect_fit:
                by_op.setdefault(crossing.node, []).append(crossing)
        for found in by_op.values():
            yield _suspect(found)

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        facts = suspect.facts
        error = facts.get("error")
        where = f" at an error of {wording.array(error)}" if error is not None else ""
        if not where and facts.get("at") is not None:
            where = place(facts["at"], arguments)
        slopes = both_sides(
            facts, "The slope goes from {} to {} there", "The two one-sided slopes differ"
        )
        takes = ""
        if facts.get("gradient") is not None:
            which = TAKES.get(facts.get("takes", ""), "")
            takes = f"; the gradient takes {wording.array(facts['gradient'])}{which}"
        return (
            f"The loss is not differentiable{where}.",
            f"{slopes}{takes}.",
            "error = tf.abs(y_true - y_pred)\n"
            "tf.where(error < 1.0, 0.5 * tf.square(error), error - 0.5)\n"
            "# If a smooth transition is wanted: pieces whose values and slopes agree where they "
            "meet.",
        )


def _suspect(found: Sequence[Crossing]) -> Suspect:
    # Kinks of an error lie on both sides of the label: the positive one is told.
    first = min(found, key=lambda crossing: ((crossing.error or 0.0) < 0, abs(crossing.at)))
    left, right = (_slope(*side) for side in _sides(first))
    gradient = first.tie_gradient if first.takes else first.gradient
    return Suspect(
        code="LC104",
        form="kink",
        facts={
            "at": _where(found),
            "left": left,
            "right": right,
            "gradient": gradient,
            "takes": first.takes,
            "error": first.error,
        },
        inputs=first.inputs,
        range=Range.ORDINARY,
        direction=Direction.BACKWARD,
        count=len(found),
        gradient=gradient,
        location=first.location,
        expected_text=f"slope {left:.6g} below, {right:.6g} above",
    )


def _sides(crossing: Crossing) -> tuple[tuple[float, float], tuple[float, float]]:
    return (crossing.left, crossing.left_growth), (crossing.right, crossing.right_growth)


def _slope(slope: float, growth: float) -> float:
    """Give a slope, or the infinity that it grows to."""
    return math.copysign(math.inf, slope) if growth >= DIVERGING else slope


def _where(found: Sequence[Crossing]) -> str:
    """Say what the kinks of one operation have in common: an error, or a prediction."""
    errors = [abs(c.error) for c in found if c.error is not None]
    if len(errors) == len(found) and _same(errors):
        return f"an error |y_pred - y_true| of {errors[0]:.6g}"
    if _same([c.at for c in found]):
        return f"y_pred = {found[0].at:.6g}"
    return f"y_pred = {found[0].at:.6g}, for one (it depends on the other arguments)"


def _same(numbers: Sequence[float]) -> bool:
    return max(numbers) - min(numbers) <= SAME * max(1.0, *map(abs, numbers))
