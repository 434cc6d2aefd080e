"""LC102: no gradient reaches the prediction, or a part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscheck.advice.functions import NO_SLOPE, SURROGATE, within_graph
from losscheck.model import Direction, Range, Severity, Suspect
from losscheck.rules.base import Doubt, Pin, Rule

if TYPE_CHECKING:
    from losscheck.advice.base import Change
    from losscheck.advice.blamed import Blame
    from losscheck.evidence.gradient.unreached import Unreached
    from losscheck.evidence.graph import GraphFacts
    from losscheck.rules.base import Arguments, Judgment, Words

LEFT_OUT = "# If it is left out on purpose, nothing needs to change."


class GradientMissing(Rule):
    """No gradient reaches the prediction, or a part of it.

    What it does
    ------------
    Asks TensorFlow for the gradient of the loss with respect to y_pred and finds None: every
    path from the prediction to the loss runs through something without a derivative. The line
    to blame is the op that cuts the last path: argmax, a cast to an integer, a comparison, a
    NumPy or Python function, or a tf.stop_gradient.

    It also looks for whole slices of the prediction that get no gradient in any case, while the
    others do. It is an error where the labels hold something for them, too, and the loss takes so
    many and no more of a declared layout, however long the axis is: the axis is not the one that
    its author had in mind. It is a warning where the labels say nothing of them, where the
    layout was guessed and no other width is better, or where the loss depends on them without a
    slope; and a note where the loss leaves out the ends of an axis, as `y_pred[:, :-1]` does.

    Of a compiled model it asks the same of each trainable weight, and of each output's loss. A
    weight that the loss does not depend on, or that a tf.stop_gradient cuts off, is a warning.

    Why it matters
    --------------
    The model does not learn from such a loss. Keras warns that gradients do not exist, or
    refuses to train; where the model has a second loss or a regularizer it trains on that alone
    and says nothing.

    Example
    -------
    Accuracy as a loss. Neither argmax nor a comparison has a derivative:

        def loss(y_true, y_pred):
            wrong = tf.argmax(y_true, axis=-1) != tf.argmax(y_pred, axis=-1)
            return tf.cast(wrong, tf.float32)

    Use instead
    -----------
    Take a smooth surrogate of the same quantity:

        def loss(y_true, y_pred):
            return tf.keras.losses.categorical_crossentropy(y_true, y_pred)

    References
    ----------
    - TensorFlow guide: Introduction to gradients and automatic differentiation, section Getting
      a gradient of None.
    - keras-team/keras issues 11157 and 4175.
    """

    code = "LC102"
    slug = "gradient-missing"
    forms = {
        "none": Severity.ERROR,
        "part": Severity.ERROR,
        "part-unasked": Severity.WARNING,  # no label asks for it, or the layout is guessed
        "part-flat": Severity.WARNING,  # a mask that the prediction gives may be meant
        "part-ends": Severity.NOTE,  # a border, or a step without a successor
    }
    partial = frozenset({"part", "part-unasked", "part-flat", "part-ends"})
    essential = True
    # The others see that there is none, whether it was judged or not.
    masks_undecided = False
    pinned = Pin.SLOPE
    doubt = Doubt.GRADIENT

    def judge(self, graph: GraphFacts, unreached: Unreached | None) -> Judgment:
        """Name the loss if its gradient is None, or the part of the prediction that gets none."""
        if graph.gradient_missing:
            yield Suspect(
                code=self.code,
                form="none",
                direction=Direction.BACKWARD,
                location=graph.blocked_at,
                facts={"op": graph.blocked_by, "reason": graph.gradient_error},
            )
        elif unreached is not None:
            yield Suspect(
                code=self.code,
                form=_form(unreached),
                direction=Direction.BACKWARD,
                inputs=unreached.inputs,
                value=unreached.value,
                gradient=unreached.gradient,
                range=Range.ORDINARY,
                count=unreached.cases,
                location=unreached.location,
                facts={
                    "part": unreached.spelled,
                    "used": unreached.used,
                    "beyond": unreached.beyond,
                    "labelled": unreached.labelled,
                    "axis": unreached.axis,
                    "kept": unreached.shape[unreached.axis] - len(unreached.indices),
                    "size": unreached.shape[unreached.axis],
                    "cases": unreached.cases,
                },
            )

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
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

    def changes(self, suspect: Suspect, blame: Blame) -> tuple[Change, ...]:
        """Give TensorFlow's own functions in place of NumPy's."""
        return tuple(within_graph(blame.expression))


def _form(found: Unreached) -> str:
    if found.used:
        return "part-flat"
    if not found.beyond and _at_the_ends(found):
        return "part-ends"
    return "part" if found.beyond and found.labelled and found.given else "part-unasked"


def _at_the_ends(found: Unreached) -> bool:
    """Whether what is kept has no gaps: the first or last indices are left out."""
    kept = [i for i in range(found.shape[found.axis]) if i not in found.indices]
    return len(kept) > 1 and kept == list(range(kept[0], kept[-1] + 1))


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
    longer = " It takes that many whatever the size of the axis is." if facts["beyond"] else ""
    fix = (
        f"tf.reduce_sum(x, axis={facts['axis']})  # every index, in place of single ones\n"
        f"{LEFT_OUT}"
    )
    return message, f"It is left out: {taken}{asked}.{longer}", fix
