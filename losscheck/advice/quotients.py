"""Division, and products and differences that are not numbers: 0/0, 0 * Inf, Inf - Inf."""

from __future__ import annotations

import math

import numpy as np

from losscheck.advice import conditions, source
from losscheck.advice.base import Advice, Key, nowhere
from losscheck.advice.scene import Scene


def _arc_tangent(s: Scene) -> str:
    call = source.call_around(s.line, s.expression, "atan", "arctan")
    return call if source.like("atan(*z)", call).get("z") == s.expression else ""


def _is_count(s: Scene) -> bool:
    """The divisor is a sum, or made of sums."""
    return bool(s.first(s.y, lambda text: next(source.calls_in(text, "reduce_sum", "sum"), "")))


def _both_infinite(s: Scene) -> bool:
    return all(v is not None and math.isinf(v) for v in (s.vx, s.vy))


def _first_is_zero(s: Scene) -> bool:
    return s.vx == 0


def _second_is_zero(s: Scene) -> bool:
    return s.vy == 0


def _divisor_is_usual(s: Scene) -> bool:
    """The numerator is what is large, as no divisor of that size makes anything overflow."""
    return s.vy is not None and abs(s.vy) >= USUAL


def _none(s: Scene) -> bool:
    return bool(s.operands) and np.size(s.operands[0]) == 0


USUAL = 1e-3  # of a divisor; below it a floor is what helps
NO_NAN = "tf.math.divide_no_nan({x}, {y})"
AWAY_FROM_ZERO = "{gx} / tf.where(tf.abs({y}) < {eps}, {eps}, {y})"

DIVISION_FORWARD = (
    Advice(
        when=_arc_tangent,
        around=_arc_tangent,
        true=conditions.second_zero,
        cause="The divisor reaches {aty}, and the arc tangent takes the quotient.",
        write="tf.math.atan2({x}, tf.maximum({y}, {eps}))",
        remark="For a divisor that is never negative.",
    ),
    Advice(
        when=lambda s: conditions.both_zero(s) and _is_count(s),
        true=conditions.both_zero,
        cause="0 / 0 is NaN{both}.",
        write=NO_NAN,
        remark="It gives 0 there. Where an empty match should count as perfect (a dice score of "
        "two empty masks),\nadd the same epsilon above and below instead.",
    ),
    Advice(
        when=conditions.both_zero,
        cause="0 / 0 is NaN{both}.",
        write=NO_NAN,
        remark="It gives 0 there.",
    ),
    Advice(
        when=_both_infinite,
        cause="Both sides of the quotient overflowed, and Inf / Inf is NaN.",
        around=nowhere,
        write="tf.nn.softmax(logits)",
        remark="Where this is a softmax by hand; else divide both sides by their maximum first.",
    ),
    Advice(
        when=conditions.second_zero,
        cause="The division is by 0: {at} is divided by {aty}.",
        write=AWAY_FROM_ZERO,
        remark="Where a divisor of 0 means that there is nothing to count: tf.math.divide_no_nan.",
    ),
    Advice(
        when=_divisor_is_usual,
        true=conditions.quotient,
        cause="{at} divided by {aty} is larger than {dtype} can hold, which ends at {largest}.",
        write="tf.clip_by_value({x}, -{bound}, {bound}) / {gy}",
    ),
    Advice(
        true=conditions.quotient,
        cause="{at} divided by {aty} is {bad} in {dtype}.",
        write=AWAY_FROM_ZERO,
    ),
)

DIVISION_BACKWARD = (
    Advice(
        when=conditions.second_zero,
        cause="The slope of a quotient at a divisor of 0 is infinite ({aty}); {back}.",
        write=NO_NAN,
    ),
    Advice(
        true=conditions.slope_of_quotient,
        cause="The slope of a quotient grows as 1 / divisor**2, and {aty} is too small for it in "
        "{dtype}; {back}.",
        write=AWAY_FROM_ZERO,
    ),
)

RECIPROCAL = (
    Advice(
        true=conditions.reciprocal,
        cause="The reciprocal and its slope are infinite at {at}.",
        write="tf.math.reciprocal_no_nan({x})",
    ),
)

GUARDED = (
    Advice(
        true=conditions.slope_of_guarded,
        cause="The divisor reaches {aty}, where the quotient or its slope is not finite.",
        write="{f}({x}, tf.where(tf.abs({y}) < {eps}, {eps}, {y}))",
    ),
)

PRODUCT = (
    Advice(
        when=_first_is_zero,
        true=conditions.first_zero_second_infinite,
        cause="0 * Inf is NaN: {at} and {aty}. A mask of 0 does not remove what is infinite.",
        write="tf.math.multiply_no_nan({y}, {x})",
        remark="Also make the operand of what is infinite safe first, or the gradient stays NaN:\n"
        "safe = tf.where(mask > 0.0, operand, 1.0)",
    ),
    Advice(
        when=_second_is_zero,
        true=conditions.second_zero_first_infinite,
        cause="0 * Inf is NaN: {at} and {aty}. A mask of 0 does not remove what is infinite.",
        write="tf.math.multiply_no_nan({x}, {y})",
        remark="Also make the operand of what is infinite safe first, or the gradient stays NaN:\n"
        "safe = tf.where(mask > 0.0, operand, 1.0)",
    ),
    Advice(
        when=lambda s: source.is_number(s.x),
        true=conditions.product,
        cause="The product of {at} and {aty} is larger than {dtype} can hold, which ends at "
        "{largest}.",
        write="{gx} * tf.clip_by_value({y}, -{bound}, {bound})",
        remark="Bound the factor where your data allow it, or scale it down first.",
    ),
    Advice(
        true=conditions.product,
        cause="The product of {at} and {aty} is larger than {dtype} can hold, which ends at "
        "{largest}.",
        write="tf.clip_by_value({x}, -{bound}, {bound}) * {gy}",
        remark="Bound the factors where your data allow it, or scale them down first.",
    ),
)

DIFFERENCE = (
    Advice(
        true=conditions.both_infinite,
        cause="Inf - Inf is NaN: both operands overflowed ({at} and {aty}).",
        write="tf.clip_by_value({x}, -{bound}, {bound}) - tf.clip_by_value({y}, -{bound}, {bound})",
        remark="Better: keep the operands finite where they are computed, such as by "
        "tf.reduce_logsumexp or tf.nn.log_softmax.",
    ),
)

NO_MEAN = "The mean of no elements is 0 / 0: nothing was selected."
EMPTY_MEAN = (
    Advice(
        when=lambda s: _none(s) and s.direct and "axis" not in s.expression,
        cause=NO_MEAN,
        first="selected = {arg}",
        write="tf.math.divide_no_nan(tf.reduce_sum(selected), "
        "tf.cast(tf.size(selected), selected.dtype))",
    ),
    Advice(
        when=_none,
        cause=NO_MEAN,
        around=nowhere,
        write="tf.math.divide_no_nan(tf.reduce_sum(values * mask), tf.reduce_sum(mask))",
        remark="Multiply by a mask and divide by its sum, in place of picking elements.",
    ),
)

EMPTY_EXTREME = (
    Advice(
        when=_none,
        cause="Of no elements the smallest is Inf and the largest -Inf: nothing was selected.",
        around=nowhere,
        write="tf.reduce_min(tf.where(mask, values, largest), axis=-1)  # largest: a finite number",
        remark="Choose by a mask in place of picking elements, so that there is always one.",
    ),
)

ADVICE: dict[Key, tuple[Advice, ...]] = {
    **{(op, "forward"): DIVISION_FORWARD for op in ("RealDiv", "Div")},
    **{(op, "backward"): DIVISION_BACKWARD for op in ("RealDiv", "Div")},
    **{(op, d): RECIPROCAL for op in ("Inv", "Reciprocal") for d in ("forward", "backward")},
    **{(op, d): GUARDED for op in ("Xdivy", "DivNoNan") for d in ("forward", "backward")},
    ("Mul", "forward"): PRODUCT,
    ("Mul", "backward"): PRODUCT,
    ("Sub", "forward"): DIFFERENCE,
    ("Mean", "forward"): EMPTY_MEAN,
    **{(op, "forward"): EMPTY_EXTREME for op in ("Max", "Min")},
}
