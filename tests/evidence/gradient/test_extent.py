"""The size of a dead region: to the bit, on both sides, and to the end of the domain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gradient.extent import Extent, _number, _place, extent
from tests.desks import desk


def _extent(function: Callable[..., Any], pred: str, at: float, width: int = 1) -> Extent:
    laid = desk(function, y_true=("real", f"(B, {width})"), y_pred=(pred, f"(B, {width})"))
    dead = laid.get("dead")
    inputs = {
        "y_true": np.ones((1, 1, width), np.float32),
        "y_pred": np.full((1, 1, width), at, np.float32),
    }
    return extent(laid.evidence, dead.sweep, CaseBlock(inputs, np.ones(1, np.uint8)))


def clipped(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(y_true - tf.clip_by_value(y_pred, -5.0, 1.5)))


def guarded(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return -tf.reduce_mean(y_true * tf.math.log(tf.clip_by_value(y_pred, 1e-7, 1.0)))


def tent(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Dead but for a narrow place, which doubled steps from afar would jump over."""
    return tf.reduce_mean(tf.abs(y_true)) + tf.reduce_mean(tf.nn.relu(0.2 - tf.abs(y_pred - 1.0)))


@pytest.mark.parametrize(
    ("function", "domain", "at", "low", "high"),
    [
        (clipped, "real", 10.0, 1.5, None),
        (clipped, "real", -1e3, None, -5.0),
        (guarded, "probability", 0.0, 0.0, 1e-7),
        (tent, "real", -700.0, None, 0.8),
        (tent, "real", 7.0, 1.2, None),
    ],
)
def test_it_ends_where_the_gradient_comes_alive(
    function: Callable[..., Any], domain: str, at: float, low: float | None, high: float | None
) -> None:
    found = _extent(function, domain, at)
    assert found.element == ()
    assert found.low == (None if low is None else pytest.approx(low, rel=1e-6))
    assert found.high == (None if high is None else pytest.approx(high, rel=1e-6))


def test_a_loss_that_is_flat_everywhere_has_no_end() -> None:
    found = _extent(lambda y_true, y_pred: tf.reduce_mean(tf.sign(y_pred) - y_true), "real", 2.0)
    assert (found.low, found.high) == (None, None)


def test_of_several_elements_the_first_one_moves() -> None:
    assert _extent(clipped, "real", 10.0, width=2).element == (0, 0)


def test_places_are_in_the_order_of_the_numbers() -> None:
    numbers = np.asarray([-np.inf, -1.0, -1e-45, 0.0, 1e-45, 1.0, 3e38], np.float32)
    places = _place(numbers)
    assert (np.diff(places) > 0).all()
    np.testing.assert_array_equal(_number(places), numbers)
    assert places[4] - places[2] == 2
