"""Logarithms: their argument reaches 0, or is negative, or has lost its digits."""

from __future__ import annotations

from losscheck.advice import conditions, source
from losscheck.advice.base import Advice, Key, fits
from losscheck.advice.scene import Scene


def _times_itself(s: Scene) -> str:
    """Find "p * log(p)" or "p * log(p / q)" around the logarithm."""
    factor, product = source.factor_beside(s.line, s.expression)
    return product if factor and factor in (s.x, source.like("a / b", s.x).get("a")) else ""


def _negative(s: Scene) -> bool:
    return not s.backward and s.vx is not None and s.vx < 0


def _vanished(s: Scene) -> bool:
    return s.half and s.vx == 0 and "+" in s.x


def _chosen_away(s: Scene) -> bool:
    """Tell that something chose another value: log itself is not finite, and the loss is."""
    return s.backward and (s.where or (s.finite and s.vx is not None and s.vx <= 0))


WHOLE = (
    Advice(
        when=fits("softmax(*z)", of="x"),
        true=conditions.zero,
        cause="A softmax rounds to 0 for a logit far below the largest, and log(0) is -Inf.",
        write="tf.nn.log_softmax({z})",
        remark="Or take the whole cross-entropy from logits: "
        "tf.nn.softmax_cross_entropy_with_logits(labels=..., logits=...).",
    ),
    Advice(
        when=fits("sigmoid(*z)", of="x"),
        true=conditions.zero,
        cause="A sigmoid rounds to 0 for a very negative logit, and log(0) is -Inf.",
        write="tf.math.log_sigmoid({z})",
    ),
    Advice(
        when=fits("1 - sigmoid(*z)", of="x"),
        true=conditions.zero,
        cause="The sigmoid rounds to 1 for a large logit, so {at}, and log(0) is -Inf.",
        write="-tf.math.softplus({z})",
        remark="Or take the whole cross-entropy from logits: "
        "tf.nn.sigmoid_cross_entropy_with_logits(labels=..., logits=...).",
    ),
    Advice(
        when=fits("1 - exp(*z)", of="x"),
        true=conditions.zero,
        cause="exp(x) rounds to 1 for a small x, so {at}, and log(0) is -Inf.",
        write="{f}(-tf.math.expm1({z}))",
    ),
    Advice(
        when=fits("1 + exp(*z)", of="x"),
        true=conditions.infinite,
        cause="exp(x) overflows {dtype} above {limit}, long before log(1 + exp(x)) does.",
        write="tf.math.softplus({z})",
    ),
    Advice(
        when=fits("sum(exp(*z), *more)", of="x"),
        true=conditions.infinite_or_zero,
        cause="The exponentials overflow {dtype} above {limit}, or all round to 0; the logarithm "
        "of their sum does neither.",
        write="tf.reduce_logsumexp({z}{more})",
    ),
    Advice(
        when=_times_itself,
        true=conditions.zero,
        cause="The logarithm of {at} is not finite; times 0 it is NaN, where the limit of "
        "x * log(x) is 0.",
        write="tf.math.xlogy({num}, {x})",
        around=_times_itself,
    ),
)

CLAMPED = "{f}(tf.maximum({x}, {eps}))"

FORWARD = (
    *WHOLE,
    Advice(
        when=_negative,
        true=conditions.negative,
        cause="The logarithm of a negative number does not exist: {at}.",
        write=CLAMPED,
        remark="Or make the prediction positive in the model: a softplus on its last layer.",
    ),
    Advice(
        when=_vanished,
        true=conditions.zero,
        cause="The logarithm of {at} is -Inf.",
        write=CLAMPED,
        remark="Or compute in float32: x = tf.cast(x, tf.float32).",
    ),
    Advice(
        when=fits("1 - z", of="x"),
        true=conditions.zero,
        cause="{at}, since {z} is 1 or rounds to it, and log(0) is -Inf.",
        write=CLAMPED,
        remark="A clip to 1 - 1e-8 does not help: in float32 that is 1. Clip by {eps} or more, "
        "or compute from logits.",
    ),
    Advice(
        true=conditions.zero,
        cause="The logarithm of {at} is -Inf.",
        write=CLAMPED,
        remark="Where it is a probability: compute from logits, by log_softmax or log_sigmoid.",
    ),
)

BACKWARD = (
    *WHOLE,
    Advice(
        when=_chosen_away,
        true=conditions.slope_of_log,
        cause="The slope of log at {at} is infinite; {back}.",
        first="safe = tf.where({sx} > 0.0, {x}, 1.0)",
        write="{f}(safe)",
        remark="Choosing the result afterwards does not help: make the operand safe first.",
    ),
    Advice(
        true=conditions.slope_of_log,
        cause="The slope of log at {at} is too large for {dtype}; {back}.",
        write=CLAMPED,
    ),
)

TWO_ARGUMENTS = (
    Advice(
        true=conditions.slope_of_log_of_second,
        cause="The second operand reaches {aty}, where the logarithm or its slope is infinite.",
        write="{f}({x}, tf.maximum({y}, {eps}))",
    ),
)

SHIFTED = (
    Advice(
        true=conditions.at_most_minus_one,
        cause="log(1 + x) and its slope are not finite at {at}: 1 + x must stay above 0.",
        write="{f}(tf.maximum({x}, {eps} - 1.0))",
    ),
)

ADVICE: dict[Key, tuple[Advice, ...]] = {
    ("Log", "forward"): FORWARD,
    ("Log", "backward"): BACKWARD,
    ("Log1p", "forward"): SHIFTED,
    ("Log1p", "backward"): SHIFTED,
    ("Xlogy", "forward"): TWO_ARGUMENTS,
    ("Xlogy", "backward"): TWO_ARGUMENTS,
}
