"""The upstream gradient: custom gradients that drop it, in every shape a loss may return."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import losscheck
from losscheck.evidence.gradient.elsewhere import UpstreamCheck
from tests.desks import desk
from tests.verdicts import found

REAL = ("real", "(B, D)")
Backward = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def _loss(axis: int | None, backward: Backward) -> Callable[..., Any]:
    """A squared error with a custom gradient around all of it."""

    def loss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        @tf.custom_gradient
        def whole(error: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
            total = tf.reduce_sum(tf.square(error), axis=axis)
            return total, lambda upstream: backward(upstream, 2.0 * error)

        return whole(y_pred - y_true)

    return loss


def _check(loss: Callable[..., Any]) -> UpstreamCheck:
    check: UpstreamCheck = desk(loss, y_true=REAL, y_pred=REAL).get("upstream")
    return check


@pytest.mark.parametrize("axis", [None, -1])
def test_a_custom_gradient_that_ignores_it_is_wrong(axis: int | None) -> None:
    check = _check(_loss(axis, lambda upstream, slope: slope))
    assert check.wrong.mean() > 0.9  # where the slope is not 0
    assert (check.ignored == check.wrong).all()
    assert np.abs(np.log(check.upstream)).min() > 0.4


def test_one_that_scales_by_another_number_is_wrong_and_does_not_ignore_it() -> None:
    check = _check(_loss(None, lambda upstream, slope: tf.square(upstream) * slope))
    assert check.wrong.any()
    assert not check.ignored.any()


@pytest.mark.parametrize(
    ("axis", "backward"),
    [
        (None, lambda upstream, slope: upstream * slope),
        (-1, lambda upstream, slope: upstream[:, None] * slope),
    ],
)
def test_one_that_passes_it_on_is_right(axis: int | None, backward: Backward) -> None:
    assert not _check(_loss(axis, backward)).wrong.any()


def test_what_is_wrong_without_is_not_told_again() -> None:
    check = _check(_loss(None, lambda upstream, slope: 1.5 * slope))
    assert check is None or not check.wrong.any()


@tf.function
def _through_quantiles(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Operations whose constants are float32 in the graph, so that more digits have their error."""
    angle = tf.atan2(tf.nn.gelu(0.6 - 0.49 * (y_pred - 0.5 * y_true)), y_true * 0.73 + 2.7)
    wide = tf.atanh(tf.math.log1p(angle) * 0.97 - 0.135)
    wave = tf.sin(wide)
    quantile = tf.math.ndtri(0.5 + 0.31 * tf.math.ndtri(0.5 + 0.46 * tf.math.erf(wave)))
    powers = tf.pow(tf.pow(2.0, quantile) - 1.381, 3) + tf.pow(wave, 3) * (angle + 1.162)
    scaled = tf.math.log1p(tf.math.bessel_i1e(0.92 * wide))
    return powers + 1.0 / (quantile + 10.15) + scaled + 0.1 * tf.nn.softplus(y_pred)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _handed_on(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    return tf.identity(x), lambda upstream: upstream


def test_a_gradient_that_tensorflow_derived_is_not_looked_at() -> None:
    def squared(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)

    assert desk(squared, y_true=REAL, y_pred=REAL).get("upstream") is None


def test_the_room_for_rounding_grows_with_the_weights() -> None:
    def handed_on(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return _handed_on(_through_quantiles(y_true, y_pred))

    part = ("[-3, 3]", "(B,)")
    declared = {"y_true": part, "y_pred": part}
    report = losscheck.check(handed_on, arguments=declared, select=["LC101"])
    assert report.verdict == "pass"


def test_the_program_shows_it() -> None:
    def ignoring(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return _loss(-1, lambda upstream, slope: slope)(y_true, y_pred)

    report = losscheck.check(
        ignoring, arguments={"y_true": REAL, "y_pred": REAL}, select=("LC101",)
    )
    (finding,) = found(report, "LC101", "error")
    assert "ignores the upstream gradient" in finding.cause
    assert "output_gradients=upstream" in finding.reproduce
