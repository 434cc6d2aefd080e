"""LC102: no gradient reaches the prediction, or a part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscheck.model import Direction, Range, Severity, Suspect
from losscheck.rules.base import Rule

if TYPE_CHECKING:
    from losscheck.evidence.gradient.unreached import Unreached
    from losscheck.evidence.graph import GraphFacts
    from losscheck.rules.base import Judgment


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
    needs = ("graph", "unreached")
    partial = frozenset({"part", "part-unasked", "part-flat", "part-ends"})

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
