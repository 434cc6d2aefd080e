"""Float32 gradients by comparison: lost digits are told from a formula that float32 alone has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

import losscheck
from losscheck.evidence.gradient.float32 import Float32Gradients, median_digits
from tests.desks import desk
from tests.verdicts import errors, found

REAL = ("real", "(B, D)")


def _float32(function: Callable[..., Any], domain: str = "real") -> Sequence[Float32Gradients]:
    pair = (domain, "(B, D)")
    gathered: Sequence[Float32Gradients] = desk(function, y_true=pair, y_pred=pair).get("float32")
    return gathered


def squared(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(y_pred - y_true))


def two_faced(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """A custom gradient that is right in float64, where others would look."""

    @tf.custom_gradient
    def square(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        def backward(upstream: tf.Tensor) -> tf.Tensor:
            if x.dtype == tf.float32:
                return upstream * 2.02 * x
            return upstream * 2.0 * x

        return tf.square(x), backward

    return tf.reduce_mean(square(y_pred - y_true))


def cancelling(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """A slope of 1 - cos(x) as it should not be written: right, and lost near 0 in float32."""
    x = (y_pred - y_true) / 100.0
    return tf.reduce_mean(x - tf.sin(x))


def test_a_sound_loss_keeps_its_digits() -> None:
    parts = _float32(squared)
    digits = median_digits(parts)
    assert digits is not None
    assert digits > 6.5
    assert not any(part.wrong.any() or part.lost.any() for part in parts)


def test_lost_digits_are_no_wrong_formula() -> None:
    parts = _float32(cancelling)
    assert any(part.lost.any() for part in parts)
    assert not any(part.wrong.any() for part in parts)
    lost = np.concatenate([part.explained[part.lost] for part in parts])
    assert np.isfinite(lost).all()


def rounded(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """A slope whose constant is rounded in float32, as 2 / sqrt(pi) is in that of erf."""

    @tf.custom_gradient
    def square(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        slope = 2.0002 if x.dtype == tf.float32 else 2.0
        return tf.square(x), lambda upstream: upstream * slope * x

    return tf.reduce_mean(square(y_pred - y_true))


def test_constants_that_a_graph_rounds_are_no_wrong_formula() -> None:
    # Off by 1e-4, where a gradient is verified to 1e-3; 2.02 in two_faced is off by 1e-2.
    parts = _float32(rounded)
    assert any(part.lost.any() for part in parts)
    assert not any(part.wrong.any() for part in parts)


def test_a_formula_that_float32_alone_has_is_found_at_its_line() -> None:
    report = losscheck.check(
        two_faced, arguments={"y_true": REAL, "y_pred": REAL}, select=("LC101",)
    )
    (finding,) = found(report, "LC101", "error", "upstream * 2.02 * x")
    assert finding.dtype == "float32"
    assert "something else in float32" in finding.cause
    assert report.gradient is not None
    assert report.gradient.float32_digits is not None
    assert report.gradient.float32_digits < 3


def test_what_float64_has_wrong_as_well_is_told_once() -> None:
    def twice(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return two_faced(tf.cast(y_true, tf.float32), tf.cast(y_pred, tf.float32))

    report = losscheck.check(twice, arguments={"y_true": REAL, "y_pred": REAL}, select=("LC101",))
    assert len(errors(report)) == 1
