"""LC103: the gradient is 0 where there is something to learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.crowd import Crowd
from losscheck.model import Direction, Range
from losscheck.rules.base import Rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from losscheck.evidence.sweep import Sweep
    from losscheck.model import Array
    from losscheck.rules.base import Judgment


class GradientDead(Rule):
    """The gradient of a sample is exactly 0 while its loss is large.

    What it does
    ------------
    Finds samples whose whole gradient is 0 throughout a neighborhood of the prediction while
    their loss lies above the 25th percentile of the losses of ordinary points. A gradient that
    is 0 at one point only, such as the top of a hill, is not reported.

    It is a warning at single points, typically a clip that saturates for a prediction that is
    confidently wrong. It is an error if the gradient is dead in over half of the ordinary
    cases, or over a whole part of the ordinary range.

    Why it matters
    --------------
    The samples that the model gets most wrong are the ones it should learn most from. With a
    gradient of exactly 0 it learns nothing from them, and nothing tells: the loss is finite and
    large.

    Example
    -------
    The clip has slope 0 outside its range, so y_true = 1 with y_pred = 0 costs 16 and moves
    nothing:

        def loss(y_true, y_pred):
            p = tf.clip_by_value(y_pred, 1e-7, 1.0 - 1e-7)
            ce = y_true * tf.math.log(p) + (1.0 - y_true) * tf.math.log(1.0 - p)
            return -tf.reduce_mean(ce, axis=-1)

    Use instead
    -----------
    Let the model return logits. This form is finite for all of them and its slope is
    sigmoid(logits) - y_true:

        def loss(y_true, logits):
            ce = tf.nn.sigmoid_cross_entropy_with_logits(labels=y_true, logits=logits)
            return tf.reduce_mean(ce, axis=-1)

    References
    ----------
    - TensorFlow API documentation: tf.clip_by_value, tf.nn.sigmoid_cross_entropy_with_logits.
    - tensorflow/addons issue 693; tensorflow/tensorflow issue 89110.
    """

    code = "LC103"
    slug = "gradient-dead"
    needs = ("sweeps",)

    def judge(self, sweeps: Sequence[Sweep]) -> Judgment:
        """Name the samples whose gradient is 0 at a large loss."""
        for sweep in sweeps[:1]:  # of one sample: elsewhere another sample may carry the gradient
            if not sweep.has_gradient:
                continue
            dead = _dead(sweep)
            ordinary = sweep.ranges == Range.ORDINARY
            usual = float(dead[ordinary].mean()) if ordinary.any() else 0.0
            form = "most" if usual > MOST else "region" if usual > PART else "point"
            if dead.any():
                yield Crowd(
                    code=self.code,
                    form=form,
                    population=sweep,
                    members=np.flatnonzero(dead),
                    direction=Direction.BACKWARD,
                    facts={"share": usual, "high_loss": sweep.scale.high_loss},
                    mode=sweep.mode,
                    dtype=sweep.dtype,
                )


MOST = 0.5  # share of the ordinary cases (DESIGN.md, LC103)
PART = 0.01  # share from which a clip lies inside the ordinary range, and is no matter of rounding
LOOKED_AT = 4_096  # cases whose neighbourhood is tried


def _dead(sweep: Sweep) -> Array:
    """(N,) bool: gradient 0 here and a little to each side, at a loss that is not small."""
    zero = ~np.any(sweep.flat_gradient, axis=1) & sweep.forward_finite
    found = zero & (sweep.totals > sweep.scale.high_loss) & (sweep.ranges <= Range.WORKING)
    index = np.flatnonzero(found)
    if len(index) > LOOKED_AT:  # spread over all, so that shares stay what they are
        index = index[np.linspace(0, len(index) - 1, LOOKED_AT).astype(int)]
        kept = np.zeros(len(sweep), bool)
        kept[index] = True
        found &= kept
    for direction in (-1, 1):
        if len(index):
            near = sweep.rerun(_neighbours(sweep.cases.take(index), sweep.prediction, direction))
            found[index] &= ~np.any(near.flat_gradient, axis=1)
    return np.asarray(found)


def _neighbours(cases: CaseBlock, name: str, direction: int) -> CaseBlock:
    x = np.asarray(cases.inputs[name], np.float32)
    target = np.float32(np.inf * direction)
    moved = np.nextafter(np.nextafter(x, target), target)
    return CaseBlock({**cases.inputs, name: moved}, cases.ranges)
