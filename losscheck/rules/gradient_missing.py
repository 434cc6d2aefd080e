"""LC102: no gradient reaches the prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscheck.model import Direction, Suspect
from losscheck.rules.base import Rule

if TYPE_CHECKING:
    from losscheck.evidence.graph import GraphFacts
    from losscheck.rules.base import Judgment


class GradientMissing(Rule):
    """No gradient reaches the prediction.

    What it does
    ------------
    Asks TensorFlow for the gradient of the loss with respect to y_pred and finds None: every
    path from the prediction to the loss runs through something without a derivative. The line
    to blame is the op that cuts the last path: argmax, a cast to an integer, a comparison, a
    NumPy or Python function, or a tf.stop_gradient.

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
    needs = ("graph",)

    def judge(self, graph: GraphFacts) -> Judgment:
        """Name the loss if its gradient is None."""
        if graph.gradient_missing:
            yield Suspect(
                code=self.code,
                form="none",
                direction=Direction.BACKWARD,
                location=graph.blocked_at,
                facts={"op": graph.blocked_by, "reason": graph.gradient_error},
            )
