"""Local names written out where that is the same, and left where it might not be."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Mapping

import pytest

from losscheck.rewriting.inlining import inlined

CBRT = """
def cbrt(x):
    "The cube root."
    return tf.sign(x) * tf.pow(tf.abs(x), 1.0 / 3.0)
"""


def returned(source: str, functions: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
    """What a function returns, as it stands there and with its local names written out."""
    found = list(ast.walk(ast.parse(textwrap.dedent(source)).body[0]))
    texts = [
        (ast.unparse(n.value), n.lineno) for n in found if isinstance(n, ast.Return) and n.value
    ]
    return [(text, inlined(source, text, line, None, functions)) for text, line in texts]


def whole(source: str, **functions: str) -> str:
    [(_, found)] = returned(source, functions)
    return found


def test_names_are_written_out_through_several_statements() -> None:
    source = """
    def loss(y_true, y_pred, a, b):
        up = y_pred * (tf.exp((a + b) * y_pred) - 1.0)
        down: tf.Tensor = (tf.exp(a * y_pred) - 1.0) * (tf.exp(b * y_pred) - 1.0)
        ratio = up / down
        return tf.reduce_mean(y_true * ratio)
    """
    assert whole(source) == (
        "tf.reduce_mean(y_true * (y_pred * (tf.exp((a + b) * y_pred) - 1.0) / "
        "((tf.exp(a * y_pred) - 1.0) * (tf.exp(b * y_pred) - 1.0))))"
    )


def test_several_names_at_once() -> None:
    source = "def loss(y, p):\n    low, high = tf.sqrt(p), p + 1.0\n    return low - high"
    assert whole(source) == "tf.sqrt(p) - (p + 1.0)"


def test_a_helper_that_only_returns_is_written_out() -> None:
    source = "def loss(y, p):\n    return y * (cbrt(p + 1.0) - cbrt(p))"
    assert whole(source, cbrt=CBRT) == (
        "y * (tf.sign(p + 1.0) * tf.pow(tf.abs(p + 1.0), 1.0 / 3.0) - "
        "tf.sign(p) * tf.pow(tf.abs(p), 1.0 / 3.0))"
    )


@pytest.mark.parametrize(
    "body",
    [
        "d = p\n    d = d + 1.0\n    return d - y",  # twice assigned
        "d = p - y\n    p = p * 2.0\n    return d - p",  # made of what changes behind it
        "if flag:\n        d = p\n    else:\n        d = y\n    return d - y",
        "d = net(p)\n    return d - y",  # a call that may do anything
        "d = tf.random.normal([3])\n    return d - d",
        "for d in range(3):\n        pass\n    return d - y",
        "d = 1.0\n    def f():\n        nonlocal d\n        d = 2.0\n    f()\n    return d - y",
        "return d - y\n    d = 1.0",
        "d += 1.0\n    return d - y",
        "d, e = e, p\n    return d - y",
        "return (d := p) - y",
    ],
)
def test_what_is_not_sure_stays(body: str) -> None:
    source = f"def loss(y, p, flag=True):\n    {body}"
    for text, found in returned(source):
        assert found == text


def test_a_parameter_that_is_cast_first_is_the_cast_one() -> None:
    source = """
    def loss(y, p):
        p = tf.cast(p, tf.float32)
        d = p - y
        return d * d
    """
    assert whole(source) == "(p - y) * (p - y)"


def test_a_helper_of_the_same_name_as_a_local_one_is_another() -> None:
    source = "def loss(y, cbrt):\n    return cbrt(y)"
    assert whole(source, cbrt=CBRT) == "cbrt(y)"
    source = "def loss(y, tf):\n    return cbrt(y)"
    assert whole(source, cbrt=CBRT) == "cbrt(y)"


def test_one_expression_within_a_function() -> None:
    source = "def loss(y, p):\n    e = tf.exp(p)\n    d = e - 1.0\n    return y * d"
    assert inlined(source, "e - 1.0", 3) == "tf.exp(p) - 1.0"
    assert inlined(source, "e - 1.0", 2) == "e - 1.0"
    assert inlined("x = 1", "x - 1", 1) == "x - 1"


def test_each_return_is_written_out_by_itself() -> None:
    source = "def loss(y, p):\n    if y is None:\n        return p\n    d = p - y\n    return d"
    assert sorted(returned(source)) == [("d", "p - y"), ("p", "p")]
