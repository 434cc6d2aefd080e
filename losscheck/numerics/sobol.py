"""Sobol's points, as SciPy scrambles them, without the second that importing `scipy.stats` takes.

The direction numbers (Joe and Kuo's) are read from the file that SciPy keeps them in; where another
version of SciPy keeps them otherwise, it is asked for the points themselves, which are the same.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

import numpy as np

from losscheck.model import Array

BITS = 30  # of a coordinate
_NUMBERS = Path("stats", "_sobol_direction_numbers.npz")


def points(exponent: int, dimensions: int, rng: np.random.Generator) -> Array:
    """The first 2**exponent points of the sequence, scrambled.

    Parameters
    ----------
    dimensions
        Number of coordinates, at least 1.
    rng
        Settles the scrambling.

    Returns
    -------
    Array
        (2**exponent, dimensions) float64 in [0, 1).
    """
    numbers = _direction_numbers()
    if numbers is None:
        from scipy.stats import qmc

        drawn: Array = qmc.Sobol(dimensions, seed=rng).random_base2(exponent)
        return drawn
    (own,) = rng.spawn(1)  # as SciPy does: the caller's generator is not drawn from
    shift = own.integers(2, size=(dimensions, BITS), dtype=np.uint32)
    mixing = np.tril(own.integers(2, size=(dimensions, BITS, BITS), dtype=np.uint32))
    mixing[:, np.arange(BITS), np.arange(BITS)] = 1
    directions = _mixed(_directions(*numbers, dimensions), mixing)
    found = np.empty((1 << exponent, dimensions), np.uint32)
    found[0] = shift @ (np.uint32(1) << np.arange(BITS, dtype=np.uint32))
    for k in range(exponent):  # Gray code: each power of two repeats those before it backwards
        size = 1 << k
        np.bitwise_xor(found[size - 1 :: -1], directions[:, k], out=found[size : 2 * size])
    return found * 2.0**-BITS


@functools.cache
def _direction_numbers() -> tuple[Array, Array] | None:
    """Primitive polynomials, and the first direction numbers of each dimension."""
    scipy = importlib.util.find_spec("scipy")
    if scipy is None or scipy.origin is None:
        return None
    try:
        with np.load(Path(scipy.origin).parent / _NUMBERS) as file:
            return file["poly"].astype(np.int64), file["vinit"].astype(np.int64)
    except (OSError, KeyError, ValueError):
        return None


def _directions(polynomials: Array, first: Array, dimensions: int) -> Array:
    """(dimensions, BITS) direction numbers, each by the recurrence of its polynomial."""
    found = np.ones((dimensions, BITS), np.int64)
    for row in range(1, dimensions):
        polynomial = int(polynomials[row])
        degree = polynomial.bit_length() - 1
        numbers = [int(number) for number in first[row, :degree]]
        for j in range(degree, BITS):
            new = numbers[j - degree]
            for k in range(1, degree + 1):
                if polynomial >> (degree - k) & 1:
                    new ^= numbers[j - k] << k
            numbers.append(new)
        found[row] = numbers[:BITS]
    return (found << np.arange(BITS - 1, -1, -1)).astype(np.uint32)


def _mixed(directions: Array, mixing: Array) -> Array:
    """Multiply the bits of direction numbers, the highest first, with a matrix a dimension."""
    places = np.arange(BITS - 1, -1, -1, dtype=np.uint32)
    bits = directions[:, :, None] >> places & np.uint32(1)  # (dimensions, BITS, bit)
    turned = (bits.astype(np.float32) @ mixing.astype(np.float32).swapaxes(1, 2)).astype(np.uint32)
    packed: Array = ((turned & np.uint32(1)) << places).sum(axis=2, dtype=np.uint32)
    return packed
