"""Rewritings of whole expressions, judged by float32 beside exact numbers."""

from __future__ import annotations

import ast
from functools import cache

import numpy as np
import pytest

from losscheck.rewriting import Rewriting, Spelling, leaves_in, rewritings
from losscheck.rewriting.arithmetic import error
from losscheck.rewriting.judging import Judge
from losscheck.rewriting.python import read
from tests.rewriting.expressions import LOSING, SOUND, points


@cache
def best_of(name: str) -> Rewriting | None:
    text, domains, _, _ = LOSING[name]
    return next(iter(rewritings(text, points(domains))), None)


@pytest.mark.parametrize("name", LOSING)
def test_what_loses_digits_is_rewritten(name: str) -> None:
    _, _, value, slope = LOSING[name]
    best = best_of(name)
    assert best is not None, "nothing better was found"
    assert best.value_after.mean <= value, best
    assert best.slope_after.mean <= slope, best
    ast.parse("\n".join([*best.imports, *best.statements, best.text]))


@pytest.mark.parametrize("name", LOSING)
def test_a_rewriting_is_equal_to_the_original(name: str) -> None:
    """At points that the search did not have, in exact arithmetic; a series to half an ulp."""
    text, domains, _, _ = LOSING[name]
    best = best_of(name)
    assert best is not None
    whole = best.text
    for statement in reversed(best.statements):
        left, _, right = statement.partition(" = ")
        whole = _replaced(whole, left, right)
    judge = Judge(read(text), points(domains, seed=1))
    exact = np.asarray(judge.truth.exact.of(read(whole)), float)
    truth = judge.truth.value
    assert exact[~np.isnan(truth)] == pytest.approx(truth[~np.isnan(truth)], rel=2.0**-22)


def _replaced(text: str, name: str, meaning: str) -> str:
    class Names(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return ast.parse(meaning, mode="eval").body if node.id == name else node

    return ast.unparse(Names().visit(ast.parse(text, mode="eval")))


@pytest.mark.parametrize("name", SOUND)
def test_what_is_sound_is_left_alone(name: str) -> None:
    text, domains = SOUND[name]
    assert rewritings(text, points(domains)) == []


def test_known_forms_are_found() -> None:
    def best(text: str, **domains: tuple[float, float]) -> str:
        return rewritings(text, points(domains))[0].text

    assert best("tf.exp(x) - 1.0", x=(-1, 1)) == "tf.math.expm1(x)"
    assert best("tf.math.log(1.0 + tf.exp(x))", x=(-99, 99)) == "tf.math.softplus(x)"
    assert best("1.0 - tf.cos(x)", x=(-1, 1)) == "2.0 * tf.square(tf.sin(x / 2.0))"
    assert best("tf.math.log(p + 1.0) - tf.math.log(p)", p=(1, 1e30)) == "tf.math.log1p(1.0 / p)"


def test_sums_of_exponentials_along_an_axis() -> None:
    x = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32) * 80
    text = "tf.math.log(tf.reduce_sum(tf.exp(x), axis=-1))"
    assert rewritings(text, {"x": x})[0].text == "tf.reduce_logsumexp(x, axis=-1)"
    text = "tf.exp(x) / tf.reduce_sum(tf.exp(x), axis=-1, keepdims=True)"
    assert rewritings(text, {"x": x})[0].text == "tf.nn.softmax(x, axis=-1)"
    text = "x[..., 0] - tf.math.log(tf.reduce_sum(tf.exp(x), axis=-1))"
    best = rewritings(text, {"x": x, "x[..., 0]": x[:, 0]})[0]
    assert best.text == "x[..., 0] - tf.reduce_logsumexp(x, axis=-1)"


def test_the_spelling_is_that_of_the_author() -> None:
    numbers = points({"x": (-1, 1)})
    keras = Spelling({"ops": "keras.ops"})
    assert rewritings("ops.exp(x) - 1", numbers, keras)[0].text == "ops.expm1(x)"
    bare = Spelling({"t": "tensorflow", "exp": "tensorflow.exp"})
    assert rewritings("exp(x) - 1", numbers, bare)[0].text == "t.math.expm1(x)"
    backend = Spelling({"K": "keras.backend"})
    best = rewritings("K.exp(x) - 1", numbers, backend)[0]
    assert (best.text, best.imports) == ("tf.math.expm1(x)", ("import tensorflow as tf",))


def test_leaves_stand_for_what_is_not_known() -> None:
    text = "tf.exp(net(x)[0]) - 1.0"
    assert leaves_in(text) == ("net(x)[0]",)
    numbers = points({"x": (-1, 1)})["x"]
    assert rewritings(text, {"net(x)[0]": numbers})[0].text == "tf.math.expm1(net(x)[0])"
    with pytest.raises(ValueError, match=r"no numbers for net\(x\)\[0\]"):
        rewritings(text, {"x": numbers})


def test_conditions_are_told() -> None:
    text = "tf.math.log(a / b)"
    best = rewritings(text, points({"a": (1e-30, 1e-20), "b": (1e20, 1e30)}))[0]
    assert best.text == "tf.math.log(a) - tf.math.log(b)"
    assert best.conditions == ("a > 0.0", "b > 0.0")


def test_a_condition_that_fails_somewhere_stands_in_the_way() -> None:
    numbers = points({"a": (1e-30, 1e-20), "b": (1e20, 1e30)})
    both = {name: np.concatenate([values, -values]) for name, values in numbers.items()}
    for found in rewritings("tf.math.log(a / b)", both):
        assert "a > 0.0" not in found.conditions


def test_names_of_statements_are_free() -> None:
    best = rewritings("(tf.exp(small) - 1.0) / small", {"small": points({"x": (-1, 1)})["x"]})[0]
    assert best.statements[1].startswith("small_ = tf.where(near, small, ")


def test_the_same_is_found_again() -> None:
    text, domains, _, _ = LOSING["Student"]
    assert rewritings(text, points(domains)) == rewritings(text, points(domains))


def test_no_derivative_is_lost_that_was_right() -> None:
    """The slope by the label does not matter where it is named by what to differentiate."""
    text = "y * (1.0 - tf.cos(x)) / x ** 2"
    best = rewritings(text, points({"x": (-3, 3), "y": (1, 2)}), by=["x"])[0]
    assert best.slope_after.mean < 1 < best.slope_before.mean
    assert error(np.zeros(0)).mean == 0
