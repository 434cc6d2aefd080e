"""The exact evaluator against TensorFlow in float64, and against closed forms where that fails.

Truths come from TensorFlow's own float64 kernels at ordinary points, and from algebra (written
beside each number) where float64 overflows, cancels or saturates.
"""

from __future__ import annotations

import inspect
import math

import mpmath
import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from losscheck.program.exact import Unknown, evaluate  # noqa: E402
from losscheck.program.exact.ops import ELEMENTWISE, TESTS  # noqa: E402

FLOAT64_ROUNDING = 1e-12  # a few thousand float64 ulps: rounding of a dozen ops, no more


def trace(loss, shape, dtype=tf.float32):
    """Trace a loss with its gradient; fetches, and the graph as a callable."""

    @tf.function(autograph=False)
    def program(y_true, y_pred):
        value = loss(y_true, y_pred)
        return value, tf.convert_to_tensor(tf.gradients(value, [y_pred])[0])

    spec = tf.TensorSpec(shape, dtype)
    return program.get_concrete_function(spec, spec)


def truth(loss, y_true, y_pred, dtype=tf.float32):
    """Exact value and gradient of a loss, in nested lists of mpmath numbers."""
    y_true, y_pred = np.asarray(y_true, "f4"), np.asarray(y_pred, "f4")
    program = trace(loss, y_pred.shape, dtype)
    found = evaluate(program.outputs, {"y_true": y_true, "y_pred": y_pred})
    return found.values[0].tolist(), found.values[1].tolist()


def slope_outside(t, p):
    """A Huber loss by Python: a branch and a selection."""
    error = tf.abs(t - p)
    return tf.reduce_sum(tf.where(error < 0.5, error**2, error - 0.25))


def branch(t, p):
    return tf.cond(tf.reduce_sum(p) > 0, lambda: tf.reduce_sum(tf.exp(p)), lambda: tf.norm(t - p))


def repeated(t, p):
    def halve(count, x):
        return count + 1, tf.sqrt(x)

    return tf.reduce_sum(t * tf.while_loop(lambda c, _: c < 3, halve, (0, tf.abs(p)))[1])


def recurrent(t, p):
    """A scan over time, as recurrences in losses are written."""
    states = tf.scan(lambda state, x: tf.tanh(state + x), tf.transpose(p), t[:, 0])
    return tf.reduce_sum(states**2)


def contrastive(t, p):
    unit = tf.math.l2_normalize(p, axis=-1)
    scores = tf.matmul(unit, unit, transpose_b=True) / 0.1
    return tf.reduce_mean(tf.reduce_logsumexp(scores, axis=1)) + tf.reduce_sum(t)


def ranked(t, p):
    best, places = tf.math.top_k(p, k=1)
    return tf.reduce_sum(best * tf.gather(t, places, batch_dims=1))


def picked(t, p):
    labels = tf.argmax(t, axis=-1)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, p)


def grouped(t, p):
    """Each group of equal labels counts the same, whatever its size."""
    _, group, size = tf.unique_with_counts(tf.reshape(tf.round(t), [-1]))
    met = tf.unique(tf.reshape(tf.round(t), [-1])).y
    weight = tf.gather(1.0 / tf.cast(size, p.dtype) + 0.01 * met, group)
    return tf.reduce_sum(weight * tf.reshape(p, [-1]) ** 2)


LOSSES = {
    "grouped": grouped,
    "mse": lambda t, p: tf.reduce_mean(tf.square(t - p), axis=-1),
    "mae": lambda t, p: tf.reduce_mean(tf.abs(t - p)),
    "msle": lambda t, p: tf.reduce_mean((tf.math.log1p(p) - tf.math.log1p(t)) ** 2),
    "rmse": lambda t, p: tf.sqrt(tf.reduce_mean(tf.math.squared_difference(t, p))),
    "log_cosh": lambda t, p: tf.reduce_mean(p - t + tf.nn.softplus(-2 * (p - t)) - math.log(2)),
    "huber": slope_outside,
    "sigmoid_bce": lambda t, p: tf.nn.sigmoid_cross_entropy_with_logits(labels=t, logits=p),
    "bce": lambda t, p: -t * tf.math.log(p) - (1 - t) * tf.math.log(1 - p),
    "clipped_bce": lambda t, p: -t * tf.math.log(tf.clip_by_value(p, 1e-7, 1 - 1e-7)),
    "focal": lambda t, p: -t * tf.pow(1 - tf.sigmoid(p), 2.5) * tf.math.log_sigmoid(p),
    "softmax_ce": lambda t, p: tf.nn.softmax_cross_entropy_with_logits(labels=t, logits=p),
    "hand_softmax": lambda t, p: -t * tf.math.log(tf.nn.softmax(p)),
    "log_softmax": lambda t, p: -t * tf.nn.log_softmax(p),
    "sparse_ce": picked,
    "kl": lambda t, p: tf.reduce_sum(t * tf.math.log(t / p), axis=-1),
    "poisson": lambda t, p: tf.reduce_mean(p - tf.math.xlogy(t, p)),
    "gamma_poisson": lambda t, p: tf.reduce_sum(tf.math.lgamma(p + t) - tf.math.lgamma(p)),
    "cosine": lambda t, p: (
        -tf.reduce_sum(tf.math.l2_normalize(t, axis=-1) * tf.math.l2_normalize(p, axis=-1), axis=-1)
    ),
    "dice": lambda t, p: (
        1 - tf.math.divide_no_nan(2 * tf.reduce_sum(t * p), tf.reduce_sum(t) + tf.reduce_sum(p))
    ),
    "hinge": lambda t, p: tf.reduce_mean(tf.maximum(1 - t * p, 0.0)),
    "quantile": lambda t, p: tf.reduce_mean(tf.maximum(0.3 * (t - p), -0.7 * (t - p))),
    "crps": lambda t, p: tf.reduce_sum(tf.math.erf(t - p) * tf.tanh(p) + tf.math.erfc(p)),
    "differences": lambda t, p: tf.reduce_sum(tf.sin(p[:, 1:] - p[:, :-1]) ** 2),
    "cumulative": lambda t, p: tf.reduce_mean((tf.cumsum(p, -1) - tf.cumsum(t, -1)) ** 2),
    "product": lambda t, p: tf.reduce_sum(tf.reduce_prod(p, axis=-1) * tf.reduce_max(t)),
    "gathered": lambda t, p: tf.reduce_sum(tf.gather(p, [1, 0, 1]) * tf.gather_nd(t, [[1, 2]])),
    "stacked": lambda t, p: tf.reduce_logsumexp(tf.stack([p, tf.pad(p, [[0, 0], [1, 0]])[:, :-1]])),
    "einsum": lambda t, p: tf.einsum("ij,kj->ik", p, t * p),
    "angles": lambda t, p: tf.atan2(p, t) + tf.asin(p / 9) + tf.acos(p / 9) + tf.atan(p),
    "branch": branch,
    "recurrent": recurrent,
    "repeated": repeated,
    "contrastive": contrastive,
    "ranked": ranked,
    "called": lambda t, p: tf.function(lambda x: tf.exp(-x) + t, autograph=False)(p),
}


@pytest.mark.parametrize("name", LOSSES)
def test_agrees_with_float64(name):
    """Value and gradient are those of TensorFlow's float64 kernels."""
    program = trace(LOSSES[name], (2, 3), tf.float64)
    y_true, y_pred = np.random.default_rng(7).uniform(0.1, 0.9, (2, 2, 3))
    found = evaluate(program.outputs, {"y_true": y_true, "y_pred": y_pred})
    expected = program(tf.constant(y_true), tf.constant(y_pred))
    for exact, rounded in zip(found.values, expected, strict=True):
        np.testing.assert_allclose(
            exact.astype(float), rounded.numpy(), rtol=FLOAT64_ROUNDING, atol=FLOAT64_ROUNDING
        )
    assert found.digits == 100  # the second of the precisions: no ordinary point needs more


def test_one_element():
    """A batch of one sample with one output keeps its shapes."""
    value, gradient = truth(LOSSES["mse"], [[1.0]], [[3.0]])
    assert value == [4]
    assert gradient == [[4]]


class TestBeyondFloat64:
    """Numbers that float64 cannot give, with their closed forms."""

    def test_log_cosh_of_a_billion(self):
        """cosh(x) = e**x/2 to within e**-2e9, so log cosh(1e9) = 1e9 - log 2."""
        value, gradient = truth(lambda t, p: tf.math.log(tf.cosh(p - t)), [0.0], [1e9])
        with mpmath.workdps(30):
            assert abs(value[0] - (10**9 - mpmath.log(2))) < 1e-18
            assert abs(gradient[0] - 1) < 1e-20

    def test_softplus_by_hand(self):
        """log(1 + exp(100)) = 100 + exp(-100) to first order."""
        value, gradient = truth(lambda _, p: tf.math.log(1 + tf.exp(p)), [0.0], [100.0])
        assert value[0] - 100 == pytest.approx(math.exp(-100), rel=1e-15)
        assert 1 - gradient[0] == pytest.approx(math.exp(-100), rel=1e-15)

    def test_cancellation(self):
        """(1 - cos d)/d**2 = 1/2 - d**2/24 + ..., so its slope is -d/12."""
        value, gradient = truth(lambda t, p: (1 - tf.cos(p - t)) / (p - t) ** 2, [0.0], [1e-6])
        d = float(np.float32(1e-6))
        assert value[0] == pytest.approx(0.5, rel=1e-12)
        assert gradient[0] == pytest.approx(-d / 12, rel=1e-10)

    @pytest.mark.parametrize("x", [1e2, 1e4, 1e9])
    def test_saturated_sigmoid(self, x):
        """-log(1 - sigmoid(x)) = x + log(1 + e**-x), slope sigmoid(x). float64: inf from 37."""
        value, gradient = truth(lambda _, p: -tf.math.log(1 - tf.sigmoid(p)), [0.0], [x])
        assert value[0] == pytest.approx(x, rel=1e-15)
        assert gradient[0] == pytest.approx(1.0, rel=1e-15)

    def test_saturated_softmax(self):
        """-log softmax of logits (0, 1e4) in the first place is 1e4 to within e**-1e4."""
        value, gradient = truth(
            lambda t, p: -tf.reduce_sum(t * tf.math.log(tf.nn.softmax(p))), [[1.0, 0]], [[0.0, 1e4]]
        )
        assert value == 10**4
        assert [float(g) for g in gradient[0]] == [-1.0, 1.0]

    def test_no_overflow(self):
        """The square of 1e30 (as float32 has it) is finite, and exact."""
        value, gradient = truth(lambda t, p: (t - p) ** 2, [0.0], [1e30])
        x = int(np.float32(1e30))
        assert value == [x * x]
        assert gradient == [2 * x]

    def test_digits_lost_for_good(self):
        """A saturation that hides more digits than allowed is unknown, and not called infinite."""
        with pytest.raises(Unknown, match="400 digits do not settle"):
            truth(lambda _, p: tf.math.log(1 - tf.exp(p) / (tf.exp(p) + 1)), [0.0], [1e4])

    def test_exact_tie_after_rounding_functions(self):
        """At y_pred == y_true a root-mean-square of logarithms is 0 with slope 0/0, not unknown."""

        def rmsle(t, p):
            return tf.sqrt(tf.reduce_mean((tf.math.log1p(p) - tf.math.log1p(t)) ** 2))

        value, gradient = truth(rmsle, [0.3, 0.7], [0.3, 0.7])
        assert value == 0
        assert all(mpmath.isnan(g) for g in gradient)

    def test_zero_that_no_precision_proves(self):
        """1 - cosine of a vector with itself: no digits prove it 0, but it is below float64."""

        def cosine(t, p):
            sizes = tf.norm(t) * tf.norm(p)
            return 1 - tf.reduce_sum(t * p) / sizes

        value, _ = truth(cosine, [0.3, 0.7, 0.1], [0.3, 0.7, 0.1])
        assert value == 0


class TestSingularPoints:
    """IEEE 754 at the points where a truth does not exist."""

    def test_log_of_zero(self):
        value, gradient = truth(lambda t, p: tf.math.log(p), [0.0], [0.0])
        assert value == [-mpmath.inf]
        assert gradient == [mpmath.inf]

    def test_selection_does_not_stop_nan(self):
        """tf.where multiplies the slope of log at 0 by 0 on the way back."""
        value, gradient = truth(lambda t, p: tf.where(p > 0, tf.math.log(p), 0.0), [0.0], [0.0])
        assert value == [0]
        assert mpmath.isnan(gradient[0])

    def test_safe_selection(self):
        def safe(_, p):
            inside = tf.where(p > 0, p, 1.0)
            return tf.where(p > 0, tf.math.log(inside), 0.0)

        assert truth(safe, [0.0], [0.0]) == ([0], [0])

    def test_empty_mask(self):
        """0/0 of a mean over nothing."""
        value, _ = truth(lambda t, p: tf.reduce_sum(t * p) / tf.reduce_sum(t), [0.0], [2.0])
        assert mpmath.isnan(value)

    def test_square_root(self):
        value, gradient = truth(lambda t, p: tf.sqrt(p), [0.0, 0.0], [0.0, -1.0])
        assert value[0] == 0
        assert gradient[0] == mpmath.inf
        assert mpmath.isnan(value[1])


class TestUnknown:
    """What is not evaluated says so."""

    def test_op_without_entry(self):
        with pytest.raises(Unknown, match=r"Betainc \(.*\): no exact evaluation"):
            truth(lambda t, p: tf.math.betainc(t, t, p), [0.5], [0.5])

    def test_random(self):
        with pytest.raises(Unknown, match="RandomUniform"):
            truth(lambda t, p: p * tf.random.uniform([1]), [0.5], [0.5])

    def test_more_numbers_than_python_can_take(self):
        many = [0.5] * 2**15
        with pytest.raises(Unknown, match="more than 32,768 numbers would be evaluated exactly"):
            truth(lambda t, p: tf.exp(p) * t, many, many)

    def test_input_without_value(self):
        program = trace(LOSSES["mse"], (1, 1))
        with pytest.raises(Unknown, match=r"Placeholder \(y_true\): no value"):
            evaluate(program.outputs, {"y_pred": np.ones((1, 1))})


def test_captures():
    """Captured constants and variables are read from the graph, or taken from the caller."""
    variable, constant = tf.Variable([2.0]), tf.constant([3.0])
    program = trace(lambda t, p: variable * p + constant, (1,))
    feeds = {"y_true": np.zeros(1), "y_pred": np.full(1, 5.0)}
    assert evaluate(program.outputs, feeds).values[0].tolist() == [13]
    names = [placeholder.op.name for _, placeholder in program.graph.captures]
    given = dict(zip(names, (np.array([20.0]), np.array([30.0])), strict=True))
    assert evaluate(program.outputs, feeds, given).values[0].tolist() == [130]


def test_constants_keep_the_digits_of_the_graph():
    """0.1 in a float32 graph is float32's 0.1, not a tenth."""
    value, _ = truth(lambda t, p: p * 0.1, [0.0], [1.0])
    assert value == [mpmath.mpf(float(np.float32(0.1)))]


# Inputs for the op table: every argument away from poles, unless the op's domain says otherwise.
COLUMNS = {
    1: [[0.3, 0.7, 0.9, 1.5, 2.5, 7.3]],
    2: [[0.3, -0.7, 0.9, 1.5, 2.5, -7.3], [2.0, 0.4, 0.9, -1.5, 0.1, 2.0]],
    3: [[0.3, -3.0, 5.0], [-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]],
}
DOMAINS = {
    "Acos": [[-0.99, -0.3, 0.0, 1e-9, 0.5, 1.0]],
    "Acosh": [[1.0, 1.001, 1.5, 2.0, 7.0, 1e5]],
    "Asin": [[-0.99, -0.3, 0.0, 1e-9, 0.5, 1.0]],
    "Atanh": [[-0.99, -0.3, 0.0, 1e-9, 0.5, 1.0]],
    "BiasAdd": [[[0.3, -3.0, 5.0]], [2.0, 0.1, 7.0]],
    "FloorDiv": [[2.5, -2.5, 1.0], [0.2, 0.7, 0.25]],
    "Floor": [[-1.5, -1.0, -0.2, 0.2, 1.0, 1.5]],
    "Polygamma": [[1.0, 1.0, 2.0], [0.3, 1.5, 2.5]],
    "Relu": [[-1.5, 0.0, 1.5]],
    "Round": [[-1.5, -0.5, 0.5, 1.5, 2.5, 2.6]],
    "Sign": [[-1.5, 0.0, 1.5]],
    "Xlog1py": [[0.0, 0.3, 2.0], [-1.0, 3.0, 0.1]],
    "Xlogy": [[0.0, 0.3, 2.0], [0.0, 3.0, 0.1]],
}
# Each moves, adds up or orders elements; sent through sin so that gradients tell elements apart.
TENSOR_OPS = {
    "reshape": lambda x: tf.reshape(x, [3, 2]),
    "strided_slice": lambda x: x[::-1, 1:],
    "new_axis": lambda x: x[:, None, 0],
    "reverse": lambda x: tf.reverse(x, [1]),
    "roll": lambda x: tf.roll(x, 1, axis=1),
    "tile": lambda x: tf.tile(x, [2, 2]),
    "pad": lambda x: tf.pad(x, [[1, 0], [0, 2]], constant_values=0.5),
    "mirror_pad": lambda x: tf.pad(x, [[1, 0], [0, 2]], "SYMMETRIC"),
    "split": lambda x: tf.split(x, 3, axis=1)[1] * tf.split(x, [1, 2], axis=1)[1],
    "unstack": lambda x: tf.unstack(x, axis=1)[2],
    "band_part": lambda x: tf.linalg.band_part(x, 0, 1),
    "diag_part": tf.linalg.diag_part,
    "boolean_mask": lambda x: tf.boolean_mask(x, [[True, False, True], [False, True, True]]),
    "gather": lambda x: tf.gather(x, [2, 0, 2], axis=1),
    "gather_nd": lambda x: tf.gather_nd(x, [[1, 2], [0, 0], [1, 2]]),
    "segment_sum": lambda x: tf.math.unsorted_segment_sum(x, [1, 1], 3),
    "scatter_nd": lambda x: tf.scatter_nd([[3], [3]], x, [4, 3]),
    "dynamic_stitch": lambda x: tf.dynamic_stitch([[0, 2], [1, 0]], [x, x * 2]),
    "one_hot": lambda x: tf.one_hot([0, 2], 3, dtype=x.dtype) * x,
    "cumsum": lambda x: tf.cumsum(x, axis=1, exclusive=True, reverse=True),
    "cumulative_logsumexp": lambda x: tf.math.cumulative_logsumexp(x, axis=1, reverse=True),
    "cumsum_of_a_vector": lambda x: tf.cumsum(x[0]) - x[0],
    "cumulative_logsumexp_of_a_vector": lambda x: tf.math.cumulative_logsumexp(x[0]) - x[0],
    "cumprod": lambda x: tf.math.cumprod(x, axis=1),
    "reduce_min": lambda x: tf.reduce_min(x, axis=0),
    "reduce_prod": lambda x: tf.reduce_prod(x, axis=1, keepdims=True),
    "reduce_std": lambda x: tf.math.reduce_std(x, axis=1),
    "add_n": lambda x: tf.add_n([x, x * x, x[::-1]]),
    "top_k": lambda x: tf.math.top_k(x, 2).values,
    "sort": lambda x: tf.sort(x, axis=1),
    "cross": lambda x: tf.linalg.cross(x, x[::-1]),
    "matmul": lambda x: tf.matmul(x, x, transpose_a=True),
    "batch_matmul": lambda x: tf.matmul(x[None], x[None], transpose_b=True),
    "einsum": lambda x: tf.einsum("bi,bj,ij->b", x, x, tf.matmul(x, x, transpose_a=True)),
    "l2_loss": tf.nn.l2_loss,
    "bias_add": lambda x: tf.nn.bias_add(x, x[0]),
    "leaky_relu": lambda x: tf.nn.leaky_relu(x - 0.5, 0.3),
    "cast": lambda x: x * tf.cast(tf.cast(x * 3, tf.int32), x.dtype),
    "range": lambda x: x * tf.range(0.5, 2.0, 0.5, dtype=x.dtype),
    "where": lambda x: tf.gather_nd(x, tf.where(x > 0.5)),
    "arg_min": lambda x: x * tf.cast(tf.argmin(x, axis=0), x.dtype),
    "broadcast": lambda x: tf.broadcast_to(x[:, :1], [2, 4]),
    "dynamic_shape": lambda x: tf.fill(tf.shape(x)[:1], x[0, 0]) / tf.cast(tf.size(x), x.dtype),
}


def op_inputs(op_type):
    """Constants for the required arguments of a raw op, by name."""
    parameters = inspect.signature(getattr(tf.raw_ops, op_type)).parameters.values()
    names = [p.name for p in parameters if p.default is inspect.Parameter.empty]
    columns = DOMAINS.get(op_type, COLUMNS[len(names)])
    return {n: tf.constant(c, tf.float64) for n, c in zip(names, columns, strict=True)}


def tensor_op(operation):
    """An op of the inner kind with its gradient."""
    x = tf.constant(np.random.default_rng(5).uniform(0.1, 0.9, (2, 3)))
    value = tf.sin(operation(x))
    return value, tf.convert_to_tensor(tf.gradients(value, [x])[0])


@pytest.fixture(scope="module")
def op_graph():
    """One graph with every op of the tables, and what TensorFlow computes of it in float64."""
    graph = tf.Graph()
    with graph.as_default():
        tensors = {
            op_type: (getattr(tf.raw_ops, op_type)(**op_inputs(op_type)),)
            for op_type in (*ELEMENTWISE, *TESTS)
        }
        tensors.update((name, tensor_op(operation)) for name, operation in TENSOR_OPS.items())
    with tf.compat.v1.Session(graph=graph) as session:
        return tensors, session.run(tensors)


@pytest.mark.parametrize("name", [*ELEMENTWISE, *TESTS, *TENSOR_OPS])
def test_op(op_graph, name):
    """Each op is what TensorFlow's float64 kernel computes, its gradient too."""
    tensors, rounded = op_graph
    found = evaluate(tensors[name], {})
    for exact, expected in zip(found.values, rounded[name], strict=True):
        assert exact.shape == expected.shape
        with np.errstate(invalid="ignore"):  # NumPy 1.26 warns of a NaN that is cast
            rounded_once = exact.astype(float)
        np.testing.assert_allclose(rounded_once, expected, rtol=1e-12, atol=1e-15)
