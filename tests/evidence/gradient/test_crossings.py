"""Kinks and jumps are found where the formula has them."""

from __future__ import annotations

import pytest
import tensorflow as tf

from losscheck.evidence.gradient.crossings import Crossing
from tests.desks import desk

REAL = ("real", "(B, D)")


def _crossings(function: object) -> tuple[Crossing, ...]:
    found: tuple[Crossing, ...] = desk(function, y_true=REAL, y_pred=REAL).get("crossings")  # type: ignore[arg-type]
    return found


def test_a_change_of_slope_is_a_kink_at_its_place() -> None:
    # |e| below 2 and 3|e| - 4 above: continuous, slopes 1 and 3 in size.
    def loss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        size = tf.abs(y_true - y_pred)
        return tf.reduce_mean(tf.where(size < 2.0, size, 3.0 * size - 4.0))

    found = [c for c in _crossings(loss) if c.op == "Less"]
    assert found
    for crossing in found:
        assert crossing.kink
        assert not crossing.jump
        assert crossing.error is not None
        assert abs(crossing.error) == pytest.approx(2.0, abs=1e-9)
        assert sorted((abs(crossing.left), abs(crossing.right))) == pytest.approx([1.0, 3.0])


def test_the_kink_of_an_absolute_error_lies_at_the_perfect_fit() -> None:
    found = _crossings(lambda y_true, y_pred: tf.reduce_mean(tf.abs(y_true - y_pred)))
    assert found
    assert all(c.kink and c.perfect_fit for c in found)


def test_a_smooth_join_is_neither_kink_nor_jump() -> None:
    def huber(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        size = tf.abs(y_true - y_pred)
        return tf.reduce_mean(tf.where(size <= 1.0, 0.5 * size**2, size - 0.5))

    joins = [c for c in _crossings(huber) if c.op == "LessEqual"]
    assert joins
    assert not any(c.kink or c.jump for c in joins)


def test_branches_that_do_not_meet_are_a_jump_of_the_right_height() -> None:
    # At |e| = 1 the quadratic gives 0.5, the line 1.0.
    def torn(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        size = tf.abs(y_true - y_pred)
        return tf.reduce_mean(tf.where(size <= 1.0, 0.5 * size**2, size))

    found = [c for c in _crossings(torn) if c.op == "LessEqual"]
    assert found
    assert all(c.jump and c.joins == "branches" for c in found)
    assert abs(found[0].step) == pytest.approx(0.5, abs=1e-6)


def test_a_count_is_a_selection() -> None:
    def counted(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        far = tf.cast(tf.abs(y_true - y_pred) > 1.0, y_pred.dtype)
        return tf.reduce_mean(tf.square(y_true - y_pred)) + tf.reduce_mean(far)

    jumps = [c for c in _crossings(counted) if c.jump]
    assert jumps
    assert {c.joins for c in jumps} == {"selection"}
