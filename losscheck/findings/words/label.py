"""Words for labels that no class has, and for whole numbers that wrap (LC206, LC303)."""

from __future__ import annotations

from losscheck import domains
from losscheck.advice import source, wording
from losscheck.advice.blamed import Blame
from losscheck.model import Argument, Suspect

Words = tuple[str, str, str]  # message, cause, fix

_WHY = {
    "OneHot": "tf.one_hot makes a row of zeros of it, and the sample counts as a perfect one.",
    "GatherV2": "On a CPU a gather checks its indices; on a GPU and under XLA it reads elsewhere.",
    "SparseSoftmaxCrossEntropyWithLogits": "On a CPU this operation checks its labels; on a GPU "
    "and under XLA it gives NaN.",
}


def outside(suspect: Suspect, blame: Blame, arguments: tuple[Argument, ...]) -> Words:
    """LC206; facts: label, classes, raised, op."""
    facts = suspect.facts
    label, classes = facts.get("label", -1), facts.get("classes", "C")
    name = next((a.name for a in arguments if domains.names_classes(a.domain)), "y_true")
    last = f"{classes} - 1" if isinstance(classes, str) else classes - 1
    why = _WHY.get(str(facts.get("op", "")), "Nothing in the loss asks whether a label is a class.")
    given = "a number" if suspect.value is None else wording.array(suspect.value)
    what = f"A label of {label}, where the classes are 0 to {last}, "
    if suspect.form == "mode":
        raised = wording.listed(map(str, facts.get("raised", ("another",))), "and")
        message = (
            f"{what}raises in {raised} mode alone; in {suspect.mode} mode the loss is {given}."
        )
    else:
        message = f"{what}is taken without complaint: the loss is {given}."
    return (
        message,
        f"No class has the label {label}; they are 0 to {last}. {why}",
        f"known = tf.logical_and({name} >= 0, {name} < {classes})\n"
        f"{name} = tf.where(known, {name}, tf.zeros_like({name}))  # before it is used\n"
        "# Then multiply the loss of each sample by tf.cast(known, y_pred.dtype) and divide by\n"
        "# their number; or refuse such labels: "
        f"tf.debugging.assert_less({name}, tf.cast({classes}, {name}.dtype)).",
    )


def wrapped(suspect: Suspect, blame: Blame) -> Words:
    """LC303; facts: integers, came, right."""
    facts = suspect.facts
    dtype = str(facts.get("integers", "its dtype"))
    where = blame.expression or "The arithmetic"
    said = f"{where} leaves the range of {dtype}"
    if "came" in facts and "right" in facts:
        came, right = (f"{float(facts[key]):,.0f}" for key in ("came", "right"))
        said = f"{where} is {came} in {dtype}, where {right} is right"
    operands = [_uncast(text) for text in blame.operands[:2]] or ["x"]
    return (
        f"Integer arithmetic wraps around{wording.at(suspect.inputs)}.",
        f"{said}: TensorFlow does not check integers.",
        "\n".join(f"tf.cast({x}, tf.float32)  # before the arithmetic" for x in operands),
    )


def _uncast(text: str) -> str:
    """Take a cast off an operand: "tf.cast(y_true, tf.uint8)" to "y_true"."""
    return source.first_argument_of(text, "cast") or text
