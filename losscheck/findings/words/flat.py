"""Words for a gradient that is missing or dead (LC102, LC103)."""

from __future__ import annotations

from losscheck.advice import wording
from losscheck.advice.blamed import Blame
from losscheck.model import Argument, Kind, Suspect

Words = tuple[str, str, str]  # message, cause, fix

# Why an op has no slope, and what to write in its place; 0.1 is the width of the soft step.
NO_SLOPE = {
    "ArgMax": ("argmax gives an index", "tf.nn.softmax({x}, axis=-1)  # the soft form"),
    "ArgMin": ("argmin gives an index", "tf.nn.softmax(-{x}, axis=-1)"),
    "Round": ("round is constant between its steps", "{x}  # without the round"),
    "Rint": ("round is constant between its steps", "{x}  # without the round"),
    "Floor": ("floor is constant between its steps", "{x}  # without the floor"),
    "Ceil": ("ceil is constant between its steps", "{x}  # without the ceil"),
    "Sign": ("sign is constant on both sides of 0", "tf.tanh({x} / 0.1)"),
    "Cast": ("a cast to integer or bool has no slope", "tf.sigmoid(({x} - 0.5) / 0.1)"),
    "OneHot": ("one_hot takes indices, which have no slope", "tf.nn.softmax({x}, axis=-1)"),
    "StopGradient": ("tf.stop_gradient cuts the path", "{x}  # without tf.stop_gradient"),
    **dict.fromkeys(
        ("Greater", "GreaterEqual", "Less", "LessEqual", "Equal", "NotEqual"),
        ("a comparison gives True or False, which has no slope", "tf.sigmoid(({x} - {y}) / 0.1)"),
    ),
    **dict.fromkeys(
        ("PyFunc", "EagerPyFunc", "PyFuncStateless"),
        ("TensorFlow cannot see inside a Python or NumPy function", ""),
    ),
}
FLAT = {
    **dict.fromkeys(("Minimum", "Maximum", "ClipByValue"), "a clip has slope 0 outside its bounds"),
    **dict.fromkeys(("Sigmoid", "Softmax", "Tanh"), "it is saturated, and its slope rounds to 0"),
    "Relu": "a relu has slope 0 below 0",
    "Sign": "sign has slope 0 on both sides of 0",
    "Round": "round has slope 0 between its steps",
}
_LOGITS = {
    "probability": "tf.nn.sigmoid_cross_entropy_with_logits(labels={label}, logits=logits)",
    "simplex": "tf.nn.softmax_cross_entropy_with_logits(labels={label}, logits=logits)",
}
ENDS = ("low", "high")
VANISHING = "# Nothing to write otherwise: no optimizer would feel a gradient of that size."
SURROGATE = "# Write the quantity with TensorFlow ops that have a slope in the prediction."


def missing(suspect: Suspect, blame: Blame) -> Words:
    """LC102; of a part: part, used, beyond, labelled, kept, size, axis, cases."""
    if suspect.form.startswith("part"):
        return _part(suspect, blame)
    why, write = NO_SLOPE.get(blame.op, ("no op on the way has a slope", ""))
    where = f" in {blame.expression}" if blame.expression else ""
    x, y = (*blame.operands, "x", "0.5")[:2] if blame.operands else ("x", "0.5")
    code = write.format(x=x, y=y)
    return (
        "No gradient reaches the prediction: it is None.",
        f"The last path from the prediction to the loss is cut{where}: {why}.",
        f"{code}\n{SURROGATE}" if code else SURROGATE,
    )


def _part(suspect: Suspect, blame: Blame) -> Words:
    facts = suspect.facts
    where = f" at {blame.expression}" if blame.expression else ""
    cases = f" in any of {facts['cases']:,} cases" if "cases" in facts else ""
    message = f"No gradient reaches {facts.get('part', 'a part of the prediction')}{cases}."
    if suspect.form == "part-flat":
        why, write = NO_SLOPE.get(blame.op, ("no op on the way has a slope", ""))
        x, y = (*blame.operands, "x", "0.5")[:2] if blame.operands else ("x", "0.5")
        code = write.format(x=x, y=y)
        cause = f"The loss depends on it, but the path is cut{where}: {why}."
        return message, cause, f"{code}\n{SURROGATE}" if code else SURROGATE
    if "kept" not in facts:
        return message, f"It is left out{where}.", LEFT_OUT
    taken = "the loss takes {kept} of {size} along axis {axis}".format(**facts) + where
    if suspect.form == "part-ends":
        return message, f"It is left out: {taken}, and the ends are no part of it.", LEFT_OUT
    asked = ", though the labels hold something for the others, too" if facts["labelled"] else ""
    longer = " It takes so many however long the axis is." if facts["beyond"] else ""
    fix = (
        f"tf.reduce_sum(x, axis={facts['axis']})  # every index, in place of single ones\n"
        f"{LEFT_OUT}"
    )
    return message, f"It is left out: {taken}{asked}.{longer}", fix


LEFT_OUT = "# If it is left out on purpose, nothing needs to change."


def dead(suspect: Suspect, blame: Blame, arguments: tuple[Argument, ...]) -> Words:
    """LC103; facts: `share` of the ordinary cases, `low` and `high` of the dead region."""
    loss = f"is {wording.array(suspect.value)}" if suspect.value is not None else "is large"
    facts = suspect.facts
    extent = _extent(suspect, arguments)
    if suspect.form == "most" and "share" in facts:
        extent += f" This is so in {100 * float(facts['share']):.0f}% of the ordinary cases."
    what = "batch" if suspect.form == "batch" else "sample"
    why = FLAT.get(blame.op, "the slope on the way back is 0")
    where = f" at {blame.expression}" if blame.expression else ""
    if suspect.kind is Kind.INHERENT:
        return (
            f"The gradient is exactly 0 where the loss {loss}{wording.at(suspect.inputs)}.",
            f"The true one is not 0, but too small for {suspect.dtype}.",
            VANISHING,
        )
    return (
        f"The gradient is exactly 0 where the loss {loss}{wording.at(suspect.inputs)}.",
        f"Nothing is learned from such a {what}{where}: {why}.{extent}",
        _with_slope(blame, arguments),
    )


def _extent(suspect: Suspect, arguments: tuple[Argument, ...]) -> str:
    """Say how far the prediction moves without a gradient."""
    facts = suspect.facts
    if not {"low", "high"} <= set(facts):
        return ""
    name = next((a.name for a in arguments if a.role == "y_pred"), "y_pred")
    element = facts.get("element", ())
    what = f"{name}{list(element)}" if element else name
    low, high = (None if facts[end] is None else wording.number(facts[end]) for end in ENDS)
    if low is None and high is None:
        where = ""
    elif low is not None and low == high:
        return ""
    elif high is None:
        where = f" from {low} on"
    else:
        where = f" up to {high}" if low is None else f" from {low} to {high}"
    held = ", the others held" if element else ""
    return f" It is 0 for every {what}{where}{held}."


def _with_slope(blame: Blame, arguments: tuple[Argument, ...]) -> str:
    label = next((a.name for a in arguments if a.role == "y_true"), "y_true")
    pred, domain = next(
        ((a.name, a.domain) for a in arguments if a.role == "y_pred"), ("y_pred", "")
    )
    domain = {"Sigmoid": "probability", "Softmax": "simplex"}.get(blame.op, domain)
    if domain in _LOGITS:
        return (
            f"{_LOGITS[domain].format(label=label)}\n"
            "# Let the model return logits: no clip is needed, and a wrong answer always has a "
            "slope."
        )
    if blame.op in NO_SLOPE:
        x = blame.operands[0] if blame.operands else "x"
        return f"{NO_SLOPE[blame.op][1].format(x=x, y='0.5')}\n{SURROGATE}".strip()
    return (
        f"tf.keras.losses.huber({label}, {pred})\n"
        "# Or another form that grows more slowly and keeps its slope, in place of the clip."
    )
