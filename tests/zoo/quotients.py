"""Quotients whose denominator may be 0: rows 2, 33 to 40, 44, 60 and 72 of the catalogue."""

from __future__ import annotations

import tensorflow as tf

from tests.zoo import sound_classification as classification
from tests.zoo import sound_regression as regression
from tests.zoo.specimen import REALS, apart, pair, specimen

SIZE_FLOOR = 1e-3  # of a box, in the units of the image


def chi_square(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    total = y_true + y_pred
    terms = tf.where(total != 0.0, tf.square(y_true - y_pred) / total, 0.0)
    return tf.reduce_sum(terms, axis=-1)


def chi_square_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    terms = tf.math.divide_no_nan(tf.square(y_true - y_pred), y_true + y_pred)
    return tf.reduce_sum(terms, axis=-1)


def bare_dice(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    overlap = tf.reduce_sum(y_true * y_pred, axis=-1)
    total = tf.reduce_sum(y_true, axis=-1) + tf.reduce_sum(y_pred, axis=-1)
    return 1.0 - 2.0 * overlap / total


def lopsided_dice(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    overlap = tf.reduce_sum(y_true * y_pred, axis=-1)
    total = tf.reduce_sum(y_true, axis=-1) + tf.reduce_sum(y_pred, axis=-1)
    return 1.0 - 2.0 * overlap / (total + 1.0)


def _areas(a: tf.Tensor, b: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Areas of intersection and union of boxes (B, 4): left, top, right, bottom."""
    sizes = [tf.nn.relu(box[:, 2:] - box[:, :2]) for box in (a, b)]
    corners = tf.minimum(a[:, 2:], b[:, 2:]) - tf.maximum(a[:, :2], b[:, :2])
    both = tf.reduce_prod(tf.nn.relu(corners), axis=-1)
    either = tf.reduce_prod(sizes[0], axis=-1) + tf.reduce_prod(sizes[1], axis=-1) - both
    return both, either


def bare_iou(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    overlap, union = _areas(y_true, y_pred)
    return 1.0 - overlap / union


def bare_iou_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    overlap, union = _areas(y_true, y_pred)
    return 1.0 - tf.math.divide_no_nan(overlap, union)


def aspect_ratio(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """The term of CIoU: y holds widths and heights."""
    slope = tf.atan(y_pred[:, 0] / y_pred[:, 1])
    return tf.square(tf.atan(y_true[:, 0] / y_true[:, 1]) - slope)


def aspect_ratio_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    angles = [tf.atan2(y[:, 0], tf.maximum(y[:, 1], SIZE_FLOOR)) for y in (y_true, y_pred)]
    return tf.square(angles[0] - angles[1])


def bare_masked_mean(y_true: tf.Tensor, y_pred: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    squares = mask * tf.square(y_true - y_pred)
    return tf.reduce_sum(squares) / tf.reduce_sum(mask)


def bare_selected_mean(y_true: tf.Tensor, y_pred: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    squares = tf.square(y_true - y_pred)
    return tf.reduce_mean(tf.boolean_mask(squares, mask > 0.5))


def bare_selected_mean_twin(y_true: tf.Tensor, y_pred: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    chosen = tf.boolean_mask(tf.square(y_true - y_pred), mask > 0.5)
    return tf.math.divide_no_nan(tf.reduce_sum(chosen), tf.cast(tf.size(chosen), chosen.dtype))


def bare_relative_error(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.abs((y_true - y_pred) / y_true))


def bare_gaussian(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    mean, variance = y_pred[:, :1], y_pred[:, 1:]
    return 0.5 * (tf.math.log(variance) + tf.square(y_true - mean) / variance)


def bare_gaussian_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    mean, variance = y_pred[:, :1], tf.math.softplus(y_pred[:, 1:]) + SIZE_FLOOR
    return 0.5 * (tf.math.log(variance) + tf.square(y_true - mean) / variance)


def log_variance_gaussian(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    mean, log_variance = y_pred[:, :1], y_pred[:, 1:]
    return 0.5 * (log_variance + tf.square(y_true - mean) / tf.exp(log_variance))


def bare_pearson(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    labels = y_true - tf.reduce_mean(y_true, axis=-1, keepdims=True)
    guesses = y_pred - tf.reduce_mean(y_pred, axis=-1, keepdims=True)
    spread = tf.norm(labels, axis=-1) * tf.norm(guesses, axis=-1)
    return 1.0 - tf.reduce_sum(labels * guesses, axis=-1) / spread


def _cox_terms(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Log risks of events against all who were still there; rows are ordered by time."""
    at_risk = tf.math.cumulative_logsumexp(y_pred, reverse=True)
    return y_true * (at_risk - y_pred)


def cox_per_event(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(_cox_terms(y_true, y_pred)) / tf.reduce_sum(y_true)


def cox_per_event_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    terms = tf.reduce_sum(_cox_terms(y_true, y_pred))
    return tf.math.divide_no_nan(terms, tf.reduce_sum(y_true))


def bare_f1(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    hit = tf.reduce_sum(y_true * y_pred, axis=0)
    precision = hit / (tf.reduce_sum(y_pred, axis=0) + 1e-6)
    recall = hit / (tf.reduce_sum(y_true, axis=0) + 1e-6)
    return 1.0 - tf.reduce_mean(2.0 * precision * recall / (precision + recall))


MASKED = pair("real", "real", "(B, T)", mask=("mask", "(B, T)"))
OVERLAPS = pair("binary", "probability")

SPECIMENS = (
    specimen(
        2,
        "LC203",
        chi_square,
        chi_square_twin,
        pair("nonnegative", "nonnegative"),
        "x = 0",
        "tf.square(y_true - y_pred) / total",
    ),
    specimen(
        33,
        "LC201",
        bare_dice,
        classification.smoothed_dice,
        OVERLAPS,
        "both empty",
        "2.0 * overlap / total",
    ),
    specimen(
        34,
        "LC103 LC108",
        lopsided_dice,
        classification.smoothed_dice,
        OVERLAPS,
        "both empty: a loss of 1 on a perfect match, and no gradient",
        severity="warning",
        dagger=True,
    ),
    specimen(
        35,
        "LC201",
        bare_iou,
        bare_iou_twin,
        pair("[0, 1]", "[0, 1]", "(B, 4)"),
        "zero boxes",
        "overlap / union",
    ),
    specimen(
        36,
        "LC201 LC203",
        aspect_ratio,
        aspect_ratio_twin,
        pair("positive", "nonnegative", "(B, 2)"),
        "h = 0",
        "y_pred[:, 0] / y_pred[:, 1]",
    ),
    specimen(
        37,
        "LC201",
        bare_masked_mean,
        regression.masked_mean,
        MASKED,
        "an empty mask",
        "/ tf.reduce_sum(mask)",
    ),
    specimen(
        38,
        "LC201",
        bare_selected_mean,
        bare_selected_mean_twin,
        MASKED,
        "none selected",
        "tf.reduce_mean(",
    ),
    specimen(
        39,
        "LC201 LC202",
        bare_relative_error,
        regression.relative_error,
        REALS,
        "y = 0",
        "/ y_true",
    ),
    specimen(
        40,
        "LC201 LC202",
        bare_gaussian,
        bare_gaussian_twin,
        apart(("nonnegative", "(B, 1)"), ("nonnegative", "(B, 2)")),
        "a variance of 0",
        "tf.math.log(variance) + tf.square(",
    ),
    specimen(
        40,
        "LC203",
        log_variance_gaussian,
        bare_gaussian_twin,
        apart(("logits", "(B, 1)"), ("logits", "(B, 2)")),
        "a log variance above 88",
        "tf.exp(log_variance)",
    ),
    specimen(
        44,
        "LC201",
        bare_pearson,
        regression.pearson,
        pair("real", "real", "(B, 8)"),
        "a constant row",
        "/ spread",
    ),
    specimen(
        60,
        "LC201",
        cox_per_event,
        cox_per_event_twin,
        pair("binary", "logits", "(B,)"),
        "no events",
        "/ tf.reduce_sum(y_true)",
    ),
    specimen(
        72,
        "LC201",
        bare_f1,
        classification.soft_f1,
        pair("binary", "probability", "(B, C)"),
        "no positives",
        "/ (precision + recall)",
    ),
)
