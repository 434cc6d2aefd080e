"""What one case costs, counted in the graph."""

from __future__ import annotations

import numpy as np
import pytest

from tests.program.calling import program

tf = pytest.importorskip("tensorflow")

from losscheck.program.tracing.effort import effort  # noqa: E402


def squared(y_true, y_pred):
    return tf.reduce_sum(tf.square(y_true - y_pred), axis=-1)


def smoothed(y_true, y_pred):
    """Five taps over the last axis."""
    kernel = tf.ones((1, 5, 1, 1), y_pred.dtype) / 5.0
    image = (y_true - y_pred)[None, :, :, None]
    return tf.reduce_mean(tf.square(tf.nn.conv2d(image, kernel, 1, "SAME")))


def repeated(y_true, y_pred):
    _, x = tf.while_loop(
        lambda i, _: i < 50, lambda i, x: (i + 1, tf.sin(x) + 1e-3 * y_true), (0, y_pred)
    )
    return tf.reduce_sum(x, axis=-1)


def test_larger_cases_compute_more_numbers_with_as_many_operations() -> None:
    small, large = (effort(program(squared, shape=(4, n))) for n in (2, 200))
    assert small.operations == large.operations
    assert 50 < large.numbers / small.numbers < 110


def test_a_number_of_a_convolution_counts_once_for_every_tap() -> None:
    plain, conv = (effort(program(loss, shape=(4, 40))) for loss in (squared, smoothed))
    assert conv.numbers > plain.numbers + 2 * 5 * 160  # forward and backward


def test_a_loop_counts_as_often_as_it_goes_round() -> None:
    plain, loop = (effort(program(loss, shape=(4, 2))) for loss in (squared, repeated))
    assert loop.operations > plain.operations + 50 * 4


def test_it_is_the_same_every_time() -> None:
    found = program(repeated, shape=(4, 2))
    assert effort(found) == effort(found)
    assert isinstance(effort(found).numbers, int)
    assert np.isfinite(effort(found).numbers)
