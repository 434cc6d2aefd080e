"""What else might keep an operation finite: tried, and told only where it is known to cure."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable

from losscheck.advice import conditions, roots, source
from losscheck.advice.base import Rewrite
from losscheck.advice.roots import COSINES
from losscheck.advice.scene import Scene

Text = Callable[[str], str]


def _one(*patterns: str) -> Text:
    """Give what `z`, with what goes behind it, stands for in the first pattern that is like it."""

    def found(text: str) -> str:
        words = next(filter(None, (source.like(pattern, text) for pattern in patterns)), {})
        return words.get("z", "") + words.get("more", "")

    return found


def _operand(found: Text) -> Callable[[Scene], str]:
    """Look for something in the operand, and in what its names stand for."""
    return lambda s: s.first(s.x, found)


# What a function gives the logarithm of without taking one.
_PLAIN = (
    ("sigmoid(*z)", "tf.math.log_sigmoid({z})"),
    ("1 - sigmoid(*z)", "-tf.math.softplus({z})"),
    ("softmax(*z)", "tf.nn.log_softmax({z})"),
    ("exp(*z)", "{z}"),
)


def _as_logarithm(text: str) -> str:
    """Write the logarithm of a text, where a function gives it without taking one."""
    if shares := _normalised(text):
        return f"tf.nn.log_softmax({shares})"
    found = ((write, source.like(pattern, text)) for pattern, write in _PLAIN)
    return next((write.format_map(words) for write, words in found if words), "")


def _choice(text: str) -> str:
    """Write the logarithm of "where(c, a, b)" as a choice between two."""
    found = source.like("where(c, a, b)", text)
    logs = [_as_logarithm(found[k]) for k in "ab"] if found else [""]
    return f"tf.where({found['c']}, {', '.join(logs)})" if all(logs) else ""


_LOGARITHMS: tuple[tuple[Text, str], ...] = (  # of what, and what to write in place of the log
    (_as_logarithm, "{z}"),
    (_choice, "{z}"),
    # e^z up to e^-30 of it: far below 0 a softplus is 0, and its logarithm is z.
    (
        _one("softplus(z)"),
        "tf.where({gz} < -15.0, {z}, tf.math.log(tf.math.softplus(tf.maximum({z}, -15.0))))",
    ),
    (_one("1 - exp(*z)"), "tf.math.log(-tf.math.expm1({z}))"),
    (_one("1 + exp(*z)"), "tf.math.softplus({z})"),
    (_one("sum(exp(*z), *more)"), "tf.reduce_logsumexp({z})"),
    (_one("cumsum(exp(*z), *more)"), "tf.math.cumulative_logsumexp({z})"),
)


def _mean_of_exponents(text: str) -> str:
    """Write the logarithm of a mean of exponentials."""
    found = source.like("mean(exp(z), *more)", text)
    if not found:
        return ""
    x, more = found["z"], found["more"]
    axis = source.keywords_of(text, "axis").removeprefix(", axis=")
    count = f"tf.shape({x})[{axis}]" if axis else f"tf.size({x})"
    number = f"tf.cast({count}, {source.grouped(x)}.dtype)"
    return f"tf.reduce_logsumexp({x}{more}) - tf.math.log({number})"


def _log_of_quotient(s: Scene) -> dict[str, str]:
    """Write the logarithm of "softmax(a) / softmax(b)" as a difference, where one of them helps."""
    for call in s.calls("log"):
        inner = source.first_argument_of(call, "log")
        texts = s.first(inner, functools.partial(source.like, "a / b")).values()
        stable = [s.first(text, _as_logarithm) for text in texts]
        if any(stable):
            pairs = zip(stable, texts, strict=True)
            above, below = (known or f"tf.math.log({text})" for known, text in pairs)
            return {"whole": call, "z": f"{above} - {source.grouped(below)}"}
    return {}


LOG_OF_QUOTIENT = Rewrite(
    composite=True,
    when=_log_of_quotient,
    write="{z}",
)


LOG = (
    LOG_OF_QUOTIENT,
    *(Rewrite(when=_operand(found), write=write) for found, write in _LOGARITHMS),
    Rewrite(when=_operand(_mean_of_exponents), write="{z}"),
)


def _shared(text: str, s: Scene) -> bool:
    """Tell an operand that has a name and is used again: as a divisor, or in a root."""
    used = [n for n in source.names_in("\n".join((s.line, *s.later))) if n == text]
    return text.isidentifier() and len(used) > 1


# A bound of the name itself is one of all that it is used for, its square included.
_BOUND = ("{small}", "{squared}")
SHARED_OPERAND = tuple(
    Rewrite(
        when=lambda s: _shared(s.x, s), first=f"{{x}} = tf.maximum({{x}}, {b})", write="{f}({x})"
    )
    for b in _BOUND
)
SHARED_DIVISOR = tuple(
    Rewrite(
        when=lambda s: _shared(s.y, s), first=f"{{y}} = tf.maximum({{y}}, {b})", write="{gx} / {y}"
    )
    for b in _BOUND
)
FLOORS = (
    Rewrite(write="{f}(tf.maximum({x}, {small}))"),
    Rewrite(write="{f}(tf.maximum({x}, {least}))"),
    *SHARED_OPERAND,
)


def _logarithm_of(found: Text, write: str) -> Rewrite:
    """Find a logarithm that takes the blamed exponential, and what is found in it."""

    def outer(s: Scene) -> dict[str, str]:
        for call in s.calls("log", "log1p"):
            if z := s.first(source.first_argument_of(call, "log", "log1p"), found):
                return {"whole": call, "z": z}
        return {}

    return Rewrite(composite=True, when=outer, write=write)


def _normalised(text: str) -> str:
    """Give "z, axis=-1" of "exp(z) / reduce_sum(exp(z), axis=-1, keepdims=True)"."""
    found = source.like("exp(*z) / sum(exp(*z), *more)", text)
    if not found.get("more"):
        return ""
    return found["z"] + (source.keywords_of(f"f(x{found['more']})", "axis") or ", axis=-1")


def _share(s: Scene) -> dict[str, str]:
    for statement in (s.line, *s.later):
        for quotient in source.quotients_in(statement):
            if z := s.first(quotient, _normalised):
                return {"whole": quotient, "z": z}
    return {}


EXP = (
    *(_logarithm_of(found, write) for found, write in _LOGARITHMS),
    _logarithm_of(_mean_of_exponents, "{z}"),
    Rewrite(composite=True, when=_share, write="tf.nn.softmax({z})"),
)

SHIFTED = Rewrite(write="{f}({gx} - tf.reduce_max({x}, axis=-1, keepdims=True))")


ENDS = Rewrite(
    first="inside = {x}\nsafe = tf.where(tf.abs(inside) < 1.0, inside, 0.0)\n"
    "end = tf.stop_gradient({f}(tf.clip_by_value(inside, -1.0, 1.0)))",
    write="tf.where(tf.abs(inside) < 1.0, {f}(safe), end)",
)

POWER = (
    Rewrite(
        when=conditions.negative,
        first="base = {x}",
        write="tf.sign(base) * tf.pow(tf.maximum(tf.abs(base), {eps}), {y})",
    ),
    Rewrite(write="tf.pow(tf.maximum({x}, {small}), {y})"),
    Rewrite(write="tf.pow(tf.maximum({x}, {least}), {y})"),
    Rewrite(
        first="inside = {x}\nsafe = tf.where(inside > 0.0, inside, 1.0)",
        write="tf.where(inside > 0.0, tf.pow(safe, {y}), 0.0)",
    ),
)


def _alike(s: Scene) -> bool:
    """Both are 0 and of one kind: what has no length has no direction, be it by its own length."""
    length = s.first(s.y, lambda text: next(source.calls_in(text, "norm", "sqrt"), ""))
    return conditions.both_zero(s) and not length


QUOTIENT = (
    # A root of 0 below has no slope, whatever is divided by it.
    Rewrite(
        when=lambda s: source.first_argument_of(s.y, "sqrt"),
        first="inside = {z}\nsafe = tf.where(inside > 0.0, inside, 1.0)",
        write="tf.math.divide_no_nan({x}, tf.where(inside > 0.0, tf.sqrt(safe), 0.0))",
    ),
    Rewrite(write="tf.math.divide_no_nan({x}, {y})"),
    # Of nothing by nothing: 1, which a logarithm takes.
    Rewrite(when=_alike, write="({sx} + {eps}) / ({sy} + {eps})"),
    Rewrite(when=_alike, write="({sx} + {small}) / ({sy} + {small})"),
    Rewrite(
        first="divisor = {y}",
        write="{gx} / tf.where(tf.abs(divisor) < {eps}, {eps}, divisor)",
    ),
    Rewrite(
        first="divisor = {y}",
        write="{gx} / tf.where(tf.abs(divisor) < {small}, {small}, divisor)",
    ),
    Rewrite(
        first="divisor = {y}",
        write="{gx} / tf.where(tf.abs(divisor) < {least}, {least}, divisor)",
    ),
    *SHARED_DIVISOR,
)


def _by_count(s: Scene) -> bool:
    """Tell a constant that is divided by a sum: a weight of what is not there, which is 0."""
    constant = isinstance(source.expression(s.x), ast.Constant)
    return constant and bool(s.first(s.y, lambda t: t if source.head(t) in source.SUMS else ""))


def _by_exponential(s: Scene) -> dict[str, str]:
    """Find a quotient whose divisor is an exponential."""
    for statement in (s.line, *s.later):
        for whole in source.quotients_in(statement):
            found = source.like("a / b", whole)
            if z := s.first(found["b"], _one("exp(z)")):
                return {"whole": whole, "z": z, "above": source.grouped(found["a"])}
    return {}


# What is divided by exp(z) has a finite product with exp(-z) where exp(z) overflows or is 0.
BY_EXPONENTIAL = tuple(
    Rewrite(composite=True, when=_by_exponential, write=write)
    for write in ("{above} * tf.exp(-{gz})", "{above} * tf.exp(tf.minimum(-{gz}, {limit}))")
)

WEIGHT = Rewrite(when=_by_count, write="tf.math.divide_no_nan({x}, {y})")


def _finite_mask(s: Scene) -> str:
    """Write the lowest finite number in place of -inf in "where(mask, x, -inf)"."""
    match source.expression(s.expression):
        case ast.Call(args=[condition, *values]) if s.head == "where" and len(values) == 2:
            texts = [ast.unparse(value) for value in values]
            infinite = [_is_infinity(text) for text in texts]
            if sum(infinite) != 1:
                return ""
            kept = source.grouped(texts[1 - infinite.index(True)])
            lowest = texts[infinite.index(True)].startswith("-")
            texts[infinite.index(True)] = f"{kept}.dtype.{'min' if lowest else 'max'}"
            return f"{source.function(s.expression)}({ast.unparse(condition)}, {', '.join(texts)})"
    return ""


def _is_infinity(text: str) -> bool:
    plain = text.lstrip("-").replace("'", '"').strip("()")
    return plain in ("np.inf", "math.inf", "numpy.inf", 'float("inf"', 'float("-inf"', "inf")


MASK = (Rewrite(when=_finite_mask, composite=True, write="{z}"),)

# Functions that are stable, in place of what is not: before what the advice says.
STABLE: dict[str, tuple[Rewrite, ...]] = {
    "Log": LOG,
    **dict.fromkeys(("Exp", "Expm1"), (*EXP, *BY_EXPONENTIAL)),
    "Sqrt": (roots.APART,),
    **dict.fromkeys(("RealDiv", "Div"), (LOG_OF_QUOTIENT, WEIGHT, *COSINES, *BY_EXPONENTIAL)),
    **dict.fromkeys(("Mean", "Square", "SquaredDifference", "Sum"), (roots.ROOT_OF_SQUARES,)),
    **dict.fromkeys(("Select", "SelectV2", "Const"), MASK),
}

# Operands made safe in other ways, and by other amounts: after it.
GUARDS: dict[str, tuple[Rewrite, ...]] = {
    "Log": FLOORS,
    **dict.fromkeys(("Exp", "Expm1"), (SHIFTED,)),
    "Sqrt": (*roots.WITHOUT_SLOPE, roots.ROOT),
    "EuclideanNorm": roots.WITHOUT_SLOPE,
    **dict.fromkeys(("Acos", "Asin"), (ENDS,)),
    "Pow": POWER,
    **dict.fromkeys(("RealDiv", "Div"), QUOTIENT),
}
