"""Shapes: as a docstring gives them, and in the order in which they are tried."""

import pytest

from losscheck import shapes
from losscheck.infer.layouts import EXTRA, PAIRS, documented, layouts, with_width
from losscheck.infer.spec import BATCH, last_letter, main_sizes
from losscheck.shapes import parse

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
    assert documented(GOOGLE, NAMES) == {
        "y_true": "(B, D)",
        "y_pred": "(B, D)",
        "weights": "(B,)",
    }


def test_a_docstring_in_numpys_style_shares_its_letters():
    found = documented(NUMPY, NAMES)
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
    assert documented(f"Loss.\n\n    {line}\n", ["weights"]) == expected


def test_the_shape_of_the_next_argument_is_not_taken():
    text = "Args:\n    y_true: labels\n    weights: of shape (batch_size, 1)\n"
    assert documented(text, NAMES) == {"weights": "(B, 1)"}


def test_every_shape_that_is_read_can_be_parsed():
    for text in documented(GOOGLE + NUMPY, NAMES).values():
        assert shapes.parse(text).text == text


def test_a_pair_is_tried_with_equal_shapes_first():
    roles = {"y_pred": "y_pred", "y_true": "y_true"}
    tried = list(layouts(roles, {}))
    assert [(t["y_true"], t["y_pred"]) for t in tried] == list(PAIRS)
    assert tried[0] == {"y_pred": "(B, D)", "y_true": "(B, D)"}
    assert list(tried[0]) == ["y_pred", "y_true"]  # the order of the signature


def test_every_extra_argument_is_tried_in_every_shape_of_its_own():
    roles = {"y_true": "y_true", "y_pred": "y_pred", "w": "weight", "z": "input"}
    tried = list(layouts(roles, {}, PAIRS[:1]))
    assert len(tried) == len(EXTRA) ** 2
    assert {t["w"] for t in tried} == {t["z"] for t in tried} == set(EXTRA)


def test_what_is_fixed_stays_and_nothing_is_tried_twice():
    roles = {"y_true": "y_true", "y_pred": "y_pred", "w": "weight"}
    fixed = {"y_true": "(B, 7)", "y_pred": "(B, 7)", "w": "(7,)"}
    assert list(layouts(roles, fixed)) == [fixed]
    tried = list(layouts(roles, {"w": "(B,)"}))
    assert len(tried) == len(PAIRS)
    assert {t["w"] for t in tried} == {"(B,)"}


def test_a_width_replaces_its_letter_and_no_other():
    assert with_width({"p": "(B, D)", "w": "(D,)", "z": "(B, DD)"}, "D", 5) == {
        "p": "(B, 5)",
        "w": "(5,)",
        "z": "(B, DD)",
    }


def test_sizes_of_the_main_instance():
    pair = {"t": parse("(B, T)"), "p": parse("(B, T, D)")}
    sizes = main_sizes(pair)
    assert sizes["B"] == BATCH
    assert len({*sizes.values()}) == 3  # so that no axis is taken for another
    assert last_letter(pair) == "D"
    assert main_sizes(pair, 7) == {**sizes, "D": 7}
    assert last_letter({"p": parse("(B, 3)")}) == ""
    assert last_letter({"p": parse("(B,)")}) == ""
