"""What the rules about lost digits share: which numbers cancel, how not to subtract them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from losscheck.advice import source, wording
from losscheck.advice.wording import worst_pair
from losscheck.model import Direction, Suspect
from losscheck.rules.base import Pin, Rule, Shown, Trail

if TYPE_CHECKING:
    from collections.abc import Mapping

    from losscheck.advice.base import Change
    from losscheck.advice.blamed import Blame
    from losscheck.rules.base import Arguments, Words


DIGITS = 9  # significant decimals: what it takes to tell two float32 numbers apart
SUMS = frozenset({"Sub", "Add", "AddV2", "AddN"})
# A function of one number, which is exact to half an ulp: what is wrong was its operand.
FUNCTIONS = frozenset(
    {"Log", "Exp", "Cos", "Sin", "Tan", "Pow", "Cosh", "Sinh", "Acos", "Asin", "Acosh", "Atanh"}
)
LONG = 60  # characters of an expression that a sentence repeats


class PrecisionRule(Rule):
    """Says which numbers cancel, and how not to subtract them.

    `of_value` tells the digits of the loss from those of its gradient.
    """

    of_value: ClassVar[bool]
    decisive = False  # digits that cannot be counted leave value and gradient what they are
    trail = Trail.DIGITS
    shown_by = Shown.DIGITS
    pinned = Pin.NUMBER

    def undecided(self, evidence: Mapping[str, Any]) -> str:
        """Say so where nothing stands beside float32."""
        if evidence["precision"]:
            return ""
        return "the loss does not run in float64, so there is nothing to compare float32 with"

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        # Their tables are large: `losscheck rules` does without.
        from losscheck.advice.cancellation import ADVICE
        from losscheck.advice.scene import scene

        value = self.of_value
        what = "loss" if value else "gradient"
        got, want = worst_pair(
            suspect.value if value else suspect.gradient,
            suspect.expected_value if value else suspect.expected_gradient,
        )
        numbers = f"it is {got} where {want} is right" if got else "fewer than two are right"
        mode = " in eager execution" if suspect.mode == "eager" else ""
        message = f"The {what} has lost its digits{mode}{wording.at(suspect.inputs)}: {numbers}."
        for advice in ADVICE.get(blame.op, ()):
            if found := advice.fill(scene(suspect, blame)):
                why = "" if blame.direction is Direction.BACKWARD else f"{found.cause} "
                return message, f"{why}{_numbers(blame)}".strip(), found.fix
        return message, _numbers(blame) or _unknown(what), _general(blame, arguments)

    def changes(self, suspect: Suspect, blame: Blame) -> tuple[Change, ...]:
        """Give what does not subtract these numbers."""
        from losscheck.advice.cancellation import ADVICE
        from losscheck.advice.scene import scene

        at = scene(suspect, blame)
        filled = (advice.fill(at) for advice in ADVICE.get(blame.op, ()))
        return tuple(found.change for found in filled if found and found.change)


def _numbers(blame: Blame) -> str:
    """Say with which numbers the digits went."""
    if blame.exact is None or blame.result is None:
        return ""
    from losscheck.advice.blamed import RUNNING

    unnamed = RUNNING.get(blame.op, blame.op)
    sayable = _sayable(blame.expression)
    name = blame.expression if sayable else f"This {unnamed}"
    gave = f"{wording.number(blame.result)} where {wording.number(blame.exact)} is right"
    if blame.direction is Direction.BACKWARD:
        name = blame.expression if sayable else f"this {unnamed}"
        return f"The slopes of {name} lose their digits on the way back: {gave}."
    values = [_precise(float(array)) for array in blame.operand_values if np.ndim(array) == 0]
    if blame.op in SUMS and len(values) > 1:
        return f"{name} cancels: {' and '.join(values[:2])} leave {gave}."
    if blame.op in FUNCTIONS and values:
        return (
            f"{name} of {values[0]} is {gave}: the digits went before, in the rounding of its "
            "operand."
        )
    return f"{name} gives {gave}: the digits go inside of it."


def _unknown(what: str) -> str:
    return (
        f"Nearly equal numbers are subtracted on the way to the {what}; what is left is rounding."
    )


def _general(blame: Blame, arguments: Arguments) -> str:
    names = [a.name for a in arguments if a.role in ("y_true", "y_pred")] or ["y_pred"]
    casts = ", ".join(f"tf.cast({name}, tf.float64)" for name in names)
    where = blame.expression if _sayable(blame.expression) else "the difference"
    return (
        f"{', '.join(names)} = {casts}  # first line of the loss: float64 has the digits\n"
        f"# Or write {where} so that small numbers are not made of large ones: subtract first,\n"
        "# factor the difference out, or take a series where it is small."
    )


def _sayable(expression: str) -> bool:
    """Say whether it is whole, not the first line of a longer one, and short enough."""
    return source.expression(expression) is not None and len(expression) <= LONG


def _precise(value: float) -> str:
    return f"{value:.{DIGITS}g}"
