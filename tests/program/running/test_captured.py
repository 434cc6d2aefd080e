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


def test_a_variable_that_is_assigned_is_a_number_that_is_handed_on():
    count = tf.Variable(1.0)

    def loss(y_true, y_pred):
        count.assign_add(1.0)
        counted = count.assign(3.0 * count)  # 6, every time
        return tf.reduce_sum(tf.square(y_true - y_pred), axis=-1) + counted

    program = Programs(call(loss)).at(SHAPES)
    assert program.cut((program.traced.value.name,)).sessions
    for mode in ("plain", "graph", "xla"):
        for cases in (2, 2_000):
            given = {name: np.ones((cases, 1, 2)) for name in SHAPES}
            assert (program.run(given, mode).value == 6.0).all()
    assert count.numpy() == 1.0


def test_what_is_read_after_an_assignment_has_no_gradient():
    mean = tf.Variable(0.0)

    def loss(y_true, y_pred):
        mean.assign(tf.reduce_sum(y_pred))
        return tf.reduce_sum(y_pred) * mean + 0.0 * y_true

    given = {name: np.full((1, 1, 2), 1.5) for name in SHAPES}
    outcome = Programs(call(loss)).at(SHAPES).run(given)
    assert outcome.value[0, 0].tolist() == [9.0, 9.0]
    with tf.GradientTape() as tape:
        tape.watch(y_pred := tf.constant(given["y_pred"][0], tf.float32))
        value = loss(tf.constant(given["y_true"][0], tf.float32), y_pred)
    assert outcome.gradient[0].tolist() == tape.gradient(value, y_pred).numpy().tolist()


def test_a_variable_that_is_assigned_in_a_branch_stays_as_it_is():
    count = tf.Variable(1.0)

    def more():
        count.assign_add(1.0)
        return count + 0.0

    def loss(y_true, y_pred):
        found = tf.cond(tf.reduce_sum(y_true) > 0.0, more, lambda: count + 0.0)
        return tf.reduce_sum(tf.square(y_pred), axis=-1) + found

    program = Programs(call(loss)).at(SHAPES)
    ones = {name: np.ones((3, 1, 2)) for name in SHAPES}
    for mode in ("plain", "xla"):
        assert program.run(ones, mode).value.ravel().tolist() == [4.0, 4.0, 4.0]
    assert program.run({**ones, "y_true": 0 * ones["y_true"]}).value[0, 0] == 3.0
    assert count.numpy() == 1.0


def test_random_numbers_differ_and_the_generator_stays_where_it_was():
    generator = tf.random.Generator.from_seed(1)
    before = generator.state.numpy()

    def loss(y_true, y_pred):
        return tf.reduce_sum(y_pred + y_true, axis=-1) + generator.normal(())

    program = Programs(call(loss)).at(SHAPES)
    given = {name: np.ones((4, 1, 2)) for name in SHAPES}
    assert len(set(program.run(given).value.ravel().tolist())) == 4
    assert (generator.state.numpy() == before).all()
