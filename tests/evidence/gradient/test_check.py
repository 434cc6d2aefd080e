"""Wrong gradients that pass elsewhere, and the errors that are put in on purpose."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

import losscheck
from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gradient.check import check
from losscheck.evidence.gradient.summary import DROPPED, FLIPPED, SCALED, self_test
from losscheck.model import Finding
from tests.desks import desk

REAL = ("real", "(B, D)")
Backward = Callable[[tf.Tensor], tf.Tensor]


def near(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Weighs errors by what the model already gets right, and holds the weights."""
    weight = tf.stop_gradient(tf.exp(-tf.abs(y_true - y_pred)))
    return tf.reduce_mean(weight * tf.square(y_true - y_pred), axis=-1)


@tf.custom_gradient
def steep_square(x: tf.Tensor) -> tuple[tf.Tensor, Backward]:
    return tf.square(x), lambda upstream: upstream * 2.2 * x


def near_and_wrong(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    weight = tf.stop_gradient(tf.exp(-tf.abs(y_true - y_pred)))
    return tf.reduce_mean(weight * steep_square(y_true - y_pred), axis=-1)


def lc101(function: Callable[..., tf.Tensor]) -> list[Finding]:
    report = losscheck.check(function, arguments={"y_true": REAL, "y_pred": REAL}, select=["LC101"])
    return [finding for finding in report.findings if finding.code == "LC101"]


def test_a_cut_that_is_the_only_difference_is_a_warning_at_its_line() -> None:
    (finding,) = lc101(near)
    assert finding.severity == "warning"
    assert finding.location is not None
    assert "tf.stop_gradient(" in finding.location.source
    assert "tf.exp(-tf.abs(y_true - y_pred))" in finding.message


@pytest.mark.slow
def test_a_cut_excuses_no_other_fault() -> None:
    findings = lc101(near_and_wrong)
    errors = [finding for finding in findings if finding.severity == "error"]
    assert errors
    assert errors[0].location is not None
    assert "2.2 * x" in errors[0].location.source


def smoothed(x: tf.Tensor) -> tf.Tensor:
    """A running mean along the rows, by a loop that TensorFlow cannot vectorize."""
    return tf.transpose(tf.scan(lambda kept, new: 0.5 * kept + new, tf.transpose(x)))


def near_in_a_loop(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return near(y_true, smoothed(y_pred))


def near_and_wrong_in_a_loop(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return near_and_wrong(y_true, smoothed(y_pred))


@pytest.mark.slow
def test_a_cut_is_held_in_a_loss_that_cannot_be_vectorized() -> None:
    assert {finding.severity for finding in lc101(near_in_a_loop)} == {"warning"}


@pytest.mark.slow
def test_a_cut_excuses_no_other_fault_in_a_loss_that_cannot_be_vectorized() -> None:
    assert "error" in {finding.severity for finding in lc101(near_and_wrong_in_a_loop)}


def only_where(condition: Callable[[tf.Tensor], tf.Tensor]) -> Callable[..., tf.Tensor]:
    """A mean squared error whose gradient is half as large again where a condition holds."""

    @tf.custom_gradient
    def square(x: tf.Tensor) -> tuple[tf.Tensor, Backward]:
        def backward(upstream: tf.Tensor) -> tf.Tensor:
            return upstream * 2.0 * x * tf.where(condition(x), tf.cast(1.5, x.dtype), 1.0)

        return tf.square(x), backward

    def loss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(square(y_pred - y_true), axis=-1)

    return loss


@pytest.mark.parametrize(
    "condition",
    [
        lambda x: x > 2.5,
        lambda x: tf.abs(x) > 1e5,
        lambda x: tf.fill(tf.shape(x), tf.shape(x)[0] > 32),
        lambda x: tf.fill(tf.shape(x), tf.shape(x)[-1] == 1),
    ],
    ids=["region", "large", "batch", "width"],
)
def test_a_gradient_wrong_only_there_is_found(condition: Callable[[tf.Tensor], tf.Tensor]) -> None:
    findings = lc101(only_where(condition))
    assert [finding.severity for finding in findings] == ["error"]
    assert findings[0].location is not None
    assert "upstream * 2.0 * x" in findings[0].location.source


def test_a_wide_shape_is_checked_without_waiting_for_it() -> None:
    def loss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)

    wide = ("real", "(B, 3000)")
    report = losscheck.check(loss, arguments={"y_true": wide, "y_pred": wide}, select=["LC101"])
    assert report.verdict == "pass"
    assert report.gradient is not None
    assert report.gradient.largest is not None
    assert report.gradient.largest >= 12_000


def test_known_errors_are_caught_on_this_loss() -> None:
    def loss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return tf.nn.sigmoid_cross_entropy_with_logits(labels=y_true, logits=y_pred)

    made = desk(loss, y_true=("binary", "(B, D)"), y_pred=("logits", "(B, D)"))
    found = {item.fault: item for item in self_test(made.evidence, made.get("gradients"))}
    assert set(found) == {SCALED, FLIPPED, DROPPED}
    assert found[SCALED].tried > 1_000
    for item in found.values():
        assert item.caught >= 0.95 * item.tried > 0


def test_a_loss_that_drowns_in_rounding_owns_up_to_it() -> None:
    # 1e12 leaves four digits of float64's sixteen to a loss of the size of 1.
    def loss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        large = tf.cast(tf.constant(1e12, tf.float64), y_pred.dtype)
        return tf.reduce_mean(large + tf.square(y_true - y_pred), axis=-1) - large

    made = desk(loss, y_true=REAL, y_pred=REAL)
    found = {item.fault: item for item in self_test(made.evidence, made.get("gradients"))}
    assert SCALED not in found or found[SCALED].caught < 0.5 * found[SCALED].tried


def test_the_ladder_of_a_loss_that_is_no_number_of_its_own_says_so() -> None:
    made = desk(near, y_true=REAL, y_pred=REAL)
    checks = made.get("gradients")
    assert all(check.frozen[check.wrong & ~check.tie].all() for check in checks)
    assert any(np.any(check.wrong) for check in checks)


def test_an_element_that_others_drown_is_no_mismatch() -> None:
    # Beside 3e8 the steps cannot be shorter than 1e-4, and a term of 6e-8 turns within 6e-8.
    def chi_square(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        terms = tf.math.divide_no_nan(tf.square(y_true - y_pred), y_true + y_pred)
        return 0.5 * tf.reduce_sum(terms, axis=-1)

    laid = desk(chi_square, y_true=("real", "(B, D)"), y_pred=("real", "(B, D)"))
    main = laid.evidence.main
    y_true = np.zeros((1, 4, 3), np.float32)
    y_true[0, 2, 0], y_true[0, 3, 2] = -6e8, 6.1316e-8
    block = CaseBlock({"y_true": y_true, "y_pred": np.zeros_like(y_true)}, np.ones(1, np.uint8))
    assert not check(laid.evidence, main, block, 0.5).wrong.any()
