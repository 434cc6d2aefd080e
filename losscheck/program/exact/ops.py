"""What TensorFlow ops compute element by element, in a given arithmetic."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from losscheck.program.exact.arithmetic import Arithmetic
from losscheck.program.exact.node import Node, Unknown, Values
from losscheck.program.exact.number import (
    HALF,
    ONE,
    ZERO,
    Number,
    Undecided,
    box,
    from_float,
    numbers,
)

Operation = Callable[[Arithmetic, Node, Sequence[Values]], Values | Sequence[Values]]
Scalar = Callable[..., Any]  # (arithmetic, *numbers) -> number or bool

SELU_SCALE = 1.0507009873554805  # the constants of Klambauer et al. 2017, as TensorFlow has them
SELU_SCALE_ALPHA = 1.7580993408473768


def lift(arithmetic: Arithmetic, function: Scalar, *inputs: Values) -> Values:
    """Apply a function of numbers to broadcast arrays of them."""
    return box(np.frompyfunc(partial(function, arithmetic), len(inputs), 1)(*inputs))


def positive(a: Arithmetic, x: Number) -> bool:
    """Whether x > 0."""
    return a.compare(x, ZERO) == 1


def is_zero(a: Arithmetic, x: Number) -> bool:
    """Whether x is 0."""
    return a.compare(x, ZERO) == 0


def _unless_zero(function: Scalar, tested: int) -> Scalar:
    """Return a function of two numbers that is 0 where the tested one is."""

    def guarded(a: Arithmetic, x: Number, y: Number) -> Number:
        return ZERO if is_zero(a, (x, y)[tested]) else function(a, x, y)

    return guarded


def _floor_div(a: Arithmetic, x: Number, y: Number) -> Number:
    return a.floor(a.div(x, y))


def _floor_mod(a: Arithmetic, x: Number, y: Number) -> Number:
    return a.sub(x, a.mul(_floor_div(a, x, y), y))


def _truncate_mod(a: Arithmetic, x: Number, y: Number) -> Number:
    return a.sub(x, a.mul(a.trunc(a.div(x, y)), y))


def _elu(a: Arithmetic, x: Number) -> Number:
    return a.expm1(x) if a.compare(x, ZERO) == -1 else x


def _elu_grad(a: Arithmetic, dy: Number, y: Number) -> Number:
    return a.mul(dy, a.add(y, ONE)) if a.compare(y, ZERO) == -1 else dy


def _selu(a: Arithmetic, x: Number) -> Number:
    if a.compare(x, ZERO) == -1:
        return a.mul(from_float(SELU_SCALE_ALPHA), a.expm1(x))
    return a.mul(from_float(SELU_SCALE), x)


def _selu_grad(a: Arithmetic, dy: Number, y: Number) -> Number:
    if a.compare(y, ZERO) == -1:
        return a.mul(dy, a.add(y, from_float(SELU_SCALE_ALPHA)))
    return a.mul(dy, from_float(SELU_SCALE))


def _relu6_grad(a: Arithmetic, dy: Number, y: Number) -> Number:
    inside = positive(a, y) and positive(a, a.sub(from_float(6.0), y))
    return a.mul(dy, ONE if inside else ZERO)


def _softsign_grad(a: Arithmetic, dy: Number, x: Number) -> Number:
    return a.div(dy, a.square(a.add(ONE, a.abs(x))))


ELEMENTWISE: dict[str, Scalar] = {
    "Abs": Arithmetic.abs,
    "Acos": Arithmetic.acos,
    "Acosh": Arithmetic.acosh,
    "Add": Arithmetic.add,
    "AddV2": Arithmetic.add,
    "Asin": Arithmetic.asin,
    "Asinh": Arithmetic.asinh,
    "Atan": Arithmetic.atan,
    "Atan2": Arithmetic.atan2,
    "Atanh": Arithmetic.atanh,
    "BiasAdd": Arithmetic.add,  # of the last axis; the caller turns other layouts away
    "Ceil": Arithmetic.ceil,
    "ClipByValue": lambda a, x, low, high: a.maximum(a.minimum(x, high), low),
    "Cos": Arithmetic.cos,
    "Cosh": Arithmetic.cosh,
    "Digamma": Arithmetic.digamma,
    "Div": Arithmetic.div,
    "DivNoNan": _unless_zero(Arithmetic.div, 1),
    "Elu": _elu,
    "EluGrad": _elu_grad,
    "Erf": Arithmetic.erf,
    "Erfc": Arithmetic.erfc,
    "Exp": Arithmetic.exp,
    "Expm1": Arithmetic.expm1,
    "Floor": Arithmetic.floor,
    "FloorDiv": _floor_div,
    "FloorMod": _floor_mod,
    "Inv": Arithmetic.reciprocal,
    "InvGrad": lambda a, y, dy: a.neg(a.mul(dy, a.square(y))),
    "Lgamma": Arithmetic.lgamma,
    "Log": Arithmetic.log,
    "Log1p": Arithmetic.log1p,
    "Maximum": Arithmetic.maximum,
    "Minimum": Arithmetic.minimum,
    "Mod": _truncate_mod,
    "Mul": Arithmetic.mul,
    "MulNoNan": _unless_zero(Arithmetic.mul, 1),
    "Neg": Arithmetic.neg,
    "Polygamma": Arithmetic.polygamma,
    "Pow": Arithmetic.pow,
    "RealDiv": Arithmetic.div,
    "Reciprocal": Arithmetic.reciprocal,
    "ReciprocalGrad": lambda a, y, dy: a.neg(a.mul(dy, a.square(y))),
    "Relu": lambda a, x: a.maximum(x, ZERO),
    "Relu6": lambda a, x: a.minimum(a.maximum(x, ZERO), from_float(6.0)),
    "Relu6Grad": _relu6_grad,
    "ReluGrad": lambda a, dy, x: a.mul(dy, ONE if positive(a, x) else ZERO),
    "Rint": Arithmetic.round,
    "Round": Arithmetic.round,
    "Rsqrt": Arithmetic.rsqrt,
    "RsqrtGrad": lambda a, y, dy: a.neg(a.mul(HALF, a.mul(dy, a.mul(y, a.square(y))))),
    "Selu": _selu,
    "SeluGrad": _selu_grad,
    "Sigmoid": Arithmetic.sigmoid,
    "SigmoidGrad": lambda a, y, dy: a.mul(dy, a.mul(y, a.sub(ONE, y))),
    "Sign": Arithmetic.sign_of,
    "Sin": Arithmetic.sin,
    "Sinh": Arithmetic.sinh,
    "Softplus": Arithmetic.softplus,
    "SoftplusGrad": lambda a, dy, x: a.mul(dy, a.sigmoid(x)),
    "Softsign": lambda a, x: a.div(x, a.add(ONE, a.abs(x))),
    "SoftsignGrad": _softsign_grad,
    "Sqrt": Arithmetic.sqrt,
    "SqrtGrad": lambda a, y, dy: a.div(a.mul(HALF, dy), y),
    "Square": Arithmetic.square,
    "SquaredDifference": lambda a, x, y: a.square(a.sub(x, y)),
    "Sub": Arithmetic.sub,
    "Tan": Arithmetic.tan,
    "Tanh": Arithmetic.tanh,
    "TanhGrad": lambda a, y, dy: a.mul(dy, a.sub(ONE, a.square(y))),
    "TruncateMod": _truncate_mod,
    "Xdivy": _unless_zero(Arithmetic.div, 0),
    "Xlog1py": _unless_zero(lambda a, x, y: a.mul(x, a.log1p(y)), 0),
    "Xlogy": _unless_zero(lambda a, x, y: a.mul(x, a.log(y)), 0),
}


def _classify(test: Callable[[Number], bool]) -> Scalar:
    def classified(_: Arithmetic, x: Number) -> bool:
        if x.unknown:
            raise Undecided
        return test(x)

    return classified


def _ordered(test: Callable[[int, int], bool]) -> Scalar:
    """Return a comparison that is false where either number is NaN."""

    def compared(a: Arithmetic, x: Number, y: Number) -> bool:
        order = a.compare(x, y)
        return order is not None and test(order, 0)

    return compared


TESTS: dict[str, Scalar] = {
    "Equal": _ordered(operator.eq),
    "Greater": _ordered(operator.gt),
    "GreaterEqual": _ordered(operator.ge),
    "IsFinite": _classify(lambda x: not x.special),
    "IsInf": _classify(lambda x: x.special and not x.nan),
    "IsNan": _classify(lambda x: x.nan),
    "Less": _ordered(operator.lt),
    "LessEqual": _ordered(operator.le),
    "NotEqual": lambda a, x, y: a.compare(x, y) != 0,
}


def elementwise(a: Arithmetic, node: Node, inputs: Sequence[Values]) -> Values:
    """Evaluate an op of ELEMENTWISE or TESTS."""
    if node.type == "BiasAdd" and node.attr("data_format") != b"NHWC":
        raise Unknown(f"{node}: only biases of the last axis are evaluated")
    if node.type in TESTS:
        return lift(a, TESTS[node.type], *inputs).astype(bool)
    return lift(a, ELEMENTWISE[node.type], *inputs)


def leaky_relu(a: Arithmetic, node: Node, inputs: Sequence[Values]) -> Values:
    """Evaluate LeakyRelu (features) and LeakyReluGrad (gradients, features)."""
    slope = from_float(node.attr("alpha"))

    def scale(a: Arithmetic, y: Number, x: Number) -> Number:
        return y if positive(a, x) else a.mul(slope, y)

    return lift(a, scale, inputs[0], inputs[-1])


def cast(a: Arithmetic, node: Node, inputs: Sequence[Values]) -> Values:
    """Evaluate Cast: floating to floating keeps every digit, floating to integer truncates."""
    (values,), (source,), (target,) = inputs, node.input_dtypes, node.dtypes
    if not (source.is_floating or target.is_floating):
        return values.astype(target.as_numpy_dtype)
    if target.is_floating:
        return values if source.is_floating else numbers(values)
    if target == tf.bool:
        return lift(a, lambda a, x: not is_zero(a, x), values).astype(bool)
    return lift(a, Arithmetic.whole, values).astype(target.as_numpy_dtype)


ATTRIBUTED: Mapping[str, Operation] = {
    "Cast": cast,
    "LeakyRelu": leaky_relu,
    "LeakyReluGrad": leaky_relu,
}
