"""The operations that losses are composed of, each with the interval on which it is smooth.

An operation is a line of Python with a hole for each operand. Where an operand may leave the
interval, the composer brings it in by an affine map, so that whatever is composed is finite and
has a finite slope everywhere: sound by construction.
"""

from __future__ import annotations

import math

import attrs

INF = math.inf


@attrs.frozen
class Elementwise:
    """An operation on the numbers of one tensor.

    Parameters
    ----------
    text
        Python, with `{x}` for the operand.
    domain
        The closed interval that the operand must lie in.
    """

    text: str
    domain: tuple[float, float] = (-4.0, 4.0)


# Smooth on the interval, with a slope that float32 can tell from 0 on most of it. Saturating ones
# are kept where they have not saturated, growing ones where they are small: what is composed may be
# 60 operations deep.
SMOOTH: tuple[Elementwise, ...] = (
    Elementwise("-{x}"),
    Elementwise("tf.square({x})"),
    Elementwise("{x} * {x} * {x}", (-2.0, 2.0)),
    Elementwise("tf.exp({x})", (-3.0, 2.0)),
    Elementwise("tf.math.expm1({x})", (-3.0, 2.0)),
    Elementwise("tf.math.log({x})", (0.2, 50.0)),
    Elementwise("tf.math.log1p({x})", (-0.7, 50.0)),
    Elementwise("tf.sqrt({x})", (0.1, 50.0)),
    Elementwise("tf.math.rsqrt({x})", (0.2, 50.0)),
    Elementwise("tf.math.reciprocal({x})", (0.3, 20.0)),
    Elementwise("1.0 / {x}", (0.3, 20.0)),
    Elementwise("tf.pow({x}, 1.7)", (0.1, 10.0)),
    Elementwise("tf.pow({x}, 3)", (-2.0, 2.0)),
    Elementwise("tf.pow(2.0, {x})", (-3.0, 3.0)),
    Elementwise("{x} ** 2", (-4.0, 4.0)),
    Elementwise("tf.sin({x})"),
    Elementwise("tf.cos({x})"),
    Elementwise("tf.tan({x})", (-1.0, 1.0)),
    Elementwise("tf.asin({x})", (-0.8, 0.8)),
    Elementwise("tf.acos({x})", (-0.8, 0.8)),
    Elementwise("tf.atan({x})"),
    Elementwise("tf.sinh({x})", (-2.5, 2.5)),
    Elementwise("tf.cosh({x})", (-2.5, 2.5)),
    Elementwise("tf.tanh({x})", (-2.0, 2.0)),
    Elementwise("tf.asinh({x})", (-20.0, 20.0)),
    Elementwise("tf.acosh({x})", (1.3, 20.0)),
    Elementwise("tf.atanh({x})", (-0.8, 0.8)),
    Elementwise("tf.sigmoid({x})"),
    Elementwise("tf.math.log_sigmoid({x})"),
    Elementwise("tf.nn.softplus({x})"),
    Elementwise("tf.nn.softsign({x})", (0.1, 6.0)),
    Elementwise("tf.nn.silu({x})"),
    Elementwise("tf.nn.gelu({x})", (-2.0, 3.0)),
    Elementwise("tf.math.erf({x})", (-1.5, 1.5)),
    Elementwise("tf.math.erfc({x})", (-1.5, 1.5)),
    Elementwise("tf.math.erfinv({x})", (-0.8, 0.8)),
    Elementwise("tf.math.ndtri({x})", (0.1, 0.9)),
    Elementwise("tf.math.lgamma({x})", (0.5, 10.0)),
    Elementwise("tf.math.digamma({x})", (0.5, 10.0)),
    Elementwise("tf.math.bessel_i0e({x})", (0.2, 4.0)),
    Elementwise("tf.math.bessel_i1e({x})", (-1.0, 1.0)),
    # TensorFlow gives xlogy the slope 0 where its first operand is 0, which is log(y).
    Elementwise("tf.math.xlogy({x}, 1.5 + tf.square({x}))", (0.2, 4.0)),
    Elementwise("tf.math.real(tf.complex({x}, 1.0 + {x}) * tf.complex({x}, 0.5 - {x}))", (-3, 3)),
    Elementwise("tf.math.igamma(2.0, {x})", (0.3, 4.0)),
    Elementwise("keras.ops.softplus({x})"),
    Elementwise("keras.ops.log1p(keras.ops.square({x}))"),
    Elementwise("helper({x})", (-2.0, 2.0)),
    Elementwise("second_derivative({x})", (-2.0, 2.0)),
)

# Continuous with a corner, at which a slope from either side is right.
CORNERED: tuple[Elementwise, ...] = (
    Elementwise("tf.abs({x})"),
    Elementwise("tf.nn.leaky_relu({x}, 0.2)"),
    Elementwise("tf.nn.elu({x})", (-2.0, 4.0)),
    Elementwise("tf.maximum({x}, 0.3 * {x})"),
    Elementwise("tf.minimum({x}, 0.5 * {x} + 0.25)"),
    Elementwise("tf.where({x} > 0.5, 2.0 * {x} - 0.5, {x})"),
    Elementwise("tf.where(tf.abs({x}) < 1.0, tf.square({x}), 2.0 * tf.abs({x}) - 1.0)"),
)

ONE_OPERAND = (*SMOOTH, *CORNERED)


@attrs.frozen
class Pairwise:
    """An operation on two tensors of one shape, with the interval of each operand."""

    text: str  # with {x} and {y}
    first: tuple[float, float] = (-5.0, 5.0)
    second: tuple[float, float] = (-5.0, 5.0)


TWO_OPERANDS: tuple[Pairwise, ...] = (
    Pairwise("{x} + {y}"),
    Pairwise("{x} - 0.5 * {y}"),
    Pairwise("{x} * {y}", (-3.0, 3.0), (0.3, 3.0)),
    Pairwise("{x} / {y}", (-5.0, 5.0), (0.4, 10.0)),
    Pairwise("tf.math.divide_no_nan({x}, {y})", (-5.0, 5.0), (0.4, 10.0)),
    Pairwise("tf.math.squared_difference({x}, {y})", (-3.0, 3.0), (-3.0, 3.0)),
    Pairwise("tf.sqrt(tf.square({x}) + tf.square({y}) + 0.1)"),
    Pairwise("tf.atan2({x}, {y})", (-3.0, 3.0), (0.4, 5.0)),
    Pairwise("tf.math.xlogy({x}, {y})", (0.2, 3.0), (0.3, 5.0)),
    Pairwise("tf.pow({y}, {x})", (-1.5, 1.5), (0.4, 3.0)),
    # What is not chosen has a slope all the same: a loss that is flat is no sound one.
    Pairwise("tf.maximum({x}, {y}) + 0.2 * {x} + 0.2 * {y}"),
    Pairwise("tf.minimum({x}, {y}) + 0.2 * {x} + 0.2 * {y}"),
    Pairwise("tf.where({x} > {y}, 1.2 * {x}, {y} + 0.2 * {x})"),
    Pairwise("tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.sigmoid({y}), logits={x})"),
    Pairwise("tf.math.log(tf.exp({x}) + tf.exp({y}))", (-2.0, 2.0), (-2.0, 2.0)),
)


@attrs.frozen
class Whole:
    """An operation on the axes of a tensor; the batch stays the first.

    Parameters
    ----------
    text
        With {x}, and {n} for the size of the last axis.
    last
        The size of the last axis of the result, as a formula of `n`; "" where the axis goes.
    domain
        Of the operand.
    bounds
        The interval of the result, as a formula of `low`, `high` and `n`.
    rank
        The least rank that it takes, the batch included.
    least
        The least size of the last axis.
    """

    text: str
    last: str = "n"
    domain: tuple[float, float] = (-INF, INF)
    bounds: str = "low, high"
    rank: int = 2
    least: int = 1


SUMS = "n * min(low, 0.0), n * max(high, 0.0)"
MIXED = "low - max(abs(low), abs(high)), high + max(abs(low), abs(high))"
# Small enough to be drawn into, and to be squared by whatever comes next.
WHOLE: tuple[Whole, ...] = (
    Whole("tf.reverse({x}, [-1])"),
    Whole("tf.roll({x}, 1, axis=-1)"),
    Whole("{x}[..., ::-1]"),
    Whole("tf.sort({x}, axis=-1)"),
    Whole("tf.gather({x}, tf.argsort({x}, axis=-1), batch_dims=len({x}.shape) - 1)"),
    Whole("tf.repeat({x}, 2, axis=-1)", "2 * n"),
    # Neither the mean nor the mean square of a result is a constant: averaged over its axes it
    # would make a loss of rounding errors alone.
    Whole(
        "tf.concat([{x}, -0.5 * {x}], axis=-1)",
        "2 * n",
        bounds="-max(-low, high), max(-low, high)",
    ),
    Whole("tf.gather({x}, [{n} - 1, 0], axis=-1)", "2"),
    Whole(
        "{x}[..., : {n} // 2 + 1] + {x}[..., {n} - 1 :]", "n // 2 + 1", bounds="2 * low, 2 * high"
    ),
    Whole("{x} - 0.5 * tf.reduce_mean({x}, axis=-1, keepdims=True)", bounds=MIXED),
    Whole("{x} + 0.5 * tf.reduce_max({x}, axis=-1, keepdims=True)", bounds=MIXED),
    Whole("tf.reduce_mean({x}, axis=-1)", "", rank=3),
    Whole("tf.reduce_sum({x}, axis=-1)", "", bounds=SUMS, rank=3),
    Whole("tf.reduce_max({x}, axis=-1)", "", rank=3),
    Whole("tf.reduce_mean(tf.math.top_k({x}, k=max(1, {n} // 2)).values, axis=-1)", "", rank=3),
    Whole("tf.add_n(tf.unstack({x}, axis=-1))", "", bounds=SUMS, rank=3),
    Whole("tf.reduce_logsumexp({x}, axis=-1)", "", (-5, 5), "low, high + math.log(n)", 3),
    Whole("tf.nn.softmax({x}, axis=-1) + 0.1 * {x}", "n", (-3, 3), "-0.3, 1.3", least=2),
    Whole(
        "tf.nn.log_softmax({x}, axis=-1)", "n", (-3, 3), "low - high - math.log(n), 0.0", least=2
    ),
    Whole("tf.cumsum({x}, axis=-1)", "n", (-3, 3), SUMS),
    Whole("tf.math.cumprod({x}, axis=-1)", "n", (0.7, 1.4), "0.7**n, 1.4**n"),
    Whole("tf.math.cumulative_logsumexp({x}, axis=-1)", "n", (-3, 3), "low, high + math.log(n)"),
    Whole("tf.math.top_k({x}, k=max(1, {n} // 2)).values", "max(1, n // 2)"),
    Whole(
        "tf.linalg.matrix_transpose({x}[..., None] * {x}[..., None, :])[..., 0]",
        "n",
        (-2, 2),
        "-4, 4",
    ),
    Whole(
        "{x} / tf.norm({x}, axis=-1, keepdims=True) + 0.1 * {x}", "n", (0.3, 5), "0.0, 1.5", least=2
    ),
    Whole("tf.math.l2_normalize({x}, axis=-1) + 0.1 * {x}", "n", (0.3, 5), "0.0, 1.5", least=2),
    Whole("{x} @ TABLE[:{n}, :4]", "4", (-3, 3), "-3.0 * n, 3.0 * n"),
    Whole("tf.einsum('...i,ij->...j', {x}, TABLE[:{n}, :3])", "3", (-3, 3), "-3.0 * n, 3.0 * n"),
    Whole("tf.stop_gradient(0.1 * {x}) + {x}", bounds="1.1 * min(low, 0.0), 1.1 * max(high, 0.0)"),
    Whole("tf.map_fn(lambda row: row - 0.3 * tf.reduce_mean(row), {x})", bounds=MIXED),
    Whole(
        "tf.stack([{x}, 0.5 - 0.5 * {x}], axis=-1)",
        "n, 2",
        bounds="min(low, 0.5 - 0.5 * high), max(high, 0.5 - 0.5 * low)",
    ),
    Whole("scanned({x})", "n", (-3, 3), "-6, 6"),
    Whole("folded({x})", "", (-3, 3), "-2.5, 2.5", 3),
    Whole("looped({x})", "n", (-2, 2), "-3, 3"),
    Whole("chosen({x}, y_true)", "n", (-2, 2), "-4, 4"),
    Whole("gathered({x})", "n", (-2, 2), "-2, 2"),
    Whole("written({x})", "n", (-2, 2), "-2, 2"),
    Whole("spectrum({x})", "n // 2 + 1", (-2, 2), "0.0, 4.0 * n * n", least=2),
    Whole("gram_logdet({x})", "", (-2, 2), "0.0, math.log(1.0 + 4.0 * n)", 3),
    Whole("solved({x})", "n", (-2, 2), "-2 - 8.0 * n, 2 + 8.0 * n"),
    Whole("segments({x})", "2", (-3, 3), "-3.0 * n, 3.0 * n", least=2),
    Whole("noised({x})", bounds="low, high + 0.2"),
    Whole("DENSE(tf.reduce_mean({x}, axis=-1, keepdims=True))", "3", (-2, 2), "-3, 3"),
    Whole("python({x})", "n", (-2, 2), "0.0, 4.0"),
)

# On (B, H, W, C).
IMAGE: tuple[Whole, ...] = (
    Whole("blurred({x})", bounds="-max(-low, high), max(-low, high)"),
    Whole("tf.nn.avg_pool2d({x}, 2, 1, 'SAME')"),
    Whole("tf.nn.max_pool2d({x}, 2, 1, 'SAME')"),
    Whole("tf.image.flip_left_right({x})"),
    Whole("tf.pad({x}, [[0, 0], [1, 1], [1, 1], [0, 0]], 'SYMMETRIC')[:, 1:-1, 1:-1]"),
    Whole("tf.transpose({x}, [0, 2, 1, 3])[:, ::-1]", "n"),
    Whole("tf.image.sobel_edges({x})[..., 0]", "n", (-2, 2), "-16, 16"),
)

# What the operations above call; it stands at the head of every module.
HELPERS = """
TABLE = tf.constant(np.sin(np.arange(64 * 4, dtype="float32")).reshape(64, 4) * 0.9)
KERNEL = tf.constant([[0.1, 0.2, 0.1], [0.1, 0.2, 0.1], [0.0, 0.1, 0.1]])
DENSE = keras.layers.Dense(
    3, kernel_initializer=keras.initializers.Constant(0.7), bias_initializer="zeros"
)


def helper(x):
    return tf.square(tf.sin(x)) + 0.3 * x


def second_derivative(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.square(x) * tf.exp(0.3 * x)
    return tape.gradient(y, x)


def front(x):
    rank = len(x.shape)
    return tf.transpose(x, [rank - 1, *range(rank - 1)])


def back(x):
    rank = len(x.shape)
    return tf.transpose(x, [*range(1, rank), 0])


def scanned(x):
    return tf.ensure_shape(back(tf.scan(lambda a, b: 0.5 * a + b, front(x))), x.shape)


def folded(x):
    return tf.foldl(lambda a, b: 0.6 * a + tf.sin(b), front(x), tf.zeros_like(x[..., 0]))


def looped(x):
    return tf.while_loop(
        lambda i, y: i < 3, lambda i, y: (i + 1, y + 0.1 * tf.sin(y)), (0, x), maximum_iterations=5
    )[1]


def chosen(x, y_true):
    return tf.cond(tf.reduce_mean(y_true) > 0.3, lambda: tf.square(x), lambda: 2.0 * x)


def gathered(x):
    places = tf.range(tf.shape(x)[-1])[::-1]
    return tf.gather(x, places, axis=-1)


def written(x):
    rows = tf.TensorArray(x.dtype, size=0, dynamic_size=True)
    for i, part in enumerate(tf.unstack(x, axis=-1)):
        rows = rows.write(i, part)
    return tf.ensure_shape(back(rows.stack()), x.shape)


def spectrum(x):
    wave = tf.signal.rfft(x)
    return tf.square(tf.math.real(wave)) + tf.square(tf.math.imag(wave))


def gram(x):
    return tf.eye(x.shape[-1]) + x[..., :, None] * x[..., None, :]


def gram_logdet(x):
    root = tf.linalg.cholesky(gram(x))
    return 2.0 * tf.reduce_sum(tf.math.log(tf.linalg.diag_part(root)), axis=-1)


def solved(x):
    return tf.linalg.solve(gram(x), x[..., None])[..., 0]


def segments(x):
    flat = front(x)
    ids = tf.range(tf.shape(flat)[0]) % 2
    return back(tf.math.unsorted_segment_sum(flat, ids, 2))


def noised(x):
    return x + tf.random.stateless_uniform(tf.shape(x), [1, 2], maxval=0.1)


def blurred(x):
    channels = x.shape[-1]
    kernel = tf.tile(tf.cast(KERNEL, x.dtype)[:, :, None, None], [1, 1, channels, 1])
    return tf.nn.depthwise_conv2d(x, kernel, [1, 1, 1, 1], "SAME")


def python(x):
    return tf.ensure_shape(tf.py_function(lambda a: tf.square(a), [x], x.dtype), x.shape)
"""
