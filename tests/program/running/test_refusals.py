"""A case on which a kernel raises keeps no other from being run."""

from __future__ import annotations

import numpy as np
import pytest

from tests.program.calling import program

tf = pytest.importorskip("tensorflow")

from losscheck.program.running.refusals import running  # noqa: E402
from losscheck.program.running.ways import Way  # noqa: E402

SINGULAR = (3, 40, 41, 899)


def _inverse(y_true, y_pred):
    return tf.reduce_sum(tf.linalg.inv(y_pred) * y_true)


def _given(n):
    # 2 and 4 on the diagonal: their inverses are a half and a quarter.
    matrices = np.tile(np.diag([2.0, 4.0]).astype(np.float32), (n, 1, 1))
    for i in SINGULAR:
        matrices[i % n] = 1.0
    return {"y_true": np.ones_like(matrices), "y_pred": matrices}


@pytest.mark.parametrize("n", [45, 900])  # case by case, and in blocks
def test_the_others_have_their_results(n):
    made, given = program(_inverse, shape=(2, 2)), _given(n)
    able = np.ones(n, bool)
    able[[i % n for i in SINGULAR]] = False
    value = made.run(given).value
    assert value[able].tolist() == [0.75] * int(able.sum())
    assert np.isnan(value[~able]).all()
    assert made.refuses
    assert running(made, given).tolist() == able.tolist()


def test_where_all_raise_it_is_told():
    made = program(_inverse, shape=(2, 2))
    with pytest.raises(tf.errors.InvalidArgumentError):
        made.run({"y_true": np.ones((2, 2, 2)), "y_pred": np.ones((2, 2, 2))})


def test_a_kernel_that_raises_is_known_before_there_are_many_cases():
    assert program(_inverse, shape=(2, 2)).settle() is Way.SINGLY
    guarded = program(lambda t, p: tf.reduce_sum(tf.linalg.adjoint(p) * t), shape=(2, 2))
    assert guarded.settle() is Way.VECTORIZED
