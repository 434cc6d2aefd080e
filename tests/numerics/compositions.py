"""Random compositions of TensorFlow functions, drawn by Hypothesis as expressions that print.

An expression is a leaf ("p" the prediction, "t" the label) or a tuple of a name in `FUNCTIONS` and
its operands. Every tensor is (B, 3), or (B, 1) after a reduction, so any two broadcast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf
from hypothesis import strategies as st

Expression: TypeAlias = Any  # "p", "t", or (name, *operands)

WIDTH = 3  # of a row: enough for ties, ranks and softmaxes, and for a matrix
DEPTH = 4  # functions on top of each other
_MATRIX = np.random.default_rng(3).normal(size=(WIDTH, WIDTH))
_ROW = np.array([[0.3, -1.7, 0.9]])


def _huber(x: tf.Tensor) -> tf.Tensor:
    size = tf.abs(x)
    return tf.where(size <= 1.0, 0.5 * tf.square(x), size - 0.5)


def _torn_slope(x: tf.Tensor) -> tf.Tensor:
    return tf.where(x < 0.5, x, 3.0 * x - 1.0)


def _matmul(x: tf.Tensor) -> tf.Tensor:
    return tf.matmul(x + tf.zeros(WIDTH, x.dtype), tf.constant(_MATRIX, x.dtype))


def _spread(x: tf.Tensor) -> tf.Tensor:
    return x * tf.constant(_ROW, x.dtype)


def _over(reduce: Callable[..., tf.Tensor]) -> Callable[[tf.Tensor], tf.Tensor]:
    return lambda x: reduce(x, axis=-1, keepdims=True)


REAL_TO_REAL: Mapping[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "tanh": tf.tanh,
    "sin": tf.sin,
    "cos": tf.cos,
    "square": tf.square,
    "atan": tf.atan,
    "asinh": tf.asinh,
    "erf": tf.math.erf,
    "softsign": tf.nn.softsign,
    "log_sigmoid": tf.math.log_sigmoid,
    "elu": tf.nn.elu,
    "selu": tf.nn.selu,
    "gelu": tf.nn.gelu,
    "swish": tf.nn.swish,
    "relu": tf.nn.relu,
    "leaky_relu": tf.nn.leaky_relu,
    "relu6": tf.nn.relu6,
    "abs": tf.abs,
    "negative": tf.negative,
    "clip": lambda x: tf.clip_by_value(x, -0.7, 1.3),
    "huber": _huber,
    "torn_slope": _torn_slope,
    "half": lambda x: 0.5 * x - 0.2,
    "matmul": _matmul,
    "spread": _spread,
    "log_softmax": lambda x: tf.nn.log_softmax(_spread(x)),
    "sum": _over(tf.reduce_sum),
    "mean": _over(tf.reduce_mean),
    "max": _over(tf.reduce_max),
    "min": _over(tf.reduce_min),
    "logsumexp": _over(tf.reduce_logsumexp),
    "variance": _over(tf.math.reduce_variance),
    "cumsum": lambda x: tf.cumsum(_spread(x), axis=-1),
    "l2_normalize": lambda x: tf.math.l2_normalize(_spread(x), axis=-1),
    "sort": lambda x: tf.sort(_spread(x), axis=-1),
}
POSITIVE_TO_REAL: Mapping[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "log": tf.math.log,
    "log1p": tf.math.log1p,
    "sqrt": tf.sqrt,
    "rsqrt": tf.math.rsqrt,
    "lgamma": tf.math.lgamma,
    "pow 1.7": lambda x: tf.pow(x, 1.7),
    "pow -0.6": lambda x: tf.pow(x, -0.6),
    "reciprocal": tf.math.reciprocal,
}
REAL_TO_POSITIVE: Mapping[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "exp": tf.exp,
    "softplus": tf.nn.softplus,
    "square + 0.1": lambda x: tf.square(x) + 0.1,
    "abs + 0.01": lambda x: tf.abs(x) + 0.01,
    "sigmoid": tf.sigmoid,
    "softmax": lambda x: tf.nn.softmax(_spread(x)),
    "cosh": tf.cosh,
    "norm + 0.1": lambda x: tf.norm(x, axis=-1, keepdims=True) + 0.1,
}
BINARY: Mapping[str, Callable[[tf.Tensor, tf.Tensor], tf.Tensor]] = {
    "add": tf.add,
    "subtract": tf.subtract,
    "multiply": tf.multiply,
    "squared_difference": tf.math.squared_difference,
    "maximum": tf.maximum,
    "minimum": tf.minimum,
    "divide_no_nan": tf.math.divide_no_nan,
    "where": lambda x, y: tf.where(x > y, 2.0 * x - y, tf.square(x - y) + x),
}
REAL_AND_POSITIVE: Mapping[str, Callable[[tf.Tensor, tf.Tensor], tf.Tensor]] = {
    "divide": tf.divide,
    "xlogy": tf.math.xlogy,
    "xlog1py": tf.math.xlog1py,
    "power": lambda x, y: tf.pow(y, 0.5 * tf.tanh(x)),
}
FUNCTIONS: Mapping[str, Callable[..., tf.Tensor]] = {
    **REAL_TO_REAL,
    **POSITIVE_TO_REAL,
    **REAL_TO_POSITIVE,
    **BINARY,
    **REAL_AND_POSITIVE,
}


def build(expression: Expression, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Apply an expression to tensors."""
    if isinstance(expression, str):
        return {"t": y_true, "p": y_pred}[expression]
    name, *operands = expression
    return FUNCTIONS[name](*(build(operand, y_true, y_pred) for operand in operands))


def reaches_prediction(expression: Expression) -> bool:
    """Whether the prediction is among the leaves."""
    if isinstance(expression, str):
        return expression == "p"
    return any(reaches_prediction(operand) for operand in expression[1:])


LEAVES: st.SearchStrategy[Expression] = st.sampled_from(("p", "t", ("subtract", "p", "t")))


@st.composite
def reals(draw: st.DrawFn, depth: int = DEPTH) -> Expression:
    """Draw an expression that may have any sign."""
    # Any function may be drawn for any operand; logarithms of what may be negative are rare.
    form = draw(st.sampled_from("lrrrrrpppbbbbmmn" if depth else "l"))
    if form == "l":
        return draw(LEAVES)
    if form == "r":
        return draw(st.sampled_from(sorted(REAL_TO_REAL))), draw(reals(depth - 1))
    if form == "p":
        return draw(st.sampled_from(sorted(POSITIVE_TO_REAL))), draw(positives(depth - 1))
    if form == "b":
        name = draw(st.sampled_from(sorted(BINARY)))
        return name, draw(reals(depth - 1)), draw(reals(depth - 1))
    if form == "m":
        name = draw(st.sampled_from(sorted(REAL_AND_POSITIVE)))
        return name, draw(reals(depth - 1)), draw(positives(depth - 1))
    return draw(st.sampled_from(sorted(POSITIVE_TO_REAL))), draw(reals(depth - 1))


@st.composite
def positives(draw: st.DrawFn, depth: int) -> Expression:
    """Draw an expression that is positive, or zero by underflow."""
    form = draw(st.sampled_from("uuubq" if depth > 0 else "u"))
    if form == "u":
        return draw(st.sampled_from(sorted(REAL_TO_POSITIVE))), draw(reals(max(0, depth - 1)))
    if form == "q":
        return draw(st.sampled_from(("sqrt", "pow 1.7", "reciprocal"))), draw(positives(depth - 1))
    name = draw(st.sampled_from(("add", "multiply", "maximum")))
    return name, draw(positives(depth - 1)), draw(positives(depth - 1))
