"""Loops of a known number of rounds are traced round by round; the others stay loops."""

from __future__ import annotations

import numpy as np
import pytest

from tests.program.calling import PAIR, call, cases, program

tf = pytest.importorskip("tensorflow")


def by_map(y_true, y_pred):
    apart = tf.map_fn(lambda pair: tf.square(pair[0] - pair[1]), (y_true, y_pred), tf.float32)
    return tf.reduce_mean(apart, axis=-1)


def by_scan(y_true, y_pred):
    smoothed = tf.scan(lambda held, row: 0.5 * held + 0.5 * row, tf.square(y_true - y_pred))
    return tf.reduce_mean(smoothed, axis=-1)


def by_fold(y_true, y_pred):
    return tf.foldl(lambda held, row: held + tf.reduce_sum(row), y_pred * y_true, 0.0)


def by_array(y_true, y_pred):
    rows = tf.TensorArray(tf.float32, size=0, dynamic_size=True)
    for i in range(2):
        rows = rows.write(i, y_pred[i] * y_true[i])
    return tf.reduce_sum(rows.gather([1, 0]) * y_pred) + tf.reduce_sum(tf.square(rows.concat()))


def until_small(y_true, y_pred):
    halved = tf.while_loop(lambda x: tf.reduce_max(x) > 0.1, lambda x: (x / 2.0,), (y_pred,))[0]
    return tf.reduce_sum(halved * y_true)


def far_too_long(y_true, y_pred):
    end = tf.while_loop(lambda i, x: i < 40, lambda i, x: (i + 1, x * 0.9), (0, y_pred))
    return tf.reduce_sum(end[1] * y_true)


def growing(y_true, y_pred):
    def upto(i):
        return tf.reduce_sum(tf.abs(y_true[:, :i] - y_pred[:, :i]))

    return tf.reduce_sum(tf.map_fn(upto, tf.range(1, 4), fn_output_signature=tf.float32))


def column_by_column(y_true, y_pred):
    total = lambda i: tf.reduce_sum(tf.abs(y_true[:, i] - y_pred[:, i]))  # noqa: E731
    return tf.reduce_sum(tf.map_fn(total, tf.range(3), fn_output_signature=tf.float32))


def first_columns(y_true, y_pred):
    total = lambda row: tf.reduce_sum(row[:2])  # noqa: E731
    return tf.reduce_sum(tf.map_fn(total, y_pred * y_true))


def of_another_dtype(y_true, y_pred):
    return tf.map_fn(lambda row: tf.reduce_sum(row), y_true * y_pred, fn_output_signature=tf.int32)


@pytest.mark.parametrize("loss", [by_map, by_scan, by_fold, growing, by_array])
def test_it_gives_what_the_loop_gives(loss):
    made = program(loss)
    kinds = {op.type for op in made.graph.get_operations()}
    assert not {"While", "StatelessWhile"} & kinds
    assert "TensorListGetItem" not in {node.type for node in made.wiring.forward}
    given = cases(3)
    found = made.run(given)
    for i in range(3):
        pair = [tf.constant(given[name][i]) for name in PAIR]
        with tf.GradientTape() as tape:
            tape.watch(pair[1])
            value = loss(*pair)  # eagerly, by TensorFlow's own loop
        # The sum of a loss has the gradient of the loss; both add the same float32 numbers.
        np.testing.assert_allclose(found.value[i], value, rtol=1e-6)
        np.testing.assert_allclose(found.gradient[i], tape.gradient(value, pair[1]), rtol=1e-5)


@pytest.mark.parametrize("loss", [until_small, far_too_long])
def test_others_stay_loops(loss):
    assert program(loss).loops


def test_a_loop_whose_variable_grows_is_refused_as_tensorflow_refuses_it():
    # TensorFlow: a variable of a loop keeps its shape, unless shape_invariants says otherwise.
    def loss(y_true, y_pred):
        grow = lambda i, x: (i + 1, tf.concat([x, y_pred], axis=0))  # noqa: E731
        return tf.reduce_sum(tf.while_loop(lambda i, x: i < 3, grow, (0, y_true))[1])

    with pytest.raises(Exception, match="invariant"):
        program(loss)


def test_a_list_of_another_dtype_is_refused_as_without():
    with pytest.raises(Exception, match="data types"):
        program(of_another_dtype).try_once()


# XLA aborts the process over `growing` (TensorFlow 2.21: a check in dynamic_dimension_inference),
# so that no test can show it.
@pytest.mark.parametrize(
    ("loss", "fatal"), [(growing, True), (column_by_column, False), (first_columns, False)]
)
def test_slices_that_grow_in_a_loop_are_kept_from_xla(loss, fatal):
    assert program(loss).fatal_to_xla is fatal


def test_one_that_grows_in_a_loop_that_stays_one_is_known_as_well():
    def loss(y_true, y_pred):
        grow = lambda i, x: (i + 1, x + tf.reduce_sum(y_pred[:, :i]))  # noqa: E731
        return tf.while_loop(lambda i, x: x < 5.0, grow, (1, tf.reduce_sum(y_true)))[1]

    made = program(loss)
    assert made.loops
    assert made.fatal_to_xla
    assert call(loss).names == PAIR
