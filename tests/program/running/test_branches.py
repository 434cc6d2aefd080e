"""Losses with branches and calls are vectorized, each case with the values of its own side."""

import numpy as np
import pytest

from tests.program.calling import cases, program

tf = pytest.importorskip("tensorflow")

from losscheck.program.running.ways import Way  # noqa: E402


def far(y_true, y_pred):
    """Both sides keep something for the way back, and the condition depends on the prediction."""
    size = tf.reduce_mean(tf.abs(y_true - y_pred))
    return tf.cond(
        size < 0.3,
        lambda: tf.exp(size) * tf.reduce_mean(tf.square(y_true - y_pred)),
        lambda: size * tf.reduce_sum(tf.sqrt(tf.abs(y_pred))) - 0.5,
    )


def guarded(y_true, y_pred):
    """The side that is not taken is not a number."""
    low = tf.reduce_min(y_pred - y_true)
    return tf.cond(low > 0.0, lambda: tf.sqrt(low), lambda: tf.zeros(()) * low)


def nested(y_true, y_pred):
    first, second = y_pred[0, 0], y_pred[0, 1]
    inner = lambda: tf.cond(second > 0.5, lambda: first * second, lambda: tf.exp(first))  # noqa: E731
    return tf.cond(first > y_true[0, 0], inner, lambda: tf.square(first) - second)


def several(y_true, y_pred):
    """Two results of one branch, of which the second is a matrix."""
    total, error = tf.cond(
        tf.reduce_all(y_true > 0.2),
        lambda: (tf.reduce_sum(y_pred), y_pred - y_true),
        lambda: (tf.reduce_max(y_pred), tf.square(y_true) * y_pred),
    )
    return total + tf.reduce_mean(error * y_pred, axis=-1)


_compiled = tf.function(lambda x: tf.math.softplus(x) * x, jit_compile=True)


def calls(y_true, y_pred):
    """Calls a function that is a graph of its own."""
    with tf.init_scope():
        pass
    return tf.reduce_mean(_compiled(y_pred - y_true), axis=-1)


def switched(y_true, y_pred):
    """The two sides differ in shape: one cannot be taken for the other."""
    part = tf.cond(y_pred[0, 0] > 0.5, lambda: y_pred, lambda: y_pred[:1])
    return tf.reduce_sum(part) + tf.reduce_mean(y_true)


@pytest.mark.parametrize("loss", [far, guarded, nested, several, calls])
def test_a_block_gives_what_each_case_gives(loss):
    made, given = program(loss), cases(2_000)
    block, singles = made.run(given), made.singly(given)
    assert made.settle() is Way.VECTORIZED
    assert np.isfinite(block.total).all()
    # A block may add up in another order: a few ulps of the largest number.
    for found, expected in ((block.value, singles.value), (block.gradient, singles.gradient)):
        room = 32 * np.finfo(np.float32).eps * np.abs(expected).max()
        np.testing.assert_allclose(found, expected, rtol=0, atol=room)
    sides = np.unique(np.round(np.abs(block.gradient).sum(axis=(1, 2)), 3))
    assert len(sides) > 1  # not all of one kind


def test_sides_of_different_shapes_stay_apart():
    made, given = program(switched), cases(600)
    assert made.settle() is not Way.VECTORIZED
    np.testing.assert_array_equal(made.run(given).gradient, made.singly(given).gradient)
