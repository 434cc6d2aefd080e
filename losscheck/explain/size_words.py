"""Words for gradients of unusual size, and for a minimum in the wrong place (LC107, LC108)."""

from __future__ import annotations

import numpy as np

from losscheck.explain import wording
from losscheck.explain.blamed import Blame
from losscheck.model import Argument, Suspect

Words = tuple[str, str, str]  # message, cause, fix

_SATURATED = frozenset({"Sigmoid", "Tanh", "Softmax", "Exp", "Erf", "Softplus"})
_QUOTIENTS = frozenset({"RealDiv", "Div", "DivNoNan"})
_LOGITS = (
    "tf.nn.sigmoid_cross_entropy_with_logits(labels={label}, logits=logits)\n"
    "# Or another loss of the logits: its slope does not go through the saturated function."
)


def size(suspect: Suspect, blame: Blame, arguments: tuple[Argument, ...]) -> Words:
    """LC107; facts: ordinary."""
    ordinary = float(suspect.facts["ordinary"])
    largest = 0.0 if suspect.gradient is None else float(np.abs(suspect.gradient).max())
    times = largest / ordinary
    label = next((a.name for a in arguments if a.role == "y_true"), "y_true")
    where = f" at {blame.expression}" if blame.expression else ""
    steep = blame.operands[1:] if blame.op in _QUOTIENTS else blame.operands  # what nears 0
    x = steep[0] if steep else "x"
    if suspect.form == "huge":
        return (
            f"The gradient is {wording.number(largest)}, {wording.number(times)} times the "
            f"ordinary one{wording.at(suspect.inputs)}.",
            f"The slope{where} grows without a bound that helps: {wording.number(largest)} where "
            f"{wording.number(ordinary)} is ordinary. One such sample outweighs the batch.",
            f"tf.maximum({x}, 1e-3)  # in place of {x}: a bound of the size that matters\n"
            "# Or compute from logits. Clipping the norm of the gradient hides it only.",
        )
    fix = "tf.keras.losses.huber({label}, y_pred)  # or another form that keeps its slope"
    if blame.op in _SATURATED:
        fix = _LOGITS
    return (
        f"The gradient is {wording.number(largest)} where the loss is large"
        f"{wording.at(suspect.inputs)}.",
        f"Next to nothing is learned from such a sample{where}: "
        f"{wording.number(ordinary)} is ordinary.",
        fix.format(label=label),
    )


def minimum(suspect: Suspect, blame: Blame, arguments: tuple[Argument, ...]) -> Words:
    """LC108; facts: right, wrong, prediction."""
    facts = suspect.facts
    right, wrong = float(facts["right"]), [float(step) for step in facts["wrong"]]
    pred = next((a.name for a in arguments if a.role == "y_pred"), "y_pred")
    label = next((a.name for a in arguments if a.role == "y_true"), "y_true")
    fix = (
        f"-loss({label}, {pred})  # if the sign is wrong\n"
        f"# Look for swapped arguments, a sign, or a factor of {pred} where 1 - {pred} is meant."
    )
    if suspect.form == "falls":
        steps = ", ".join(map(wording.number, wrong))
        return (
            f"The loss falls as the predictions get worse: {steps}.",
            f"From wrong to worse predictions of the same labels the loss is {steps}; training "
            "follows it there.",
            fix,
        )
    return (
        f"A wrong prediction has the loss {wording.number(wrong[0])}, the right one "
        f"{wording.number(right)}.",
        f"At {pred} = {wording.array(facts['prediction'])}, which is right, the loss is "
        f"{wording.number(right)}; here it is {wording.number(wrong[0])}.",
        fix,
    )
