"""LC107: gradients of a size that no optimiser can use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losscheck.model import Direction, Severity
from losscheck.rules.base import Rule
from losscheck.rules.crowd import Crowd

if TYPE_CHECKING:
    from losscheck.evidence.gradient.gradient_sizes import GradientSizes
    from losscheck.rules.base import Judgment


class GradientSize(Rule):
    """The gradient is finite, but a million times larger or smaller than ordinary ones.

    What it does
    ------------
    Compares the gradient of every case of one sample with the ordinary scale: the median over
    ordinary points. It reports gradients above a million times that scale where no input is
    larger than ordinary inputs are, so that a spike and no growth is behind it; and gradients
    that are not 0 but below a millionth of it, here and all around, while the loss is large.
    Gradients that are exactly 0 belong to LC103.

    Why it matters
    --------------
    One spike in one sample moves all weights by what a million steps would; Adam's second moment
    remembers it for thousands of steps. A saturated loss is the opposite: the worst predictions
    are those that nothing is learned from.

    Example
    -------
    The slope of 1 / distance at a near-duplicate is its inverse square:

        def loss(y_true, y_pred):
            distance = tf.abs(y_true - y_pred) + 1e-7
            return tf.reduce_mean(1.0 / distance, axis=-1)

    Use instead
    -----------
    Bound the slope by a margin of the size that matters:

        def loss(y_true, y_pred):
            distance = tf.abs(y_true - y_pred)
            return tf.reduce_mean(1.0 / (distance + 0.1), axis=-1)

    References
    ----------
    - R. Pascanu, T. Mikolov, Y. Bengio, On the difficulty of training recurrent neural networks,
      ICML 2013 (clipping).
    - TensorFlow API documentation: tf.clip_by_norm; Keras documentation: optimizer argument
      clipnorm.
    """

    code = "LC107"
    slug = "gradient-size"
    forms = {
        "huge": Severity.WARNING,
        "faint": Severity.WARNING,
    }
    needs = ("gradient_sizes",)
    masked_by = ("LC102",)

    def judge(self, gradient_sizes: GradientSizes | None) -> Judgment:
        """Name the gradients of unusual size."""
        if gradient_sizes is None:
            return
        for form in ("huge", "faint"):
            members = np.flatnonzero(getattr(gradient_sizes, form))
            if len(members):
                yield Crowd(
                    code=self.code,
                    form=form,
                    population=gradient_sizes,
                    members=members,
                    direction=Direction.BACKWARD,
                    facts={"ordinary": gradient_sizes.sweep.scale.gradient},
                    mode=gradient_sizes.sweep.mode,
                    dtype=gradient_sizes.sweep.dtype,
                )
