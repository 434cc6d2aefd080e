"""Python read as an expression and written back."""

from __future__ import annotations

import ast

import pytest

from losscheck.rewriting.expressions import Leaf, leaves_of
from losscheck.rewriting.python import Spelling, imports, read, write


@pytest.mark.parametrize(
    "text",
    [
        "tf.exp(x) - 1.0",
        "a - (b - c)",
        "a - b - c",
        "a + (b - c)",
        "a * (b * c)",
        "a * (b / c)",
        "a / (b * c)",
        "a / b / c",
        "a / b * c",
        "-x ** 2",
        "(-x) ** 2",
        "(a ** b) ** c",
        "a ** b ** c",
        "2.0 ** -x",
        "-(a * b)",
        "-(a + b)",
        "a - -b",
        "tf.where(x > 0.0, x, -x)",
        "tf.reduce_sum(tf.exp(x), axis=-1, keepdims=True)",
        "tf.math.reduce_logsumexp(x, axis=[1, 2])",
        "K.log(p) * ops.expm1(q)",
        "(a if b else c) * 2.0",
        "f(x)[0] * self.scale",
        "tf.math.divide(a, b)",
        "x[..., 0] - x[..., 1]",
    ],
)
def test_what_is_written_is_what_was_read(text: str) -> None:
    spelling = Spelling()
    node = read(text, spelling)
    assert read(write(node, spelling)) == node


def test_order_of_evaluation_is_kept() -> None:
    for text in ("a + (b - c)", "a * (b / c)", "a * (b * c)", "a - (b + c)"):
        assert write(read(text)) == text


@pytest.mark.parametrize(
    ("text", "leaves"),
    [
        ("tf.exp(x) - 1.0", {"x"}),
        ("tf.cast(x, tf.float32) * y.z", {"tf.cast(x, tf.float32)", "y.z"}),
        ("torch.exp(x)", {"torch.exp(x)"}),
        ("exp(x)", {"exp(x)"}),
        ("net.exp(x)", {"net.exp(x)"}),
        ("tf.exp(*x)", {"tf.exp(*x)"}),
        ("tf.reduce_sum(x, axis=k)", {"tf.reduce_sum(x, axis=k)"}),
        ("tf.math.pi * x", {"tf.math.pi", "x"}),
        ("a @ b", {"a @ b"}),
        ("x > y", {"x", "y"}),
    ],
)
def test_what_is_not_known_is_a_leaf(text: str, leaves: set[str]) -> None:
    assert {leaf.text for leaf in leaves_of(read(text))} == leaves


def test_names_of_the_module_are_asked() -> None:
    bare = Spelling({"exp": "tensorflow.exp", "t": "tensorflow"})
    node = read("exp(x) - t.math.log(y)", bare)
    assert leaves_of(node) == {Leaf("x"), Leaf("y")}
    assert write(node, bare) == "exp(x) - t.math.log(y)"
    assert write(read("tf.math.log1p(x)"), bare) == "t.math.log1p(x)"


def test_keras_is_written_as_keras() -> None:
    keras = Spelling({"ops": "keras.ops"})
    node = read("ops.log(ops.sum(ops.exp(x), axis=-1))", keras)
    assert write(node, keras) == "ops.log(ops.sum(ops.exp(x), axis=-1))"
    assert write(read("tf.asin(tf.math.log1p(x))"), keras) == "ops.arcsin(ops.log1p(x))"
    both = Spelling({"keras": "keras"})
    assert write(read("tf.math.expm1(x)"), both) == "keras.ops.expm1(x)"


def test_a_missing_module_is_asked_for() -> None:
    backend = Spelling({"K": "keras.backend"})
    node = read("tf.math.log1p(x)")
    assert write(node, backend) == "tf.math.log1p(x)"
    assert imports(node, backend) == ("import tensorflow as tf",)
    assert imports(node, Spelling()) == ()


def test_numbers_are_written_as_people_write_them() -> None:
    texts = ("x + 1e-7", "x ** 2", "x * (1.0 / 3.0)", "x - 0.1", "x * 1e30")
    for text in texts:
        assert write(read(text)) == text
        ast.parse(write(read(text)))


def test_every_function_is_in_tensorflow_and_keras() -> None:
    import operator

    import keras
    import tensorflow as tf

    from losscheck.rewriting.functions import FUNCTIONS, REDUCTIONS
    from losscheck.rewriting.python import spellings

    for name in [*FUNCTIONS, *REDUCTIONS, "where"]:
        tensorflow, ours = spellings(name)
        assert callable(operator.attrgetter(tensorflow)(tf)), name
        assert hasattr(keras.ops, ours) or name in NOT_IN_KERAS, name


NOT_IN_KERAS = {"erfc", "xlogy"}  # nothing that an identity brings in
