"""Complex numbers in exact arithmetic: a complex tensor is an array of pairs of exact numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from losscheck.program.exact.arithmetic import Arithmetic
from losscheck.program.exact.axes import fold
from losscheck.program.exact.node import Node, Values, exactly
from losscheck.program.exact.number import (
    FZERO,
    ONE,
    ZERO,
    Number,
    box,
    from_int,
    numbers,
)
from losscheck.program.exact.ops import Operation, is_zero, lift
from losscheck.program.exact.ops import cast as real_cast


@attrs.frozen(eq=False)
class Complex:
    """A complex number: two exact ones."""

    real: Number
    imag: Number


NOTHING = Complex(ZERO, ZERO)
Scalar = Callable[..., Any]


def exact(values: NDArray[Any], dtype: tf.DType) -> Values:
    """Return what a tensor of a dtype holds: exact numbers where it is floating or complex."""
    if dtype.is_complex:
        return box(np.frompyfunc(Complex, 2, 1)(numbers(values.real), numbers(values.imag)))
    return numbers(values) if dtype.is_floating else values


def paired(values: Values) -> Values:
    """Return numbers as complex ones, where they are not."""
    return box(
        np.frompyfunc(lambda x: x if isinstance(x, Complex) else Complex(x, ZERO), 1, 1)(values)
    )


def add(a: Arithmetic, x: Complex, y: Complex) -> Complex:
    """Return x + y."""
    return Complex(a.add(x.real, y.real), a.add(x.imag, y.imag))


def plus(a: Arithmetic, x: Any, y: Any) -> Any:
    """Return x + y, of complex numbers or of real ones."""
    return add(a, x, y) if isinstance(x, Complex) else a.add(x, y)


def neg(a: Arithmetic, x: Complex) -> Complex:
    """Return -x."""
    return Complex(a.neg(x.real), a.neg(x.imag))


def sub(a: Arithmetic, x: Complex, y: Complex) -> Complex:
    """Return x - y."""
    return add(a, x, neg(a, y))


def mul(a: Arithmetic, x: Complex, y: Complex) -> Complex:
    """Return x * y."""
    return Complex(
        a.sub(a.mul(x.real, y.real), a.mul(x.imag, y.imag)),
        a.add(a.mul(x.real, y.imag), a.mul(x.imag, y.real)),
    )


def conj(a: Arithmetic, x: Complex) -> Complex:
    """Return x with its imaginary part turned over."""
    return Complex(x.real, a.neg(x.imag))


def size(a: Arithmetic, x: Complex) -> Number:
    """Return the absolute value of x."""
    if x.imag.known and x.imag.exact == FZERO:
        return a.abs(x.real)
    return a.sqrt(a.add(a.square(x.real), a.square(x.imag)))


def div(a: Arithmetic, x: Complex, y: Complex) -> Complex:
    """Return x / y."""
    below = a.add(a.square(y.real), a.square(y.imag))
    above = mul(a, x, conj(a, y))
    return Complex(a.div(above.real, below), a.div(above.imag, below))


def _div_no_nan(a: Arithmetic, x: Complex, y: Complex) -> Complex:
    nothing = is_zero(a, y.real) and is_zero(a, y.imag)
    return NOTHING if nothing else div(a, x, y)


def _exp(a: Arithmetic, x: Complex) -> Complex:
    radius = a.exp(x.real)
    return Complex(a.mul(radius, a.cos(x.imag)), a.mul(radius, a.sin(x.imag)))


ELEMENTWISE: Mapping[str, Scalar] = {
    "Add": add,
    "AddV2": add,
    "Angle": lambda a, x: a.atan2(x.imag, x.real),
    "Complex": lambda a, real, imag: Complex(real, imag),
    "ComplexAbs": size,
    "Conj": conj,
    "Div": div,
    "DivNoNan": _div_no_nan,
    "Exp": _exp,
    "Imag": lambda a, x: x.imag,
    "Log": lambda a, x: Complex(a.log(size(a, x)), a.atan2(x.imag, x.real)),
    "Mul": mul,
    "Neg": neg,
    "Real": lambda a, x: x.real,
    "RealDiv": div,
    "Reciprocal": lambda a, x: div(a, Complex(ONE, ZERO), x),
    "Square": lambda a, x: mul(a, x, x),
    "Sub": sub,
}


def _elementwise(a: Arithmetic, node: Node, inputs: Sequence[Values]) -> Values:
    return lift(a, ELEMENTWISE[node.type], *inputs)


def _sum(a: Arithmetic, node: Node, inputs: Sequence[Values]) -> Values:
    return fold(a, add, NOTHING, inputs[0], inputs[1], node.attr("keep_dims"))


def _mean(a: Arithmetic, node: Node, inputs: Sequence[Values]) -> Values:
    summed = _sum(a, node, inputs)
    count = Complex(from_int(inputs[0].size // max(1, summed.size)), ZERO)
    return lift(a, lambda a, x: div(a, x, count), summed)


def _product(a: Arithmetic, node: Node, inputs: Sequence[Values]) -> Values:
    plain = node.type == "MatMul"
    names = ("transpose_a", "transpose_b") if plain else ("adj_x", "adj_y")
    x, y = (
        np.swapaxes(value if plain else lift(a, conj, value), -1, -2) if node.attr(name) else value
        for value, name in zip(inputs, names, strict=True)
    )
    return fold(a, add, NOTHING, lift(a, mul, x[..., :, :, None], y[..., None, :, :]), np.array(-2))


def cast(a: Arithmetic, node: Node, inputs: Sequence[Values]) -> Values:
    """Evaluate Cast, from and to complex numbers as well."""
    (values,), (source,), (target,) = inputs, node.input_dtypes, node.dtypes
    if target.is_complex:
        return paired(values if exactly(source) else numbers(values))
    if source.is_complex:
        return lift(a, lambda a, x: x.real, values)
    return real_cast(a, node, inputs)


COMPLEX: Mapping[str, Operation] = {
    **dict.fromkeys(ELEMENTWISE, _elementwise),
    **dict.fromkeys(("BatchMatMul", "BatchMatMulV2", "MatMul"), _product),
    "Mean": _mean,
    "Sum": _sum,
}
