"""Words for shapes: broadcast in silence, rejected, coupled, returned wrongly (LC401 to LC404)."""

from __future__ import annotations

from losscheck import domains
from losscheck.advice import wording
from losscheck.advice.blamed import Blame
from losscheck.model import Argument, Suspect

Words = tuple[str, str, str]  # message, cause, fix


# What Keras does about ranks, by `kind` of the loss: a function or a subclass of Loss.
_ALIGNS = {
    "function": "Keras aligns the ranks before it calls this function, a direct call does not",
    "subclass": "Keras does not align the ranks for a Loss subclass",
    "": "Keras aligns the ranks for functions, but not for Loss subclasses",
}


def broadcast(suspect: Suspect, blame: Blame, arguments: tuple[Argument, ...]) -> Words:
    """LC401; facts: argument, shape, other_shape, result_shape, value, aligned_value, kind."""
    facts = suspect.facts
    name = str(facts.get("argument", "") or _role(arguments, "y_true"))
    mine, other = _shape(facts, "shape"), _shape(facts, "other_shape")
    result = _shape(facts, "result_shape")
    if suspect.form == "batch":
        return _one_number(name, other, blame, arguments)
    if suspect.form == "constant":
        message = f"A constant{_of(mine)} is broadcast{_against(other)}: another width."
    elif suspect.form == "rank":
        message = f"Mismatched ranks are accepted: {name}{_of(mine)}{_against(other)}."
    else:
        message = f"{name}{_of(mine)} is broadcast{_against(other)} into a different loss."
    parts = [f"Broadcasting makes {result} of {mine or name} and {other or 'the other operand'}"]
    parts = parts if result else ["Broadcasting pairs what does not belong together"]
    if facts.get("value") is not None and facts.get("aligned_value") is not None:
        value = wording.array(facts["value"])
        parts.append(f"the loss is {value} where {wording.array(facts['aligned_value'])} is right")
    if suspect.form == "rank":
        parts.append(_ALIGNS.get(str(facts.get("kind", "")), _ALIGNS[""]))
    return message, "; ".join(parts) + ".", _aligned(suspect, name, blame, arguments)


def _one_number(name: str, other: str, blame: Blame, arguments: tuple[Argument, ...]) -> Words:
    label = _role(arguments, "y_true")
    where = f" at {blame.expression}" if blame.expression else ""
    given = next((a.shape for a in arguments if a.name == name), "")
    flat = _rank(given) == 1
    return (
        f"Every label{_of(other)} is compared with one number for all of {name}.",
        f"{name} has lost its batch axis on the way{where}: each sample is given the same "
        "prediction, which depends on all samples.",
        f"tf.square({label} - {name})  # {name} is one number a sample already"
        if flat
        else f"tf.reduce_sum({name}, axis=-1)  # one number a sample: name the axes",
    )


def _aligned(suspect: Suspect, name: str, blame: Blame, arguments: tuple[Argument, ...]) -> str:
    """Write the line that brings the argument into the right shape."""
    pred = _role(arguments, "y_pred")
    if suspect.form == "constant":
        text = blame.operands[-1] if blame.operands else "constant"
        return f"tf.debugging.assert_equal(tf.shape({pred})[-1], tf.size({text}))"
    if blame.op == "OneHot":
        return f"{name} = tf.squeeze({name}, axis=-1)  # before tf.one_hot"
    mine, other = (_rank(suspect.facts.get(key)) for key in ("shape", "other_shape"))
    role = next((a.role for a in arguments if a.name == name), "")
    if role == "weight" or "weight" in name:
        beside = other or 3 - (mine or 1)  # a vector of weights has met a column, or the reverse
        return f"{name} = tf.reshape({name}, {_column(beside)})"
    if any(a.name == name and domains.names_classes(a.domain) for a in arguments):
        return f"{name} = tf.reshape({name}, tf.shape({pred})[:-1])"
    if name == pred:
        label = _role(arguments, "y_true")
        return f"{pred} = tf.reshape({pred}, tf.shape({label}))"
    return f"{name} = tf.reshape({name}, tf.shape({pred}))"


def rejected(suspect: Suspect, blame: Blame, arguments: tuple[Argument, ...]) -> Words:
    """LC402; facts: argument, shape, exception, batch, size."""
    facts = suspect.facts
    name = str(facts.get("argument", "") or _role(arguments, "y_pred"))
    exception = wording.sentence(facts.get("exception", "")) or "an exception"
    batch = facts.get("batch", 1)
    size = facts.get("size")
    mine = _of(_shape(facts, "shape"))
    what = {
        "batch-of-one": f"a batch of {batch}",
        "batch-size": f"a batch of {size}",
        "unknown-batch": "an unknown batch size (None)",
        "size": f"{name} with a size of {size}" if size is not None else f"{name}{mine}",
        "declared-rank": f"the rank it is declared to take: {name}{mine}",
        "weights": f"weights per sample: {name}{mine}",
        "unknown-rank": "inputs of unknown rank",
    }.get(suspect.form, f"{name}{mine}")
    return f"The loss fails on {what}.", f"It raises: {exception}.", _taking(suspect.form, name)


def _taking(form: str, name: str) -> str:
    return {
        "batch-of-one": "x = tf.squeeze(x, axis=-1)  # names its axis: a bare tf.squeeze drops the "
        "batch of one",
        "batch-size": f"batch = tf.shape({name})[0]  # in place of a number: batches differ",
        "unknown-batch": f"batch = tf.shape({name})[0]  # the tensor knows, {name}.shape[0] is "
        "None",
        "size": f"tf.ones_like({name})  # in place of a constant of one width\n"
        '# Or declare the size that the loss is made for, such as shape = "(B, 3)".',
        "declared-rank": f"tf.reduce_mean({name}, axis=-1)  # counts from the last axis, for any "
        "rank",
        "weights": f"{name} = tf.reshape({name}, (-1, 1))",
        "unknown-rank": f"rank = tf.rank({name})  # the tensor knows, {name}.shape.rank is None",
    }.get(form, f"{name} = tf.convert_to_tensor({name})")


def coupled(suspect: Suspect, blame: Blame) -> Words:
    """LC403; facts: value (of the batch), parts (mean over its parts)."""
    facts = suspect.facts
    numbers = ""
    if facts.get("value") is not None and facts.get("parts") is not None:
        numbers = (
            f" The loss of the batch is {wording.array(facts['value'])}, the mean over its parts "
            f"{wording.array(facts['parts'])}."
        )
    where = f" It is at {blame.expression}." if blame.expression else ""
    if suspect.form == "alone":
        return (
            "A sample alone has another loss than in a batch.",
            f"No sample changes what another one adds, but a batch of one is computed otherwise."
            f"{numbers}",
            "x = tf.squeeze(x, axis=-1)  # names its axis: a bare tf.squeeze drops the batch of a "
            "batch of one\n# Or divide by tf.cast(tf.shape(x)[0], x.dtype), the number of samples.",
        )
    if suspect.form == "summed":
        return (
            "The loss grows with the size of the batch.",
            f"It adds up the losses of the samples.{numbers} A learning rate that suits one batch "
            "size is wrong for another, and the smaller last batch counts less.",
            "tf.reduce_mean(x)  # over the batch, or one value a sample, which Keras averages",
        )
    return (
        "One sample's loss depends on the other samples of the batch.",
        f"A statistic or a sum is taken over the batch.{where}{numbers}",
        "tf.reduce_mean(x, axis=-1)  # over a sample's own values, not over the batch (axis 0)\n"
        "# If the coupling is meant, as in a contrastive loss, nothing needs to change.",
    )


def output(suspect: Suspect, blame: Blame) -> Words:
    """LC404; facts: type, shape."""
    facts = suspect.facts
    fix = "return tf.reduce_mean(per_element, axis=-1)  # one value a sample: (B,)"
    if suspect.form == "none":
        return (
            "The loss returns None.",
            "Its last line computes a value and does not return it, or a branch has no return.",
            fix,
        )
    if suspect.form in ("async", "generator"):
        return _of_python(suspect)
    if suspect.form == "not-a-tensor":
        kind = facts.get("type", "")
        kind = f" but {kind}" if kind else ""
        return f"The loss returns no tensor{kind}.", "Keras can reduce a tensor only.", fix
    shape = _shape(facts, "shape")
    if suspect.form == "axes":
        return (
            f"The loss returns several numbers a sample{_of(shape)}.",
            "Keras averages them, and multiplies weights of shape (B,) with their last axis, to "
            "which those do not belong.",
            fix,
        )
    return (
        f"The loss returns a tensor{_of(shape)}, which is no loss per sample.",
        "Keras expects a scalar or a leading part of the prediction's shape, such as (B,); it "
        "averages everything else without complaint.",
        fix,
    )


def _of_python(suspect: Suspect) -> Words:
    """LC404 of a function that runs when somebody drives it, which Keras does not."""
    line = suspect.location.source.strip() if suspect.location else ""
    if suspect.form == "async":
        return (
            "The loss is an async function and returns no tensor.",
            "It is an async function: calling it gives a coroutine, which Keras never awaits, so "
            "that its body never runs.",
            line.removeprefix("async ") or "# Define it with def, without async.",
        )
    return (
        "The loss is a generator and returns no tensor.",
        "There is a yield in it, so that calling it gives an iterator, which Keras never runs.",
        "return loss  # once, in place of each yield",
    )


def empty(suspect: Suspect, blame: Blame) -> Words:
    """LC405; facts: exception, or value."""
    fix = (
        "tf.math.divide_no_nan(tf.reduce_sum(x), count)  # 0 where nothing is counted\n"
        "# Or return one value a sample, and leave the mean to Keras."
    )
    if suspect.form == "fails":
        exception = wording.sentence(suspect.facts.get("exception", "")) or "an exception"
        return "The loss fails on an empty batch.", f"It raises: {exception}.", fix
    value = wording.array(suspect.facts.get("value"))
    return f"The loss of an empty batch is {value}.", "A mean over no sample divides by 0.", fix


def _shape(facts: object, key: str) -> str:
    value = facts.get(key) if hasattr(facts, "get") else None
    return "" if value is None else wording.shape(value)


def _rank(shape: object) -> int:
    """Count the axes of a shape given as numbers or as text."""
    if shape is None:
        return 0
    return len([part for part in wording.shape(shape).strip("()").split(",") if part.strip()])


def _column(rank: int) -> str:
    """Write the shape that keeps the batch in the first axis: "(-1,)", "(-1, 1)", ..."""
    return "(-1,)" if rank == 1 else f"(-1{', 1' * (rank - 1)})"


def _of(shape: str) -> str:
    return f" of shape {shape}" if shape else ""


def _against(shape: str) -> str:
    return f" against {shape}" if shape else ""


def _role(arguments: tuple[Argument, ...], role: str, default: str | None = None) -> str:
    return next((a.name for a in arguments if a.role == role), role if default is None else default)
