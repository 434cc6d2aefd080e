"""LC302: the gradient has lost its digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscheck.model import Direction, Severity
from losscheck.rules.precision.base import PrecisionRule
from losscheck.rules.precision.value_precision import lost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from losscheck.evidence.precision.lost_digits import Precision
    from losscheck.rules.base import Judgment


class GradientPrecision(PrecisionRule):
    """The gradient is right in fewer than two digits, though its formula is right.

    What it does
    ------------
    Does for the gradient what LC301 does for the value: float32 beside float64, over the same
    cases, in the max norm over the gradient of a case, beyond what the inputs' own rounding
    explains. Severities are the same, by the median size of the gradient over ordinary points.
    A gradient that is wrong in float64 too is no matter of digits: LC101 says so.

    Why it matters
    --------------
    Gradients lose digits sooner than values: the slope of a quotient subtracts two terms that both
    grow where the quotient's operand is small. (1 - cos d) / d^2 at d = 1e-3 has a slope of 46
    where -8e-5 is right. Training takes a step in a random direction, and the larger the better
    the prediction was.

    Example
    -------
    The distance of near-duplicates is rounding, and its root has a slope of any size:

        def loss(y_true, y_pred):
            a = tf.reduce_sum(y_true * y_true, axis=-1)
            b = tf.reduce_sum(y_pred * y_pred, axis=-1)
            ab = tf.reduce_sum(y_true * y_pred, axis=-1)
            return tf.sqrt(tf.maximum(a + b - 2.0 * ab, 1e-12))

    Use instead
    -----------
    Subtract first, then square:

        def loss(y_true, y_pred):
            squares = tf.reduce_sum(tf.square(y_true - y_pred), axis=-1)
            return tf.sqrt(tf.maximum(squares, 1e-12))

    References
    ----------
    - N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, SIAM 2002,
      sections 1.7 to 1.14.
    - TensorFlow API documentation: tf.custom_gradient (log1pexp, whose slope must be written
      anew to keep its digits).
    """

    code = "LC302"
    slug = "gradient-precision"
    forms = {
        "large": Severity.ERROR,
        "small": Severity.WARNING,
        "slight": Severity.NOTE,
    }
    of_value = False

    def judge(self, precision: Sequence[Precision]) -> Judgment:
        """Name the cases whose gradient lost its digits, by the size of the error."""
        yield from lost(self.code, precision, Direction.BACKWARD)
