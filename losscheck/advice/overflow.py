"""Numbers that grow beyond the dtype: exponentials, squares, sums, matrix products."""

from __future__ import annotations

from losscheck.advice import conditions, source
from losscheck.advice.base import Advice, Key, nowhere
from losscheck.advice.scene import Scene
from losscheck.model import Kind


def _log_of_one_plus(s: Scene) -> str:
    call = source.call_around(s.line, s.expression, "log", "log1p")
    found = source.like("log1p(*z)", call) or source.like("log(1 + z)", call)
    return call if found.get("z") == s.expression else ""


def _log_of_sum(s: Scene) -> dict[str, str]:
    """Give the operands of reduce_logsumexp, and what to put it in place of."""
    call = source.call_around(s.line, s.expression, "log")
    found = source.like("log(sum(exp(*z), *more))", call)
    return found and {**found, "whole": call}


def _share(s: Scene) -> str:
    """Find "exp(z) / sum(exp(z))"."""
    quotient = source.quotient_of(s.line, s.expression)
    return quotient if quotient.count(s.expression) == 2 and "sum(" in quotient else ""


def _log_of_cosh(s: Scene) -> str:
    call = source.call_around(s.line, s.expression, "log")
    return call if source.like("log(*z)", call).get("z") == s.expression else ""


def _half(s: Scene) -> bool:
    return s.half


def _root_around(s: Scene) -> bool:
    return "sqrt(" in s.line and s.kind is Kind.AVOIDABLE


OVERFLOWS = "exp at {at} is larger than {dtype} can hold: it overflows above {limit}"

EXPONENTIAL = (
    Advice(
        when=_log_of_one_plus,
        around=_log_of_one_plus,
        true=conditions.exponential,
        cause=OVERFLOWS + ", log(1 + exp(x)) itself does not.",
        write="tf.math.softplus({x})",
    ),
    Advice(
        when=_log_of_sum,
        true=conditions.exponential,
        cause=OVERFLOWS + ", the logarithm of the sum itself does not.",
        write="tf.reduce_logsumexp({z}{more})",
    ),
    Advice(
        when=_share,
        around=_share,
        true=conditions.exponential,
        cause=OVERFLOWS + ", and Inf / Inf is NaN.",
        write="tf.nn.softmax({x}, axis=-1)",
    ),
    Advice(
        true=conditions.exponential,
        cause=OVERFLOWS + ".",
        write="{f}(tf.minimum({x}, {top}.0))",
        remark="Where a logarithm or a quotient follows, use the op for the whole:\n"
        "tf.math.softplus, tf.reduce_logsumexp, tf.nn.log_softmax or tf.nn.softmax.",
    ),
)

LOG_COSH = (
    Advice(
        around=_log_of_cosh,
        true=conditions.hyperbolic,
        cause="cosh and sinh at {at} are larger than {dtype} can hold: they overflow above "
        "{limit}, log(cosh(x)) does not.",
        first="a = tf.abs({x})",
        write="a + tf.math.softplus(-2.0 * a) - tf.math.log(2.0)",
        remark="In place of log(cosh(x)).",
    ),
)

SQUARE = (
    Advice(
        when=_half,
        true=conditions.square,
        cause="The square of {at} is larger than {dtype} can hold, which ends at {largest}.",
        write="tf.square(tf.cast({x}, tf.float32))",
    ),
    Advice(
        when=_root_around,
        true=conditions.square,
        cause="The square of {at} is larger than {dtype} can hold, which ends at {largest}; the "
        "root of it would fit.",
        first="scale = tf.stop_gradient(tf.maximum(tf.reduce_max(tf.abs({x})), 1.0))",
        write="tf.square({gx} / scale)",
        remark="Then multiply the root by scale.",
    ),
    Advice(
        true=conditions.square,
        cause="The square of {at} is larger than {dtype} can hold, which ends at {largest}.",
        write="tf.square(tf.clip_by_value({x}, -{bound}, {bound}))",
        remark="Or take a loss that grows linearly, such as tf.keras.losses.huber.",
    ),
)

SQUARED_DIFFERENCE = (
    Advice(
        when=_half,
        true=conditions.square_of_difference,
        cause="The square of the difference is larger than {dtype} can hold, which ends at "
        "{largest}.",
        write="tf.square(tf.cast({x}, tf.float32) - tf.cast({y}, tf.float32))",
    ),
    Advice(
        true=conditions.square_of_difference,
        cause="The square of the difference of {at} and {aty} is larger than {dtype} can hold, "
        "which ends at {largest}.",
        write="tf.square(tf.clip_by_value({gx} - {gy}, -{bound}, {bound}))",
    ),
)

SUM = (
    Advice(
        when=_half,
        true=conditions.terms_overflow,
        cause="The sum is larger than {dtype} can hold, which ends at {largest}; a term is {at}.",
        write="{f}(tf.cast({x}, tf.float32){rest})",
        remark="Cast the result back to {dtype} once it is small.",
    ),
    Advice(
        true=conditions.terms_overflow,
        cause="The sum is larger than {dtype} can hold, which ends at {largest}; a term is {at}.",
        write="{f}(tf.clip_by_value({x}, -{bound}, {bound}){rest})",
        remark="Better: take the mean, or scale the terms down before they are added.",
    ),
)

PRODUCT_OF_ALL = (
    Advice(
        cause="A product of many factors overflows or loses its slope at 0; a factor is {at}.",
        write="tf.exp(tf.reduce_sum(tf.math.log(tf.maximum({x}, {eps})){rest}))",
        remark="For positive factors. Better still: stay with the sum of the logarithms.",
    ),
)

MATRIX = (
    Advice(
        true=conditions.entries_overflow,
        cause="The matrix product is larger than {dtype} can hold, which ends at {largest}; an "
        "entry is {at}.",
        write="{f}(tf.cast({x}, tf.float32), tf.cast({y}, tf.float32))",
        remark="In float32 already: scale the factors down, as by tf.math.l2_normalize.",
    ),
)

CONSTANT = (
    Advice(
        true=conditions.does_not_fit,
        cause="A number does not fit {dtype}, which ends at {largest}.",
        around=nowhere,
        write="x.dtype.min  # the lowest finite number, in place of -1e9 in a mask",
    ),
)

_BOTH = ("forward", "backward")

ADVICE: dict[Key, tuple[Advice, ...]] = {
    **{(op, d): EXPONENTIAL for op in ("Exp", "Expm1") for d in _BOTH},
    **{(op, d): LOG_COSH for op in ("Cosh", "Sinh") for d in _BOTH},
    **{(op, d): SQUARE for op in ("Square", "L2Loss") for d in _BOTH},
    **{("SquaredDifference", d): SQUARED_DIFFERENCE for d in _BOTH},
    **{(op, "forward"): SUM for op in ("Sum", "Mean", "Cumsum")},
    **{(op, d): PRODUCT_OF_ALL for op in ("Prod", "Cumprod") for d in _BOTH},
    **{(op, "forward"): MATRIX for op in ("MatMul", "BatchMatMulV2", "Einsum")},
    **{(op, "forward"): CONSTANT for op in ("Cast", "Const")},
}
