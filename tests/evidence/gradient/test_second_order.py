"""Second derivatives: right, zero by right, missing, wrong and non-finite ones are told apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from losscheck.evidence import gather
from losscheck.evidence.gradient.second_order import SecondOrderCheck
from tests.desks import desk

Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
Backward = tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]
REALS = {"y_true": ("real", "(B, D)"), "y_pred": ("real", "(B, D)")}
SIGNS = {"y_true": ("sign", "(B, D)"), "y_pred": ("real", "(B, D)")}
ROWS = {"y_true": ("one_hot", "(B, C)"), "y_pred": ("logits", "(B, C)")}
SAMPLE, BATCH = 0, -1  # the checks of a faulty loss


@pytest.fixture(autouse=True)
def few_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is looked at here needs no sweep of a hundred thousand cases."""
    monkeypatch.setattr(gather, "NARROW_CASES", 4_000)
    monkeypatch.setattr(gather, "MAIN_CASES", 4_000)


def checks(function: Loss, arguments: dict[str, Any] | None = None) -> tuple[SecondOrderCheck, ...]:
    found: tuple[SecondOrderCheck, ...] = desk(function, **(arguments or REALS)).get("second_order")
    return found


def squares(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def softmax(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.nn.softmax_cross_entropy_with_logits(labels=y_true, logits=y_pred)


def log_cosh(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    error = y_pred - y_true
    return tf.reduce_mean(error + tf.math.softplus(-2.0 * error), axis=-1)


def huber(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    size = tf.abs(y_true - y_pred)
    return tf.reduce_mean(tf.where(size < 1.0, 0.5 * size * size, size - 0.5), axis=-1)


def absolute(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.abs(y_true - y_pred), axis=-1)


def hinge(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.maximum(0.0, 1.0 - y_true * y_pred), axis=-1)


def linear(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(y_true * y_pred, axis=-1)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (squares, REALS),
        (softmax, ROWS),
        pytest.param(log_cosh, REALS, marks=pytest.mark.slow),
        pytest.param(huber, REALS, marks=pytest.mark.slow),
        (absolute, REALS),
        pytest.param(hinge, SIGNS, marks=pytest.mark.slow),
        (linear, REALS),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)
def test_sound_losses_are_decided_and_right(function: Loss, arguments: dict[str, Any]) -> None:
    (check,) = checks(function, arguments)  # a batch shows no fault, so that no sample is looked at
    assert check.decided.mean() > 0.8
    assert not check.wrong_along.any()
    assert not check.nonfinite_along.any()


def test_none_is_right_for_a_linear_loss() -> None:
    (check,) = checks(linear)
    assert check.missing


def _of(square: Callable[[tf.Tensor], Backward]) -> Loss:
    def loss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.custom_gradient(square)(y_pred - y_true), axis=-1)

    return loss


def _sound(error: tf.Tensor) -> Backward:
    return tf.square(error), lambda upstream: upstream * 2.0 * error


def _stopped(error: tf.Tensor) -> Backward:
    return tf.square(error), lambda upstream: upstream * 2.0 * tf.stop_gradient(error)


def _twice(error: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return 2 * error


def _in_numpy(error: tf.Tensor) -> Backward:
    def backward(upstream: tf.Tensor) -> tf.Tensor:
        slope = tf.numpy_function(_twice, [error], error.dtype)
        return upstream * tf.ensure_shape(slope, error.shape)

    return tf.square(error), backward


def _half_stopped(error: tf.Tensor) -> Backward:
    def backward(upstream: tf.Tensor) -> tf.Tensor:
        return upstream * (error + tf.stop_gradient(error))

    return tf.square(error), backward


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _doubled(error: tf.Tensor) -> Backward:
    return 2.0 * error, lambda upstream: 3.0 * upstream


def _nested(error: tf.Tensor) -> Backward:
    return tf.square(error), lambda upstream: upstream * _doubled(error)


def test_a_custom_gradient_that_can_be_derived_is_right() -> None:
    (check,) = checks(_of(_sound))
    assert check.decided.all()
    assert not check.wrong_along.any()


@pytest.mark.parametrize(
    ("square", "op"), [(_stopped, "StopGradient"), (_in_numpy, "PyFunc")], ids=["stop", "numpy"]
)
def test_a_missing_second_derivative_names_what_cuts_it_off(
    square: Callable[[tf.Tensor], Backward], op: str
) -> None:
    found = checks(_of(square))
    assert len(found) == 2
    for check in found:
        assert check.missing
        assert check.wrong_along.any(axis=1)[check.decided].mean() > 0.9
        assert (check.cut.op, check.cut.custom) == (op, True)
        assert check.cut.location is not None


@pytest.mark.parametrize(
    ("square", "op"), [(_half_stopped, "StopGradient"), (_nested, "")], ids=["part", "nested"]
)
def test_a_wrong_second_derivative_is_no_missing_one(
    square: Callable[[tf.Tensor], Backward], op: str
) -> None:
    for check in checks(_of(square)):
        assert not check.missing
        assert check.wrong_along.any(axis=1).mean() > 0.9
        assert (check.cut.op, check.cut.custom) == (op, True)


def test_what_tensorflow_raises_is_kept() -> None:
    def refused(error: tf.Tensor) -> Backward:
        def backward(upstream: tf.Tensor) -> tf.Tensor:
            return upstream * tf.raw_ops.PreventGradient(input=2.0 * error, message="not twice")

        return tf.square(error), backward

    check = checks(_of(refused))[BATCH]
    assert "not twice" in check.error
    assert check.cut.op == "PreventGradient"


def test_a_root_under_a_guard_has_a_finite_slope_and_a_second_derivative_that_is_nan() -> None:
    def guarded(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        over = y_pred - y_true
        return tf.reduce_mean(over * tf.sqrt(tf.maximum(over, 0.0)), axis=-1)

    check = checks(guarded)[SAMPLE]
    below = (check.cases.inputs["y_pred"] < check.cases.inputs["y_true"]).reshape(-1)
    assert (check.nonfinite_along.any(axis=1) == below).mean() > 0.98
    assert not check.wrong_along.any()


def test_a_gradient_that_is_wrong_has_no_second_derivative_to_judge() -> None:
    def badly(error: tf.Tensor) -> Backward:
        return tf.square(error), lambda upstream: upstream * 2.02 * error

    for check in checks(_of(badly)):  # right where the error is 0
        labels, predictions = check.cases.inputs["y_true"], check.cases.inputs["y_pred"]
        np.testing.assert_allclose(predictions, labels, atol=1e-3)


def test_directions_are_signs_and_each_says_something_else() -> None:
    (check,) = checks(squares)
    rows = check.directions.reshape(len(check.directions), -1)
    assert set(np.unique(rows)) == {-1.0, 1.0}
    assert (rows[:, 0] == 1.0).all()
    assert len(np.unique(rows, axis=0)) == len(rows) == 3
