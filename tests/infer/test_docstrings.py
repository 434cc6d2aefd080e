"""What docstrings say of arguments: shapes, intervals, and single numbers."""

import pytest

from losscheck.infer.known import floats_in, intervals_in, shapes_in
from losscheck.settings import shapes
from losscheck.settings.shapes import parse

NAMES = ("y_true", "y_pred", "weights")

GOOGLE = """A weighted loss.

Args:
    y_true: Ground truth of shape (batch_size, num_outputs).
    y_pred (tf.Tensor): the prediction, shape [batch_size, num_outputs]
    weights: one a sample (shape: (batch_size,))

Returns:
    A tensor of shape (batch_size, 7).
"""

NUMPY = """A weighted loss.

Parameters
----------
y_true : tf.Tensor
    Labels, shape (B, T, F).
y_pred : tf.Tensor of shape (B, T, F)
weights : tf.Tensor
    One a feature. Shape: (F,)
"""


def test_a_docstring_in_googles_style():
    assert shapes_in(GOOGLE, NAMES) == {
        "y_true": "(B, D)",
        "y_pred": "(B, D)",
        "weights": "(B,)",
    }


def test_a_docstring_in_numpys_style_shares_its_letters():
    found = shapes_in(NUMPY, NAMES)
    assert found["y_true"] == found["y_pred"]
    batch, _, feature = parse(found["y_true"]).dims
    assert batch == "B"
    assert parse(found["weights"]).dims == (feature,)


@pytest.mark.parametrize(
    ("line", "shape"),
    [
        ("weights: shape (batch_size,)", "(B,)"),
        ("weights: shape=(None, 1)", "(B, 1)"),
        ("weights: with shape `(N, C)`", "(B, D)"),
        ("weights: of Shape [bs, 3]", "(B, 3)"),
        ("**weights**: shape (-1, 1)", "(B, 1)"),
        ("weights: shape (n_samples, height, width, 3)", "(B, D, T, 3)"),
        ("weights: of shape (classes,)", "(D,)"),
        ("weights: of shape (batch_size, ...)", None),
        ("weights: of shape (batch_size, 2 * dim)", None),
        ("weights: of the same shape as y_true", None),
        ("weights: one number a sample", None),
        ("other_weights: shape (batch_size,)", None),
        ("the weights have shape (batch_size,)", None),
    ],
)
def test_what_a_line_says(line, shape):
    expected = {} if shape is None else {"weights": shape}
    assert shapes_in(f"Loss.\n\n    {line}\n", ["weights"]) == expected


def test_the_shape_of_the_next_argument_is_not_taken():
    text = "Args:\n    y_true: labels\n    weights: of shape (batch_size, 1)\n"
    assert shapes_in(text, NAMES) == {"weights": "(B, 1)"}


def test_every_shape_that_is_read_can_be_parsed():
    for text in shapes_in(GOOGLE + NUMPY, NAMES).values():
        assert shapes.parse(text).text == text


@pytest.mark.parametrize(
    ("line", "interval"),
    [
        ("q: Float in range `(0, 1)`. The noise.", "(0, 1)"),
        ("q: a number in [0, 0.5]", "[0, 0.5]"),
        ("q (float): lies within the interval (-1, 1).", "(-1, 1)"),
        ("q : float in (0, inf)", "(0, inf)"),
        ("q: between the ends of [-1e-3, 1)", "[-0.001, 1)"),
        ("q: of shape (2, 3)", None),
        ("q: a pair such as (0, 1)", None),
        ("q: in the order (1, 0)", None),  # no interval
        ("q: in steps of 0.1, say (0, 1)", None),
        ("other: in (0, 1)", None),
    ],
)
def test_the_interval_that_a_line_gives(line, interval):
    expected = {} if interval is None else {"q": interval}
    assert intervals_in(f"Loss.\n\n    {line}\n", ["q"]) == expected


@pytest.mark.parametrize(
    ("line", "single"),
    [
        ("q: Float in range `(0, 1)`.", True),
        ("q (float): the noise", True),
        ("q : float, optional", True),
        ("q: `float`, the noise", True),
        ("q: float tensor of weights", False),
        ("q: float32 weights", False),
        ("q: weights, each a float", False),
    ],
)
def test_what_is_one_number(line, single):
    assert floats_in(f"Loss.\n\n    {line}\n", ["q"]) == (("q",) if single else ())
