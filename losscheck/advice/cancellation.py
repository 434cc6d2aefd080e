"""Lost digits: differences of nearly equal numbers, and logarithms of numbers next to 1."""

from __future__ import annotations

import ast

from losscheck.advice import source
from losscheck.advice.base import Advice, fits
from losscheck.advice.scene import Scene


def _squared(text: str) -> str:
    """Give "x" of a square of it, or of one that is a number where it would be 0."""
    match source.expression(text):
        case ast.Call(args=[_, ast.Constant(), square]) if source.head(text) == "where":
            text = ast.unparse(square)
    return source.like("z ** 2", text).get("z", "")


def _versine(s: Scene) -> dict[str, str]:
    """Find "(1 - cos(z)) / z**2" around "1 - cos(z)", or as what is blamed itself."""
    quotient = source.quotient_of(s.line, s.expression) or s.expression
    found = source.like("(1 - cos(z)) / d", quotient)
    same = found and found["z"] == s.first(found["d"], _squared)
    return {"whole": quotient, "z": found["z"]} if same else {}


def variance(s: Scene) -> str:
    """Give "x, axis=-1" of "mean(x * x, axis=-1) - mean(x, axis=-1)**2", or of "... - m * m"."""
    found = source.like("mean(x ** 2, *more) - m ** 2", s.expression)
    same = found and source.like("mean(x)", found["m"]).get("x") == found["x"]
    if not (same or found.get("m", "").isidentifier()):
        return ""
    return found["x"] + source.keywords_of(f"f(x{found['more']})", "axis")


def expanded(s: Scene) -> str:
    """Give the squared difference for "a + b - 2 * sum(u * v, axis=-1)"."""
    for pattern in ("t - 2 * sum(u * v, *more)", "t - 2 * matmul(u, v, *more)"):
        found = source.like(pattern, s.expression)
        match source.expression(found.get("t", "")):
            case ast.BinOp(op=ast.Add()) | ast.Call(args=[ast.BinOp(op=ast.Add()), *_]):
                u, v, call = found["u"], source.grouped(found["v"]), f"f(x{found['more']})"
                if "sum" in pattern:
                    over = source.keywords_of(call, "axis", "keepdims")
                    return f"tf.reduce_sum(tf.square({u} - {v}){over})"
                if source.keywords_of(call, "transpose_b"):
                    apart = f"{source.grouped(u)}[:, None] - {v}[None]"
                    return f"tf.reduce_sum(tf.square({apart}), axis=-1)"
    return ""


def _epsilon(s: Scene) -> str:
    """Give "tf.maximum(p, 1e-12)" for "p + 1e-12", where the constant vanishes beside 1."""
    match source.expression(s.x):
        case ast.BinOp(left=left, op=ast.Add(), right=ast.Constant(value=float(eps))):
            small = 0 < eps < 2.0**-24
            return f"tf.maximum({ast.unparse(left)}, {eps!r})" if small else ""
    return ""


VERSINE = Advice(
    when=_versine,
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
        when=fits("1 - cos(z)"),
        composite=True,
        cause="Next to 0 cos is 1 but for its last digits.",
        write="2.0 * tf.square(tf.sin(0.5 * {gz}))",
    ),
    Advice(
        when=fits("cos(z) - 1"),
        composite=True,
        cause="Next to 0 cos is 1 but for its last digits.",
        write="-2.0 * tf.square(tf.sin(0.5 * {gz}))",
    ),
    Advice(
        when=fits("exp(z) - z - 1", "expm1(z) - z"),
        composite=True,
        cause="Next to 0 exp(x) is 1 + x but for its last digits.",
        first="near = tf.abs({z}) < 0.1\nsmall = tf.where(near, {z}, 0.0)\n"
        "series = 0.5 * small**2 * (1.0 + small / 3.0 * (1.0 + small / 4.0 * "
        "(1.0 + small / 5.0 * (1.0 + small / 6.0))))",
        write="tf.where(near, series, tf.math.expm1({z}) - {gz})",
    ),
    Advice(
        when=fits("exp(z) - 1"),
        composite=True,
        cause="Next to 0 exp is 1 but for its last digits.",
        write="tf.math.expm1({z})",
    ),
    Advice(
        when=fits("1 - exp(z)"),
        composite=True,
        cause="Next to 0 exp is 1 but for its last digits.",
        write="-tf.math.expm1({z})",
    ),
    Advice(
        when=fits("sqrt(1 + z) - 1"),
        composite=True,
        cause="Of a small x, 1 + x keeps the digits above 1e-7 only.",
        write="{gz} / (tf.sqrt(1.0 + {z}) + 1.0)",
    ),
    Advice(
        when=fits("1 - sqrt(1 - z)"),
        composite=True,
        cause="Of a small x, 1 - x keeps the digits above 1e-7 only.",
        write="{gz} / (1.0 + tf.sqrt(1.0 - {gz}))",
    ),
    Advice(
        when=fits("1 - sigmoid(z)"),
        composite=True,
        cause="For a large logit the sigmoid is 1 but for its last digits.",
        write="tf.sigmoid(-{gz})",
    ),
    Advice(
        when=fits("1 - tanh(z)"),
        composite=True,
        cause="For a large number tanh is 1 but for its last digits.",
        write="2.0 * tf.sigmoid(-2.0 * {gz})",
    ),
    Advice(
        when=fits("1 + tanh(z)"),
        composite=True,
        cause="For a very negative number tanh is -1 but for its last digits.",
        write="2.0 * tf.sigmoid(2.0 * {gz})",
    ),
    Advice(
        when=fits("1 - erf(z)"),
        composite=True,
        cause="For a large number erf is 1 but for its last digits.",
        write="tf.math.erfc({z})",
    ),
    Advice(
        when=fits("1 + erf(z)"),
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
        when=fits("softmax(z)", of="x"),
        cause="A confident softmax is 1 but for its last digits.",
        write="tf.nn.log_softmax({z})",
    ),
    Advice(
        when=fits("sigmoid(z)", of="x"),
        cause="For a large logit the sigmoid is 1 but for its last digits.",
        write="tf.math.log_sigmoid({z})",
    ),
    Advice(
        when=fits("cosh(z)", of="x"),
        cause="Next to 0 cosh is 1 but for its last digits.",
        first="near = tf.abs({z}) < 1.0\nsmall = tf.where(near, {z}, 0.0)\n"
        "far = tf.abs({z}) + tf.math.softplus(-2.0 * tf.abs({z})) - 0.6931472",
        write="tf.where(near, 0.5 * tf.math.log1p(tf.square(tf.sinh(small))), far)",
        remark="cosh(x)^2 = 1 + sinh(x)^2; farther out softplus does not overflow.",
    ),
    Advice(
        when=fits("1 + exp(z)", of="x"),
        cause="For a very negative number, 1 + exp(x) is 1 but for its last digits.",
        write="tf.math.softplus({z})",
    ),
    Advice(
        when=_epsilon,
        cause="The constant that was added is below the last digit of 1: it rounds away.",
        write="{f}({z})",
    ),
    Advice(
        when=fits("1 + z", of="x"),
        cause="Of a small x, 1 + x keeps the digits above 1e-7 only.",
        write="tf.math.log1p({z})",
    ),
    Advice(
        when=fits("1 - z", of="x"),
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
