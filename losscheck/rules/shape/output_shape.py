"""LC404: what the loss returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscheck.model import Severity, Suspect
from losscheck.rules.base import Rule

if TYPE_CHECKING:
    from losscheck.evidence.graph import GraphFacts
    from losscheck.rules.base import Judgment


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
    needs = ("graph",)
    partial = frozenset({"axes"})

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


def _of_axes(returns: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether the batch and then some of the other axes of a shape are left, in their order."""
    rest = iter(shape[1:])
    return (
        1 < len(returns) < len(shape)
        and returns[0] == shape[0]
        and all(size in rest for size in returns[1:])
    )
