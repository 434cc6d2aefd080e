"""Cases that cannot be vectorized are one batch, where samples do not see each other."""

import numpy as np
import pytest

from tests.program.calling import call

tf = pytest.importorskip("tensorflow")

from losscheck.program.programs import Programs  # noqa: E402
from losscheck.program.running.ways import Way  # noqa: E402

SHAPES = {"y_true": (2, 3), "y_pred": (2, 3)}


def _stepwise(error):
    """Add up the columns of (B, 3) in a loop whose end depends on the numbers: no block of it."""

    def step(i, total):
        smooth = tf.cond(
            tf.reduce_any(error > 9.0), lambda: tf.abs(error[:, i]), lambda: error[:, i] ** 2
        )
        return i + 1, total + smooth

    end = tf.where(tf.reduce_all(tf.math.is_nan(error)), 2, 3)
    start = (0, tf.zeros_like(error[:, 0]))
    return tf.while_loop(lambda i, _: i < end, step, start, maximum_iterations=3)[1]


def uncoupled(y_true, y_pred):
    return _stepwise(tf.clip_by_value(y_pred - y_true, -8.0, 8.0))


def coupled(y_true, y_pred):
    return _stepwise(y_pred - tf.reduce_mean(y_true, axis=0))


def coupled_by_nan(y_true, y_pred):
    """Samples see each other only where one of them is not finite."""
    loss = uncoupled(y_true, y_pred)
    return loss + 0.0 * tf.reduce_sum(loss)


def given(count, seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=(count, *shape)) for name, shape in SHAPES.items()}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_samples_that_do_not_see_each_other_are_stacked(dtype):
    program = Programs(call(uncoupled)).at(SHAPES, dtype)
    assert program.settle() is Way.STACKED
    inputs = given(300)
    stacked, alone = program.run(inputs), program.singly(inputs)
    np.testing.assert_allclose(stacked.value, alone.value, rtol=1e-6)
    np.testing.assert_allclose(stacked.gradient, alone.gradient, rtol=1e-6)


def test_a_rewritten_graph_is_stacked_too():
    def narrow(y_true, y_pred):
        return uncoupled(tf.cast(y_true, tf.float32), tf.cast(y_pred, tf.float32))

    program = Programs(call(narrow)).double(SHAPES)
    assert program.rewritten
    assert program.settle() is Way.STACKED
    assert program.run(given(100)).value.dtype == np.float64


def test_samples_that_see_each_other_are_not():
    assert Programs(call(coupled)).at(SHAPES).settle() is Way.SINGLY


def test_one_that_is_not_finite_shows_that_they_do():
    program = Programs(call(coupled_by_nan)).at(SHAPES)
    assert program.settle() is Way.STACKED
    inputs = given(300)
    inputs["y_pred"][200] = np.nan
    value = program.run(inputs).value
    assert program.way() is Way.SINGLY
    assert np.isfinite(value).all(axis=1).sum() == 299


def test_a_scalar_of_the_whole_batch_is_run_case_by_case():
    program = Programs(call(lambda t, p: tf.reduce_mean(uncoupled(t, p)))).at(SHAPES)
    assert program.settle() is Way.SINGLY


def over_samples(y_true, y_pred):
    """A loop over the samples: many of them take no less time than each by itself."""
    pairs = (y_true, y_pred)
    return tf.map_fn(lambda pair: tf.reduce_mean((pair[0] - pair[1]) ** 2), pairs, tf.float32)


def test_a_loop_over_the_samples_is_run_case_by_case():
    assert Programs(call(over_samples)).at(SHAPES).settle() is not Way.STACKED
