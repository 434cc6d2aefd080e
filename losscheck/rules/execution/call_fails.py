"""LC901: the loss raises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from losscheck.advice import wording
from losscheck.model import Range, Severity, Suspect
from losscheck.rules.base import Pin, Rule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from losscheck.advice.blamed import Blame
    from losscheck.evidence.shape.calls import CallOutcome
    from losscheck.rules.base import Arguments, Judgment, Words


class CallFails(Rule):
    """The loss raises an exception on ordinary input.

    What it does
    ------------
    Calls the loss on ordinary input of a declared layout and reports what it raises: a function
    that TensorFlow does not have, a name that is not defined, or any other exception. Where a
    module has no such attribute, the finding names what exists instead. Where nobody declared
    the shapes and what is raised may be about them, it is a warning that asks for them, and so it
    is where an argument seems to be a dict or a tuple of tensors. No other rule can say anything
    of such a loss.

    Why it matters
    --------------
    A loss that raises fails at the first batch. Functions that exist in NumPy or PyTorch but
    not in TensorFlow are the usual reason, and names of a notebook that are missing in the
    module.

    Example
    -------
    TensorFlow has no tf.diff:

        def loss(y_true, y_pred):
            steps = tf.diff(y_pred, axis=1)
            return tf.reduce_mean(tf.square(y_true - y_pred)) + tf.reduce_mean(tf.square(steps))

    Use instead
    -----------
    Use the function that exists, or slices:

        def loss(y_true, y_pred):
            steps = keras.ops.diff(y_pred, axis=1)
            return tf.reduce_mean(tf.square(y_true - y_pred)) + tf.reduce_mean(tf.square(steps))

    References
    ----------
    - TensorFlow API documentation: All symbols in TensorFlow 2.
    - Keras documentation: keras.ops.diff.
    """

    code = "LC901"
    slug = "call-fails"
    forms = {
        "attribute": Severity.ERROR,
        "name": Severity.ERROR,
        "raises": Severity.ERROR,
        "structure": Severity.WARNING,
    }
    numeric = False
    pinned = Pin.RUNS

    def judge(self, call: CallOutcome) -> Judgment:
        """Name the loss if it raises."""
        error = call.error
        if error is None or call.other_shapes or call.other_dtype or call.runs_eagerly:
            return
        raised = error.error
        form = "raises"
        facts: dict[str, object] = {"exception": str(error)}
        if call.structures:
            form = "structure"
            facts |= {"structures": call.structures, "function": call.function}
        elif isinstance(raised, AttributeError):
            form = "attribute"
            facts |= {"name": raised.name, "owner": call.owner, "suggestions": call.suggestions}
        elif isinstance(raised, NameError):
            form = "name"
            facts |= {"name": raised.name}
        yield Suspect(
            code=self.code,
            form=form,
            facts=facts,
            inputs=call.inputs,
            range=Range.ORDINARY,
            mode="eager",
            location=error.location,
            certain=form in ("attribute", "name")
            or (form == "raises" and (call.laid_out or not isinstance(raised, call.of_sizes))),
        )

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        if suspect.form == "structure":
            from losscheck.advice.refusals import structured

            return structured(suspect, tuple(suspect.inputs))
        facts: Mapping[str, Any] = suspect.facts
        name, owner = str(facts.get("name", "")), str(facts.get("owner", ""))
        exception = wording.sentence(facts.get("exception", ""))
        if suspect.form == "attribute" and name:
            full = f"{owner}.{name}" if owner else name
            others = [str(s) for s in facts.get("suggestions", ())]
            fix = _renamed(blame, others[0]) if others else f"# Look up what replaces {full}."
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
                f"def make_loss({name}):\n    def loss(y_true, y_pred):\n"
                f"        ...  # reads {name}\n    return loss\n"
                f"# Hand {name} over through a factory, or define it in the module.",
            )
        if not suspect.certain:
            example = " ".join(f"--arg {name}='real:(B, 8)'" for name in suspect.inputs)
            return (
                "The loss raises at every layout that was tried.",
                f"It raises: {exception or 'an exception'}. It may take shapes that nobody "
                "declared.",
                f"losscheck ... {example}  # domain and shape of each, as it takes them",
            )
        return (
            "The loss raises on ordinary input.",
            f"It raises: {exception or 'an exception'}.",
            f"{blame.expression or 'loss(y_true, y_pred)'}  # repair this call",
        )


def _renamed(blame: Blame, other: str) -> str:
    """The line with the name that there is, or the call where the line is not known."""
    line = blame.location.source.strip() if blame.location is not None else ""
    if blame.expression and line.count(blame.expression) == 1:
        return line.replace(blame.expression, other)
    return f"{other}(...)"
