"""Second opinions: asked of every gradient, and their failure is said."""

from __future__ import annotations

import attrs
import numpy as np
import tensorflow as tf

from losscheck.evidence.gradient.other_checkers import Opinions, _fewer_rows, second_opinions
from losscheck.findings.observe import opinions as said_of
from losscheck.program.second_opinion import ELEMENTS, compute_gradient, forward_slope
from tests.desks import desk

REAL = ("real", "(B, D)")


def squared(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(y_pred - y_true), axis=-1)


def _opinions(function: object) -> Opinions:
    found: Opinions = desk(function, y_true=REAL, y_pred=REAL).get("opinions")  # type: ignore[arg-type]
    return found


def test_both_agree_on_a_sound_loss() -> None:
    found = _opinions(squared)
    assert found.compute_gradient_error is not None
    assert found.compute_gradient_error < 1e-9
    assert found.forward_error is not None
    assert found.forward_error < 1e-12
    assert found.notes == ()


def test_a_failure_is_a_note() -> None:
    calls = []

    def moody(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        if calls:
            raise ValueError("no more")
        return squared(y_true, y_pred)

    laid = desk(moody, y_true=REAL, y_pred=REAL)
    checks = laid.get("gradients")
    calls.append(True)
    found = second_opinions(laid.evidence, checks)
    assert found.compute_gradient_error is None
    assert found.forward_error is None
    assert found.notes == ("tf.test.compute_gradient failed: ValueError: no more",)


def test_a_large_prediction_is_asked_about_in_fewer_rows() -> None:
    laid = desk(squared, y_true=REAL, y_pred=REAL)
    inputs = {name: np.ones((50, 20)) for name in ("y_true", "y_pred")}
    fewer = _fewer_rows(laid.evidence, inputs)
    assert fewer is not None
    assert fewer["y_pred"].shape == fewer["y_true"].shape == (3, 20)
    assert _fewer_rows(laid.evidence, {name: a[:1, :1].repeat(99, 1) for name, a in inputs.items()}
                       ) is None  # fmt: skip


def test_of_a_row_too_large_some_elements_are_moved_and_the_rest_held() -> None:
    call = desk(squared, y_true=REAL, y_pred=REAL).evidence.programs.call
    rng = np.random.default_rng(0)
    inputs = {name: rng.normal(size=(1, 100)) for name in ("y_true", "y_pred")}
    chosen = np.arange(99, 0, -1)
    found = compute_gradient(call, inputs, "float64", chosen)
    slope = (2 * (inputs["y_pred"] - inputs["y_true"]) / 100).ravel()[chosen[:ELEMENTS]]
    np.testing.assert_allclose(found.theoretical, slope)
    np.testing.assert_allclose(found.numeric, slope, atol=1e-9)


def test_a_finding_says_what_both_find() -> None:
    call = desk(squared, y_true=REAL, y_pred=REAL).evidence.programs.call
    inputs = {"y_true": np.zeros((1, 2)), "y_pred": np.ones((1, 2))}
    text = said_of(call, inputs, "float64", np.asarray([1.0, 2.0]), np.asarray([1.0, 1.0]))
    assert text == (
        "tf.test.compute_gradient gives [1., 1.]; forward mode sides with the differences"
    )
    large = {name: np.tile(array, (1, 50)) for name, array in inputs.items()}
    gradient = np.full(100, 0.02)
    gradient[70] = 1.0
    text = said_of(call, large, "float64", gradient, np.full(100, 0.02))
    assert text.startswith("tf.test.compute_gradient gives 0.02 at element 70;")


def test_forward_mode_is_not_always_to_be_had() -> None:
    def outside(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        value = tf.numpy_function(lambda x: x.sum(), [y_pred], y_pred.dtype)
        return tf.reshape(value, []) + 0.0 * tf.reduce_sum(y_true)

    call = desk(squared, y_true=REAL, y_pred=REAL).evidence.programs.call
    inputs = {"y_true": np.zeros((1, 2)), "y_pred": np.ones((1, 2))}
    assert forward_slope(attrs.evolve(call, function=outside), inputs, np.ones(2), "float64") in (
        None,
        0.0,
    )
