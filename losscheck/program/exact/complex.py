"""Complex numbers in exact arithmetic, as arrays of pairs of exact numbers, and their spectra.

They split in half as long as the length is even, so that what cancels in them (a constant signal,
silence) cancels exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from typing import Any

import attrs
import numpy as np
import tensorflow as tf
from mpmath import libmp
from numpy.typing import NDArray

from losscheck.program.exact.arithmetic import Arithmetic
from losscheck.program.exact.axes import fold
from losscheck.program.exact.node import Node, Values, exactly
from losscheck.program.exact.number import (
    FZERO,
    ONE,
    ZERO,
    Ball,
    Number,
    box,
    from_int,
    key_of,
    magnitude,
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


def _root_of_one(a: Arithmetic, turn: int, length: int) -> Complex:
    """Return exp(2 pi i turn / length)."""
    return Complex(_cosine(a, 4 * turn, 4 * length), _cosine(a, 4 * turn - length, 4 * length))


def _cosine(a: Arithmetic, turn: int, length: int) -> Number:
    """Return cos(2 pi turn / length): from one quarter, so that equal sizes are known to be."""
    turn = abs((turn + length // 2) % length - length // 2)
    if 4 * turn > length:
        return a.neg(_cosine(a, length // 2 - turn, length))
    if turn == 0 or 4 * turn == length:
        return ZERO if turn else ONE
    angle = libmp.from_rational(2 * turn, length, a.bits + 8)
    middle = libmp.mpf_cos_pi(angle, a.bits)
    return Number(FZERO, Ball(middle, magnitude(middle) - a.bits + 4, key_of("cos", turn / length)))


def _transform(a: Arithmetic, x: list[Complex], sign: int) -> list[Complex]:
    """Return the sums of x times roots of one; `sign` -1 is forward."""
    length = len(x)
    if length == 1:
        return x
    if length % 2:
        # Roots of one add up to 0: what all have in common shows in the first sum alone.
        apart = [sub(a, v, x[0]) for v in x[1:]]
        turned = [
            [mul(a, v, _root_of_one(a, sign * k * i, length)) for i, v in enumerate(apart, 1)]
            for k in range(1, length)
        ]
        return [reduce(partial(add, a), row) for row in (x, *turned)]
    left, right = x[: length // 2], x[length // 2 :]
    pairs = list(zip(left, right, strict=True))
    even = _transform(a, [add(a, p, q) for p, q in pairs], sign)
    roots = [_root_of_one(a, sign * k, length) for k in range(length // 2)]
    odd = _transform(
        a, [mul(a, sub(a, p, q), w) for (p, q), w in zip(pairs, roots, strict=True)], sign
    )
    return [v for pair in zip(even, odd, strict=True) for v in pair]


def _along(a: Arithmetic, values: Values, axis: int, inverse: bool) -> Values:
    """Transform one axis; an inverse is divided by its length."""
    rows = np.moveaxis(values, axis, -1)
    result = np.empty(rows.shape, object)
    length = Number(libmp.from_int(rows.shape[-1]))
    for index in np.ndindex(rows.shape[:-1]):
        row = _transform(a, list(rows[index]), 1 if inverse else -1)
        if inverse:
            row = [Complex(a.div(v.real, length), a.div(v.imag, length)) for v in row]
        result[index] = row
    return np.moveaxis(result, -1, axis)


def _fft(rank: int, inverse: bool) -> Operation:
    def transformed(a: Arithmetic, _: Node, inputs: Sequence[Values]) -> Values:
        values = inputs[0]
        for axis in range(-rank, 0):
            values = _along(a, values, axis, inverse)
        return values

    return transformed


def _fitted(values: Values, axis: int, length: int) -> Values:
    """Cut an axis to a length, or fill it up with zeros."""
    rows = np.moveaxis(values, axis, -1)[..., :length]
    missing = length - rows.shape[-1]
    zeros = np.full((*rows.shape[:-1], missing), NOTHING, object)
    return np.moveaxis(np.concatenate([rows, zeros], axis=-1), -1, axis)


def _rfft(rank: int) -> Operation:
    def transformed(a: Arithmetic, _: Node, inputs: Sequence[Values]) -> Values:
        values, lengths = paired(inputs[0]), [int(n) for n in inputs[1]]
        for axis in range(-rank, 0):
            values = _along(a, _fitted(values, axis, lengths[axis]), axis, inverse=False)
        return values[..., : lengths[-1] // 2 + 1]

    return transformed


def _irfft(rank: int) -> Operation:
    def transformed(a: Arithmetic, _: Node, inputs: Sequence[Values]) -> Values:
        values, lengths = inputs[0], [int(n) for n in inputs[1]]
        for axis in range(-rank, -1):
            values = _along(a, _fitted(values, axis, lengths[axis]), axis, inverse=True)
        length = lengths[-1]
        half = _fitted(values, -1, length // 2 + 1)
        mirrored = lift(a, conj, half[..., 1 : (length + 1) // 2][..., ::-1])
        whole = _along(a, np.concatenate([half, mirrored], axis=-1), -1, inverse=True)
        return lift(a, lambda a, x: x.real, whole)

    return transformed


_OF_RANK: Mapping[str, Callable[[int], Operation]] = {
    "FFT": partial(_fft, inverse=False),
    "IFFT": partial(_fft, inverse=True),
    "RFFT": _rfft,
    "IRFFT": _irfft,
}
SPECTRA: Mapping[str, Operation] = {
    f"{kind}{suffix}": made(rank)
    for kind, made in _OF_RANK.items()
    for rank, suffix in enumerate(("", "2D", "3D"), 1)
}
