"""Sound losses of every kind of operation that TensorFlow differentiates, written for this test.

Each is finite and right on the domains that stand in `DECLARED`; none has a fault that is an error.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

T = tf.Tensor
SIGNAL = ("[-1, 1]", "(B, 8)")
SMALL, POSITIVE = ("[-2, 2]", "(B, D)"), ("[0.5, 4]", "(B, D)")
UNIT = ("[0.05, 0.95]", "(B, D)")
SQUARE = ("[-1, 1]", "(B, 3, 3)")


def mean_square(y_true: T, y_pred: T) -> T:
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


# Complex numbers.
def spectrum(y_true: T, y_pred: T) -> T:
    return tf.reduce_mean(tf.abs(tf.signal.rfft(y_true) - tf.signal.rfft(y_pred)), axis=-1)


def power_of_frames(y_true: T, y_pred: T) -> T:
    def power(wave: T) -> T:
        frames = tf.signal.stft(wave, frame_length=4, frame_step=2)
        return tf.square(tf.math.real(frames)) + tf.square(tf.math.imag(frames))

    return tf.reduce_mean(tf.square(power(y_true) - power(y_pred)), axis=[1, 2])


def filtered(y_true: T, y_pred: T) -> T:
    half = tf.signal.rfft(y_pred - y_true)
    gain = tf.cast(tf.constant([1.0, 1.0, 0.5, 0.25, 0.0]), half.dtype)
    return tf.reduce_mean(tf.square(tf.signal.irfft(half * gain)), axis=-1)


def rotation(y_true: T, y_pred: T) -> T:
    turned = tf.exp(tf.complex(tf.zeros_like(y_pred), y_pred - y_true))
    return tf.reduce_mean(1.0 - tf.math.real(turned), axis=-1)


def plane(y_true: T, y_pred: T) -> T:
    return tf.reduce_mean(tf.square(tf.abs(tf.signal.rfft2d(y_true - y_pred))), axis=[1, 2])


def cosines(y_true: T, y_pred: T) -> T:
    return tf.reduce_mean(tf.square(tf.signal.dct(y_true - y_pred)), axis=-1)


# Loops.
def power_by_while(y_true: T, y_pred: T) -> T:
    _, total = tf.while_loop(
        lambda i, s: i < 3, lambda i, s: (i + 1, s * y_pred), (0, tf.ones_like(y_pred))
    )
    return mean_square(y_true, total)


def smoothed_by_scan(y_true: T, y_pred: T) -> T:
    steps = tf.transpose(y_pred - y_true)
    smooth = tf.scan(lambda a, x: 0.9 * a + 0.1 * x, steps)
    return tf.reduce_mean(tf.square(smooth), axis=0)


def rows_by_map(y_true: T, y_pred: T) -> T:
    return tf.map_fn(
        lambda pair: tf.reduce_sum(tf.square(pair[0] - pair[1])),
        (y_true, y_pred),
        fn_output_signature=y_pred.dtype,
    )


def folded(y_true: T, y_pred: T) -> T:
    return tf.foldl(lambda a, x: 0.5 * a + tf.square(x), tf.transpose(y_pred - y_true))


def by_array(y_true: T, y_pred: T) -> T:
    array = tf.TensorArray(y_pred.dtype, size=3)
    state = y_pred - y_true
    for step in range(3):
        state = tf.tanh(state + 0.1 * step)
        array = array.write(step, state)
    return tf.reduce_mean(tf.square(array.stack()), axis=[0, 2])


def branch_in_loop(y_true: T, y_pred: T) -> T:
    def step(i: T, total: T) -> tuple[T, T]:
        even = tf.equal(i % 2, 0)
        return i + 1, tf.cond(even, lambda: total + y_pred, lambda: total - y_true)

    _, total = tf.while_loop(lambda i, _: i < 4, step, (0, tf.zeros_like(y_pred)))
    return tf.reduce_mean(tf.square(total), axis=-1)


def recurrence(y_true: T, y_pred: T) -> T:
    """An alignment by dynamic programming, as in soft-DTW."""
    cost = tf.square(y_true[:, :, None] - y_pred[:, None, :])
    above = tf.fill(tf.shape(cost[:, 0]), tf.constant(4.0, cost.dtype))
    for row in range(3):
        left, cells = above[:, 0], []
        for column in range(3):
            best = -tf.reduce_logsumexp(-tf.stack([left, above[:, column]]), axis=0)
            left = cost[:, row, column] + best
            cells.append(left)
        above = tf.stack(cells, axis=1)
    return above[:, -1]


# Derivatives inside the loss.
def gradient_penalty(y_true: T, y_pred: T) -> T:
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        critic = tf.reduce_sum(tf.square(y_pred) * y_pred / 3.0, axis=-1)
    slope = tape.gradient(critic, y_pred)
    return mean_square(y_true, y_pred) + tf.reduce_mean(tf.square(slope), axis=-1)


def curvature(y_true: T, y_pred: T) -> T:
    with tf.GradientTape() as outer:
        outer.watch(y_pred)
        with tf.GradientTape() as inner:
            inner.watch(y_pred)
            energy = tf.reduce_sum(tf.sin(y_pred))
        slope = inner.gradient(energy, y_pred)
    return mean_square(y_true, outer.gradient(slope, y_pred) + y_pred)


# Gather, scatter, segments.
def picked(y_true: T, y_pred: T) -> T:
    return -tf.gather(tf.nn.log_softmax(y_pred), tf.cast(y_true, tf.int32), batch_dims=1)


def scattered(y_true: T, y_pred: T) -> T:
    places = tf.stack([tf.range(tf.shape(y_pred)[0]), tf.cast(y_true, tf.int32)], axis=1)
    hot = tf.scatter_nd(places, tf.ones_like(y_pred[:, 0]), tf.shape(y_pred))
    return tf.reduce_mean(tf.square(hot - tf.nn.softmax(y_pred)), axis=-1)


def updated(y_true: T, y_pred: T) -> T:
    places = tf.stack([tf.range(tf.shape(y_pred)[0]), tf.cast(y_true, tf.int32)], axis=1)
    raised = tf.tensor_scatter_nd_add(y_pred, places, 0.5 - 0.1 * y_pred[:, 0])
    return tf.reduce_mean(tf.square(raised), axis=-1)


def by_segments(y_true: T, y_pred: T) -> T:
    groups = tf.cast(y_true, tf.int32)
    total = tf.math.unsorted_segment_mean(y_pred, groups, 3)
    return tf.reduce_mean(tf.square(y_pred - tf.gather(total, groups)), axis=-1)


def ragged(y_true: T, y_pred: T) -> T:
    rows = tf.RaggedTensor.from_tensor(tf.square(y_pred - y_true), lengths=None)
    return tf.reduce_mean(rows, axis=-1)


def masked(y_true: T, y_pred: T) -> T:
    kept = tf.boolean_mask(tf.square(y_true - y_pred), y_true > -0.5)
    return tf.math.divide_no_nan(tf.reduce_sum(kept), tf.cast(tf.size(kept), kept.dtype))


def partitioned(y_true: T, y_pred: T) -> T:
    parts = tf.dynamic_partition(y_pred - y_true, tf.cast(y_true > 0.0, tf.int32), 2)
    return 2.0 * tf.reduce_sum(tf.square(parts[0])) + tf.reduce_sum(tf.square(parts[1]))


def sparse_product(y_true: T, y_pred: T) -> T:
    path = tf.sparse.from_dense(tf.constant([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]]))
    steps = tf.sparse.sparse_dense_matmul(path, tf.transpose(y_pred - y_true))
    return tf.reduce_mean(tf.square(steps), axis=0)


# Linear algebra.
def _gram(x: T) -> T:
    return tf.matmul(x, x, transpose_b=True) + tf.eye(3, dtype=x.dtype)


def by_cholesky(y_true: T, y_pred: T) -> T:
    root = tf.linalg.cholesky(_gram(y_pred))
    return tf.reduce_sum(tf.math.log(tf.linalg.diag_part(root)), axis=-1) + tf.reduce_mean(
        tf.square(y_true - y_pred), axis=[1, 2]
    )


def by_triangle(y_true: T, y_pred: T) -> T:
    root = tf.linalg.cholesky(_gram(y_true))
    solved = tf.linalg.triangular_solve(root, y_pred)
    return tf.reduce_mean(tf.square(solved), axis=[1, 2])


def log_determinant(y_true: T, y_pred: T) -> T:
    _, size = tf.linalg.slogdet(_gram(y_pred))
    return size + tf.reduce_mean(tf.square(y_true - y_pred), axis=[1, 2])


def eigenvalues(y_true: T, y_pred: T) -> T:
    values = tf.linalg.eigvalsh(_gram(y_pred))
    return tf.reduce_sum(tf.square(values), axis=-1) + 0.0 * tf.reduce_sum(y_true, axis=[1, 2])


def singular_values(y_true: T, y_pred: T) -> T:
    values = tf.linalg.svd(y_pred - y_true + 4.0 * tf.eye(3, dtype=y_pred.dtype), compute_uv=False)
    return tf.reduce_mean(values, axis=-1)


def inverse(y_true: T, y_pred: T) -> T:
    return tf.linalg.trace(tf.linalg.inv(_gram(y_pred))) + tf.reduce_mean(
        tf.square(y_true - y_pred), axis=[1, 2]
    )


def solved(y_true: T, y_pred: T) -> T:
    return tf.reduce_mean(tf.square(tf.linalg.solve(_gram(y_true), y_pred)), axis=[1, 2])


def by_einsum(y_true: T, y_pred: T) -> T:
    return tf.einsum("bij,bjk,bik->b", y_true, y_pred, y_pred)


def exponential(y_true: T, y_pred: T) -> T:
    return tf.reduce_mean(tf.square(tf.linalg.expm(0.3 * y_pred) - y_true), axis=[1, 2])


# Special functions.
def gamma_likelihood(y_true: T, y_pred: T) -> T:
    each = tf.math.lgamma(y_pred) - y_pred * tf.math.log(y_true) + tf.math.digamma(y_pred)
    return tf.reduce_mean(each, axis=-1)


def incomplete_beta(y_true: T, y_pred: T) -> T:
    two = tf.constant(2.0, y_pred.dtype)
    return tf.reduce_mean(tf.square(y_true - tf.math.betainc(two, two, y_pred)), axis=-1)


def incomplete_gamma(y_true: T, y_pred: T) -> T:
    two = tf.constant(2.0, y_pred.dtype)
    return tf.reduce_mean(tf.square(y_true - tf.math.igamma(two, y_pred)), axis=-1)


def bessel(y_true: T, y_pred: T) -> T:
    return tf.reduce_mean(tf.math.log(tf.math.bessel_i0e(y_pred)) + tf.square(y_true - y_pred), -1)


def quantile(y_true: T, y_pred: T) -> T:
    return tf.reduce_mean(tf.square(tf.math.erfcinv(y_pred) - tf.math.ndtri(y_true)), axis=-1)


def poly(y_true: T, y_pred: T) -> T:
    one = tf.constant(1.0, y_pred.dtype)
    return tf.reduce_mean(tf.math.polygamma(one, y_pred) + tf.math.zeta(y_true + 2.0, one), axis=-1)


def dawson(y_true: T, y_pred: T) -> T:
    return tf.reduce_mean(
        tf.math.special.dawsn(y_pred) + tf.math.special.expint(1.0 + tf.square(y_true)), axis=-1
    )


# Orders.
def ordered(y_true: T, y_pred: T) -> T:
    return mean_square(tf.sort(y_true, axis=-1), tf.sort(y_pred, axis=-1))


def best_two(y_true: T, y_pred: T) -> T:
    best, places = tf.math.top_k(y_pred, k=2)
    return tf.reduce_mean(tf.square(best - tf.gather(y_true, places, batch_dims=1)), axis=-1)


def searched(y_true: T, y_pred: T) -> T:
    edges = tf.constant([-1.0, 0.0, 1.0], y_true.dtype)
    places = tf.searchsorted(edges, tf.reshape(tf.stop_gradient(y_true), [-1]))
    weights = tf.gather(tf.constant([0.5, 1.0, 1.5, 2.0], y_pred.dtype), places)
    return tf.reduce_mean(tf.reshape(weights, tf.shape(y_true)) * tf.square(y_true - y_pred), -1)


def cumulative(y_true: T, y_pred: T) -> T:
    return mean_square(tf.cumsum(y_true, axis=-1), tf.cumsum(y_pred, axis=-1))


def cumulative_product(y_true: T, y_pred: T) -> T:
    return mean_square(tf.math.cumprod(y_true, axis=-1), tf.math.cumprod(y_pred, axis=-1))


def cumulative_logsumexp(y_true: T, y_pred: T) -> T:
    return tf.reduce_mean(
        tf.math.cumulative_logsumexp(y_pred, axis=-1) - y_pred + tf.square(y_true), axis=-1
    )


# What went wrong at first, in other words.
def log_spectrum(y_true: T, y_pred: T) -> T:
    return -tf.reduce_mean(tf.math.log(tf.abs(tf.signal.rfft(y_pred))), axis=-1)


def log_power_of_frames(y_true: T, y_pred: T) -> T:
    frames = tf.signal.stft(y_pred, frame_length=4, frame_step=4)
    power = tf.square(tf.math.real(frames)) + tf.square(tf.math.imag(frames))
    return tf.reduce_mean(tf.math.log(power), axis=[1, 2])


def log_cosines(y_true: T, y_pred: T) -> T:
    return tf.reduce_mean(tf.math.log(tf.abs(tf.signal.dct(y_pred))), axis=-1)


def floored_log_spectrum(y_true: T, y_pred: T) -> T:
    return -tf.reduce_mean(tf.math.log(tf.abs(tf.signal.rfft(y_pred)) + 1e-3), axis=-1)


def floored_log_cosines(y_true: T, y_pred: T) -> T:
    return tf.reduce_mean(tf.math.log(tf.abs(tf.signal.dct(y_pred)) + 1e-3), axis=-1)


def squared_error(y_true: T, y_pred: T) -> T:
    return mean_square(y_true, y_pred)


def huge_margin(y_true: T, y_pred: T) -> T:
    return tf.reduce_sum(tf.nn.softplus(1.0 - y_true * y_pred), axis=-1)


def boxes_and_class(y_true: T, y_pred: T) -> T:
    hot = tf.one_hot(tf.cast(y_true[:, :, 2], tf.int32), 3, dtype=y_pred.dtype)
    box = tf.reduce_mean(tf.square(y_true[:, :, :2] - y_pred[:, :, :2]), axis=[1, 2])
    return box + tf.reduce_mean(tf.square(hot - tf.sigmoid(y_pred[:, :, 2:])), axis=[1, 2])


def value_and_class(y_true: T, y_pred: T) -> T:
    kind = tf.cast(y_true[:, 0], tf.int32)
    cross = tf.nn.sparse_softmax_cross_entropy_with_logits(kind, y_pred[:, :3])
    return cross + tf.square(y_true[:, 1] - y_pred[:, 3])


def row_of_a_table(y_true: T, y_pred: T) -> T:
    table = tf.constant([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]], y_pred.dtype)
    rows = tf.gather(table, tf.cast(y_true[:, 2], tf.int32))
    gap = tf.square(y_true[:, 0] - y_pred[:, 2])
    return gap + tf.reduce_sum(tf.square(rows - y_pred[:, :2]), axis=-1)


_INDEX, _LOGITS = ("class_index", "(B,)"), ("logits", "(B, 3)")
_THREE = (("[-2, 2]", "(B, 3)"), ("[-2, 2]", "(B, 3)"))
DECLARED: dict[Any, tuple[Any, Any]] = {
    **dict.fromkeys((spectrum, power_of_frames, filtered, rotation, cosines), (SIGNAL, SIGNAL)),
    plane: (("[-1, 1]", "(B, 4, 4)"), ("[-1, 1]", "(B, 4, 4)")),
    **dict.fromkeys(
        (power_by_while, smoothed_by_scan, rows_by_map, folded, by_array, branch_in_loop),
        (SMALL, SMALL),
    ),
    **dict.fromkeys((gradient_penalty, curvature, masked, partitioned, ragged), (SMALL, SMALL)),
    **dict.fromkeys((recurrence, sparse_product), _THREE),
    **dict.fromkeys((picked, scattered, updated, by_segments), (_INDEX, _LOGITS)),
    **dict.fromkeys(
        (by_cholesky, by_triangle, log_determinant, eigenvalues, singular_values, inverse),
        (SQUARE, SQUARE),
    ),
    **dict.fromkeys((solved, by_einsum, exponential), (SQUARE, SQUARE)),
    **dict.fromkeys((gamma_likelihood, bessel, poly, dawson, incomplete_gamma), (POSITIVE,) * 2),
    **dict.fromkeys((incomplete_beta, quantile), (UNIT, UNIT)),
    **dict.fromkeys((ordered, best_two, searched, cumulative, cumulative_product), _THREE),
    cumulative_logsumexp: (SMALL, SMALL),
}
