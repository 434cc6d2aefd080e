"""Numbers at which formulas break, whatever the domain."""

from __future__ import annotations

import numpy as np

from losscheck.domains.floats import float_format
from losscheck.model import Array

# Each number with the fault that it meets, in float32 unless said otherwise.
_SIZES = (
    1e-30,  # its square is 0
    1e-18,  # its square is near the smallest normal number
    1e-8,  # 1 - x rounds to 1; lost as an epsilon in half types
    1e-7,  # Keras' epsilon, about half an ulp of 1
    1e-4,
    1e-3,
    0.5,
    1.0,
    2.0,
    10.0,
    20.0,  # sigmoid(x) rounds to 1
    88.0,  # exp(x) is still finite
    89.0,  # exp(x) overflows
    100.0,
    104.0,  # exp(-x) is 0, subnormals included
    700.0,  # exp(x) is still finite in float64
    1e3,  # exp(x) overflows in float64
    1e4,
    1e9,
    1e18,  # its square is still finite
    1e19,
    1e20,  # its square overflows
    1e30,
)
_BELOW_ONE = (1e-8, 2.0**-24, 1e-7, 1e-4, 1e-3)  # x with 1 - x a saturated probability


def landmarks(dtype: str) -> Array:
    """All landmark numbers of a float type, of both signs.

    Parameters
    ----------
    dtype
        A key of `floats.FORMATS`.

    Returns
    -------
    Array
        (k,) float64: both zeros, subnormals, the smallest normal number, the neighbours of 1, the
        arguments at which exp, squares and 1 - x saturate, and the largest number.
    """
    fmt = float_format(dtype)
    sizes = [0.0, fmt.subnormal, fmt.tiny, fmt.eps, fmt.largest, *_SIZES]
    sizes += [1.0 - x for x in (*_BELOW_ONE, fmt.eps, fmt.eps / 2)]
    sizes += [1.0 + fmt.eps]
    positive = np.unique([size for size in sizes if size <= fmt.largest])
    return np.concatenate([-positive[::-1], positive])
