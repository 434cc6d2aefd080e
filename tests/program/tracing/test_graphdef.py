"""A graph rewritten from float32 computes what NumPy computes in the other dtype.

The truths are the formulas in NumPy float64, on float32 inputs, so that nothing is rounded on the
way in; constants count as float32 rounded them wherever the tests say so.
"""

import numpy as np
import pytest

from tests.program.calling import SHAPE, SHAPES, call, cases, program, programs, traced

tf = pytest.importorskip("tensorflow")
import keras  # noqa: E402

from losscheck.program.programs import FLOOR_REWRITTEN  # noqa: E402
from losscheck.program.running.program import Program  # noqa: E402
from losscheck.program.tracing.graphdef import graph_def, keeps_float64, rewrite  # noqa: E402

ROUNDING = 1e-13  # some hundred float64 ulps: a dozen operations
TENTH = float(np.float32(0.1))


def rewritten(function, dtype="float64"):
    """A loss, its float32 graph rewritten."""
    made = program(function)
    return Program(made.traced, call(function), rewrite(made.definition, dtype))


def weighted(y_true, y_pred):
    return tf.reduce_mean(0.1 * tf.square(y_true - y_pred) - tf.math.log(y_pred), axis=-1)


def test_value_and_gradient_are_float64s():
    given = cases(200)
    t, p = (given[name].astype(np.float64) for name in ("y_true", "y_pred"))
    found = rewritten(weighted).run(given)
    assert found.value.dtype == found.gradient.dtype == np.float64
    value = (TENTH * (t - p) ** 2 - np.log(p)).mean(axis=-1)
    gradient = (2 * TENTH * (p - t) - 1 / p) / 3
    np.testing.assert_allclose(found.value, value, rtol=ROUNDING)
    np.testing.assert_allclose(found.gradient, gradient, rtol=1e-10)  # cancels near p = 1/(0.2 e)


def test_a_constant_stays_within_the_floor_of_what_was_written():
    given = cases(50)
    t, p = (given[name].astype(np.float64) for name in ("y_true", "y_pred"))
    found = rewritten(lambda t, p: tf.reduce_sum(0.1 * tf.square(t - p))).run(given)
    error = np.abs(found.value / (0.1 * ((t - p) ** 2).sum(axis=(1, 2))) - 1)
    # 0.1 is 1.49e-8 off in float32: the rewritten graph keeps that, and no more.
    assert error.max() == pytest.approx(TENTH / 0.1 - 1, rel=1e-5)
    assert error.max() < FLOOR_REWRITTEN


def test_a_function_that_is_called_by_its_name_is_the_rewritten_one():
    # The loops of ctc_loss call their bodies by nodes whose op is the function's name.
    def alignment(t, p):
        labels = tf.ones((tf.shape(p)[0], 2), tf.int32)
        rows = tf.ones(tf.shape(p)[:1], tf.int32)
        return tf.nn.ctc_loss(labels, p, 2 * rows, 4 * rows, False, blank_index=0)

    def run(dtype):
        tracing = traced(alignment, shape=(2, 4, 3))
        definition = rewrite(graph_def(tracing.value.graph), dtype)
        return Program(tracing, call(alignment), definition).run(cases(3, shape=(2, 4, 3)))

    wide, narrow = run("float64"), run("float32")
    assert wide.value.dtype == np.float64
    np.testing.assert_allclose(wide.value, narrow.value, rtol=1e-5)


def test_half_precision_rounds_as_numpys_does():
    given = cases(50)
    t, p = (given[name].astype(np.float16) for name in ("y_true", "y_pred"))
    found = rewritten(lambda t, p: tf.square(t - p), "float16").run(given)
    assert found.value.dtype == np.float16
    np.testing.assert_array_equal(found.value, np.square(t - p))


def test_functions_of_the_library_are_rewritten_under_another_name():
    hinge = keras.losses.Hinge().call  # chooses between label conventions by a cond
    made = program(hinge)
    functions = [f.signature.name for f in made.definition.library.function]
    assert functions
    changed = rewrite(made.definition, "float64")
    assert [f.signature.name for f in changed.library.function] == [
        f"{name}_float64" for name in functions
    ]
    given = cases(40, low=-3, high=3)
    given["y_true"] = np.sign(given["y_true"])
    t, p = (given[name].astype(np.float64) for name in ("y_true", "y_pred"))
    found = Program(made.traced, call(hinge), changed).run(given)
    assert found.value.dtype == np.float64
    np.testing.assert_allclose(found.value, np.maximum(1 - t * p, 0).mean(axis=-1), rtol=ROUNDING)
    np.testing.assert_allclose(found.gradient, -t * (t * p < 1) / 3, rtol=ROUNDING)


def test_labels_of_zero_and_one_take_the_other_branch_of_the_cond():
    hinge = keras.losses.Hinge().call
    given = cases(40, low=-3, high=3)
    given["y_true"] = (given["y_true"] > 0).astype(np.float32)
    signs = 2 * given["y_true"].astype(np.float64) - 1
    p = given["y_pred"].astype(np.float64)
    value = np.maximum(1 - signs * p, 0).mean(axis=-1)
    np.testing.assert_allclose(rewritten(hinge).run(given).value, value, rtol=ROUNDING)


def test_a_loop_is_rewritten():
    def loss(t, p):
        def step(i, x):
            return i + 1, 0.5 * (x + p / x)  # Heron's square root

        _, root = tf.while_loop(lambda i, _: i < 8, step, (0, tf.ones_like(p)))
        return tf.reduce_sum(root - t)

    given = cases(20)
    t, p = (given[name].astype(np.float64) for name in ("y_true", "y_pred"))
    found = rewritten(loss).run(given)
    np.testing.assert_allclose(found.value, (np.sqrt(p) - t).sum(axis=(1, 2)), rtol=1e-12)
    np.testing.assert_allclose(found.gradient, 0.5 / np.sqrt(p), rtol=1e-9)


def test_captured_variables_and_constants_are_taken_as_they_are_now():
    variable = tf.Variable([1.0, 2.0, 0.1])
    constant = tf.constant([[0.3, 0.2, 0.7]])
    made = rewritten(lambda t, p: tf.reduce_sum(variable * constant * tf.square(t - p)))
    given = cases(30)
    t, p = (given[name].astype(np.float64) for name in ("y_true", "y_pred"))
    for numbers in ([1.0, 2.0, 0.1], [5.0, 0.5, 0.3]):
        variable.assign(numbers)
        factor = np.float32(numbers).astype(np.float64) * np.float32([0.3, 0.2, 0.7]).astype("f8")
        found = made.run(given)
        np.testing.assert_allclose(
            found.value, (factor * (t - p) ** 2).sum(axis=(1, 2)), rtol=ROUNDING
        )
        np.testing.assert_allclose(found.gradient, 2 * factor * (p - t), rtol=ROUNDING)


def test_hard_casts_to_float32_become_casts_to_float64():
    def loss(t, p):
        p = tf.cast(p, tf.float32)
        return tf.reduce_sum(tf.exp(p) - tf.cast(t, "float32"))

    given = cases(30)
    t, p = (given[name].astype(np.float64) for name in ("y_true", "y_pred"))
    np.testing.assert_allclose(
        rewritten(loss).run(given).value, (np.exp(p) - t).sum(axis=(1, 2)), rtol=ROUNDING
    )


def test_integers_stay_integers():
    def loss(t, p):
        hot = tf.one_hot(tf.cast(t[:, 0], tf.int32), 3)
        return -tf.reduce_sum(hot * tf.math.log(p))

    given = cases(30)
    given["y_true"] = np.floor(given["y_true"] * 3)
    index = given["y_true"][:, :, 0].astype(int)
    p = given["y_pred"].astype(np.float64)
    value = -np.log(np.take_along_axis(p, index[..., None], axis=2)).sum(axis=(1, 2))
    np.testing.assert_allclose(rewritten(loss).run(given).value, value, rtol=ROUNDING)


def test_the_definition_given_is_left_alone():
    definition = graph_def(traced(weighted).graph)
    before = definition.SerializeToString(deterministic=True)
    rewrite(definition, "float64")
    assert definition.SerializeToString(deterministic=True) == before


@pytest.mark.parametrize(
    ("loss", "keeps"),
    [
        (weighted, True),
        (lambda t, p: tf.reduce_mean(tf.cast(tf.cast(t - p, tf.float32), p.dtype)), False),
        (lambda t, p: tf.reduce_mean(tf.cast(t - p, tf.float32)), False),
        # The shape as a float is exact, however few digits it is kept in.
        (
            lambda t, p: (
                tf.reduce_sum(p - t) / tf.cast(tf.cast(tf.shape(p)[0], tf.float32), p.dtype)
            ),
            True,
        ),
        (lambda t, p: tf.reduce_sum(p) + tf.cast(tf.reduce_sum(tf.argmax(t)), p.dtype), True),
    ],
)
def test_a_loss_that_drops_digits_on_the_way_does_not_keep_float64(loss, keeps):
    found = traced(loss, dtype="float64")
    assert keeps_float64(found.graph, found.placeholders, found.value) is keeps


def test_double_gives_the_same_either_way():
    given = cases(20)
    retraced = programs(weighted).double(SHAPES).run(given)
    by_hand = rewritten(weighted).run(given)
    assert retraced.gradient.shape == (20, *SHAPE)
    np.testing.assert_allclose(retraced.value, by_hand.value, rtol=FLOOR_REWRITTEN)


def test_what_a_branch_assigns_keeps_the_type_of_its_variable():
    peak = tf.Variable(1.0)

    def over_peak(t, p):
        largest = tf.reduce_max(p)
        tf.cond(largest > peak, lambda: peak.assign(largest), lambda: peak.assign_sub(0.5))
        return tf.reduce_sum(tf.square(t - p)) / tf.cast(peak, p.dtype)

    given = {"y_true": np.zeros((2, 2)), "y_pred": np.array([[0.25, 0.0], [2.0, 1.0]])}
    made = program(over_peak, shape=(2,))
    double = Program(made.traced, call(over_peak), rewrite(made.definition, "float64"))
    found = double.run(given)
    assert found.value.dtype == np.float64
    # 0.25^2 over 1 - 0.5, and (4 + 1) over the peak of 2, each from the same state.
    assert found.value.ravel().tolist() == [0.125, 2.5]
    assert float(peak.numpy()) == 1.0
