"""Custom gradients that are wrong now and then: in a region, for some shapes, in one mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import tensorflow as tf

import losscheck
from tests.desks import desk
from tests.verdicts import found

REAL = ("real", "(B, D)")
XLA_CAST = 2**31 - 1  # XLA's cast to int32 stops at the largest number, TensorFlow's wraps
Wrong = Callable[[tf.Tensor, tf.Tensor], Any]  # error, prediction -> where the gradient is off


def _loss(wrong: Wrong) -> Callable[..., Any]:
    def loss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        @tf.custom_gradient
        def square(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
            def backward(upstream: tf.Tensor) -> tf.Tensor:
                return upstream * 2.0 * x * (1.0 + 0.01 * tf.cast(wrong(x, y_pred), x.dtype))

            return tf.square(x), backward

        return tf.reduce_mean(square(y_pred - y_true))

    return loss


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda x, pred: pred > 2.5, id="region"),
        pytest.param(lambda x, pred: tf.abs(x) > 1e5, id="large"),
        pytest.param(lambda x, pred: x.shape[0] > 3, id="batch-over-3"),
        pytest.param(lambda x, pred: x.shape[0] > 32, id="batch-over-32"),
        pytest.param(lambda x, pred: x.shape[0] == 1, id="batch-of-1"),
        pytest.param(lambda x, pred: x.shape[-1] == 1, id="width-of-1"),
    ],
)
def test_one_wrong_in_a_part_is_found_among_the_usual_points(wrong: Wrong) -> None:
    checks = desk(_loss(wrong), y_true=REAL, y_pred=REAL).get("gradients")
    assert any(check.wrong.any() for check in checks)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda x, pred: x.shape[0] == 3, id="batch-of-3"),
        pytest.param(lambda x, pred: x.shape[-1] == 2, id="width-of-2"),
        pytest.param(lambda x, pred: x.shape[-1] > 9, id="width-over-9"),
    ],
)
def test_one_wrong_at_other_sizes_is_found_at_those(wrong: Wrong) -> None:
    laid = desk(_loss(wrong), y_true=REAL, y_pred=REAL)
    assert not any(check.wrong.any() for check in laid.get("gradients"))
    assert any(check.wrong.any() for check in laid.get("sized"))


def test_a_right_one_is_right_at_all_sizes() -> None:
    assert desk(_loss(lambda x, pred: False), y_true=REAL, y_pred=REAL).get("sized") == ()


def test_no_size_is_tried_without_a_custom_gradient() -> None:
    laid = desk(lambda y_true, y_pred: tf.abs(y_true - y_pred), y_true=REAL, y_pred=REAL)
    assert laid.get("sized") == ()


def test_the_line_is_named_at_other_sizes_too() -> None:
    report = losscheck.check(
        _loss(lambda x, pred: x.shape[0] > 32),
        arguments={"y_true": REAL, "y_pred": REAL},
        select=("LC101",),
    )
    (finding,) = found(report, "LC101", "error", "return upstream * 2.0 * x")
    assert finding.inputs["y_pred"].shape == (65, 5)  # a training batch: infer.spec.wide_sizes


def test_a_gradient_that_differs_in_one_mode_alone_is_a_matter_of_modes() -> None:
    def half_as_large_again(x: tf.Tensor, _: tf.Tensor) -> tf.Tensor:
        capped = tf.cast(tf.abs(x) * 1e10, tf.int32) == XLA_CAST
        return 50 * tf.cast(capped, tf.int32)

    loss = _loss(half_as_large_again)
    report = losscheck.check(
        loss, arguments={"y_true": REAL, "y_pred": REAL}, select=("LC101", "LC503")
    )
    assert not found(report, "LC101")
    assert found(report, "LC503", "error", "return upstream * 2.0 * x")
    assert {finding.mode for finding in report.findings} == {"xla"}


def test_one_that_asks_whether_it_is_traced_is_called_eagerly() -> None:
    report = losscheck.check(
        _loss(lambda x, pred: 50 * tf.executing_eagerly()),
        arguments={"y_true": REAL, "y_pred": REAL},
        select=("LC101", "LC503"),
    )
    (finding,) = report.findings
    assert (finding.code, finding.mode, finding.severity) == ("LC503", "eager", "error")
    assert finding.location is not None
    assert "return upstream * 2.0 * x" in finding.location.source
