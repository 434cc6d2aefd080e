"""LC505: NaN and Inf in float16 or bfloat16 alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losscheck.model import Direction, Severity
from losscheck.rules.crowd import Crowd
from losscheck.rules.nonfinite.nonfinite import NonfiniteRule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from losscheck.evidence.precision.halves import HalfSweep
    from losscheck.rules.base import Judgment


class HalfNonfinite(NonfiniteRule):
    """The loss or its gradient is NaN or infinite in float16 or bfloat16 alone.

    What it does
    ------------
    Runs a batch in float16 and in bfloat16, on ordinary and working numbers of that type, and a
    training batch in float16, whose sums end at 65,504. It reports what is not finite there
    although float32 and float64 are. It is a note, since nobody asked for the type: a half type
    that is listed in `dtypes` is judged by LC201 to LC204 instead.

    Why it matters
    --------------
    Under a mixed_float16 policy Keras hands a compiled loss float32, but a loss inside a layer
    (add_loss), or in a training loop of one's own, gets what the model computes. An epsilon of
    1e-8 is 0 in float16, and a mean of a few hundred numbers adds up to infinity.

    Example
    -------
    1e-8 is below the smallest float16, so that log(0) remains:

        def loss(y_true, y_pred):
            return -tf.reduce_sum(y_true * tf.math.log(y_pred + 1e-8), axis=-1)

    Use instead
    -----------
    Compute in float32 inside the loss:

        def loss(y_true, y_pred):
            y_true, y_pred = tf.cast(y_true, tf.float32), tf.cast(y_pred, tf.float32)
            return -tf.reduce_sum(y_true * tf.math.log(y_pred + 1e-7), axis=-1)

    References
    ----------
    - P. Micikevicius et al., Mixed Precision Training, ICLR 2018.
    - TensorFlow guide: Mixed precision.
    - keras-team/keras issue 11832; huggingface/transformers issue 382.
    """

    code = "LC505"
    slug = "half-nonfinite"
    forms = {  # other rules judge a half type that is required
        "nan": Severity.NOTE,
        "inf": Severity.NOTE,
    }
    absent = ("halves", "the half types are required, or no graph of the loss runs in them")
    nonfinite = frozenset({"nan", "inf"})
    few = True
    one_by_one = True

    def judge(self, halves: Sequence[HalfSweep]) -> Judgment:
        """Name the cases that are not finite in a half type alone."""
        for sweep in halves:
            half = sweep.half
            slope_nan = np.isnan(half.flat_gradient.astype(np.float32)).any(axis=1)
            for direction, alone, nan in (
                (Direction.FORWARD, sweep.value_alone, half.value_nan),
                (Direction.BACKWARD, sweep.gradient_alone, slope_nan),
            ):
                for form, members in (("nan", alone & nan), ("inf", alone & ~nan)):
                    if members.any():
                        yield Crowd(
                            code=self.code,
                            form=form,
                            population=sweep,
                            members=np.flatnonzero(members),
                            direction=direction,
                            mode=half.mode,
                            dtype=half.dtype,
                        )
