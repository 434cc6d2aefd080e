"""Losses that read variables run in sessions, and see what the variables hold now."""

import numpy as np
import pytest

from tests.program.calling import call

tf = pytest.importorskip("tensorflow")

from losscheck.program.programs import Programs  # noqa: E402

SHAPES = {"y_true": (1, 2), "y_pred": (1, 2)}


def weighted(scale):
    def loss(y_true, y_pred):
        return tf.reduce_sum(scale * tf.square(y_true - y_pred), axis=-1)

    return call(loss)


@pytest.mark.parametrize("mode", ["plain", "graph", "xla"])
@pytest.mark.parametrize("count", [3, 2_000])  # one by one, and in blocks
def test_a_variable_is_read_at_every_call(mode, count):
    scale = tf.Variable([1.0, 10.0])
    program = Programs(weighted(scale)).at(SHAPES)
    assert program.cut((program.traced.value.name,)).sessions
    inputs = {"y_true": np.zeros((count, 1, 2)), "y_pred": np.ones((count, 1, 2))}
    assert (program.run(inputs, mode).value == 11.0).all()
    scale.assign([2.0, 20.0])
    found = program.run(inputs, mode)
    assert (found.value == 22.0).all()
    assert found.gradient[0].tolist() == [[4.0, 40.0]]


def test_float64_reads_the_same_numbers():
    double = Programs(weighted(tf.Variable([1.0, 10.0]))).double(SHAPES)
    outcome = double.run({"y_true": np.zeros((1, 1, 2)), "y_pred": np.full((1, 1, 2), 0.1)})
    assert outcome.value.dtype == np.float64
    assert outcome.value[0, 0] == pytest.approx(0.11, rel=1e-12)


def test_a_variable_that_is_written_is_left_to_functions():
    count = tf.Variable(0.0)

    def loss(y_true, y_pred):
        count.assign_add(1.0)
        return tf.reduce_sum(tf.square(y_true - y_pred), axis=-1) + 0.0 * count

    program = Programs(call(loss)).at(SHAPES)
    assert not program.cut((program.traced.value.name,)).sessions
    assert program.run({name: np.ones((2, 1, 2)) for name in SHAPES}).value.tolist() == [
        [0.0],
        [0.0],
    ]
