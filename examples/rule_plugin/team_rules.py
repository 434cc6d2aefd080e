"""What one team asks of its losses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losscheck.model import Range, Severity
from losscheck.rules.base import Rule, Trail
from losscheck.rules.crowd import Crowd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from losscheck.advice.blamed import Blame
    from losscheck.evidence.search.sweep import Sweep
    from losscheck.model import Suspect
    from losscheck.rules.base import Arguments, Judgment, Words

ROUNDING = 1e-4  # of the ordinary loss: what 1 - x may miss 0 by where x is 1


class LossNegative(Rule):
    """The loss is negative.

    What it does
    ------------
    Looks for a negative value among the ordinary cases of the sweep. What is no more than rounding
    does not count.

    Why it matters
    --------------
    Our losses are sums of terms that are each at least 0, and 0 where all is right. One below that
    has a minimum that nobody meant, takes from the other terms of a sum, and cannot be drawn on a
    logarithmic axis.

    Example
    -------
    A Dice loss whose smoothing constant stands in the numerator alone:

        def loss(y_true, y_pred):
            both = tf.reduce_sum(y_true * y_pred, axis=-1)
            total = tf.reduce_sum(y_true + y_pred, axis=-1)
            return 1.0 - (2.0 * both + 1.0) / (total + 1e-3)

    Use instead
    -----------
    The same constant below:

        def loss(y_true, y_pred):
            both = tf.reduce_sum(y_true * y_pred, axis=-1)
            total = tf.reduce_sum(y_true + y_pred, axis=-1)
            return 1.0 - (2.0 * both + 1.0) / (total + 1.0)

    References
    ----------
    - F. Milletari et al., V-Net, 3DV 2016 (the Dice loss).
    """

    code = "TEAM001"
    slug = "loss-negative"
    forms = {"ordinary": Severity.WARNING}
    decisive = False  # a loss passes without it
    trail = Trail.KNOWN  # no one operation is to blame

    def judge(self, sweeps: Sequence[Sweep]) -> Judgment:
        """Name the ordinary cases whose loss is below 0."""
        for sweep in sweeps:
            below = sweep.forward_finite & (sweep.totals < -ROUNDING * sweep.scale.value)
            members = np.flatnonzero(below & (sweep.ranges == Range.ORDINARY))
            if len(members):
                yield Crowd(
                    code=self.code,
                    form="ordinary",
                    population=sweep,
                    members=members,
                    dtype=sweep.dtype,
                )

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        return (
            f"The loss is {np.min(suspect.value):.3g} in an ordinary case.",
            "It is below 0, where our losses end. A constant in one part of a quotient, or a "
            "logarithm of more than 1, does so.",
            "1.0 - (2.0 * both + smooth) / (total + smooth)  # the same constant in both parts\n"
            "# If it is meant to be negative, ignore TEAM001 for this loss and give the reason.",
        )
