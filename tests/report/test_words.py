import attrs
import numpy as np
import pytest

from losscheck.model import Expected, Finding, Location, Observed, Report
from losscheck.report import words
from losscheck.report.arrays import apart, array


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (None, None, "none"),
        (np.float32(0.1), None, "0.1"),
        (np.nextafter(np.float32(1), 0), None, "0.99999994"),  # never rounded to 1
        (1.0, 8, "1"),
        (18.420680743952367, 8, "18.420681"),
        (1e30, 8, "1e30"),
        (float("nan"), 8, "nan"),
        (-np.inf, None, "-inf"),
        (3, 8, "3"),
        (True, None, "True"),
        (np.array([[1.0, 0.0]], np.float32), None, "[[1, 0]]"),
        (np.array([[np.nan, -0.0]]), 8, "[[nan, 0]]"),
        (np.array([1, 2], np.int32), None, "[1, 2]"),
        (np.array([True]), None, "[True]"),
        (np.zeros((0, 3)), None, "[] of shape (0, 3)"),
        (np.ones((5, 7)), None, "all 1 of shape (5, 7)"),
        (np.arange(20.0), None, "[0, 1, ..., 18, 19] of shape (20,)"),
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


ALMOST_ONE = np.nextafter(np.float32(1), np.float32(0))
TWIN = np.float32(0.3)


@pytest.mark.parametrize(
    ("values", "digits"),
    [
        ([np.array([[0.0048299818, 0.63660073]], np.float32)], 6),
        ([np.array([3, 4]), np.array([True])], 6),
        ([np.array([np.nan, np.nan, np.inf, -0.0, 0.0], np.float32)], 6),
        # 6e-8 below 1: seven digits read 0.9999999, six would read 1.
        ([ALMOST_ONE], 7),
        # float32 is spaced by 3e-8 at 0.3.
        ([TWIN, np.nextafter(TWIN, np.float32(1))], 8),
        ([np.float64(0.1), np.nextafter(0.1, 1)], None),
    ],
)
def test_digits_keep_numbers_apart(values: list[object], digits: int | None) -> None:
    assert apart(values) == digits


def test_a_case_is_brief(single: Report) -> None:
    finding = single.losses[0].findings[2]
    inputs = {"y_true": np.float32([1, 0]), "y_pred": np.float32([0.0048299818, 0.63660073])}
    assert words.case(attrs.evolve(finding, inputs=inputs)) == [
        "y_true [1, 0]",
        "y_pred [0.00482998, 0.636601]",
    ]
    inputs["y_pred"][1] = ALMOST_ONE
    assert words.case(attrs.evolve(finding, inputs=inputs))[1] == "y_pred [0.004829982, 0.9999999]"


def results(finding: Finding, observed: float, expected: float) -> tuple[list[str], list[str]]:
    both = {"observed": Observed(value=observed), "expected": Expected(value=expected)}
    changed = attrs.evolve(finding, **both)
    return words.observed(changed), words.expected(changed)


def test_results_differ_where_their_numbers_do(single: Report) -> None:
    finding = single.losses[0].findings[2]
    assert results(finding, 4.9728769, 0.9928106) == (["loss 4.97288"], ["loss 0.992811"])
    assert results(finding, 1.2345674, 1.2345671) == (["loss 1.2345674"], ["loss 1.2345671"])
    # What float32 cannot tell apart says nothing: 8 digits are all that it has here.
    assert results(finding, 1.70249998, 1.702499984) == (["loss 1.7025"], [])


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("my_package/losses.py", "my_package/losses.py:3"),
        ("/opt/venv/lib/python3.11/site-packages/keras/src/losses.py", "keras/src/losses.py:3"),
        (".venv/lib/python3/dist-packages/keras/losses.py", "keras/losses.py:3"),
        (r"C:\venv\Lib\site-packages\keras\losses.py", r"keras\losses.py:3"),
    ],
)
def test_a_file_of_an_installed_package_is_named_from_the_package_on(file: str, text: str) -> None:
    location = Location(file=file, line=3, column=None, end_column=None, source="", op="")
    assert words.place(location) == text
