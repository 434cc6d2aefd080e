"""How a loss comes to be run, in which digits, and what it raises where nothing runs."""

import numpy as np
import pytest

from tests.program.calling import SHAPE, SHAPES, call, cases, program, programs

tf = pytest.importorskip("tensorflow")

from losscheck.program.modes import EagerProgram  # noqa: E402
from losscheck.program.programs import (  # noqa: E402
    FLOOR_RETRACED,
    FLOOR_REWRITTEN,
    Programs,
    along,
)
from losscheck.program.running.program import Program  # noqa: E402
from losscheck.program.tracing.trace import CallError, OutputError  # noqa: E402


def plain(t, p):
    return tf.reduce_mean(0.1 * tf.square(t - p))


def hard_cast(t, p):
    return tf.reduce_mean(0.1 * tf.square(tf.cast(t, tf.float32) - tf.cast(p, tf.float32)))


def hard_cast_inside(t, p):
    """Gives float64 back, of float32's digits."""
    return tf.cast(hard_cast(t, p), p.dtype)


def float32_constant(t, p):
    """Does not take float64 at all."""
    return tf.reduce_mean(tf.constant(0.1) * tf.square(t - p))


def by_sign(t, p):
    if tf.reduce_sum(p) > 0:
        return tf.reduce_sum(tf.square(t - p))
    return tf.reduce_sum(tf.abs(t - p))


def with_numpy(t, p):
    factor = 2.0 if float(tf.reduce_sum(p).numpy()) > 0 else 1.0
    return factor * tf.reduce_sum(tf.square(t - p))


def with_numpy_in_float32(t, p):
    """Runs eagerly and in float32 alone: there is no float64 of it."""
    return tf.constant(0.1) * with_numpy(t, p)


def with_numpy_cast(t, p):
    """Runs eagerly, takes float64, and computes in float32."""
    return with_numpy(tf.cast(t, tf.float32), tf.cast(p, tf.float32))


@pytest.mark.parametrize(
    ("loss", "rewritten", "floor"),
    [
        (plain, False, FLOOR_RETRACED),
        (hard_cast, True, FLOOR_REWRITTEN),
        (hard_cast_inside, True, FLOOR_REWRITTEN),
        (float32_constant, True, FLOOR_REWRITTEN),
    ],
)
def test_float64_is_retraced_where_it_holds_and_rewritten_elsewhere(loss, rewritten, floor):
    made = programs(loss)
    double = made.double(SHAPES)
    assert double.rewritten is rewritten
    assert made.floor(SHAPES) == floor
    given = cases(40)
    t, p = (given[name].astype(np.float64) for name in ("y_true", "y_pred"))
    truth = 0.1 * ((t - p) ** 2).mean(axis=(1, 2))  # 0.1 to float64's digits
    found = double.run(given)
    assert found.value.dtype == np.float64
    np.testing.assert_allclose(found.value, truth, rtol=floor)
    np.testing.assert_allclose(found.gradient, 0.2 * (p - t) / 6, rtol=floor)


def test_a_program_is_made_once():
    made = programs(plain)
    assert made.at(SHAPES) is made.at(dict(reversed(SHAPES.items())))
    assert made.double(SHAPES) is made.double(SHAPES)
    assert made.at(SHAPES) is not made.at(SHAPES, "float64")


def test_tracing_as_keras_does_is_the_first_choice():
    made = programs(plain)
    assert isinstance(made.at(SHAPES), Program)
    assert made.tracing(SHAPES).how == "graph"
    assert made.tracing(SHAPES).error is None


def test_autograph_is_the_second():
    made = programs(by_sign)
    given = cases(20, low=-1, high=1)
    found = made.at(SHAPES).run(given)
    tracing = made.tracing(SHAPES)
    assert tracing.how == "autograph"
    assert "Python `bool`" in str(tracing.error)
    assert "if tf.reduce_sum(p) > 0" in tracing.error.location.source
    error = given["y_true"] - given["y_pred"]
    positive = given["y_pred"].sum(axis=(1, 2)) > 0
    assert 0 < positive.sum() < 20
    truth = np.where(positive, (error**2).sum(axis=(1, 2)), np.abs(error).sum(axis=(1, 2)))
    np.testing.assert_allclose(found.value, truth, rtol=1e-6)


def test_eager_calls_are_the_last():
    made = programs(with_numpy)
    assert isinstance(made.at(SHAPES), EagerProgram)
    tracing = made.tracing(SHAPES)
    assert tracing.how == "eager"
    assert ".numpy()" in tracing.error.location.source
    given = cases(3)
    t, p = (given[name].astype(np.float64) for name in ("y_true", "y_pred"))
    np.testing.assert_allclose(
        made.double(SHAPES).run(given).value, 2 * ((t - p) ** 2).sum(axis=(1, 2)), rtol=1e-13
    )
    assert made.floor(SHAPES) == FLOOR_RETRACED


@pytest.mark.parametrize("loss", [with_numpy_in_float32, with_numpy_cast])
def test_what_is_left_in_float32_does_not_claim_float64s_digits(loss):
    made = programs(loss)
    given = cases(20)
    t, p = (given[name].astype(np.float64) for name in ("y_true", "y_pred"))
    factor = 0.2 if loss is with_numpy_in_float32 else 2.0
    truth = factor * ((t - p) ** 2).sum(axis=(1, 2))
    error = np.abs(made.double(SHAPES).run(given).value / truth - 1).max()
    assert error <= made.floor(SHAPES)


def test_python_that_gives_float32_alone_leaves_no_float64():
    @tf.custom_gradient
    def summed(error):
        total = tf.py_function(lambda e: tf.reduce_sum(e * e), [error], tf.float32)
        return total, lambda upstream: 2.0 * upstream * error

    made = programs(lambda y_true, y_pred: summed(y_pred - y_true))
    assert made.double(SHAPES) is made.at(SHAPES)
    assert not made.has_double(SHAPES)
    assert made.floor(SHAPES) == FLOOR_REWRITTEN
    given = cases(3)
    truth = ((given["y_true"] - given["y_pred"]).astype(np.float64) ** 2).sum(axis=(1, 2))
    # float32 sums of six squares
    np.testing.assert_allclose(made.double(SHAPES).run(given).value, truth, rtol=1e-6)


def test_what_runs_in_no_way_raises_what_tracing_raised_with_the_line():
    def loss(t, p):
        return tf.reduce_sum(tf.no_such_function(t - p))

    with pytest.raises(CallError, match="no_such_function") as caught:
        programs(loss).at(SHAPES)
    place = caught.value.location
    assert place.source[place.column - 1 : place.end_column - 1] == "tf.no_such_function"


def test_what_fails_only_when_it_runs_raises_with_the_line():
    def loss(t, p):
        return tf.reduce_sum(tf.gather(p, tf.cast(t[:, 0], tf.int32) + SHAPE[0]))

    with pytest.raises(CallError, match="not in") as caught:
        programs(loss).at(SHAPES)
    assert "tf.gather" in caught.value.location.source


def test_no_tensor_is_an_output_error():
    with pytest.raises(OutputError):
        programs(lambda t, p: None).at(SHAPES)


def test_unknown_sizes_are_traced_and_told_of():
    made = programs(plain)
    assert made.traces({"y_true": (None, 3), "y_pred": (None, 3)}) is None
    assert made.traces({"y_true": None, "y_pred": None}) is None
    fixed = programs(lambda t, p: tf.reduce_sum(p - t) / int(p.shape[0]))
    assert fixed.traces(SHAPES) is None
    error = fixed.traces({"y_true": (None, 3), "y_pred": (None, 3)})
    assert isinstance(error, CallError)
    assert isinstance(error.error, TypeError)
    assert isinstance(programs(lambda t, p: None).traces(SHAPES), OutputError)


def test_a_dtype_that_is_refused_raises():
    with pytest.raises(CallError, match="float64"):
        programs(float32_constant).at(SHAPES, "float64")


def test_an_assertion_of_the_losss_own_does_not_make_it_unusable():
    def loss(t, p):
        tf.debugging.assert_near(tf.reduce_sum(p, axis=-1), 1.0, atol=1e-3)
        return -tf.reduce_sum(t * tf.math.log(p))

    row = np.array([[0.5, 0.25, 0.25], [0.125, 0.125, 0.75]], np.float32)
    given = {"y_true": np.ones((1, *SHAPE), np.float32), "y_pred": row[None]}
    found = programs(loss).at(SHAPES).run(given)
    np.testing.assert_allclose(found.value, [-np.log(row).sum()], rtol=1e-6)


def test_along_moves_one_coordinate_of_one_case():
    given = cases(3)
    evaluate = along(program(plain, dtype="float64"), given)
    case, coordinate, value = np.array([0, 2, 2]), np.array([5, 0, 5]), np.array([0.3, 0.9, 2.0])
    found = evaluate(case, coordinate, value)
    for i, (c, k, v) in enumerate(zip(case, coordinate, value, strict=True)):
        moved = given["y_pred"][c].astype(float).ravel()
        moved[k] = v
        truth = 0.1 * ((moved - given["y_true"][c].ravel()) ** 2).mean()
        assert found[i] == pytest.approx(truth, rel=1e-13)
    repeated = evaluate(case[:1], coordinate[:1], value[:1])  # the base case is left as it was
    assert repeated[0] == found[0]


def test_extra_arguments_and_constants_take_part():
    def loss(t, p, w, *, power):
        return tf.reduce_sum(w * tf.abs(t - p) ** power)

    made = Programs(call(loss, names=("y_true", "y_pred", "w"), constants={"power": 3.0}))
    given = {**cases(5), "w": np.full((5, SHAPE[0], 1), 2.0)}
    error = np.abs(given["y_true"].astype(float) - given["y_pred"])
    found = made.double({**SHAPES, "w": (SHAPE[0], 1)}).run(given)
    np.testing.assert_allclose(found.value, 2 * (error**3).sum(axis=(1, 2)), rtol=1e-12)
