"""Words for kinks and jumps (LC104, LC105)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from losscheck.advice import wording
from losscheck.advice.blamed import Blame
from losscheck.model import Suspect

Words = tuple[str, str, str]  # message, cause, fix

TAKES = {  # Crossing.takes
    "below": ", the slope below",
    "above": ", the slope above",
    "between": ", between the two",
    "outside": ", which is neither of the two nor between them",
}


def kink(suspect: Suspect, blame: Blame) -> Words:
    """LC104; facts: at, left, right, gradient, takes, error."""
    facts = suspect.facts
    error = facts.get("error")
    place = f" at an error of {wording.array(error)}" if error is not None else ""
    if not place and facts.get("at") is not None:
        place = f" at {_place(facts['at'])}"
    slopes = _sides(facts, "The slope goes from {} to {} there", "The two one-sided slopes differ")
    takes = ""
    if facts.get("gradient") is not None:
        which = TAKES.get(facts.get("takes", ""), "")
        takes = f"; the gradient takes {wording.array(facts['gradient'])}{which}"
    return (
        f"The loss is not differentiable{place}.",
        f"{slopes}{takes}.",
        "error = tf.abs(y_true - y_pred)\n"
        "tf.where(error < 1.0, 0.5 * tf.square(error), error - 0.5)\n"
        "# If a smooth transition is wanted: pieces whose values and slopes agree where they meet.",
    )


def jump(suspect: Suspect, blame: Blame) -> Words:
    """LC105; facts: at, left, right (values of the loss on both sides)."""
    facts = suspect.facts
    place = (
        f" at {_place(facts['at'])}" if facts.get("at") is not None else wording.at(suspect.inputs)
    )
    values = _sides(facts, "The loss goes from {} to {} there", "The loss differs on both sides")
    if suspect.form == "selection":
        return (
            f"The loss jumps{place}.",
            f"{values}: what is selected or counted changes.",
            "weight = tf.sigmoid((score - threshold) / 0.1)  # a weight that fades, no selection\n"
            "# If the step is meant, ignore LC105 for this loss and give the reason.",
        )
    return (
        f"The loss jumps{place}: two branches of its formula do not meet.",
        f"{values}, and the gradient knows nothing of that step.",
        "tf.where(error < delta, 0.5 * tf.square(error), delta * (error - 0.5 * delta))\n"
        "# Add to one branch the constant by which the two differ where they meet.",
    )


def _place(at: Any) -> str:
    if hasattr(at, "items"):
        return ", ".join(f"{name} = {wording.array(value)}" for name, value in at.items())
    return wording.array(at)


def _sides(facts: Mapping[str, Any], numbers: str, without: str) -> str:
    left, right = facts.get("left"), facts.get("right")
    if left is None or right is None:
        return without
    return numbers.format(wording.array(left), wording.array(right))
