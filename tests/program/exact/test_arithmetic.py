"""The numbers behind the exact evaluator: errors stay within their bounds, saturation keeps digits.

References are mpmath's own functions at a precision far beyond the one under test.
"""

from __future__ import annotations

import math
import random

import mpmath
import numpy as np
import pytest

from losscheck.program.exact.arithmetic import Arithmetic
from losscheck.program.exact.number import (
    NEVER,
    ONE,
    ZERO,
    Undecided,
    from_float,
    from_int,
    same,
)

DIGITS = 50
REFERENCE_DIGITS = 700  # far beyond DIGITS, and fast

REFERENCES = {
    "lgamma": lambda x: mpmath.loggamma(x).real,
    "reciprocal": lambda x: 1 / x,
    "rsqrt": lambda x: 1 / mpmath.sqrt(x),
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
}
FUNCTIONS = [
    *("acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "digamma", "erf", "erfc"),
    *("exp", "expm1", "log", "log1p", "sin", "sinh", "sqrt", "tan", "tanh", *REFERENCES),
]
SCALES = (1e-30, 1e-8, 1e-3, 0.3, 1.0, 3.0, 30.0, 700.0)


@pytest.fixture
def a():
    return Arithmetic(DIGITS)


def value(a, number):
    """The number as mpmath has it, and the bound of its error."""
    raw, error = a.total(number)
    return mpmath.mp.make_mpf(raw), (mpmath.mpf(0) if error == NEVER else mpmath.ldexp(1, error))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_error_bounds_hold(a, name):
    """Exact and rounded arguments alike: the truth is within the bound, and that is narrow."""
    draw = random.Random(name)
    reference = REFERENCES.get(name, getattr(mpmath, name, None))
    for scale in SCALES:
        point = draw.uniform(-scale, scale)
        for factor in (ONE, a.exp(from_float(0.7))):
            with mpmath.workdps(REFERENCE_DIGITS):
                argument = mpmath.mpf(point) * (1 if factor is ONE else mpmath.exp(mpmath.mpf(0.7)))
                expected = reference(argument)
                number = getattr(a, name)(a.mul(factor, from_float(point)))
                found, bound = value(a, number)
                if isinstance(expected, mpmath.mpc):
                    assert mpmath.isnan(found)
                    continue
                assert abs(found - expected) <= bound
                assert bound <= abs(expected) * mpmath.mpf(10) ** -40 or number.known


def test_saturation_keeps_its_digits(a):
    """1 - tanh(1e4) = 2 e**-2e4 / (1 + e**-2e4): 8686 zeros behind the point, then digits."""
    found, _ = value(a, a.sub(ONE, a.tanh(from_float(1e4))))
    with mpmath.workdps(40):
        assert abs(found / (2 * mpmath.exp(-20000)) - 1) < mpmath.mpf(10) ** -35


def test_equal_computations_cancel_exactly(a):
    """Two logarithms of one number differ by 0 and not by rounding; so do a*b and b*a."""
    x, y = a.log(from_float(0.3)), a.exp(from_float(0.3))
    assert same(a.sub(x, a.log(from_float(0.3))), ZERO)
    assert same(a.sub(a.mul(x, y), a.mul(y, x)), ZERO)
    assert same(a.div(a.neg(x), x), from_int(-1))


def test_order_of_what_rounding_hides(a):
    """(1/3) * 3 is 1 and no precision proves it; a third is surely below a half."""
    third = a.div(ONE, from_int(3))
    with pytest.raises(Undecided):
        a.compare(a.mul(third, from_int(3)), ONE)
    assert a.compare(third, from_float(0.5)) == -1


@pytest.mark.parametrize("exponent", [-3.0, -0.5, 0.0, 0.5, 2.0, 3.0, float("inf"), -float("inf")])
@pytest.mark.parametrize("base", [0.0, 0.25, 1.0, 4.0, -2.0, float("inf"), -float("inf")])
def test_powers_as_ieee(a, base, exponent):
    """Against NumPy's pow; 2**-0.5 does not occur, so that every finite power here is exact."""
    with np.errstate(all="ignore"):
        expected = float(np.power(base, exponent))
    found, bound = value(a, a.pow(from_float(base), from_float(exponent)))
    if np.isnan(expected):
        assert mpmath.isnan(found)
    else:
        assert found == expected or abs(found - expected) <= bound


@pytest.mark.parametrize("x", [-2.5, -1.5, -0.5, -0.2, 0.0, 0.5, 0.7, 1.5, 2.5, 3.0])
def test_rounding(a, x):
    """Against Python's own floor, ceil, trunc and half-to-even round."""
    for ours, python in (("floor", math.floor), ("ceil", math.ceil), ("trunc", math.trunc)):
        assert value(a, getattr(a, ours)(from_float(x)))[0] == python(x)
    assert value(a, a.round(from_float(x)))[0] == round(x)
