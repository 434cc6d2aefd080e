"""What does not fit the dtype: rows 4, 9 to 12, 29, 41, 45 to 47, 60 to 62, 67 and 70."""

from __future__ import annotations

import tensorflow as tf

from tests.zoo import sound_classification as classification
from tests.zoo import sound_regression as regression
from tests.zoo.specimen import NO_LABEL, REALS, apart, pair, specimen

FLOOR = 1e-6  # of a rate, and of the largest error
LARGEST_LOG_RATE = 20.0  # from which on the exponential goes on along its tangent
POWER = 1.5  # of Tweedie's variance


def masked_after(y_true: tf.Tensor, y_pred: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    errors = tf.square(tf.math.log(y_true) - y_pred)
    return tf.reduce_mean(mask * errors)


def masked_after_twin(y_true: tf.Tensor, y_pred: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    kept = mask * y_true > 0.0
    errors = tf.square(tf.math.log(tf.where(kept, y_true, 1.0)) - y_pred)
    return tf.reduce_mean(tf.where(kept, errors, 0.0))


def softmax_by_hand(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    share = tf.exp(y_pred) / tf.reduce_sum(tf.exp(y_pred), axis=-1, keepdims=True)
    return tf.reduce_sum(tf.square(y_true - share), axis=-1)


def softmax_by_hand_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.square(y_true - tf.nn.softmax(y_pred)), axis=-1)


def bare_logsumexp(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    total = tf.math.log(tf.reduce_sum(tf.exp(y_pred), axis=-1))
    return total - tf.reduce_sum(y_true * y_pred, axis=-1)


def bare_logsumexp_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.nn.softmax_cross_entropy_with_logits(labels=y_true, logits=y_pred)


def bare_softplus(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.math.log(1.0 + tf.exp(y_pred)) - y_true * y_pred)


def bare_softplus_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    against = (1.0 - 2.0 * y_true) * y_pred
    return tf.reduce_mean(tf.math.softplus(against))


def bare_log_cosh(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.math.log(tf.math.cosh(y_true - y_pred)))


def poisson_log_rate(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.exp(y_pred) - y_true * y_pred


def poisson_log_rate_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    low = tf.minimum(y_pred, LARGEST_LOG_RATE)
    rate = tf.exp(low) * (1.0 + tf.nn.relu(y_pred - LARGEST_LOG_RATE))
    return rate - y_true * y_pred


def bare_mixture(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Of normal distributions of equal weight and unit variance; y_pred holds their means."""
    density = tf.exp(-0.5 * tf.square(y_true - y_pred))
    return -tf.math.log(tf.reduce_mean(density, axis=-1))


def bare_mixture_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    parts = tf.cast(tf.shape(y_pred)[-1], y_pred.dtype)
    exponents = -0.5 * tf.square(y_true - y_pred)
    return tf.math.log(parts) - tf.reduce_logsumexp(exponents, axis=-1)


def infinite_mask(y_true: tf.Tensor, y_pred: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    scores = tf.where(mask > 0.5, y_pred, -float("inf"))
    return tf.reduce_sum(tf.square(y_true - tf.nn.softmax(scores)), axis=-1)


def infinite_mask_twin(y_true: tf.Tensor, y_pred: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    share = mask * tf.nn.softmax(tf.where(mask > 0.5, y_pred, y_pred.dtype.min))
    rows = tf.reduce_max(mask, axis=-1)
    return rows * tf.reduce_sum(tf.square(y_true - share), axis=-1)


def wide_mask(y_true: tf.Tensor, y_pred: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    scores = y_pred + (1.0 - mask) * -1e9
    return tf.reduce_sum(tf.square(y_true - tf.nn.softmax(scores)), axis=-1)


def summed_squares(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.square(y_true - y_pred), axis=-1)


def summed_squares_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    wide = tf.float32 if y_pred.dtype.size < 4 else y_pred.dtype
    return tf.reduce_sum(tf.square(tf.cast(y_true - y_pred, wide)), axis=-1)


def long_mean(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.abs(y_true - y_pred), axis=-1)


def long_mean_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    wide = tf.float32 if y_pred.dtype.size < 4 else y_pred.dtype
    return tf.reduce_mean(tf.cast(tf.abs(y_true - y_pred), wide), axis=-1)


def bare_cox(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Rows are ordered by time."""
    at_risk = tf.math.log(tf.cumsum(tf.exp(y_pred), reverse=True))
    events = tf.reduce_sum(y_true * (at_risk - y_pred))
    return tf.math.divide_no_nan(events, tf.reduce_sum(y_true))


def bare_cox_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    at_risk = tf.math.cumulative_logsumexp(y_pred, reverse=True)
    events = tf.reduce_sum(y_true * (at_risk - y_pred))
    return tf.math.divide_no_nan(events, tf.reduce_sum(y_true))


def bare_ranking(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """BPR: y_pred holds the scores of the item taken and of one not taken."""
    del y_true
    return -tf.math.log(tf.sigmoid(y_pred[:, 0] - y_pred[:, 1]))


def _by_relevance(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    order = tf.argsort(y_true, axis=-1, direction="DESCENDING", stable=True)
    return tf.gather(y_pred, order, batch_dims=1)


def bare_list_mle(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    scores = _by_relevance(y_true, y_pred - tf.reduce_max(y_pred, axis=-1, keepdims=True))
    later = tf.math.log(tf.cumsum(tf.exp(scores), axis=-1, reverse=True))
    return tf.reduce_sum(later - scores, axis=-1)


def bare_list_mle_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    scores = _by_relevance(y_true, y_pred)
    later = tf.math.cumulative_logsumexp(scores, axis=-1, reverse=True)
    return tf.reduce_sum(later - scores, axis=-1)


def overflowing_root(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.sqrt(tf.reduce_mean(tf.square(y_true - y_pred)) + FLOOR)


def overflowing_root_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    error = y_true - y_pred
    # The result does not depend on the scale, but for the floor in the root, so no slope is lost.
    size = tf.stop_gradient(tf.maximum(tf.reduce_max(tf.abs(error)), FLOOR))
    return size * tf.sqrt(tf.reduce_mean(tf.square(error * (1.0 / size))) + FLOOR**2)


def bare_tweedie(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    down = y_true * tf.pow(y_pred, 1.0 - POWER) / (1.0 - POWER)
    return tf.reduce_mean(tf.pow(y_pred, 2.0 - POWER) / (2.0 - POWER) - down)


def bare_tweedie_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    log_mean = tf.math.log(tf.maximum(y_pred, FLOOR))
    down = y_true * tf.exp((1.0 - POWER) * log_mean) / (1.0 - POWER)
    return tf.reduce_mean(tf.exp((2.0 - POWER) * log_mean) / (2.0 - POWER) - down)


CLASSES = pair("one_hot", "logits", "(B, C)")
ATTENTION = pair("one_hot", "logits", "(B, T)", mask=("mask", "(B, T)"))

SPECIMENS = (
    specimen(
        4,
        "LC201 LC202",
        masked_after,
        masked_after_twin,
        pair("nonnegative", "real", "(B, T)", mask=("mask", "(B, T)")),
        "the log of a masked 0",
        "tf.math.log(y_true)",
    ),
    specimen(
        9, "LC201", softmax_by_hand, softmax_by_hand_twin, CLASSES, "z = 100", "tf.exp(y_pred) /"
    ),
    specimen(
        10,
        "LC201 LC202",
        bare_logsumexp,
        bare_logsumexp_twin,
        CLASSES,
        "z = 100",
        "tf.exp(y_pred)",
    ),
    specimen(
        11,
        "LC202",
        bare_softplus,
        bare_softplus_twin,
        pair("binary", "logits"),
        "x = 100",
        "tf.exp(y_pred)",
    ),
    specimen(
        12,
        "LC202",
        bare_log_cosh,
        regression.log_cosh,
        REALS,
        "d = 100",
        "tf.math.cosh(",
    ),
    specimen(
        29,
        "LC202",
        poisson_log_rate,
        poisson_log_rate_twin,
        pair("count", "logits", "(B, 1)"),
        "z = 100",
        "tf.exp(y_pred)",
        severity="note",
    ),
    specimen(
        41,
        "LC202",
        bare_mixture,
        bare_mixture_twin,
        apart(("real", "(B, 1)"), ("real", "(B, 3)")),
        "a far target",
        "tf.math.log(",
    ),
    specimen(
        45,
        "LC201",
        infinite_mask,
        infinite_mask_twin,
        ATTENTION,
        "all masked",
        '-float("inf")',
    ),
    specimen(
        46,
        "LC505",
        wide_mask,
        infinite_mask_twin,
        ATTENTION,
        "any mask, in float16",
        "-1e9",
        severity="note",
    ),
    specimen(
        47,
        "LC202",
        summed_squares,
        summed_squares_twin,
        REALS,
        "d = 300, in float16",
        "tf.square(",
        severity="note",
        dtypes=("float32", "float16"),
    ),
    specimen(
        47,
        "LC505",
        long_mean,
        long_mean_twin,
        pair("real", "real", "(B, 5000)"),
        "the mean of 5,000 errors of 20, in float16",
        "tf.reduce_mean(",
        severity="note",
    ),
    specimen(
        60,
        "LC201 LC202",
        bare_cox,
        bare_cox_twin,
        pair("binary", "logits", "(B,)"),
        "a log risk of 100",
        "tf.exp(y_pred)",
    ),
    specimen(
        61,
        "LC202",
        bare_ranking,
        classification.bayesian_ranking,
        apart(NO_LABEL, ("logits", "(B, 2)")),
        "d = -200",
        "tf.math.log(",
    ),
    specimen(
        62,
        "LC201 LC202",
        bare_list_mle,
        bare_list_mle_twin,
        pair("real", "logits", "(B, N)"),
        "logits more than 104 apart",
        "tf.math.log(",
        dagger=True,
    ),
    specimen(
        67,
        "LC202",
        overflowing_root,
        overflowing_root_twin,
        pair("[-1e25, 1e25]", "[-1e25, 1e25]"),
        "d = 1e20",
        "tf.square(",
    ),
    specimen(
        70,
        "LC201 LC202",
        bare_tweedie,
        bare_tweedie_twin,
        pair("nonnegative", "nonnegative", "(B, 1)"),
        "a mean of 0",
        "tf.pow(y_pred, 1.0 - POWER)",
    ),
)
