"""One case at a time, as a user would run it."""

import numpy as np
import pytest

from tests.program.calling import SHAPE, call, cases

tf = pytest.importorskip("tensorflow")

from losscheck.program.modes import MODES, EagerProgram, Runner  # noqa: E402
from losscheck.program.tracing.trace import CallError, OutputError  # noqa: E402


def squares(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def with_numpy(y_true, y_pred):
    factor = 2.0 if y_pred.numpy().sum() > 0 else 1.0
    return factor * tf.reduce_sum(tf.abs(y_true - y_pred), axis=-1)


@pytest.fixture(scope="module")
def runner():
    return Runner(call(squares))


@pytest.fixture
def case():
    return {name: array[0] for name, array in cases(1).items()}


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_gives_the_formula(runner, case, mode):
    found = runner.run(case, mode)
    error = case["y_pred"] - case["y_true"]
    np.testing.assert_allclose(found.value, (error**2).mean(axis=-1), rtol=1e-6)
    np.testing.assert_allclose(found.gradient, 2 * error / SHAPE[1], rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_dtype_given_is_the_dtype_run(runner, case, dtype):
    found = runner.run({name: array.astype(dtype) for name, array in case.items()}, "eager")
    assert found.value.dtype == found.gradient.dtype == dtype


def test_another_shape_is_traced_anew(runner):
    case = {name: np.ones((1, 5), np.float32) for name in ("y_true", "y_pred")}
    assert runner.run(case, "graph").gradient.shape == (1, 5)


@pytest.mark.parametrize("mode", MODES)
def test_no_gradient_is_none(case, mode):
    runner = Runner(call(lambda t, p: tf.reduce_sum(tf.math.floor(p)) + tf.reduce_sum(t)))
    assert runner.run(case, mode).gradient is None


def test_indexed_slices_come_out_as_an_array(case):
    runner = Runner(call(lambda t, p: tf.reduce_sum(tf.gather(p, [1, 1])) + tf.reduce_sum(t)))
    np.testing.assert_array_equal(runner.run(case, "eager").gradient, [[0] * 3, [2] * 3])


def test_what_works_eagerly_alone_raises_in_the_other_modes(case):
    runner = Runner(call(with_numpy))
    expected = 2 * np.abs(case["y_true"] - case["y_pred"]).sum(axis=-1)
    np.testing.assert_allclose(runner.run(case, "eager").value, expected, rtol=1e-6)
    with pytest.raises(CallError, match="numpy") as caught:
        runner.run(case, "graph")
    place = caught.value.location
    assert place.source[place.column - 1 : place.end_column - 1] == "y_pred.numpy"


def test_an_error_of_a_kernel_has_the_users_line(case):
    def loss(t, p):
        return tf.reduce_sum(tf.gather(p, [SHAPE[0]])) + tf.reduce_sum(t)

    with pytest.raises(CallError, match="not in") as caught:
        Runner(call(loss)).run(case, "eager")
    assert "tf.gather" in caught.value.location.source
    assert isinstance(caught.value.error, tf.errors.InvalidArgumentError)


@pytest.mark.parametrize("mode", MODES)
def test_no_tensor_is_an_output_error(case, mode):
    with pytest.raises(OutputError):
        Runner(call(lambda t, p: None)).run(case, mode)


def test_a_tf_functions_own_autograph_is_kept(case):
    def loss(t, p):
        if tf.reduce_sum(p) > 0:
            return tf.reduce_sum(p - t)
        return tf.reduce_sum(t - p)

    found = Runner(call(loss, autograph=True)).run(case, "graph")
    np.testing.assert_array_equal(found.gradient, np.ones(SHAPE))


def test_an_eager_program_runs_case_by_case():
    given = cases(4)
    made = EagerProgram(call(with_numpy), "float64")
    found = made.run(given)
    error = given["y_pred"].astype(float) - given["y_true"]
    np.testing.assert_allclose(found.value, 2 * np.abs(error).sum(axis=-1), rtol=1e-12)
    np.testing.assert_array_equal(found.gradient, 2 * np.sign(error))
    np.testing.assert_allclose(made.totals(given), found.total, rtol=1e-12)
    assert found.value.dtype == np.float64


def test_an_eager_program_without_gradient_gives_zeros():
    made = EagerProgram(call(lambda t, p: tf.constant(float(p.numpy().sum()))), "float32")
    found = made.run(cases(3))
    np.testing.assert_array_equal(found.gradient, np.zeros((3, *SHAPE)))
    assert found.gradient.dtype == np.float32
