"""Logarithms of 0: rows 1, 5 to 8, 26, 27, 30 to 32 and 66 of the catalogue."""

from __future__ import annotations

import math

import tensorflow as tf

from tests.zoo import sound_classification as classification
from tests.zoo.specimen import pair, specimen

FLOOR = 1e-6  # of a probability or a rate
SMALLEST_RATE = 1e-12  # far below every rate that means something; its reciprocal fits float32
HALF_FLOOR = 1e-3  # the same in half types: its reciprocal and its logarithm fit them


def guarded_log(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    log = tf.where(y_pred > 0.0, tf.math.log(y_pred), 0.0)
    return -tf.reduce_sum(y_true * log, axis=-1)


def guarded_log_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    safe = tf.where(y_pred > FLOOR, y_pred, FLOOR)
    log = tf.where(y_pred > FLOOR, tf.math.log(safe), math.log(FLOOR))
    return -tf.reduce_sum(y_true * log, axis=-1)


def log_softmax_by_hand(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return -tf.reduce_sum(y_true * tf.math.log(tf.nn.softmax(y_pred)), axis=-1)


def log_softmax_by_hand_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.nn.softmax_cross_entropy_with_logits(labels=y_true, logits=y_pred)


def log_of_one_minus_sigmoid(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    miss = (1.0 - y_true) * tf.math.log(1.0 - tf.sigmoid(y_pred))
    return tf.reduce_mean(y_true * tf.math.softplus(-y_pred) - miss, axis=-1)


def log_of_one_minus_sigmoid_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    miss = (1.0 - y_true) * tf.math.softplus(y_pred)
    return tf.reduce_mean(y_true * tf.math.softplus(-y_pred) + miss, axis=-1)


def clip_too_fine(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    p = tf.clip_by_value(y_pred, 1e-8, 1.0 - 1e-8)
    hit, miss = y_true * tf.math.log(p), (1.0 - y_true) * tf.math.log(1.0 - p)
    return -tf.reduce_mean(hit + miss, axis=-1)


def half_epsilon(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return -tf.reduce_sum(y_true * tf.math.log(y_pred + 1e-8), axis=-1)


def half_epsilon_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    epsilon = HALF_FLOOR if y_pred.dtype.size < 4 else 1e-6
    return -tf.reduce_sum(y_true * tf.math.log(y_pred + epsilon), axis=-1)


def focal_by_probability(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    pt = tf.sigmoid((2.0 * y_true - 1.0) * y_pred)
    return -tf.reduce_mean(tf.square(1.0 - pt) * tf.math.log(pt))


def clipped_sigmoid(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    p = tf.clip_by_value(tf.sigmoid(y_pred), 1e-7, 1.0 - 1e-7)
    hit, miss = y_true * tf.math.log(p), (1.0 - y_true) * tf.math.log(1.0 - p)
    return -tf.reduce_mean(hit + miss, axis=-1)


def clipped_sigmoid_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    terms = tf.nn.sigmoid_cross_entropy_with_logits(labels=y_true, logits=y_pred)
    return tf.reduce_mean(terms, axis=-1)


def poisson_of_any_rate(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(y_pred - y_true * tf.math.log(y_pred), axis=-1)


def poisson_of_any_rate_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    rate = tf.math.softplus(y_pred) + FLOOR
    return tf.reduce_mean(rate - y_true * tf.math.log(rate), axis=-1)


def bare_divergence(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(y_true * tf.math.log(y_true / y_pred), axis=-1)


def bare_entropy(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    entropy = tf.reduce_sum(y_pred * tf.math.log(y_pred), axis=-1)
    return tf.reduce_sum(tf.square(y_true - y_pred), axis=-1) - 0.1 * entropy


def bare_entropy_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    entropy = tf.reduce_sum(tf.math.xlogy(y_pred, y_pred), axis=-1)
    return tf.reduce_sum(tf.square(y_true - y_pred), axis=-1) - 0.1 * entropy


def complementary_log_log(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Whether anything happened at a rate of y_pred."""
    some = tf.math.log(1.0 - tf.exp(-y_pred))
    return tf.reduce_mean((1.0 - y_true) * y_pred - y_true * some, axis=-1)


def complementary_log_log_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    some = tf.math.log(-tf.math.expm1(-tf.maximum(y_pred, SMALLEST_RATE)))
    return tf.reduce_mean((1.0 - y_true) * y_pred - y_true * some, axis=-1)


CLASSES = pair("one_hot", "simplex", "(B, C)")
TWO_CLASSES = pair("binary", "logits")

SPECIMENS = (
    specimen(1, "LC203", guarded_log, guarded_log_twin, CLASSES, "p = 0", "tf.math.log(y_pred)"),
    specimen(
        5,
        "LC201 LC202",
        log_softmax_by_hand,
        log_softmax_by_hand_twin,
        pair("one_hot", "logits", "(B, C)"),
        "logits more than 104 apart",
        "tf.math.log(tf.nn.softmax(",
    ),
    specimen(
        6,
        "LC201 LC202",
        log_of_one_minus_sigmoid,
        log_of_one_minus_sigmoid_twin,
        TWO_CLASSES,
        "z = 20",
        "tf.math.log(1.0 - tf.sigmoid(",
    ),
    specimen(
        7,
        "LC201 LC202",
        clip_too_fine,
        classification.binary_crossentropy,
        pair("binary", "probability"),
        "p = 1",
        "tf.math.log(1.0 - p)",
    ),
    specimen(
        8,
        "LC505",
        half_epsilon,
        half_epsilon_twin,
        CLASSES,
        "p = 0 in float16",
        "tf.math.log(y_pred + 1e-8)",
        severity="note",
    ),
    specimen(
        26,
        "LC201 LC202",
        focal_by_probability,
        classification.focal_from_logits,
        pair("binary", "logits", "(B, 1)"),
        "pt = 0",
        "tf.math.log(pt)",
    ),
    specimen(
        27,
        "LC103",
        clipped_sigmoid,
        clipped_sigmoid_twin,
        TWO_CLASSES,
        "confidently wrong",
        "tf.clip_by_value(",
        severity="warning",
    ),
    specimen(
        30,
        "LC201 LC202",
        poisson_of_any_rate,
        poisson_of_any_rate_twin,
        pair("count", "real"),
        "p <= 0",
        "tf.math.log(y_pred)",
    ),
    specimen(
        31,
        "LC201 LC202",
        bare_divergence,
        classification.kl_divergence,
        pair("simplex", "simplex", "(B, C)"),
        "p = 0 or q = 0",
        "tf.math.log(y_true / y_pred)",
    ),
    specimen(
        32,
        "LC201",
        bare_entropy,
        bare_entropy_twin,
        CLASSES,
        "p = 0",
        "tf.math.log(y_pred)",
    ),
    specimen(
        66,
        "LC202",
        complementary_log_log,
        complementary_log_log_twin,
        pair("binary", "positive"),
        "x = 1e-8",
        "tf.math.log(1.0 - tf.exp(-y_pred))",
        guessed="LC201 LC204",
    ),
)
