"""Words for a loss that hides NaN, or that does not run as it should (LC205, LC5xx, LC901)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from losscheck.advice import wording
from losscheck.advice.blamed import Blame
from losscheck.findings.words.structure import structured
from losscheck.model import Argument, Suspect

Words = tuple[str, str, str]  # message, cause, fix


def hidden(suspect: Suspect, blame: Blame, arguments: tuple[Argument, ...]) -> Words:
    """LC205."""
    value = wording.array(suspect.value) if suspect.value is not None else "finite"
    at = wording.at(suspect.inputs)
    pred = next((a.name for a in arguments if a.role == "y_pred"), "y_pred")
    if suspect.form == "overflow":
        return (
            f"The loss hides an overflow: it is {value}{at}.",
            "A finite prediction makes a term too large for "
            f"{suspect.dtype}, and the test for NaN and Inf puts another number in its place: the "
            "worst prediction gets a good score.",
            f"{pred} = tf.clip_by_value({pred}, -1e9, 1e9)  # before the term, and no replacement"
            " after it",
        )
    return (
        f"The loss replaces NaN and Inf predictions: it is {value}{at}.",
        "A model that has diverged looks healthy. The gradient is not repaired by it: tf.where "
        "multiplies the slope of the branch not taken by 0, and 0 * NaN is NaN.",
        f"tf.debugging.check_numerics({pred}, '{pred}')  # in place of the replacement\n"
        "# In training, keras.callbacks.TerminateOnNaN stops the run.",
    )


def untraceable(suspect: Suspect, blame: Blame) -> Words:
    """LC501; facts: exception."""
    exception = wording.sentence(suspect.facts.get("exception", ""))
    raised = f" It raises: {exception}." if exception else ""
    if suspect.form == "python-control-flow":
        return (
            "The loss cannot be traced: Python decides on a tensor.",
            f"While Keras traces, a tensor has no value to decide on.{raised}",
            "tf.where(condition, value_if_true, value_if_false)\n"
            "# For whole branches: tf.cond(condition, lambda: ..., lambda: ...).",
        )
    if suspect.form == "numpy":
        return (
            "The loss cannot be traced: it needs the numbers of a tensor.",
            f"NumPy and .numpy() need numbers; while Keras traces there are none.{raised}",
            "tf.reduce_mean(x)  # the TensorFlow or keras.ops function of the same name, not np",
        )
    return (
        "The loss cannot be traced as Keras does it.",
        f"It works on eager tensors only.{raised}",
        "tf.function(loss, autograph=False)  # reproduces it: use TensorFlow ops throughout",
    )


def dtype_rejected(suspect: Suspect, blame: Blame, arguments: tuple[Argument, ...]) -> Words:
    """LC502; facts: dtype, exception."""
    dtype = str(suspect.facts.get("dtype", suspect.dtype))
    exception = wording.sentence(suspect.facts.get("exception", ""))
    names = [a.name for a in arguments if a.role == "y_true"] or ["y_true"]
    pred = next((a.name for a in arguments if a.role == "y_pred"), "y_pred")
    if suspect.form == "labels":
        raised = f" On floats it raises: {exception}." if exception else ""
        return (
            f"The loss takes {names[0]} as integers alone.",
            f"Keras hands integer labels over as float32.{raised}",
            f"{names[0]} = tf.cast({names[0]}, tf.int32)  # first line of the loss\n"
            "# The rest of this report is about the loss with such labels.",
        )
    if blame.op == "OneHot" or "one_hot(" in blame.expression:
        fix = f"tf.one_hot(tf.cast({names[0]}, tf.int32), depth)"
    else:
        fix = f"{names[0]} = tf.cast({names[0]}, {pred}.dtype)"
        fix += f"\n# Constants too: tf.constant(0.5, dtype={pred}.dtype), not a fixed tf.float32."
    raised = f" It raises: {exception}." if exception else ""
    return (
        f"The loss fails in {dtype}.",
        f"A dtype is fixed inside, and TensorFlow does not mix dtypes.{raised}",
        fix,
    )


_MODES = ("eager", "graph", "xla")


def modes(suspect: Suspect) -> tuple[str, str]:
    """LC503, message and cause; facts: `values`, or a value by mode."""
    facts = suspect.facts
    table = facts.get("values", facts)
    given = {m: table[m] for m in _MODES if isinstance(table, Mapping) and table.get(m) is not None}
    numbers = ", ".join(f"{mode} gives {wording.array(value)}" for mode, value in given.items())
    what = "gradient" if suspect.form == "gradient" else "loss"
    what = str(facts.get("what", what))
    at = wording.at(suspect.inputs)
    if suspect.form == "nonfinite":
        message = f"The {what} is not finite in one mode alone{at}."
        cause = "XLA and the graph order and fuse the operations differently"
    else:
        message = f"The {what} differs between modes by more than rounding explains{at}."
        cause = "The formula loses digits, and each mode loses others"
    return message, f"{cause}: {numbers}." if numbers else f"{cause}."


def rounding_fix(blame: Blame) -> str:
    """Say what to write where modes differ in digits."""
    x = blame.operands[0] if blame.operands else "x"
    return (
        f"{x} = tf.cast({x}, tf.float64)  # shows whether digits are lost here\n"
        "# Then rewrite the difference of nearly equal numbers: center first, or use expm1, log1p."
    )


def random(suspect: Suspect, blame: Blame) -> Words:
    """LC504; facts: first, second."""
    facts = suspect.facts
    numbers = ""
    if facts.get("first") is not None and facts.get("second") is not None:
        first, second = wording.array(facts["first"]), wording.array(facts["second"])
        numbers = f" The first gives {first}, the second {second}."
    where = f" at {blame.expression}" if blame.expression else ""
    return (
        "Two runs on the same input give different losses.",
        f"Random numbers are drawn inside the loss{where}.{numbers}",
        "tf.random.stateless_normal(tf.shape(y_pred), seed=(1, 2))\n"
        "# Or let a layer add the noise, in training only.",
    )


_PYTHON = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})


def not_compiled(suspect: Suspect, blame: Blame) -> Words:
    """LC506; facts: exception, op."""
    op = str(suspect.facts.get("op", ""))
    raised = wording.sentence(suspect.facts.get("exception", ""))
    message = "XLA does not compile the loss."
    if op in _PYTHON:
        return (
            message,
            f"{blame.expression or op} calls Python while the loss runs; no compiler follows.",
            "tf.abs(x)  # the TensorFlow or keras.ops function of the same name, not NumPy's",
        )
    cause = f"XLA has no kernel for {op}." if op else f"It raises: {raised}."
    return (
        message,
        f"{cause} Keras compiles with XLA by default where there is a GPU or a TPU.",
        "model.compile(..., jit_compile=False)  # for the whole model\n"
        "# Or write the loss with operations that XLA knows: no shapes that depend on numbers.",
    )


def fails(suspect: Suspect, blame: Blame) -> Words:
    """LC901; facts: name, owner, suggestions, exception, or structures and function."""
    if suspect.form == "structure":
        return structured(suspect, tuple(suspect.inputs))
    facts: Mapping[str, Any] = suspect.facts
    name, owner = str(facts.get("name", "")), str(facts.get("owner", ""))
    exception = wording.sentence(facts.get("exception", ""))
    if suspect.form == "attribute" and name:
        full = f"{owner}.{name}" if owner else name
        others = [str(s) for s in facts.get("suggestions", ())]
        fix = f"{others[0]}(...)" if others else f"# Look up what replaces {full}."
        if others:
            fix += f"  # in place of {full}"
            fix += f"\n# Also: {wording.listed(others[1:])}." if others[1:] else ""
        exists = f" There is {wording.listed(others)}." if others else ""
        return f"{full} does not exist.", f"{owner or 'The object'} has no {name}.{exists}", fix
    if suspect.form == "name" and name:
        return (
            f"The name {name} is not defined.",
            f"The loss reads {name} when it is called, and neither the function nor its module "
            "defines it.",
            f"def make_loss({name}):\n    def loss(y_true, y_pred):\n        ...  # reads {name}\n"
            "    return loss\n"
            f"# Hand {name} over through a factory, or define it in the module.",
        )
    if not suspect.certain:
        example = " ".join(f"--arg {name}='real:(B, 8)'" for name in suspect.inputs)
        return (
            "The loss raises at every layout that was tried.",
            f"It raises: {exception or 'an exception'}. It may take shapes that nobody declared.",
            f"losscheck ... {example}  # domain and shape of each, as it takes them",
        )
    return (
        "The loss raises on ordinary input.",
        f"It raises: {exception or 'an exception'}.",
        f"{blame.expression or 'loss(y_true, y_pred)'}  # repair this call",
    )
