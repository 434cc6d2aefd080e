"""LC404: what the loss returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscheck.advice import source
from losscheck.advice.base import Change
from losscheck.model import Severity, Suspect
from losscheck.rules.base import Doubt, Pin, Rule
from losscheck.rules.shape import of_shape, written

if TYPE_CHECKING:
    from losscheck.advice.blamed import Blame
    from losscheck.evidence.graph import GraphFacts
    from losscheck.rules.base import Arguments, Judgment, Words

RETURN = "return "


class OutputShape(Rule):
    """The loss returns something that Keras cannot take for a loss.

    What it does
    ------------
    Calls the loss on ordinary input and looks at what comes back: nothing, something other than
    a tensor, or a tensor whose shape is neither a scalar nor a leading part of y_pred's shape,
    such as (B,) for predictions of shape (B, D). It is a warning where the batch comes first and
    other axes of y_pred follow, as (B, C) does of an image (B, H, W, C): each number belongs to one
    sample and their mean is as meant, but weights of samples do not line up with them.

    Why it matters
    --------------
    Keras averages whatever tensor it gets. A loss of shape (B, B) or (D,) is averaged as well,
    without complaint, and sample weights are then broadcast against axes they do not belong to.

    Example
    -------
    Summing over the batch leaves one value per output, which is no part of (B, D) from the
    left:

        def loss(y_true, y_pred):
            return tf.reduce_sum(tf.square(y_true - y_pred), axis=0)

    Use instead
    -----------
    Reduce the last axis and leave the batch to Keras:

        def loss(y_true, y_pred):
            return tf.reduce_sum(tf.square(y_true - y_pred), axis=-1)

    References
    ----------
    - Keras documentation: Losses, section Creating custom losses.
    """

    code = "LC404"
    slug = "output-shape"
    forms = {
        "none": Severity.ERROR,
        "not-a-tensor": Severity.ERROR,
        "async": Severity.ERROR,
        "generator": Severity.ERROR,
        "shape": Severity.ERROR,
        "axes": Severity.WARNING,  # one number a sample and channel, whose mean is meant
    }
    partial = frozenset({"axes"})
    pinned = Pin.SHAPE
    doubt = Doubt.SUM

    def judge(self, graph: GraphFacts) -> Judgment:
        """Name the loss if what it returns is no loss."""
        returns, prediction = graph.returns, graph.prediction_shape
        # Heads of two parameters, mean and scale, have a loss of the labels' shape.
        fits = [shape[: len(returns or ())] for shape in (prediction, graph.label_shape)]
        if returns is not None and returns not in fits:
            whole = (prediction, graph.label_shape)
            yield Suspect(
                code=self.code,
                form="axes" if any(_of_axes(returns, shape) for shape in whole) else "shape",
                facts={"shape": returns, "prediction": prediction},
                location=graph.made_at,
                expected_text=f"(), ({prediction[0] if prediction else ''},) or {prediction}",
            )

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        facts = suspect.facts
        fix = _averaged(suspect, blame) or "return tf.reduce_mean(per_element, axis=-1)"
        fix += "  # one value a sample: (B,)"
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
        shape = written(facts, "shape")
        if suspect.form == "axes":
            return (
                f"The loss returns several numbers a sample{of_shape(shape)}.",
                "Keras averages them, and multiplies weights of shape (B,) with their last axis, "
                "to which those do not belong.",
                fix,
            )
        return (
            f"The loss returns a tensor{of_shape(shape)}, which is no loss per sample.",
            "Keras expects a scalar or a leading part of the prediction's shape, such as (B,); it "
            "averages everything else without complaint.",
            fix,
        )

    def changes(self, suspect: Suspect, blame: Blame) -> tuple[Change, ...]:
        """Give the same reduction of the last axis, or the mean of what is returned."""
        from losscheck.advice.functions import of_the_last_axis  # `losscheck rules` does without

        averaged = _averaged(suspect, blame).removeprefix(RETURN)
        further = (Change(_returned(blame), averaged),) if averaged else ()
        return (*of_the_last_axis(blame.expression, batch=True), *further)


def _returned(blame: Blame) -> str:
    """Take what is returned where the statement to blame, or its line, returns something."""
    line = blame.location.source.strip() if blame.location is not None else ""
    statement = blame.statement or line
    returned = statement.removeprefix(RETURN)
    return returned if returned != statement and source.expression(returned) else ""


def _averaged(suspect: Suspect, blame: Blame) -> str:
    """Write the return statement with the mean over all axes but the first; "" for none."""
    shape, returned = suspect.facts.get("shape"), _returned(blame)
    if suspect.form != "axes" or not returned or not shape:
        return ""
    axes = "-1" if len(shape) == 2 else str([*range(1, len(shape))])
    return f"{RETURN}tf.reduce_mean({returned}, axis={axes})"


def _of_axes(returns: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether the batch and then some of the other axes of a shape are left, in their order."""
    rest = iter(shape[1:])
    return (
        1 < len(returns) < len(shape)
        and returns[0] == shape[0]
        and all(size in rest for size in returns[1:])
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
