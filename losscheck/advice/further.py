"""What else might keep an operation finite: tried, and told only where it is known to cure."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from losscheck.advice import conditions, roots, source
from losscheck.advice.base import Rewrite
from losscheck.advice.roots import COSINES
from losscheck.advice.scene import Scene

Text = Callable[[str], str]


def _beside_one(operator: str, *names: str) -> Text:
    """Find the arguments of a call that is taken from 1, or added to it."""
    return lambda text: source.arguments_of(source.beside_one(text, operator), *names)


def _operand(found: Text) -> Callable[[Scene], str]:
    """Look for something in the operand, and in what its names stand for."""
    return lambda s: s.first(s.x, found)


def _exponents(outer: tuple[str, ...]) -> Text:
    """Give "z, axis=-1" of "reduce_sum(exp(z), axis=-1)", or of another outer function."""

    def found(text: str) -> str:
        node = source.expression(text)
        if not isinstance(node, ast.Call) or source.head(text) not in outer or not node.args:
            return ""
        inner = source.arguments_of(ast.unparse(node.args[0]), "exp")
        rest = [*map(ast.unparse, node.args[1:]), *map(ast.unparse, node.keywords)]
        return ", ".join([inner, *rest]) if inner else ""

    return found


def _as_logarithm(text: str) -> str:
    """Write the logarithm of a text, where a function gives it without taking one."""
    if z := source.arguments_of(text, "sigmoid"):
        return f"tf.math.log_sigmoid({z})"
    if z := _beside_one("-", "sigmoid")(text):
        return f"-tf.math.softplus({z})"
    if z := source.arguments_of(text, "softmax") or _normalised(text):
        return f"tf.nn.log_softmax({z})"
    if z := source.arguments_of(text, "exp"):
        return z
    return ""


def _choice(text: str) -> str:
    """Write the logarithm of "where(c, a, b)" as a choice between two."""
    match source.expression(text):
        case ast.Call(args=[condition, one, other]) if source.head(text) == "where":
            logs = [_as_logarithm(ast.unparse(each)) for each in (one, other)]
            return f"tf.where({ast.unparse(condition)}, {', '.join(logs)})" if all(logs) else ""
    return ""


def _softplus(text: str) -> str:
    return source.first_argument_of(text, "softplus")


_LOGARITHMS: tuple[tuple[Text, str], ...] = (  # of what, and what to write in place of the log
    (_as_logarithm, "{z}"),
    (_choice, "{z}"),
    # e^z up to e^-30 of it: far below 0 a softplus is 0, and its logarithm is z.
    (
        _softplus,
        "tf.where({gz} < -15.0, {z}, tf.math.log(tf.math.softplus(tf.maximum({z}, -15.0))))",
    ),
    (_beside_one("-", "exp"), "tf.math.log(-tf.math.expm1({z}))"),
    (_beside_one("+", "exp"), "tf.math.softplus({z})"),
    (_exponents(source.SUMS), "tf.reduce_logsumexp({z})"),
    (_exponents(source.CUMULATED), "tf.math.cumulative_logsumexp({z})"),
)


def _mean_of_exponents(text: str) -> str:
    """Write the logarithm of a mean of exponentials."""
    z = _exponents(source.MEANS)(text)
    if not z:
        return ""
    x = source.first_argument_of(source.first_argument_of(text, *source.MEANS), "exp")
    axis = source.keywords_of(text, "axis").removeprefix(", axis=")
    count = f"tf.shape({x})[{axis}]" if axis else f"tf.size({x})"
    number = f"tf.cast({count}, {source.grouped(x)}.dtype)"
    return f"tf.reduce_logsumexp({z}) - tf.math.log({number})"


def _quotient(text: str) -> str:
    return text if text in (*source.quotients_in(text),) else ""


def _log_of_quotient(s: Scene) -> dict[str, str]:
    """Write the logarithm of "softmax(a) / softmax(b)" as a difference, where one of them helps."""
    for call in s.calls("log"):
        inner = source.first_argument_of(call, "log")
        match source.expression(s.first(inner, _quotient)):
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                texts = [ast.unparse(each) for each in (left, right)]
                stable = [s.first(text, _as_logarithm) for text in texts]
                if any(stable):
                    logs = [
                        known or f"tf.math.log({text})"
                        for known, text in zip(stable, texts, strict=True)
                    ]
                    return {"call": call, "z": f"{logs[0]} - {source.grouped(logs[1])}"}
    return {}


LOG_OF_QUOTIENT = Rewrite(
    composite=True,
    when=_log_of_quotient,
    around=lambda s: _log_of_quotient(s).get("call", ""),
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


def _outer(s: Scene, found: Text) -> tuple[str, str]:
    """Find a logarithm that takes the blamed exponential: its text, and what is found in it."""
    for call in s.calls("log", "log1p"):
        inner = source.first_argument_of(call, "log", "log1p")
        if z := s.first(inner, found):
            return call, z
    return "", ""


def _logarithm_of(found: Text, write: str) -> Rewrite:
    return Rewrite(
        composite=True,
        when=lambda s: _outer(s, found)[1],
        around=lambda s: _outer(s, found)[0],
        write=write,
    )


def _normalised(text: str) -> str:
    """Give "z, axis=-1" of "exp(z) / reduce_sum(exp(z), axis=-1, keepdims=True)"."""
    match source.expression(text):
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            z = source.arguments_of(ast.unparse(left), "exp")
            below = _exponents(source.SUMS)(ast.unparse(right))
            if z and below.startswith(f"{z}, "):
                axis = source.keywords_of(ast.unparse(right), "axis")
                return z + (axis or ", axis=-1")
    return ""


def _shares(s: Scene) -> Iterator[tuple[str, str]]:
    for statement in (s.line, *s.later):
        for quotient in source.quotients_in(statement):
            if z := s.first(quotient, _normalised):
                yield quotient, z


EXP = (
    *(_logarithm_of(found, write) for found, write in _LOGARITHMS),
    _logarithm_of(_mean_of_exponents, "{z}"),
    Rewrite(
        composite=True,
        when=lambda s: next(_shares(s), ("", ""))[1],
        around=lambda s: next(_shares(s), ("", ""))[0],
        write="tf.nn.softmax({z})",
    ),
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

QUOTIENT = (
    # A root of 0 below has no slope, whatever is divided by it.
    Rewrite(
        when=lambda s: source.first_argument_of(s.y, "sqrt"),
        first="inside = {z}\nsafe = tf.where(inside > 0.0, inside, 1.0)",
        write="tf.math.divide_no_nan({x}, tf.where(inside > 0.0, tf.sqrt(safe), 0.0))",
    ),
    Rewrite(write="tf.math.divide_no_nan({x}, {y})"),
    # Of nothing by nothing: 1, which a logarithm takes.
    Rewrite(when=conditions.both_zero, write="({sx} + {eps}) / ({sy} + {eps})"),
    Rewrite(when=conditions.both_zero, write="({sx} + {small}) / ({sy} + {small})"),
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


def _exponent(text: str) -> str:
    return source.first_argument_of(text, "exp")


def _by_exponential(s: Scene) -> dict[str, str]:
    """Find a quotient whose divisor is an exponential."""
    for statement in (s.line, *s.later):
        for whole in source.quotients_in(statement):
            match source.expression(whole):
                case ast.BinOp(left=left, right=right):
                    if z := s.first(ast.unparse(right), _exponent):
                        above = source.grouped(ast.unparse(left))
                        return {"whole": whole, "z": z, "above": above}
    return {}


# What is divided by exp(z) has a finite product with exp(-z) where exp(z) overflows or is 0.
BY_EXPONENTIAL = tuple(
    Rewrite(
        composite=True,
        when=_by_exponential,
        around=lambda s: _by_exponential(s).get("whole", ""),
        write=write,
    )
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
