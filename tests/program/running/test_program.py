"""A block of cases gives what one call a case gives, in every way of running it."""

import numpy as np
import pytest

from tests.program.calling import SHAPE, SHAPES, call, cases, program, programs

tf = pytest.importorskip("tensorflow")

from losscheck.program.modes import Runner  # noqa: E402
from losscheck.program.running import program as batch  # noqa: E402
from losscheck.program.running import ways  # noqa: E402
from losscheck.program.running.program import Program  # noqa: E402
from losscheck.program.running.ways import Way  # noqa: E402

ULPS = 1e-6  # relative: eight float32 ulps, since a block may add up in another order


def assert_near(found, expected):
    """Equal but for rounding of terms as large as the largest number, which may cancel."""
    room = 32 * np.finfo(np.float32).eps * np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=room)


def entropy(y_true, y_pred):
    """A loss a sample."""
    picked = y_true * tf.math.log(y_pred) + (1.0 - y_true) * tf.math.log1p(-y_pred)
    return -tf.reduce_mean(picked, axis=-1)


def contrastive(y_true, y_pred):
    """One number for the batch, with a matmul, a norm and a maximum."""
    unit = tf.math.l2_normalize(y_pred, axis=-1)
    likeness = tf.matmul(unit, unit, transpose_b=True)
    return tf.reduce_sum(tf.maximum(likeness - 0.5, 0.0)) + tf.reduce_mean(y_true * y_pred)


def rolled(y_true, y_pred):
    """Numbers that change places along an axis counted from behind."""
    return tf.reduce_mean(tf.square(y_true - tf.roll(y_pred, 1, axis=-1)), axis=-1)


def mixed(y_true, y_pred):
    """Rows times one matrix: vectorized as it stands, a batch of one ends the process."""
    matrix = tf.constant([[0.5, -0.2, -1.0], [0.1, 0.3, 0.0], [-0.4, 0.2, 0.6]])
    turned = tf.matmul(y_pred, matrix) + tf.matmul(y_pred, matrix[None], transpose_b=True)
    return tf.reduce_mean(tf.square(y_true - turned), axis=[1, 2])


def chosen(y_true, y_pred):
    """Counts its steps by the data, which no block can share."""

    def step(i, total):
        far = y_pred[i, 0] > y_true[i, 0]
        slope = tf.cond(far, lambda: tf.square(y_pred[i, 0]), lambda: tf.exp(y_pred[i, 1]))
        return i + 1, total + slope

    steps = 1 + tf.cast(y_true[0, 0] > 0.5, tf.int32)
    return tf.while_loop(lambda i, _: i < steps, step, (0, tf.constant(0.0)))[1]


@pytest.fixture(scope="module")
def entropies():
    return program(entropy)


@pytest.fixture(scope="module")
def mapped():
    return program(chosen)


def one_by_one(function, given, mode="graph"):
    """Values and gradients of one call a case."""
    runner = Runner(call(function))
    found = [
        runner.run({name: array[i] for name, array in given.items()}, mode)
        for i in range(len(given["y_pred"]))
    ]
    return np.stack([f.value for f in found]), np.stack([f.gradient for f in found])


@pytest.mark.parametrize("loss", [entropy, contrastive])
def test_a_block_equals_one_call_a_case(loss):
    given = cases(25)
    made = program(loss)
    found = made.run(given)
    value, gradient = one_by_one(loss, given)
    assert made.settle() is Way.VECTORIZED
    assert found.value.dtype == found.gradient.dtype == np.float32
    assert_near(found.value, value)
    assert_near(found.gradient, gradient)


def test_no_case_of_a_block_is_taken_for_another():
    # TensorFlow vectorizes this roll into one along the cases.
    given = cases(25)
    found = program(rolled).run(given)
    np.testing.assert_allclose(found.value, one_by_one(rolled, given)[0], rtol=ULPS)
    by_hand = (given["y_true"] - np.roll(given["y_pred"], 1, axis=-1)) ** 2
    np.testing.assert_allclose(found.value, by_hand.mean(axis=-1), rtol=ULPS)


def test_a_batch_of_one_is_multiplied_by_one_matrix_in_blocks():
    shape = (1, 4, 3)
    given = cases(25, shape=shape)
    found = program(mixed, shape=shape).run(given)
    value, gradient = one_by_one(mixed, given)
    assert_near(found.value, value)
    assert_near(found.gradient, gradient)


def test_control_flow_by_the_data_is_mapped(mapped):
    given = cases(25)
    found = mapped.run(given)
    value, gradient = one_by_one(chosen, given)
    assert mapped.settle() is Way.SINGLY
    np.testing.assert_allclose(found.value, value, rtol=ULPS)
    np.testing.assert_allclose(found.gradient, gradient, rtol=ULPS)
    # By hand: the steps end after one row or two.
    t, p = given["y_true"], given["y_pred"]
    rows = np.where(p[:, :, 0] > t[:, :, 0], p[:, :, 0] ** 2, np.exp(p[:, :, 1]))
    by_hand = rows[:, 0] + np.where(t[:, 0, 0] > 0.5, rows[:, 1], 0)
    np.testing.assert_allclose(found.value, by_hand, rtol=ULPS)


@pytest.mark.parametrize("mode", ["xla", "plain"])
def test_every_mode_gives_the_same_numbers(entropies, mode):
    given = cases(30)
    expected, found = entropies.run(given), entropies.run(given, mode)
    assert_near(found.value, expected.value)
    assert_near(found.gradient, expected.gradient)


def test_plain_keeps_what_graph_rewriting_simplifies():
    # Grappler turns x / x into 1; run as written, 0 / 0 is NaN.
    made = program(lambda t, p: tf.reduce_sum(p / p))
    given = {name: np.zeros((1, *SHAPE), np.float32) for name in ("y_true", "y_pred")}
    assert np.isnan(made.run(given, "plain").value[0])
    tf_options = tf.config.optimizer.get_experimental_options()
    assert not tf_options.get("disable_meta_optimizer", False)


def test_xla_pads_the_last_block(entropies):
    n = batch.XLA_BLOCK + 3
    given = cases(n)
    for size in (1, 5, n):
        part = {name: array[:size] for name, array in given.items()}
        found = entropies.run(part, "xla")
        assert found.value.shape == (size, SHAPE[0])
        np.testing.assert_allclose(found.value, entropies.run(part).value, rtol=ULPS)


def test_more_cases_than_a_block_holds_come_back_in_order():
    made = program(lambda t, p: tf.reduce_sum(3.0 * p - t), shape=(1,))
    n = batch.BLOCK_CASES + 7
    index = np.arange(n, dtype=np.float32)[:, None]  # exact in float32, times 3 too
    found = made.run({"y_true": np.zeros_like(index), "y_pred": index})
    np.testing.assert_array_equal(found.value, 3 * index[:, 0])
    np.testing.assert_array_equal(found.gradient, np.full((n, 1), 3.0))
    np.testing.assert_array_equal(
        made.totals({"y_true": index, "y_pred": index}), 2.0 * index[:, 0]
    )


def test_wide_cases_make_smaller_blocks(monkeypatch, entropies):
    monkeypatch.setattr(batch, "BLOCK_ELEMENTS", 10 * 2 * 6)  # of two arguments of 6 elements
    given = cases(33)
    arrays = [given["y_true"], given["y_pred"]]
    assert Program._block(arrays) == 10
    whole = entropies.run(given)
    monkeypatch.undo()
    np.testing.assert_allclose(entropies.run(given).value, whole.value, rtol=ULPS)


def test_no_cases_give_no_results():
    made = program(entropy)  # fresh: the first run is the one that finds a way
    none = {name: np.zeros((0, *SHAPE), np.float32) for name in ("y_true", "y_pred")}
    found = made.run(none)
    assert found.value.shape == (0, SHAPE[0])
    assert found.gradient.shape == (0, *SHAPE)


def test_tensors_inside_can_be_fetched_forward_and_backward(entropies):
    given = cases(12)
    log, backward = entropies.fetch(["Log:0", "gradients/Log_grad/Reciprocal:0"], given)
    np.testing.assert_allclose(log, np.log(given["y_pred"]), rtol=ULPS)
    np.testing.assert_allclose(backward, 1 / given["y_pred"], rtol=ULPS)


def test_inputs_of_another_dtype_are_cast_and_overflow_to_infinity(entropies):
    given = {name: array.astype(np.float64) for name, array in cases(3).items()}
    assert entropies.run(given).value.dtype == np.float32
    given["y_pred"][0, 0, 0] = 1e300
    found = entropies.run(given).value
    assert not np.isfinite(found[0, 0])
    assert np.isfinite(found[1:]).all()


def test_totals_and_total_sum_over_what_the_loss_returns(entropies):
    given = cases(6)
    found = entropies.run(given)
    assert found.value.shape == (6, SHAPE[0])
    np.testing.assert_allclose(found.total, found.value.astype(float).sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(entropies.totals(given), found.total, rtol=ULPS)


def test_infinities_of_both_signs_total_nan():
    made = batch.Outcome(value=np.array([[np.inf, -np.inf], [1, 2]]), gradient=np.zeros((2, 1)))
    np.testing.assert_array_equal(made.total, [np.nan, 3.0])


def test_a_missing_gradient_reads_as_zeros():
    found = program(lambda t, p: tf.reduce_sum(tf.stop_gradient(p))).run(cases(4))
    np.testing.assert_array_equal(found.gradient, np.zeros((4, *SHAPE)))


def test_captured_constants_are_named_and_variables_are_not():
    variable, constant = tf.Variable(2.0), tf.constant([1.0, 2.0, 4.0])
    made = program(lambda t, p: tf.reduce_sum(variable * constant * (p - t)))
    (value,) = made.captured_values().values()
    np.testing.assert_array_equal(value, [1.0, 2.0, 4.0])
    given = cases(5)
    before = made.run(given).gradient
    np.testing.assert_allclose(before, np.broadcast_to([2.0, 4.0, 8.0], (5, *SHAPE)))
    variable.assign(3.0)
    np.testing.assert_allclose(made.run(given).gradient, 1.5 * before)


def test_every_case_draws_the_same_numbers():
    made = program(lambda t, p: tf.reduce_sum(p * tf.random.uniform(SHAPE)))
    given = {name: np.ones((8, *SHAPE), np.float32) for name in ("y_true", "y_pred")}
    assert len(np.unique(made.run(given).value)) == 1


def test_an_operation_that_fails_raises_in_every_way():
    made = program(lambda t, p: tf.reduce_sum(tf.gather(p, tf.cast(t[:, 0], tf.int32))))
    given = cases(3)
    given["y_true"][:] = 7.0  # there are 2 rows
    with pytest.raises(tf.errors.InvalidArgumentError):  # of the gather or of its slope
        made.run(given)


def tenth(y_true, y_pred):
    """Has constants that float32 rounds, the gradient's own among them."""
    return tf.reduce_mean(tf.square(0.1 * y_pred - y_true / 3.0) + 0.7, axis=-1)


def test_a_float64_block_is_made_of_the_float32_one_with_its_own_constants(monkeypatch):
    both = programs(tenth)
    both.at(SHAPES).settle()
    monkeypatch.setattr(ways, "vectorized", None)  # nothing is vectorized anew
    inputs = cases(5_000)
    found = both.double(SHAPES).run(inputs)
    y_true, y_pred = (np.asarray(inputs[name], np.float64) for name in ("y_true", "y_pred"))
    apart = 0.1 * y_pred - y_true / 3.0
    np.testing.assert_allclose(found.value, (apart**2 + 0.7).mean(axis=-1), rtol=1e-15)
    np.testing.assert_allclose(found.gradient, 0.1 * 2.0 / 3.0 * apart, rtol=1e-13, atol=1e-16)
    assert both.double(SHAPES).way() is Way.VECTORIZED


def test_a_number_inside_comes_of_the_block_that_is_there(monkeypatch):
    made = program(tenth)
    made.settle()
    monkeypatch.setattr(ways, "vectorized", None)
    inputs = cases(5_000)
    (squares,) = made.fetch(["Square:0"], inputs)
    apart = 0.1 * inputs["y_pred"] - inputs["y_true"] / 3.0
    np.testing.assert_allclose(squares, apart**2, rtol=1e-4, atol=1e-9)


def test_constants_and_arguments_are_had_without_another_run_of_all_cases():
    loss = program(entropy)
    inputs = cases(700)
    loss.run(inputs)
    one = next(n.outputs[0] for n in loss.wiring.nodes if np.array_equal(n.constant, 1.0))
    place = loss.traced.placeholders[1].name
    known = set(loss._runners)
    found, given, value = loss.fetch([one, place, loss.whole[0]], inputs)
    assert set(loss._runners) == known | {(loss.whole[:1], "plain")}
    assert (found == 1.0).all()
    assert len(found) == len(value) == 700
    np.testing.assert_array_equal(given, inputs["y_pred"])


def test_a_graph_has_one_session_whatever_is_asked_of_it():
    loss = program(entropy)
    inputs = cases(2)
    loss.run(inputs)
    (before,) = loss.graph.get_collection("losscheck/session")
    loss.fetch([loss.wiring.nodes[-1].outputs[0]], inputs)
    assert loss.graph.get_collection("losscheck/session") == [before]
