"""Changes that are read from the text of a function: sizes, reductions, clips, slopes by hand."""

from __future__ import annotations

import numpy as np
import pytest

from losscheck.advice import functions
from losscheck.advice.blamed import Blame
from losscheck.advice.functions import of_the_last_axis, taking_any_size
from losscheck.model import Direction


def pairs(function: str) -> list[dict[str, str]]:
    return [dict(change.throughout) for change in taking_any_size(function)]


def blame(expression: str, function: str = "") -> Blame:
    return Blame(
        location=None,
        op="",
        direction=Direction.BACKWARD,
        expression=expression,
        operands=(),
        operand_values=(),
        result=None,
        function=function,
    )


def test_every_squeeze_names_its_axis():
    found = pairs("def f(t, p):\n    return g(tf.squeeze(t), tf.squeeze(p), tf.squeeze(p, axis=1))")
    assert found == [
        {
            "tf.squeeze(t)": "tf.squeeze(t, axis=-1)",
            "tf.squeeze(p)": "tf.squeeze(p, axis=-1)",
        }
    ]


@pytest.mark.parametrize(
    ("old", "whole", "number"),
    [
        ("p.shape[0]", "tf.shape(p)[0]", "tf.cast(tf.shape(p)[0], p.dtype)"),
        ("len(t - p)", "tf.shape(t - p)[0]", "tf.cast(tf.shape(t - p)[0], (t - p).dtype)"),
        ("float(K.int_shape(p)[0])", "tf.shape(p)[0]", "tf.cast(tf.shape(p)[0], p.dtype)"),
        ("p.get_shape().as_list()[0]", "tf.shape(p)[0]", "tf.cast(tf.shape(p)[0], p.dtype)"),
    ],
)
def test_the_size_of_a_batch_is_asked_of_the_tensor(old: str, whole: str, number: str):
    found = pairs(f"def f(t, p):\n    return tf.reduce_sum(t - p) / {old}")
    assert found[:2] == [{old: whole}, {old: number}]


def test_shapes_that_are_handed_on_and_taken_apart():
    found = pairs("def f(t, p):\n    b, d = p.shape\n    return tf.zeros(t.shape) + p.shape.rank")
    assert found == [{"p.shape": "tf.unstack(tf.shape(p))", "t.shape": "tf.shape(t)"}]


def test_a_batch_that_is_written_as_a_number():
    found = pairs("def f(t, p):\n    return tf.reshape(p, (32, 4)) - tf.reshape(t, (4, -1))")
    assert found == [{"tf.reshape(p, (32, 4))": "tf.reshape(p, (-1, 4))"}]


def test_all_kinds_are_changed_together_last():
    found = pairs("def f(t, p):\n    return tf.squeeze(p) / p.shape[0]")
    assert found[-1] == {
        "tf.squeeze(p)": "tf.squeeze(p, axis=-1)",
        "p.shape[0]": "tf.cast(tf.shape(p)[0], p.dtype)",
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tf.reduce_mean(e, axis=0)", "tf.reduce_mean(e, axis=-1)"),
        ("keras.ops.sum(e, 0)", "keras.ops.sum(e, -1)"),
        ("tf.reduce_mean(e)", None),
        ("tf.stack(e, axis=0)", None),
    ],
)
def test_the_batch_is_kept(old: str, new: str | None):
    assert [change.new for change in of_the_last_axis(old)] == [new] * (new is not None)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tf.clip_by_value(z, -5.0, 5.0)", ["z"]),
        ("tf.minimum(z - y, 3.0)", ["z - y"]),
        ("tf.maximum(z, y)", []),
        ("tf.sigmoid(z)", []),
    ],
)
def test_a_clip_is_left_out(old: str, new: list[str]):
    assert [change.new for change in functions.unclipped(old)] == new


def test_what_cuts_a_gradient_off_is_left_out():
    first = [
        next(functions.within_graph(text)).new
        for text in ("tf.stop_gradient(p)", "tf.numpy_function(np.abs, [t - p], tf.float32)")
    ]
    assert first == ["p", "tf.abs(t - p)"]


def test_the_number_in_a_slope_is_the_one_that_differences_give():
    found = functions.with_factor(
        blame("up * 2.02 * e"), np.array([2.02, -4.04, 0.0]), np.array([2.0, -4.0, 1e-9])
    )
    assert [change.new for change in found] == ["up * 2.0 * e", "0.9901 * (up * 2.02 * e)"]


def test_a_slope_that_is_off_by_no_one_factor_is_left_alone():
    assert not [*functions.with_factor(blame("up * 2.0"), np.ones(2), np.array([1.0, 2.0]))]


def test_the_gradient_from_above_goes_in():
    function = "def grad(up):\n    return tf.tanh(e)"
    found = [change.new for change in functions.with_upstream(blame("tf.tanh(e)", function))]
    assert found == ["up * tf.tanh(e)", "up[..., None] * tf.tanh(e)"]
