"""Normal forms, what is made shorter, and series."""

from __future__ import annotations

import numpy as np
import pytest
from mpmath import mp

from losscheck.rewriting.expressions import Leaf
from losscheck.rewriting.polynomials import polynomial, together
from losscheck.rewriting.power_series import NoSeriesError
from losscheck.rewriting.python import read, write
from losscheck.rewriting.simplifying import simplify, tidy
from losscheck.rewriting.splits import series


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("(x + 1) - x", "1.0"),
        ("((x + 1) - x) / x", "1.0 / x"),
        ("b * b - (b * b - 4 * a * c)", "4.0 * a * c"),
        ("4 * a * c / (2 * a * (b + d))", "2.0 * c / (b + d)"),
        ("1 / (x + 1) - 2 / x + 1 / (x - 1)", "2.0 / ((x + 1.0) * (x - 1.0) * x)"),
        ("(tf.exp(2 * x) - 1) / (tf.exp(x) - 1)", "tf.exp(x) + 1.0"),
        ("tf.exp(x) * tf.exp(-x)", "1.0"),
        ("tf.sqrt(x) * tf.sqrt(x)", "x"),
        ("tf.math.log(tf.exp(x + 0.0))", "x"),
        ("x + y + 1", "x + y + 1.0"),
    ],
)
def test_what_is_made_shorter(text: str, short: str) -> None:
    assert write(simplify(read(text))) == short


def test_a_root_of_a_square_is_no_plain_number() -> None:
    assert write(simplify(read("tf.sqrt(x * x) - x"))) == "tf.sqrt(tf.square(x)) - x"


def test_one_fraction_line() -> None:
    text = write(together(polynomial(read("1 / tf.sqrt(x) - 1 / tf.sqrt(x + 1)"))))
    assert text == "(tf.sqrt(x + 1.0) - tf.sqrt(x)) / (tf.sqrt(x + 1.0) * tf.sqrt(x))"


def test_signs_come_to_the_front() -> None:
    assert write(tidy(read("y * -(-x / 2) * -1"))) == "-(y * (x / 2.0))"
    assert write(tidy(read("a + -1.0 * b - (-2.0)"))) == "a - b + 2.0"


@pytest.mark.parametrize(
    ("text", "lowest", "coefficients"),
    [
        ("tf.exp(x) - 1 - x", 2, [1 / 2, 1 / 6, 1 / 24]),
        ("1 / x - 1 / tf.tan(x)", 1, [1 / 3, 0, 1 / 45]),
        ("(x - tf.sin(x)) / (x - tf.tan(x))", 0, [-1 / 2, 0, 9 / 40]),
        ("tf.math.log1p(x) / x", 0, [1, -1 / 2, 1 / 3]),
        ("tf.sqrt(1 + x) - 1", 1, [1 / 2, -1 / 8, 1 / 16]),
        ("tf.atan(x) - tf.asin(x)", 3, [-1 / 2, 0, 1 / 8]),
        ("tf.math.erf(x) * tf.math.softplus(x)", 1, [2 / mp.sqrt(mp.pi) * mp.log(2)]),
        ("tf.tanh(x) - tf.sigmoid(x) + 0.5", 1, [3 / 4]),
        ("(1 + x) ** 0.5 ** 2", 0, [1, 1 / 4]),
    ],
)
def test_series(text: str, lowest: int, coefficients: list[float]) -> None:
    found = series(read(text), Leaf("x"), 0)
    assert found.lowest == lowest
    given = [float(found.at(lowest + k)) for k in range(len(coefficients))]
    assert given == pytest.approx([float(c) for c in coefficients], rel=1e-12)


def test_a_series_about_another_point() -> None:
    found = series(read("x - tf.math.log(x) - 1"), Leaf("x"), 1)
    assert [float(found.at(k)) for k in (2, 3, 4)] == pytest.approx([1 / 2, -1 / 3, 1 / 4])


@pytest.mark.parametrize(
    "text", ["tf.math.log(x)", "tf.abs(x)", "tf.sqrt(x)", "y * x", "tf.acosh(x)"]
)
def test_where_there_is_no_series(text: str) -> None:
    with pytest.raises(NoSeriesError):
        series(read(text), Leaf("x"), 0)


def test_series_are_right_beyond_the_first_terms() -> None:
    text = "tf.sinh(x) * tf.cosh(x) / (tf.exp(x) + tf.math.expm1(x) + 1) - tf.asinh(x) * tf.cos(x)"
    found = series(read(text), Leaf("x"), 0)
    x = 0.05
    total = sum(float(found.at(k)) * x**k for k in range(20))
    wanted = np.sinh(x) * np.cosh(x) / (2 * np.exp(x)) - np.arcsinh(x) * np.cos(x)
    assert total == pytest.approx(wanted, rel=1e-12)
