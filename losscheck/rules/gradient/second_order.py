"""LC106: the second derivative, for those who ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losscheck.model import Direction, Severity, Suspect
from losscheck.rules.base import Rule
from losscheck.rules.crowd import Crowd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from losscheck.evidence.gradient.second_order import SecondOrderCheck
    from losscheck.rules.base import Judgment
    from losscheck.settings.settings import Settings


class SecondOrder(Rule):
    """The second derivative is missing, not finite, or not that of the loss.

    What it does
    ------------
    Runs with `--order 2` alone. Takes the gradient of gradient·v for a few vectors v of random
    signs, which is the Hessian times v, and compares it with differences of the gradient. They
    come from the ladder of float64 steps that checks gradients, with its own error estimate, and
    only where the gradient itself was verified.

    A second derivative of 0 is right where the loss is linear in the prediction, and so is None
    there. Where the gradient has a kink, as that of a Huber loss, any value between the two
    sides is right; where it jumps, as that of an absolute error, nothing is said.

    Why it matters
    --------------
    A first-order optimizer never asks for it. Gradient penalties, influence functions, MAML and
    Newton methods do: they silently work without the part that is missing, or raise, or turn
    NaN though loss and gradient are finite.

    Example
    -------
    A custom gradient that is right, but that cannot be derived once more:

        @tf.custom_gradient
        def half_square(x):
            def grad(upstream):
                return upstream * tf.stop_gradient(x)

            return 0.5 * tf.square(x), grad


        def loss(y_true, y_pred):
            return tf.reduce_mean(half_square(y_pred - y_true), axis=-1)

    Use instead
    -----------
    Write the gradient with ops that have a derivative themselves, or leave it to TensorFlow:

        def loss(y_true, y_pred):
            return tf.reduce_mean(0.5 * tf.square(y_pred - y_true), axis=-1)

    References
    ----------
    - TensorFlow guide: Advanced automatic differentiation, sections Higher-order gradients and
      Custom gradients.
    - TensorFlow API documentation: tf.custom_gradient, section on nested gradients.
    - B. A. Pearlmutter, Fast exact multiplication by the Hessian, Neural Computation 6(1), 1994.
    """

    code = "LC106"
    slug = "second-order"
    forms = {
        "missing": Severity.WARNING,
        "nonfinite": Severity.WARNING,
        "wrong": Severity.WARNING,
    }
    needs = ("second_order",)
    masked_by = ("LC102",)

    def left_out(self, settings: Settings) -> str:
        """Ask for the second derivative."""
        return "" if settings.order > 1 else "ask with --order 2"

    def judge(self, second_order: Sequence[SecondOrderCheck]) -> Judgment:
        """Name the cases whose second derivative is not that of the loss."""
        told: set[str] = set()  # what one sample shows is not told of a batch once more
        for check in second_order:
            facts = {
                "op": check.cut.op,
                "custom": check.cut.custom,
                "reason": check.error,
                "location": check.cut.location,
            }
            if check.error:
                yield Suspect(
                    code=self.code,
                    form="missing",
                    direction=Direction.BACKWARD,
                    location=check.cut.location,
                    facts=facts,
                )
                return
            wrong = check.wrong_along.any(axis=1)
            nonfinite = check.nonfinite_along.any(axis=1)
            form = "missing" if check.missing else "wrong"
            for name, found, known in ((form, wrong, facts), ("nonfinite", nonfinite, {})):
                if found.any() and name not in told:
                    told.add(name)
                    yield Crowd(
                        code=self.code,
                        form=name,
                        population=check,
                        members=np.flatnonzero(found),
                        direction=Direction.BACKWARD,
                        facts=known,
                    )
