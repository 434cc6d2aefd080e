"""Square roots, norms, cosines, standard deviations, powers: an infinite slope at 0, none below."""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Mapping

import attrs

from losscheck.advice import cancellation, conditions, source, wording
from losscheck.advice.base import Advice, Key, Rewrite
from losscheck.advice.limits import EXP_LIMIT
from losscheck.advice.scene import Scene


def norm(s: Scene) -> bool:
    """Say whether a norm is taken."""
    return s.head in source.NORMS


def deviation(s: Scene) -> bool:
    """Say whether a standard deviation is taken."""
    return s.head in ("reduce_std", "std")


def _normalize(s: Scene) -> bool:
    return s.head in ("l2_normalize", "normalize")


def _clip_by_norm(s: Scene) -> bool:
    return s.head == "clip_by_norm"


def _difference(s: Scene) -> bool:
    return " - " in s.x


def _in_where(s: Scene) -> bool:
    return s.where


def _largest_exponent(s: Scene) -> str:
    """Give the exponent up to which a constant base fits; "" where the base is no constant."""
    base = float(s.x) if source.is_number(s.x) else 0.0
    limit = EXP_LIMIT.get(s.dtype, EXP_LIMIT["float32"])
    return wording.number(math.floor(limit / math.log(base))) if base > 1.0 else ""


COMPOSITE = (
    Advice(
        when=norm,
        composite=True,
        true=conditions.zero,
        cause="A norm has no slope at the zero vector: its root is taken of {at}, where the slope "
        "of the square root is infinite; {back}.",
        write="tf.sqrt(tf.reduce_sum(tf.square({arg}){rest}) + {tiny})",
    ),
    Advice(
        when=deviation,
        composite=True,
        true=conditions.zero,
        cause="The variance is {at} where all values are equal, and the slope of the square root "
        "is infinite there; {back}.",
        write="tf.sqrt(tf.math.reduce_variance({arg}{rest}) + {tiny})",
    ),
    Advice(
        when=_normalize,
        composite=True,
        true=conditions.zero,
        cause="The norm of a zero vector is 0, and its inverse is not finite.",
        write="{garg} * tf.math.rsqrt(tf.reduce_sum(tf.square({arg}), axis=-1, keepdims=True) "
        "+ {tiny})",
    ),
    Advice(
        when=_clip_by_norm,
        composite=True,
        true=conditions.zero,
        cause="The norm of a zero vector is 0, and the slope of its square root is infinite; "
        "{back}.",
        first="limit = 1.0  # the largest norm to leave\n"
        "norm = tf.sqrt(tf.reduce_sum(tf.square({arg}), axis=-1, keepdims=True) + {tiny})",
        write="{garg} * (limit / tf.maximum(norm, limit))",
    ),
)

ROOT_FORWARD = (
    Advice(
        when=_difference,
        true=conditions.negative,
        cause="The square root of a negative number does not exist: {at}. The difference of two "
        "nearly equal numbers lost its digits and came out below 0.",
        write="{f}(tf.maximum({x}, {tiny}))",
        remark="More digits: subtract first, then square. A distance is the root of a sum of "
        "squared differences, a variance is tf.math.reduce_variance.",
    ),
    Advice(
        true=conditions.negative,
        cause="The square root of a negative number does not exist: {at}.",
        write="{f}(tf.maximum({x}, {tiny}))",
    ),
)

ROOT_BACKWARD = (
    *COMPOSITE,
    Advice(
        when=_in_where,
        true=conditions.slope_of_root,
        cause="The slope of the square root at {at} is not finite; {back}.",
        first="safe = tf.where({sx} > 0.0, {x}, 1.0)",
        write="{f}(safe)",
    ),
    Advice(
        when=conditions.negative,
        cause="The square root has no slope below 0, and it is taken of {at}.",
        write="{f}(tf.maximum({x}, {tiny}))",
    ),
    Advice(
        true=conditions.slope_of_root,
        cause="The slope of the square root at {at} is infinite; {back}.",
        write="{f}({sx} + {tiny})",
    ),
)

INVERSE_ROOT = (
    *COMPOSITE,
    Advice(
        true=conditions.inverse_root,
        cause="1 / sqrt(x) and its slope are not finite at {at}.",
        write="{f}(tf.maximum({x}, {tiny}))",
        remark="Clamp before the root: a minimum after it still sends NaN back.",
    ),
)

POWER_FORWARD = (
    Advice(
        when=conditions.negative,
        cause="A fractional power of a negative number does not exist: {at}.",
        write="tf.pow(tf.maximum({x}, {eps}), {y})",
        remark="To keep the sign: tf.sign(x) * tf.pow(tf.maximum(tf.abs(x), {eps}), exponent).",
    ),
    Advice(
        when=conditions.zero,
        cause="A negative power of 0 is infinite: {at}.",
        write="tf.pow(tf.maximum({x}, {eps}), {y})",
    ),
    Advice(
        when=_largest_exponent,
        true=conditions.power,
        cause="The power of {at} is larger than {dtype} can hold, which ends at {largest}.",
        write="tf.pow({x}, tf.minimum({y}, {z}))",
        remark="Bound the exponent where your data allow it.",
    ),
    Advice(
        true=conditions.power,
        cause="The power of {at} is larger than {dtype} can hold, which ends at {largest}.",
        write="tf.pow(tf.clip_by_value({x}, -{bound}, {bound}), {y})",
        remark="Bound the base where your data allow it, or compute with the logarithm of it.",
    ),
)

POWER_BACKWARD = (
    Advice(
        when=conditions.both_zero,
        cause="The slope of x ** 0 at {at} is 0 * Inf.",
        write="tf.pow(tf.maximum({x}, {eps}), {y})",
        remark="An exponent of 0 makes the factor 1: leave it out where the exponent is 0.",
    ),
    Advice(
        true=conditions.steep_power,
        cause="The slope of a power below 1 is infinite at {at}; {back}.",
        write="tf.pow(tf.maximum({x}, {eps}), {y})",
    ),
)

NORM_OP = (
    *COMPOSITE,
    Advice(
        true=conditions.zero,
        cause="A norm has no slope at the zero vector: 0 / 0 is NaN.",
        write="tf.sqrt(tf.reduce_sum(tf.square({x})) + {tiny})",
    ),
)

ADVICE: dict[Key, tuple[Advice, ...]] = {
    ("Sqrt", "forward"): ROOT_FORWARD,
    ("Sqrt", "backward"): ROOT_BACKWARD,
    ("Rsqrt", "forward"): INVERSE_ROOT,
    ("Rsqrt", "backward"): INVERSE_ROOT,
    ("EuclideanNorm", "backward"): NORM_OP,
    ("Pow", "forward"): POWER_FORWARD,
    ("Pow", "backward"): POWER_BACKWARD,
}


def _norm(text: str) -> tuple[str, ...]:
    """Give the vector and the axis of its norm, or of the root of its squares."""
    found = source.like("norm(v, *more)", text) or source.like("sqrt(sum(v ** 2, *more))", text)
    return (found["v"], _over(found)) if found else ()


def _over(found: Mapping[str, str]) -> str:
    return source.keywords_of(f"f(x{found['more']})", "axis", "keepdims")


def _cosine(s: Scene) -> dict[str, str]:
    """Find "reduce_sum(a * b, axis=-1) / (norm(a, axis=-1) * norm(b, axis=-1))"."""
    above = s.first(s.x, functools.partial(source.like, "sum(a * b, *more)"))
    if not above:
        return {}
    one, two, over = above["a"], above["b"], _over(above)

    def fits(text: str) -> bool:
        parts = source.like("u * v", text).values()
        norms = [s.first(part, _norm) for part in parts]
        return sorted(norms) == sorted([(one, over), (two, over)])

    axis = source.keywords_of(f"f(x{over})", "axis")
    found = {"z": one, "other": two, "over": over, "axis": axis}
    return found if axis and s.first(s.y, fits) else {}


def _normalized(epsilon: str) -> Rewrite:
    return Rewrite(
        when=_cosine,
        write=f"tf.reduce_sum(tf.math.l2_normalize({{z}}{{axis}}{epsilon}) * "
        f"tf.math.l2_normalize({{other}}{{axis}}{epsilon}){{over}})",
    )


# As TensorFlow bounds a norm, at 1e-6, and farther down, for vectors that are as short.
COSINES = (_normalized(""), _normalized(", epsilon=1e-24"))


def _root_of_squares(s: Scene) -> dict[str, str]:
    """Find "sqrt(reduce_mean(square(z), axis=-1) + c)" about what overflows."""
    for call in s.calls("sqrt"):
        text = s.first(source.first_argument_of(call, "sqrt"), lambda t: t if _squares(t) else "")
        if text:
            sum_, added = _apart(text)
            return {
                "whole": call,
                "z": _squares(text),
                "of": source.function(sum_),
                "over": source.keywords_of(sum_, "axis", "keepdims"),
                "added": f" + {source.grouped(added)} / scale / scale" if added else "",
            }
    return {}


def _apart(text: str) -> tuple[str, str]:
    """Give a sum and the constant that is added to it, or nothing."""
    match source.expression(text):
        case ast.BinOp(left=left, op=ast.Add(), right=ast.Constant() | ast.Name() as right):
            return ast.unparse(left), ast.unparse(right)
    return text, ""


def _squares(text: str) -> str:
    sum_ = _apart(text)[0]
    return (source.like("sum(z ** 2)", sum_) or source.like("mean(z ** 2)", sum_)).get("z", "")


ROOT_OF_SQUARES = Rewrite(
    composite=True,
    when=_root_of_squares,
    first="scaled = {z}\nscale = tf.stop_gradient(tf.maximum(tf.reduce_max(tf.abs(scaled)), 1.0))",
    write="scale * tf.sqrt({of}(tf.square(scaled / scale){over}){added})",
)


def _subtracted(s: Scene) -> str:
    """Write squares that are subtracted as the square of a difference."""

    def found(text: str) -> str:
        inner = attrs.evolve(s, expression=text)
        spread = cancellation.variance(inner)
        return cancellation.expanded(inner) or (spread and f"tf.math.reduce_variance({spread})")

    return s.first(s.x, found)


APART = Rewrite(
    when=_subtracted,
    first="squares = {z}\nsafe = tf.where(squares > 0.0, squares, 1.0)",
    write="tf.where(squares > 0.0, {f}(safe), 0.0)",
)
ROOT = Rewrite(
    first="inside = {x}\nsafe = tf.where(inside > 0.0, inside, 1.0)",
    write="tf.where(inside > 0.0, {f}(safe), 0.0)",
)

WITHOUT_SLOPE = (
    Rewrite(
        when=norm,
        composite=True,
        first="squares = tf.reduce_sum(tf.square({arg}){rest})\n"
        "safe = tf.where(squares > 0.0, squares, 1.0)",
        write="tf.where(squares > 0.0, tf.sqrt(safe), 0.0)",
    ),
    Rewrite(
        when=deviation,
        composite=True,
        first="variance = tf.math.reduce_variance({arg}{rest})\n"
        "safe = tf.where(variance > 0.0, variance, 1.0)",
        write="tf.where(variance > 0.0, tf.sqrt(safe), 0.0)",
    ),
)
