"""Lost digits: differences of nearly equal numbers, and logarithms of numbers next to 1."""

from __future__ import annotations

import ast
from collections.abc import Callable

from losscheck.advice import source
from losscheck.advice.base import Advice
from losscheck.advice.scene import Scene

Text = Callable[[Scene], str]


def _of(text: Text, *names: str) -> Text:
    """Give the argument if a text is a call of one of these functions."""
    return lambda s: source.first_argument_of(text(s), *names)


def _one_minus(s: Scene) -> str:
    return source.beside_one(s.expression, "-")


def _one_plus(s: Scene) -> str:
    return source.beside_one(s.expression, "+")


def _minus_one(s: Scene) -> str:
    """Give "x" of "x - 1"."""
    match source.expression(s.expression):
        case ast.BinOp(left=left, op=ast.Sub(), right=ast.Constant(value=1)):
            return ast.unparse(left)
    return ""


def _root_of_one_plus(text: Text) -> Text:
    return lambda s: source.beside_one(source.first_argument_of(text(s), "sqrt"), "+")


def _root_of_one_minus(text: Text) -> Text:
    return lambda s: source.beside_one(source.first_argument_of(text(s), "sqrt"), "-")


def _linex(s: Scene) -> str:
    """Give "z" of "exp(z) - z - 1" or "expm1(z) - z"."""
    inner = source.expression(_minus_one(s) or s.expression)
    name = "exp" if _minus_one(s) else "expm1"
    match inner:
        case ast.BinOp(left=ast.Call() as left, op=ast.Sub(), right=right):
            z = source.first_argument_of(ast.unparse(left), name)
            return z if z and z == ast.unparse(right) else ""
    return ""


def _squared(text: str) -> str:
    """Give "x" of "x**2", "x * x" or "tf.square(x)"."""
    match source.expression(text):
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=2)):
            return ast.unparse(left)
        case ast.BinOp(left=left, op=ast.Mult(), right=right) if ast.dump(left) == ast.dump(right):
            return ast.unparse(left)
    return source.first_argument_of(text, "square")


def _squared_safely(text: str) -> str:
    """Give "x" of a square of it, or of one that is a number where it would be 0."""
    match source.expression(text):
        case ast.Call(args=[_, ast.Constant(), square]) if source.head(text) == "where":
            return _squared(ast.unparse(square))
    return _squared(text)


def _versine_quotient(s: Scene) -> str:
    """Find "(1 - cos(z)) / z**2" around "1 - cos(z)", or as what is blamed itself."""
    quotient = source.quotient_of(s.line, s.expression) or s.expression
    match source.expression(quotient):
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            z = source.first_argument_of(source.beside_one(ast.unparse(left), "-"), "cos")
            return quotient if z and z == s.first(ast.unparse(right), _squared_safely) else ""
    return ""


def _versine(s: Scene) -> str:
    quotient = source.expression(_versine_quotient(s))
    divisor = ast.unparse(quotient.right) if isinstance(quotient, ast.BinOp) else ""
    return s.first(divisor, _squared_safely)


def variance(s: Scene) -> str:
    """Give "x, axis=-1" of "mean(x * x, axis=-1) - mean(x, axis=-1)**2", or of "... - m * m"."""
    names = ("reduce_mean", "mean")
    match source.expression(s.expression):
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            mean, square = ast.unparse(left), _squared(ast.unparse(right))
            x = _squared(source.first_argument_of(mean, *names))
            same = source.first_argument_of(square, *names) == x or square.isidentifier()
            return x + source.keywords_of(mean, "axis") if x and square and same else ""
    return ""


def expanded(s: Scene) -> str:
    """Give the squared difference for "a + b - 2 * sum(u * v, axis=-1)"."""
    match source.expression(s.expression):
        case ast.BinOp(
            left=ast.BinOp(op=ast.Add()) | ast.Call(args=[ast.BinOp(op=ast.Add()), *_]),
            op=ast.Sub(),
            right=ast.BinOp(left=ast.Constant(value=2), op=ast.Mult(), right=ast.Call() as inner),
        ):
            product = ast.unparse(inner)
            match source.expression(source.first_argument_of(product, "reduce_sum", "sum")):
                case ast.BinOp(left=u, op=ast.Mult(), right=v):
                    apart = f"{ast.unparse(u)} - {source.grouped(ast.unparse(v))}"
                    axis = source.keywords_of(product, "axis", "keepdims")
                    return f"tf.reduce_sum(tf.square({apart}){axis})"
            if source.head(product) == "matmul" and source.keywords_of(product, "transpose_b"):
                u, v = inner.args[:2]
                apart = f"{source.grouped(ast.unparse(u))}[:, None] - "
                apart += f"{source.grouped(ast.unparse(v))}[None]"
                return f"tf.reduce_sum(tf.square({apart}), axis=-1)"
    return ""


def _epsilon(s: Scene) -> str:
    """Give "tf.maximum(p, 1e-12)" for "p + 1e-12", where the constant vanishes beside 1."""
    match source.expression(s.x):
        case ast.BinOp(left=left, op=ast.Add(), right=ast.Constant(value=float(eps))):
            small = 0 < eps < 2.0**-24
            return f"tf.maximum({ast.unparse(left)}, {eps!r})" if small else ""
    return ""


def _argument(s: Scene) -> str:
    return s.x


def _beside_one(operator: str) -> Text:
    return lambda s: source.beside_one(s.x, operator)


VERSINE = Advice(
    when=_versine,
    around=_versine_quotient,
    composite=True,
    cause="Next to 0 cos is 1 but for its last digits.",
    first="near = tf.abs({z}) < 0.1\nsafe = tf.where(near, 1.0, {z})",
    write="tf.where(near, 0.5 - {gz}**2 / 24.0 + {gz}**4 / 720.0, "
    "2.0 * tf.square(tf.sin(0.5 * safe) / safe))",
    remark="The series stands in near 0, where the slope of the quotient cancels too.",
)

SUBTRACTED = (
    VERSINE,
    Advice(
        when=_of(_one_minus, "cos"),
        composite=True,
        cause="Next to 0 cos is 1 but for its last digits.",
        write="2.0 * tf.square(tf.sin(0.5 * {gz}))",
    ),
    Advice(
        when=_of(_minus_one, "cos"),
        composite=True,
        cause="Next to 0 cos is 1 but for its last digits.",
        write="-2.0 * tf.square(tf.sin(0.5 * {gz}))",
    ),
    Advice(
        when=_linex,
        composite=True,
        cause="Next to 0 exp(x) is 1 + x but for its last digits.",
        first="near = tf.abs({z}) < 0.1\nsmall = tf.where(near, {z}, 0.0)\n"
        "series = 0.5 * small**2 * (1.0 + small / 3.0 * (1.0 + small / 4.0 * "
        "(1.0 + small / 5.0 * (1.0 + small / 6.0))))",
        write="tf.where(near, series, tf.math.expm1({z}) - {gz})",
    ),
    Advice(
        when=_of(_minus_one, "exp"),
        composite=True,
        cause="Next to 0 exp is 1 but for its last digits.",
        write="tf.math.expm1({z})",
    ),
    Advice(
        when=_of(_one_minus, "exp"),
        composite=True,
        cause="Next to 0 exp is 1 but for its last digits.",
        write="-tf.math.expm1({z})",
    ),
    Advice(
        when=_root_of_one_plus(_minus_one),
        composite=True,
        cause="Of a small x, 1 + x keeps the digits above 1e-7 only.",
        write="{gz} / (tf.sqrt(1.0 + {z}) + 1.0)",
    ),
    Advice(
        when=_root_of_one_minus(_one_minus),
        composite=True,
        cause="Of a small x, 1 - x keeps the digits above 1e-7 only.",
        write="{gz} / (1.0 + tf.sqrt(1.0 - {gz}))",
    ),
    Advice(
        when=_of(_one_minus, "sigmoid"),
        composite=True,
        cause="For a large logit the sigmoid is 1 but for its last digits.",
        write="tf.sigmoid(-{gz})",
    ),
    Advice(
        when=_of(_one_minus, "tanh"),
        composite=True,
        cause="For a large number tanh is 1 but for its last digits.",
        write="2.0 * tf.sigmoid(-2.0 * {gz})",
    ),
    Advice(
        when=_of(_one_plus, "tanh"),
        composite=True,
        cause="For a very negative number tanh is -1 but for its last digits.",
        write="2.0 * tf.sigmoid(2.0 * {gz})",
    ),
    Advice(
        when=_of(_one_minus, "erf"),
        composite=True,
        cause="For a large number erf is 1 but for its last digits.",
        write="tf.math.erfc({z})",
    ),
    Advice(
        when=_of(_one_plus, "erf"),
        composite=True,
        cause="For a very negative number erf is -1 but for its last digits.",
        write="tf.math.erfc(-{gz})",
    ),
    Advice(
        when=variance,
        composite=True,
        cause="Where the spread is small beside the mean, both squares are nearly equal.",
        write="tf.math.reduce_variance({z})",
        remark="It takes the mean away first, then squares.",
    ),
    Advice(
        when=expanded,
        composite=True,
        cause="Where both points are close, their squares are as large as twice their product.",
        write="{z}",
        remark="Subtract first, then square.",
    ),
)

LOGARITHMS = (
    Advice(
        when=_of(_argument, "softmax"),
        cause="A confident softmax is 1 but for its last digits.",
        write="tf.nn.log_softmax({z})",
    ),
    Advice(
        when=_of(_argument, "sigmoid"),
        cause="For a large logit the sigmoid is 1 but for its last digits.",
        write="tf.math.log_sigmoid({z})",
    ),
    Advice(
        when=_of(_argument, "cosh"),
        cause="Next to 0 cosh is 1 but for its last digits.",
        first="near = tf.abs({z}) < 1.0\nsmall = tf.where(near, {z}, 0.0)\n"
        "far = tf.abs({z}) + tf.math.softplus(-2.0 * tf.abs({z})) - 0.6931472",
        write="tf.where(near, 0.5 * tf.math.log1p(tf.square(tf.sinh(small))), far)",
        remark="cosh(x)^2 = 1 + sinh(x)^2; farther out softplus does not overflow.",
    ),
    Advice(
        when=_of(_beside_one("+"), "exp"),
        cause="For a very negative number, 1 + exp(x) is 1 but for its last digits.",
        write="tf.math.softplus({z})",
    ),
    Advice(
        when=_epsilon,
        cause="The constant that was added is below the last digit of 1: it rounds away.",
        write="{f}({z})",
    ),
    Advice(
        when=_beside_one("+"),
        cause="Of a small x, 1 + x keeps the digits above 1e-7 only.",
        write="tf.math.log1p({z})",
    ),
    Advice(
        when=_beside_one("-"),
        cause="Of a small x, 1 - x keeps the digits above 1e-7 only.",
        write="tf.math.log1p(-{gz})",
    ),
)

ADVICE: dict[str, tuple[Advice, ...]] = {
    "Sub": SUBTRACTED,
    "AddV2": SUBTRACTED,
    "Log": LOGARITHMS,
    "RealDiv": (VERSINE,),
}
