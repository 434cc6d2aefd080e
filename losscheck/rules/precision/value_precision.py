"""LC301: the value of the loss has lost its digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscheck.model import Direction, Range, Severity
from losscheck.rules.crowd import Crowd
from losscheck.rules.precision.base import PrecisionRule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from losscheck.evidence.precision.lost_digits import Precision
    from losscheck.model import Array
    from losscheck.rules.base import Judgment


class ValuePrecision(PrecisionRule):
    """The loss is right in fewer than two digits: it subtracts numbers that are nearly equal.

    What it does
    ------------
    Runs ordinary and working cases in float32 and in float64, among them predictions at every
    decade of distance from their labels and rows that are nearly equal, as a graph and eagerly. It
    reports a case of which fewer than two digits agree, where the inputs' own rounding does not
    explain it: 16 times the sum of the changes in float64 when one input at a time moves by one
    float32 ulp. The reported case is evaluated once more with as many digits as it takes.

    The error is weighed against the ordinary scale, the median size of the loss over ordinary
    points: a note below 2^-20 of it, else a warning, and an error where it is above 1% of it in
    the ordinary range, near-duplicates of ordinary points included. Of these only the heaviest
    that a loss has are named; the others show once they are repaired.

    Why it matters
    --------------
    Float32 has seven digits. 1 - cos(d) at d = 1e-3 subtracts from 1 a number that agrees with it
    in six of them, and what is left is rounding. Divided by something small it is as large as any
    loss: it jumps about where the model is best, and reports, schedules and checkpoints follow it.

    Example
    -------
    At a distance of 1e-4 the quotient is 0 or 6 where 0.5 is right:

        def loss(y_true, y_pred):
            d = y_pred - y_true
            return tf.reduce_mean((1.0 - tf.cos(d)) / d**2, axis=-1)

    Use instead
    -----------
    A form that subtracts nothing, and its series near 0, where the slope would cancel:

        def loss(y_true, y_pred):
            d = y_pred - y_true
            near = tf.abs(d) < 0.1
            safe = tf.where(near, 1.0, d)
            far = 2.0 * tf.square(tf.sin(0.5 * safe) / safe)
            series = 0.5 - d**2 / 24.0 + d**4 / 720.0
            return tf.reduce_mean(tf.where(near, series, far), axis=-1)

    References
    ----------
    - N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, SIAM 2002,
      sections 1.7 to 1.14: cancellation, conditioning.
    - D. Goldberg, What Every Computer Scientist Should Know About Floating-Point Arithmetic, ACM
      Computing Surveys 23(1), 1991.
    """

    code = "LC301"
    slug = "value-precision"
    forms = {
        "large": Severity.ERROR,
        "small": Severity.WARNING,
        "slight": Severity.NOTE,
    }
    of_value = True

    def judge(self, precision: Sequence[Precision]) -> Judgment:
        """Name the cases whose value lost its digits, by the size of the error."""
        yield from lost(self.code, precision, Direction.FORWARD)


def lost(code: str, precision: Sequence[Precision], direction: Direction) -> Iterator[Crowd]:
    """Name the cases whose value, or gradient, lost its digits: the largest errors first.

    A loss that loses digits loses them in many places and sizes, and all that follows from the
    worst of them. So only what matters most is named, and by the first run that shows it: a sample
    before a batch, the graph before eager execution. What is left shows once that is repaired.
    """
    most = -1
    for run in precision:
        part = run.value if direction is Direction.FORWARD else run.gradient
        crowds = [] if part is None else list(part.lost_by_size())
        weights = {form: _weight(form, run.ranges[members]) for form, members in crowds}
        heaviest = max(weights.values(), default=-1)
        for form, members in crowds:
            if run.gathered and (weights[form] < heaviest or weights[form] <= most):
                continue
            yield Crowd(
                code=code,
                form=form,
                population=run,
                members=members,
                direction=direction,
                mode=run.mode,
            )
        most = max(most, heaviest)


def _weight(form: str, ranges: Array) -> int:
    """Order what is found: large in the ordinary range, in the working one or small, slight."""
    if form == "slight":
        return 0
    return 1 + int(form == "large" and bool((ranges == Range.ORDINARY).any()))
