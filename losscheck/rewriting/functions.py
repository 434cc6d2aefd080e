"""The functions that expressions may call: their numbers, their slopes, and their names.

Slopes are written as TensorFlow computes them, in the same language: `x` and `y` are the operands,
`r` is the result. A slope that cancels or overflows in TensorFlow must do so here as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from mpmath import mp
from scipy import special

HUGE = 2.0**30  # exp of what is larger is infinite for every purpose


@dataclass(frozen=True)
class Function:
    """A function of one or two operands, an element at a time."""

    single: Callable[..., Any]  # of float32 arrays
    exact: Callable[..., Any]  # of mpmath's numbers
    slopes: tuple[str, ...]  # by each operand; "" where there is none
    tensorflow: str  # below the module
    others: tuple[str, ...] = ()  # further names of the same function, that of keras.ops first
    arity: int = 1

    @property
    def keras(self) -> str:
        """Its name below keras.ops."""
        return self.others[0] if self.others else self.tensorflow.rpartition(".")[2]


def _exp(x: Any) -> Any:
    if x > HUGE:
        return mp.inf
    return mp.exp(x) if x > -HUGE else mp.zero


def _expm1(x: Any) -> Any:
    if abs(x) > 1:
        return _exp(x) - 1
    return mp.expm1(x)


def _softplus(x: Any) -> Any:
    return x + mp.log1p(_exp(-x)) if x > 0 else mp.log1p(_exp(x))


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + _exp(-x)) if x > 0 else _exp(x) / (1 + _exp(x))


def _tanh(x: Any) -> Any:
    return mp.tanh(x) if abs(x) < HUGE else mp.sign(x)


def _sinh(x: Any) -> Any:
    return mp.sinh(x) if abs(x) < HUGE else mp.sign(x) * mp.inf


def _cosh(x: Any) -> Any:
    return mp.cosh(x) if abs(x) < HUGE else mp.inf


def _pow(x: Any, y: Any) -> Any:
    if x == 0:
        return mp.zero if y > 0 else (mp.one if y == 0 else mp.inf)
    if x > 0 and abs(y * mp.log(x)) > HUGE:
        return mp.inf if (y > 0) == (x > 1) else mp.zero
    return mp.power(x, y)


def _log(x: Any) -> Any:
    return mp.log(x) if x != 0 else -mp.inf


def _log1p(x: Any) -> Any:
    return mp.log1p(x) if x != -1 else -mp.inf


def _xlogy(x: Any, y: Any) -> Any:
    return mp.zero if x == 0 else x * _log(y)


def _single_softplus(x: Any) -> Any:
    return np.logaddexp(np.float32(0), x)


def _single_sigmoid(x: Any) -> Any:
    return special.expit(x)


FUNCTIONS: dict[str, Function] = {
    "exp": Function(np.exp, _exp, ("r",), "exp"),
    "expm1": Function(np.expm1, _expm1, ("exp(x)",), "math.expm1"),
    "log": Function(np.log, _log, ("1 / x",), "math.log"),
    "log1p": Function(np.log1p, _log1p, ("1 / (1 + x)",), "math.log1p"),
    "sqrt": Function(np.sqrt, mp.sqrt, ("0.5 / r",), "sqrt"),
    "square": Function(np.square, lambda x: x * x, ("2 * x",), "square"),
    "abs": Function(np.abs, abs, ("sign(x)",), "abs", ("absolute",)),
    "sign": Function(np.sign, mp.sign, ("",), "sign"),
    "sin": Function(np.sin, mp.sin, ("cos(x)",), "sin"),
    "cos": Function(np.cos, mp.cos, ("-sin(x)",), "cos"),
    "tan": Function(np.tan, mp.tan, ("square(1 / cos(x))",), "tan"),
    "asin": Function(np.arcsin, mp.asin, ("1 / sqrt(1 - square(x))",), "asin", ("arcsin",)),
    "acos": Function(np.arccos, mp.acos, ("-1 / sqrt(1 - square(x))",), "acos", ("arccos",)),
    "atan": Function(np.arctan, mp.atan, ("1 / (1 + square(x))",), "atan", ("arctan",)),
    "sinh": Function(np.sinh, _sinh, ("cosh(x)",), "sinh"),
    "cosh": Function(np.cosh, _cosh, ("sinh(x)",), "cosh"),
    "tanh": Function(np.tanh, _tanh, ("1 - square(r)",), "tanh"),
    "asinh": Function(np.arcsinh, mp.asinh, ("1 / cosh(r)",), "asinh", ("arcsinh",)),
    "acosh": Function(np.arccosh, mp.acosh, ("1 / sinh(r)",), "acosh", ("arccosh",)),
    "atanh": Function(np.arctanh, mp.atanh, ("1 / (1 - square(x))",), "atanh", ("arctanh",)),
    "erf": Function(special.erf, mp.erf, ("1.1283791670955126 * exp(-square(x))",), "math.erf"),
    "erfc": Function(special.erfc, mp.erfc, ("-1.1283791670955126 / exp(square(x))",), "math.erfc"),
    "sigmoid": Function(_single_sigmoid, _sigmoid, ("r * (1 - r)",), "sigmoid"),
    "softplus": Function(_single_softplus, _softplus, ("sigmoid(x)",), "math.softplus"),
    "log_sigmoid": Function(
        lambda x: -_single_softplus(-x), lambda x: -_softplus(-x), ("sigmoid(-x)",),
        "math.log_sigmoid",
    ),
    "pow": Function(
        np.power, _pow, ("y * pow(x, y - 1)", "r * where(greater(x, 0), log(x), 0)"),
        "pow", ("power",), arity=2,
    ),
    "atan2": Function(
        np.arctan2, mp.atan2, ("y / (square(x) + square(y))", "-x / (square(x) + square(y))"),
        "atan2", ("arctan2",), arity=2,
    ),
    "maximum": Function(
        np.maximum, max, ("where(greater_equal(x, y), 1, 0)", "where(less(x, y), 1, 0)"), "maximum",
        arity=2,
    ),
    "minimum": Function(
        np.minimum, min, ("where(less_equal(x, y), 1, 0)", "where(greater(x, y), 1, 0)"), "minimum",
        arity=2,
    ),
    "xlogy": Function(special.xlogy, _xlogy, ("log(y)", "x / y"), "math.xlogy", arity=2),
}  # fmt: skip


def _over(x: Any, y: Any) -> Any:
    """Divide; 1/0 is infinite, its sign unknown, which is NaN for what asks for the sign."""
    if y != 0:
        return x / y
    return mp.nan if x == 0 else mp.sign(x) * mp.inf


# Operations that Python has signs for. Their slopes stand in `slopes`.
ARITHMETIC: dict[str, Function] = {
    "add": Function(np.add, lambda x, y: x + y, (), "add", arity=2),
    "sub": Function(np.subtract, lambda x, y: x - y, (), "subtract", ("sub",), arity=2),
    "mul": Function(np.multiply, lambda x, y: x * y, (), "multiply", ("mul",), arity=2),
    "div": Function(np.divide, _over, (), "divide", ("truediv", "true_divide"), arity=2),
    "neg": Function(np.negative, lambda x: -x, (), "negative", ("neg",)),
    "greater": Function(np.greater, lambda x, y: x > y, (), "greater", arity=2),
    "greater_equal": Function(np.greater_equal, lambda x, y: x >= y, (), "greater_equal", arity=2),
    "less": Function(np.less, lambda x, y: x < y, (), "less", arity=2),
    "less_equal": Function(np.less_equal, lambda x, y: x <= y, (), "less_equal", arity=2),
}

# Along axes. What they give and their slopes stands in `reductions`.
REDUCTIONS: dict[str, tuple[str, str]] = {  # TensorFlow's and Keras' names
    "reduce_sum": ("reduce_sum", "sum"),
    "reduce_mean": ("reduce_mean", "mean"),
    "reduce_max": ("reduce_max", "max"),
    "reduce_logsumexp": ("reduce_logsumexp", "logsumexp"),
    "softmax": ("nn.softmax", "softmax"),
    "log_softmax": ("nn.log_softmax", "log_softmax"),
}
