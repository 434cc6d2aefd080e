import numpy as np
import pytest

from losscheck.report import words
from losscheck.report.arrays import array


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (None, None, "none"),
        (np.float32(0.1), None, "0.1"),
        (np.nextafter(np.float32(1), 0), None, "0.99999994"),  # never rounded to 1
        (1.0, 8, "1.0"),
        (18.420680743952367, 8, "18.420681"),
        (1e30, 8, "1e+30"),
        (float("nan"), 8, "nan"),
        (-np.inf, None, "-inf"),
        (3, 8, "3"),
        (True, None, "True"),
        (np.array([[1.0, 0.0]], np.float32), None, "[[1., 0.]]"),
        (np.array([[np.nan, -0.0]]), 8, "[[nan, -0.]]"),
        (np.array([1, 2], np.int32), None, "[1, 2]"),
        (np.array([True]), None, "[True]"),
        (np.zeros((0, 3)), None, "[]"),
        (np.ones((5, 7)), None, "all 1.0 of shape (5, 7)"),
        (np.arange(20.0), None, "[0., 1., ..., 18., 19.] of shape (20,)"),
        (
            np.arange(30).reshape(5, 6),
            None,
            "[[0, 1, ..., 4, 5], ..., [24, 25, ..., 28, 29]] of shape (5, 6)",
        ),
    ],
)
def test_array(value: object, digits: int | None, text: str) -> None:
    assert array(value, digits) == text


@pytest.mark.parametrize(
    ("number", "word", "text"),
    [
        (1, "loss", "1 loss"),
        (2, "loss", "2 losses"),
        (0, "case", "0 cases"),
        (1200, "x", "1,200 xs"),
    ],
)
def test_plural(number: int, word: str, text: str) -> None:
    assert words.plural(number, word) == text


def test_clean_keeps_columns_and_lines() -> None:
    assert words.clean("a\tb\r\nc\x1b[2J\x00") == "a b\nc\\x1b[2J\\x00"
