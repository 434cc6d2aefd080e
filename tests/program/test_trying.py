"""A loss that refuses ones for their value alone can be run."""

import numpy as np
import pytest

from tests.program.calling import programs

tf = pytest.importorskip("tensorflow")

from losscheck.program.running.program import Program  # noqa: E402
from losscheck.program.tracing.trace import CallError  # noqa: E402

SQUARE = {"y_true": (2, 3, 3), "y_pred": (2, 3, 3)}


@pytest.mark.parametrize("solve", [tf.linalg.inv, tf.linalg.cholesky])
def test_a_matrix_of_ones_has_no_inverse_and_no_root(solve):
    made = programs(lambda t, p: tf.reduce_sum(t - solve(p), axis=[1, 2])).at(SQUARE)
    assert isinstance(made, Program)
    given = {name: np.broadcast_to(2.0 * np.eye(3), (1, *SQUARE[name])) for name in SQUARE}
    assert np.isfinite(made.run(given).gradient).all()


def test_a_matrix_that_classes_make_is_regular_where_they_differ():
    def loss(t, p):
        kinds = tf.one_hot(tf.cast(t, tf.int32), 2)
        return -tf.math.log(tf.abs(tf.linalg.det(tf.matmul(kinds, p, transpose_a=True))))

    made = programs(loss).at({"y_true": (6,), "y_pred": (6, 2)})
    assert isinstance(made, Program)


def test_what_raises_whatever_it_is_given_says_what_ones_raised():
    def loss(t, p):
        return tf.reduce_sum(p) + tf.reduce_sum(tf.reshape(tf.boolean_mask(t, t > 0.0), [5]))

    with pytest.raises(CallError, match="18 values"):
        programs(loss).at(SQUARE)
