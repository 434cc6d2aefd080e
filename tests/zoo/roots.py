"""Infinite slopes of roots and powers: rows 3, 13 to 25, 28, 57 and 71 of the catalogue."""

from __future__ import annotations

import math

import tensorflow as tf

from tests.zoo import sound_embedding as embedding
from tests.zoo import sound_regression as regression
from tests.zoo.specimen import NO_LABEL, REALS, apart, pair, specimen

FLOOR = 1e-6  # of a squared norm, and of the base of a power


def guarded_root(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    root = tf.where(y_pred > 0.0, tf.sqrt(y_pred), 0.0)
    return tf.reduce_mean(tf.square(y_true - root))


def guarded_root_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    safe = tf.where(y_pred > FLOOR, y_pred, FLOOR)
    root = tf.where(y_pred > FLOOR, tf.sqrt(safe), math.sqrt(FLOOR))
    return tf.reduce_mean(tf.square(y_true - root))


def bare_root_mean_square(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.sqrt(tf.reduce_mean(tf.square(y_true - y_pred)))


def bare_norm(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.norm(y_true - y_pred, axis=-1)


def _bare_distance(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    return tf.sqrt(tf.reduce_sum(tf.square(a - b), axis=-1))


def _distance(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    return tf.sqrt(tf.maximum(tf.reduce_sum(tf.square(a - b), axis=-1), FLOOR))


def siamese(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    distance = _bare_distance(y_pred[:, 0], y_pred[:, 1])
    apart = tf.square(tf.maximum(1.0 - distance, 0.0))
    return y_true * tf.square(distance) + (1.0 - y_true) * apart


def siamese_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    same = tf.reshape(y_true, [-1])  # a column would be broadcast against the row of samples
    distance = _distance(y_pred[:, 0], y_pred[:, 1])
    apart = tf.square(tf.maximum(1.0 - distance, 0.0))
    return same * tf.square(distance) + (1.0 - same) * apart


def bare_triplet(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    del y_true
    near = _bare_distance(y_pred[:, 0], y_pred[:, 1])
    far = _bare_distance(y_pred[:, 0], y_pred[:, 2])
    return tf.maximum(near - far + 0.5, 0.0)


def bare_triplet_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    del y_true
    near = _distance(y_pred[:, 0], y_pred[:, 1])
    far = _distance(y_pred[:, 0], y_pred[:, 2])
    return tf.maximum(near - far + 0.5, 0.0)


def expanded_distance(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    squares = tf.reduce_sum(tf.square(y_true) + tf.square(y_pred), axis=-1)
    return tf.sqrt(squares - 2.0 * tf.reduce_sum(y_true * y_pred, axis=-1))


def clipped_by_norm(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    clipped = tf.clip_by_norm(y_pred, 1.0, axes=-1)
    return tf.reduce_sum(tf.square(y_true - clipped), axis=-1)


def clipped_by_norm_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    squared = tf.reduce_sum(tf.square(y_pred), axis=-1, keepdims=True)
    clipped = y_pred / tf.sqrt(tf.maximum(squared, 1.0))
    return tf.reduce_sum(tf.square(y_true - clipped), axis=-1)


def bare_cosine(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    product = tf.reduce_sum(y_true * y_pred, axis=-1)
    return 1.0 - product / (tf.norm(y_true, axis=-1) * tf.norm(y_pred, axis=-1))


def late_clamp(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Cosine distance whose clamp comes after the root: XLA's gradient multiplies 0 by Inf."""
    labels = tf.math.l2_normalize(y_true, axis=-1)
    squared = tf.reduce_sum(tf.square(y_pred), axis=-1, keepdims=True)
    inverse = tf.minimum(tf.math.rsqrt(squared), 1.0 / math.sqrt(FLOOR))
    return 1.0 - tf.reduce_sum(labels * y_pred * inverse, axis=-1)


def late_clamp_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    labels = tf.math.l2_normalize(y_true, axis=-1)
    squared = tf.reduce_sum(tf.square(y_pred), axis=-1, keepdims=True)
    inverse = tf.math.rsqrt(tf.maximum(squared, FLOOR))
    return 1.0 - tf.reduce_sum(labels * y_pred * inverse, axis=-1)


def angle(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    cosine = tf.reduce_sum(y_true * y_pred, axis=-1)
    return tf.acos(tf.clip_by_value(cosine, -1.0, 1.0))


def angle_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Of unit vectors: the tangent of half the angle is the ratio of difference and sum."""
    return 2.0 * tf.atan2(_distance(y_true, y_pred), _distance(y_true, -y_pred))


def sine_of_cosine(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(y_true - tf.sqrt(1.0 - tf.square(y_pred))))


def sine_of_cosine_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    sine = tf.sqrt((1.0 - y_pred) * (1.0 + y_pred) + FLOOR)
    return tf.reduce_mean(tf.square(y_true - sine))


def heading(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    turned = tf.atan2(y_pred[:, 1], y_pred[:, 0])
    return 1.0 - tf.cos(turned - y_true)


def heading_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    angles = tf.reshape(y_true, [-1])  # a column would be broadcast against the row of samples
    along = y_pred[:, 0] * tf.cos(angles) + y_pred[:, 1] * tf.sin(angles)
    squared = tf.reduce_sum(tf.square(y_pred), axis=-1)
    return 1.0 - along * tf.math.rsqrt(tf.maximum(squared, FLOOR))


def _true_class(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return y_true * y_pred + (1.0 - y_true) * (1.0 - y_pred)


def root_focal(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    pt = _true_class(y_true, y_pred)
    weight = tf.pow(1.0 - pt, 0.5)
    return -tf.reduce_mean(weight * tf.math.log(tf.maximum(pt, FLOOR)))


def root_focal_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    pt = _true_class(y_true, y_pred)
    weight = tf.pow(tf.maximum(1.0 - pt, FLOOR), 0.5)
    return -tf.reduce_mean(weight * tf.math.log(tf.maximum(pt, FLOOR)))


GAMMA = 0.0  # of a focal loss that is to be none


def focal_without_focus(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    against = (1.0 - 2.0 * y_true) * y_pred
    weight = tf.pow(tf.sigmoid(against), GAMMA)
    return tf.reduce_mean(weight * tf.math.softplus(against))


def focal_without_focus_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    against = (1.0 - 2.0 * y_true) * y_pred
    weight = 1.0 if GAMMA == 0.0 else tf.pow(tf.sigmoid(against), GAMMA)
    return tf.reduce_mean(weight * tf.math.softplus(against))


def fractional_power(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(y_true - tf.pow(y_pred, 0.7)))


def fractional_power_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    # A relu would do for the NaN, but leave half of all predictions without a gradient.
    return tf.reduce_mean(tf.square(y_true - tf.pow(tf.math.softplus(y_pred) + FLOOR, 0.7)))


def gradient_penalty(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Of WGAN-GP; y_pred holds the gradients of the critic, a row a sample."""
    del y_true
    norm = tf.sqrt(tf.reduce_sum(tf.square(y_pred), axis=-1))
    return tf.square(norm - 1.0)


def gradient_penalty_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    del y_true
    norm = tf.sqrt(tf.reduce_sum(tf.square(y_pred), axis=-1) + FLOOR)
    return tf.square(norm - 1.0)


def _tversky(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    hit = tf.reduce_sum(y_true * y_pred, axis=-1)
    extra = tf.reduce_sum((1.0 - y_true) * y_pred, axis=-1)
    missed = tf.reduce_sum(y_true * (1.0 - y_pred), axis=-1)
    return (0.3 * extra + 0.7 * missed) / (hit + 0.3 * extra + 0.7 * missed + 1.0)


def focal_tversky(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.pow(_tversky(y_true, y_pred), 0.75)


def focal_tversky_twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.pow(_tversky(y_true, y_pred) + FLOOR, 0.75)


SPECIMENS = (
    specimen(
        3,
        "LC503",
        guarded_root,
        guarded_root_twin,
        pair("nonnegative", "nonnegative"),
        "x = 0, under XLA",
        "tf.sqrt(y_pred)",
    ),
    specimen(
        13,
        "LC203",
        bare_root_mean_square,
        regression.root_mean_square,
        REALS,
        "a perfect fit",
        "tf.sqrt(",
    ),
    specimen(
        14,
        "LC203",
        bare_norm,
        regression.euclidean_distance,
        REALS,
        "d = 0",
        "tf.norm(",
    ),
    specimen(
        15,
        "LC203",
        siamese,
        siamese_twin,
        apart(("binary", "(B,)"), ("real", "(B, 2, D)")),
        "an identical pair",
        "tf.sqrt(",
    ),
    specimen(
        16,
        "LC203",
        bare_triplet,
        bare_triplet_twin,
        apart(NO_LABEL, ("real", "(B, 3, D)")),
        "anchor = positive",
        "tf.sqrt(",
    ),
    specimen(
        17,
        "LC201 LC203",
        expanded_distance,
        regression.euclidean_distance,
        REALS,
        "near duplicates of a large norm",
        "tf.sqrt(squares",
    ),
    specimen(
        18,
        "LC203",
        clipped_by_norm,
        clipped_by_norm_twin,
        REALS,
        "a zero vector",
        "tf.clip_by_norm(",
        dagger=True,
        instead="tf.clip_by_norm takes the root of 1 where the norm is 0: its gradient is 1, not "
        "NaN, eager, in a graph and under XLA",
    ),
    specimen(
        19, "LC201", bare_cosine, embedding.cosine_distance, REALS, "a zero vector", "product / ("
    ),
    specimen(
        20,
        "LC503",
        late_clamp,
        late_clamp_twin,
        REALS,
        "a zero vector, under XLA",
        "tf.math.rsqrt(squared)",
    ),
    specimen(
        21,
        "LC203 LC204",
        angle,
        angle_twin,
        pair("unit_vector", "unit_vector"),
        "c = 1",
        "tf.acos(",
    ),
    specimen(
        22,
        "LC203 LC204",
        sine_of_cosine,
        sine_of_cosine_twin,
        pair("[0, 1]", "[-1, 1]"),
        "c = 1",
        "tf.sqrt(1.0 - tf.square(",
        guessed="LC201",
    ),
    specimen(
        23,
        "LC203",
        heading,
        heading_twin,
        apart(("[-3.14, 3.14]", "(B,)"), ("real", "(B, 2)")),
        "the origin",
        "tf.atan2(",
    ),
    specimen(
        24,
        "LC203 LC204",
        root_focal,
        root_focal_twin,
        pair("binary", "probability"),
        "pt = 1",
        "tf.pow(1.0 - pt, 0.5)",
    ),
    specimen(
        25,
        "LC203",
        focal_without_focus,
        focal_without_focus_twin,
        pair("binary", "logits"),
        "a saturated logit",
        "tf.pow(tf.sigmoid(against)",
        dagger=True,
    ),
    specimen(
        28,
        "LC201",
        fractional_power,
        fractional_power_twin,
        pair("nonnegative", "real"),
        "x = -0.1",
        "tf.pow(y_pred, 0.7)",
        guessed="LC203 LC204",
    ),
    specimen(
        57,
        "LC203",
        gradient_penalty,
        gradient_penalty_twin,
        apart(NO_LABEL, ("real", "(B, D)")),
        "a zero gradient",
        "tf.sqrt(",
    ),
    specimen(
        71,
        "LC203 LC204",
        focal_tversky,
        focal_tversky_twin,
        pair("binary", "probability"),
        "a perfect match",
        "tf.pow(",
    ),
)
