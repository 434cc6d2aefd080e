"""Fourier transforms of exact numbers.

They split in half as long as the length is even, so that what cancels in them (a constant signal,
silence) cancels exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce

import numpy as np
from mpmath import libmp

from losscheck.program.exact.arithmetic import Arithmetic
from losscheck.program.exact.complex import NOTHING, Complex, add, conj, mul, paired, sub
from losscheck.program.exact.node import Node, Values
from losscheck.program.exact.number import FZERO, ONE, ZERO, Ball, Number, key_of, magnitude
from losscheck.program.exact.ops import Operation, lift


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
