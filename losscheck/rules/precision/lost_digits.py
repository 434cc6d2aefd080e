"""LC301 and LC302: the value of the loss, or its gradient, has lost its digits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from losscheck.advice import source, wording
from losscheck.advice.wording import worst_pair
from losscheck.model import Direction, Range, Severity, Suspect
from losscheck.rules.base import Pin, Rule, Shown, Trail
from losscheck.rules.crowd import Crowd

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from losscheck.advice.base import Change
    from losscheck.advice.blamed import Blame
    from losscheck.evidence.precision.lost_digits import Precision
    from losscheck.model import Array
    from losscheck.rules.base import Arguments, Judgment, Words


DIGITS = 9  # significant decimals: what it takes to tell two float32 numbers apart
SUMS = frozenset({"Sub", "Add", "AddV2", "AddN"})
# A function of one number, which is exact to half an ulp: what is wrong was its operand.
FUNCTIONS = frozenset(
    {"Log", "Exp", "Cos", "Sin", "Tan", "Pow", "Cosh", "Sinh", "Acos", "Asin", "Acosh", "Atanh"}
)
LONG = 60  # characters of an expression that a sentence repeats


class PrecisionRule(Rule):
    """Says which numbers cancel, and how not to subtract them.

    `of_value` tells the digits of the loss from those of its gradient.
    """

    of_value: ClassVar[bool]
    decisive = False  # digits that cannot be counted leave value and gradient what they are
    trail = Trail.DIGITS
    shown_by = Shown.DIGITS
    pinned = Pin.NUMBER

    def undecided(self, evidence: Mapping[str, Any]) -> str:
        """Say so where nothing stands beside float32."""
        if evidence["precision"]:
            return ""
        return "the loss does not run in float64, so there is nothing to compare float32 with"

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        # Their tables are large: `losscheck rules` does without.
        from losscheck.advice.cancellation import ADVICE
        from losscheck.advice.scene import scene

        value = self.of_value
        what = "loss" if value else "gradient"
        got, want = worst_pair(
            suspect.value if value else suspect.gradient,
            suspect.expected_value if value else suspect.expected_gradient,
        )
        numbers = f"it is {got} where {want} is right" if got else "fewer than two are right"
        mode = " in eager execution" if suspect.mode == "eager" else ""
        message = f"The {what} has lost its digits{mode}{wording.at(suspect.inputs)}: {numbers}."
        for advice in ADVICE.get(blame.op, ()):
            if found := advice.fill(scene(suspect, blame)):
                why = "" if blame.direction is Direction.BACKWARD else f"{found.cause} "
                return message, f"{why}{_numbers(blame)}".strip(), found.fix
        return message, _numbers(blame) or _unknown(what), _general(blame, arguments)

    def changes(self, suspect: Suspect, blame: Blame) -> tuple[Change, ...]:
        """Give what does not subtract these numbers."""
        from losscheck.advice.cancellation import ADVICE
        from losscheck.advice.scene import scene

        at = scene(suspect, blame)
        filled = (advice.fill(at) for advice in ADVICE.get(blame.op, ()))
        return tuple(found.change for found in filled if found and found.change)


def _numbers(blame: Blame) -> str:
    """Say with which numbers the digits went."""
    if blame.exact is None or blame.result is None:
        return ""
    from losscheck.advice.blamed import RUNNING

    unnamed = RUNNING.get(blame.op, blame.op)
    sayable = _sayable(blame.expression)
    name = blame.expression if sayable else f"This {unnamed}"
    gave = f"{wording.number(blame.result)} where {wording.number(blame.exact)} is right"
    if blame.direction is Direction.BACKWARD:
        name = blame.expression if sayable else f"this {unnamed}"
        return f"The slopes of {name} lose their digits on the way back: {gave}."
    values = [_precise(float(array)) for array in blame.operand_values if np.ndim(array) == 0]
    if blame.op in SUMS and len(values) > 1:
        return f"{name} cancels: {' and '.join(values[:2])} leave {gave}."
    if blame.op in FUNCTIONS and values:
        return (
            f"{name} of {values[0]} is {gave}: the digits went before, in the rounding of its "
            "operand."
        )
    return f"{name} gives {gave}: the digits go inside of it."


def _unknown(what: str) -> str:
    return (
        f"Nearly equal numbers are subtracted on the way to the {what}; what is left is rounding."
    )


def _general(blame: Blame, arguments: Arguments) -> str:
    names = [a.name for a in arguments if a.role in ("y_true", "y_pred")] or ["y_pred"]
    casts = ", ".join(f"tf.cast({name}, tf.float64)" for name in names)
    where = blame.expression if _sayable(blame.expression) else "the difference"
    return (
        f"{', '.join(names)} = {casts}  # first line of the loss: float64 has the digits\n"
        f"# Or write {where} so that small numbers are not made of large ones: subtract first,\n"
        "# factor the difference out, or take a series where it is small."
    )


def _sayable(expression: str) -> bool:
    """Say whether it is whole, not the first line of a longer one, and short enough."""
    return source.expression(expression) is not None and len(expression) <= LONG


def _precise(value: float) -> str:
    return f"{value:.{DIGITS}g}"


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
