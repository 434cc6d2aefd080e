"""LC201 to LC204: NaN and Inf, in the loss and in its gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losscheck.model import Direction, Severity
from losscheck.rules.base import Pin, Rule
from losscheck.rules.crowd import Crowd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from losscheck.advice.base import Change
    from losscheck.advice.blamed import Blame
    from losscheck.evidence.precision.disagreement import ModeSweep
    from losscheck.evidence.search.sweep import Sweep
    from losscheck.model import Array, Suspect
    from losscheck.rules.base import Arguments, Judgment, Words


class NonfiniteRule(Rule):
    """Says which operation went wrong at which number, and what to write there."""

    pinned = Pin.FINITE

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        # Its tables are large: `losscheck rules` does without.
        from losscheck.advice import nonfinite

        cause, fix = nonfinite.cause_and_fix(suspect, blame)
        return nonfinite.message(suspect), f"{blame.vanished} {cause}".strip(), fix

    def changes(self, suspect: Suspect, blame: Blame) -> tuple[Change, ...]:
        """Give what keeps the operation finite."""
        from losscheck.advice import nonfinite

        return nonfinite.changes(suspect, blame)


class ForwardNan(NonfiniteRule):
    """The loss is NaN.

    What it does
    ------------
    Runs the loss on finite input: corners of each domain, relations such as y_pred == y_true
    and all-equal rows, every half-precision number of a domain, random and searched points. It
    reports cases in which the loss is NaN, and blames the op that made it: the first one on the
    way back from the output whose inputs are no NaN.

    On ordinary and working input, where the truth is finite and fits the dtype, or does not
    exist, it is an error. On extreme input, and where the truth itself is too large for the
    dtype, it is a note. Where nothing says what a prediction holds, and the loss takes no negative
    number (x ** 0.7, log1p), the domain is narrowed to those that it takes, and a warning tells
    that the others give NaN.

    Of a compiled model it asks this, as LC202 to LC204 do, of its loss and of the gradients by its
    weights: on batches made for it, at the start and after a few steps of its optimiser.

    Why it matters
    --------------
    One NaN in one sample makes the mean of the batch NaN, the next update makes every weight
    NaN, and training does not come back from that. Two days of work may hang on one empty mask.

    Example
    -------
    A Kullback-Leibler divergence by hand. At y_pred = 0 it is 0 * -inf, which is NaN:

        def loss(y_true, y_pred):
            return tf.reduce_sum(y_pred * tf.math.log(y_pred / y_true), axis=-1)

    Use instead
    -----------
    The special functions know the limit, 0 * log(0) = 0:

        def loss(y_true, y_pred):
            ratio = y_pred / tf.maximum(y_true, 1e-7)
            return tf.reduce_sum(tf.math.xlogy(y_pred, ratio), axis=-1)

    References
    ----------
    - TensorFlow API documentation: tf.math.xlogy, tf.math.divide_no_nan,
      tf.debugging.enable_check_numerics.
    - P. Blanchard, D. J. Higham, N. J. Higham, Accurately computing the log-sum-exp and softmax
      functions, IMA Journal of Numerical Analysis 41(4), 2021.
    - google-deepmind/optax issue 473; tensorflow/probability issue 241; nasa/delta issue 115.
    """

    code = "LC201"
    slug = "forward-nan"
    forms = {
        "nan": Severity.ERROR,
        "narrowed": Severity.WARNING,  # outside the domain, which nobody declared
    }
    essential = True
    nonfinite = frozenset({"nan", "narrowed"})

    def judge(
        self,
        sweeps: Sequence[Sweep],
        lone: Sequence[Sweep],
        modes: Sequence[ModeSweep],
        narrowed: Sequence[Sweep],
    ) -> Judgment:
        """Name the cases in which the loss is NaN."""
        for sweep in (*sweeps, *lone):
            yield from _crowd(
                "LC201", "nan", sweep, sweep.value_nan & _confirmed(sweep, modes, forward)
            )
        for sweep in narrowed:
            yield from _crowd("LC201", "narrowed", sweep, sweep.value_nan)


class ForwardInf(NonfiniteRule):
    """The loss is infinite.

    What it does
    ------------
    Runs the loss on the same finite input as LC201 and reports cases in which it is +Inf or
    -Inf. The truth, computed in float64 or with arbitrary precision, says whether it is
    avoidable (the truth fits the dtype), inherent (too large for it) or undefined (the truth is
    infinite).

    On ordinary and working input, where the truth is finite and fits the dtype, or does not
    exist, it is an error. On extreme input, and where the truth itself is too large for the
    dtype, it is a note.

    Why it matters
    --------------
    An infinite loss turns into NaN in the next subtraction or multiplication by 0, often in the
    same backward pass. A float32 softmax or sigmoid does reach 0 and 1 exactly, so log(0) is
    not a theoretical case.

    Example
    -------
    The exponential overflows float32 above 88.7, long before the loss itself does:

        def loss(y_true, y_pred):
            return tf.reduce_mean(tf.math.log(1.0 + tf.exp(y_pred)) - y_true * y_pred, axis=-1)

    Use instead
    -----------
    Use the op that computes the whole expression:

        def loss(y_true, y_pred):
            return tf.reduce_mean(tf.math.softplus(y_pred) - y_true * y_pred, axis=-1)

    References
    ----------
    - TensorFlow API documentation: tf.math.softplus, tf.reduce_logsumexp, tf.nn.log_softmax.
    - M. Maechler, Accurately Computing log(1 - exp(-|a|)), Rmpfr package, 2012.
    - tensorflow/tensorflow issue 172; keras-team/keras issues 377, 590 and 8524.
    """

    code = "LC202"
    slug = "forward-inf"
    forms = {"inf": Severity.ERROR}
    essential = True
    nonfinite = frozenset({"inf"})

    def judge(
        self, sweeps: Sequence[Sweep], lone: Sequence[Sweep], modes: Sequence[ModeSweep]
    ) -> Judgment:
        """Name the cases in which the loss is infinite."""
        for sweep in (*sweeps, *lone):
            yield from _crowd(
                "LC202", "inf", sweep, sweep.value_inf & _confirmed(sweep, modes, forward)
            )


class GradientNan(NonfiniteRule):
    """The gradient is NaN while the loss is finite.

    What it does
    ------------
    Computes the gradient on the same finite input as LC201 and reports cases in which it is NaN
    although the loss is finite. It blames the op of the forward pass whose derivative made it,
    and shows the line of that op.

    On ordinary and working input, where the truth is finite and fits the dtype, or does not
    exist, it is an error. On extreme input, and where the truth itself is too large for the
    dtype, it is a note.

    Why it matters
    --------------
    This is the fault that nobody sees coming: the loss looks healthy until the step after, when
    all weights are NaN. tf.where is its usual place. The branch that is not taken still gets
    its gradient computed, and multiplied by 0; if that gradient is infinite the product is NaN.

    Example
    -------
    At y_pred = 0 the loss is 0, and its gradient is 0 * inf = NaN:

        def loss(y_true, y_pred):
            return -tf.where(y_pred > 0.0, y_true * tf.math.log(y_pred), 0.0)

    Use instead
    -----------
    Use tf.where twice: first make the operand safe, then choose the result:

        def loss(y_true, y_pred):
            safe = tf.where(y_pred > 0.0, y_pred, 1.0)
            return -tf.where(y_pred > 0.0, y_true * tf.math.log(safe), 0.0)

    References
    ----------
    - TensorFlow API documentation: tf.where, the remarks on gradients; tf.math.divide_no_nan.
    - JAX documentation, FAQ: Gradients contain NaN where using where.
    - tensorflow/tensorflow issues 27684, 20091, 38349 and 12071; keras-team/keras issue 6644.
    """

    code = "LC203"
    slug = "gradient-nan"
    forms = {"nan": Severity.ERROR}
    masked_by = ("LC102",)
    essential = True
    nonfinite = frozenset({"nan"})

    def judge(
        self, sweeps: Sequence[Sweep], lone: Sequence[Sweep], modes: Sequence[ModeSweep]
    ) -> Judgment:
        """Name the cases in which the gradient is NaN."""
        for sweep in (*sweeps, *lone):
            nan = sweep.forward_finite & np.isnan(sweep.flat_gradient).any(axis=1)
            yield from _crowd("LC203", "nan", sweep, nan & _confirmed(sweep, modes, backward))


class GradientInf(NonfiniteRule):
    """The gradient is infinite while the loss is finite.

    What it does
    ------------
    Computes the gradient on the same finite input as LC201 and reports cases in which it is
    infinite although the loss is finite: the slope of a square root at 0, of an arc cosine at
    1, of a power below 1 at 0.

    On ordinary and working input, where the truth is finite and fits the dtype, or does not
    exist, it is an error. On extreme input, and where the truth itself is too large for the
    dtype, it is a note.

    Why it matters
    --------------
    One infinite gradient makes the next weights infinite, and their products NaN. Clipping by
    global norm does not help: the norm is infinite too, and Inf / Inf is NaN.

    Example
    -------
    The slope of acos at 1 is infinite, and clipping to the closed interval keeps that point:

        def loss(y_true, y_pred):
            cosine = tf.reduce_sum(y_true * y_pred, axis=-1)
            return tf.math.acos(tf.clip_by_value(cosine, -1.0, 1.0))

    Use instead
    -----------
    Clip inside the point where the slope is infinite, by more than the dtype can lose (float32
    cannot tell 1 - 1e-8 from 1):

        def loss(y_true, y_pred):
            cosine = tf.reduce_sum(y_true * y_pred, axis=-1)
            return tf.math.acos(tf.clip_by_value(cosine, -1.0 + 1e-6, 1.0 - 1e-6))

    References
    ----------
    - TensorFlow API documentation: tf.math.acos, tf.clip_by_value, tf.math.atan2.
    - kornia/kornia issue 4228; fizyr/keras-retinanet issue 706; keras-team/keras issue 11832.
    """

    code = "LC204"
    slug = "gradient-inf"
    forms = {"inf": Severity.ERROR}
    masked_by = ("LC102",)
    essential = True
    nonfinite = frozenset({"inf"})

    def judge(
        self, sweeps: Sequence[Sweep], lone: Sequence[Sweep], modes: Sequence[ModeSweep]
    ) -> Judgment:
        """Name the cases in which the gradient is infinite."""
        for sweep in (*sweeps, *lone):
            gradient = sweep.flat_gradient
            infinite = np.isinf(gradient).any(axis=1) & ~np.isnan(gradient).any(axis=1)
            found = sweep.forward_finite & infinite & _confirmed(sweep, modes, backward)
            yield from _crowd("LC204", "inf", sweep, found)


def forward(sweep: Sweep) -> Array:
    """(N,) bool: the loss is not finite."""
    return ~sweep.forward_finite


def backward(sweep: Sweep) -> Array:
    """(N,) bool: the loss or its gradient is not finite."""
    return ~sweep.forward_finite | ~np.isfinite(sweep.flat_gradient).all(axis=1)


def _confirmed(sweep: Sweep, modes: Sequence[ModeSweep], wrong: Callable[[Sweep], Array]) -> Array:
    """(N,) bool: wrong in another mode too; what is wrong in one alone belongs to LC503."""
    others = [wrong(run.other) for run in modes if run.graph is sweep]
    return np.any(others, axis=0) if others else np.ones(len(sweep), bool)


def _crowd(code: str, form: str, sweep: Sweep, found: Array) -> Iterator[Crowd]:
    if found.any():
        yield Crowd(
            code=code,
            form=form,
            population=sweep,
            members=np.flatnonzero(found),
            direction=Direction.FORWARD if code in ("LC201", "LC202") else Direction.BACKWARD,
            mode=sweep.mode,
            dtype=sweep.dtype,
        )
