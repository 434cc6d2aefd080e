"""Words for gradients of unusual size, and for a minimum in the wrong place (LC107, LC108)."""

from __future__ import annotations

import numpy as np

from losscheck.advice import wording
from losscheck.advice.blamed import Blame
from losscheck.model import Argument, Suspect

Words = tuple[str, str, str]  # message, cause, fix

_SATURATED = frozenset({"Sigmoid", "Tanh", "Softmax", "Exp", "Erf", "Softplus"})
_QUOTIENTS = frozenset({"RealDiv", "Div", "DivNoNan"})
_LOGITS = (
    "tf.nn.sigmoid_cross_entropy_with_logits(labels={label}, logits=logits)\n"
    "# Or another loss of the logits: its slope does not go through the saturated function."
)


_SLOPED = "tf.keras.losses.huber({label}, y_pred)  # or another form that keeps its slope"


def size(suspect: Suspect, blame: Blame, arguments: tuple[Argument, ...]) -> Words:
    """LC107; facts: ordinary."""
    label = next((a.name for a in arguments if a.role == "y_true"), "y_true")
    where = f" at {blame.expression}" if blame.expression else ""
    largest = None if suspect.gradient is None else float(np.abs(suspect.gradient).max())
    given = "far from ordinary" if largest is None else wording.number(largest)
    ordinary = suspect.facts.get("ordinary")
    usual = "" if ordinary is None else f" {wording.number(ordinary)} is ordinary."
    at = wording.at(suspect.inputs)
    if suspect.form == "huge":
        steep = blame.operands[1:] if blame.op in _QUOTIENTS else blame.operands  # what nears 0
        x = steep[0] if steep else "x"
        times = ""
        if largest is not None and ordinary is not None:
            times = f", {wording.number(largest / ordinary)} times the ordinary one"
        return (
            f"The gradient is {given}{times}{at}.",
            f"The slope{where} has no bound that helps.{usual} One such sample outweighs "
            "the batch.",
            f"tf.maximum({x}, 1e-3)  # in place of {x}: a bound of the size that matters\n"
            "# Or compute from logits. Clipping the norm of the gradient hides it only.",
        )
    fix = _LOGITS if blame.op in _SATURATED else _SLOPED
    return (
        f"The gradient is {given} where the loss is large{at}.",
        f"Next to nothing is learned from such a sample{where}.{usual}",
        fix.format(label=label),
    )


def minimum(suspect: Suspect, blame: Blame, arguments: tuple[Argument, ...]) -> Words:
    """LC108; facts: right, wrong, prediction; of a floor: constant, without."""
    if suspect.form == "floor":
        return _floor(suspect, blame)
    facts = suspect.facts
    pred = next((a.name for a in arguments if a.role == "y_pred"), "y_pred")
    label = next((a.name for a in arguments if a.role == "y_true"), "y_true")
    fix = (
        f"-loss({label}, {pred})  # if the sign is wrong\n"
        f"# Look for swapped arguments, a sign, or a factor of {pred} where 1 - {pred} is meant."
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


_FOLLOWS = "Training goes where the loss is lower."


def untaken(suspect: Suspect, blame: Blame, arguments: tuple[Argument, ...]) -> Words:
    """LC109; facts: argument, number, says, cases."""
    facts = suspect.facts
    name = str(facts.get("argument", "") or "y_true")
    says = "true" if facts.get("says") else "false"
    other = "false" if facts.get("says") else "true"
    what = blame.expression or "The comparison"
    cases = f" in all {facts['cases']:,} cases" if "cases" in facts else ""
    compared = f" {wording.number(facts['number'])}" if "number" in facts else " the same number"
    return (
        f"{what} is {says}{cases}: what is for the others is never taken.",
        f"Compared with{compared}, {name} itself comes out either way; what was done to it before "
        f"leaves nothing for which it is {other}.",
        f"# Compare {name} before it is changed, or with what it has become.",
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
        f"{numbers['constant']} is added{where}: the logarithm stops falling where what cancels it "
        f"goes on. Without it the loss is {numbers['without']}.",
        _UNFLOORED,
    )


_UNFLOORED = (
    "tf.reduce_logsumexp(x, axis=-1)  # of a sum of exponentials: finite without a constant\n"
    "tf.math.cumulative_logsumexp(x, axis=-1)  # of a cumulative one"
)
