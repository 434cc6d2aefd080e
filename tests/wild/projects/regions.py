"""Losses of regions: of pixels, boxes, capsules, words in a picture and weather on a map."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import scipy.optimize
import tensorflow as tf

WINDOW, STEADY = 5, 1e-5  # of a local correlation, and what keeps its divisor from 0
PULL, PUSH = 0.5, 1.5  # how near to the middle of its cluster a pixel is left alone; how far apart
SURE, UNSURE, ABSENT = 0.9, 0.1, 0.5  # lengths of capsules, and what absent classes count
CLASSES, NEGATIVES = 3, 3  # of anchors, the first is the background; so many per positive
EXTENTS, ANGLES = 1.0, 20.0  # weights of the geometry of words


def _one_image(pair: tuple[Any, Any]) -> Any:
    """Pull the pixels of an instance together, push the middles of two apart."""
    labels, pixels = pair
    _, index, counts = tf.unique_with_counts(labels)
    number = tf.size(counts)
    sizes = tf.cast(counts, pixels.dtype)
    middles = tf.math.unsorted_segment_sum(pixels, index, number) / sizes[:, tf.newaxis]
    far = tf.sqrt(tf.reduce_sum(tf.square(pixels - tf.gather(middles, index)), axis=-1) + 1e-12)
    within = tf.reduce_mean(tf.square(tf.nn.relu(far - PULL)))
    gaps = tf.reshape(middles[:, tf.newaxis] - middles[tf.newaxis], [number * number, -1])
    others = tf.reshape(~tf.eye(number, dtype=tf.bool), [-1])
    gaps = tf.boolean_mask(gaps, others)
    apart = tf.sqrt(tf.reduce_sum(tf.square(gaps), axis=-1) + 1e-12)
    between = tf.reduce_mean(tf.square(tf.nn.relu(2.0 * PUSH - apart)))
    return within + between


def clusters_apart(y_true: Any, y_pred: Any) -> Any:
    """Embeddings of pixels by the instance that each belongs to, image by image."""
    return tf.map_fn(_one_image, (y_true, y_pred), fn_output_signature=y_pred.dtype)


def _windowed(images: Any) -> Any:
    ones = tf.ones([WINDOW, WINDOW, 1, 1], images.dtype)
    return tf.nn.conv2d(images, ones, strides=1, padding="SAME")


def windowed_correlation(y_true: Any, y_pred: Any) -> Any:
    """One less the squared correlation of two images within windows."""
    size = float(WINDOW * WINDOW)
    fixed, moving = _windowed(y_true), _windowed(y_pred)
    mean_fixed, mean_moving = fixed / size, moving / size
    cross = _windowed(y_true * y_pred)
    cross += -mean_moving * fixed - mean_fixed * moving + mean_fixed * mean_moving * size
    fixed_spread = _windowed(y_true * y_true) - 2.0 * mean_fixed * fixed + mean_fixed**2 * size
    moving_spread = _windowed(y_pred * y_pred) - 2.0 * mean_moving * moving + mean_moving**2 * size
    squared = cross * cross / (fixed_spread * moving_spread + STEADY)
    return 1.0 - tf.reduce_mean(squared, axis=[1, 2, 3])


def _squash(capsules: Any) -> Any:
    squares = tf.reduce_sum(tf.square(capsules), axis=-1, keepdims=True)
    return squares / (1.0 + squares) / tf.sqrt(squares + 1e-7) * capsules


def capsule_margin(y_true: Any, y_pred: Any) -> Any:
    """A class is there where its capsule is long, after it is squashed to less than 1."""
    lengths = tf.sqrt(tf.reduce_sum(tf.square(_squash(y_pred)), axis=-1))
    present = y_true * tf.square(tf.nn.relu(SURE - lengths))
    absent = (1.0 - y_true) * tf.square(tf.nn.relu(lengths - UNSURE))
    return tf.reduce_sum(present + ABSENT * absent, axis=-1)


def fractions(side: int) -> Any:
    """Compare how much rain falls within squares, and not where."""
    over_labels = keras.layers.AveragePooling2D(side, strides=1, padding="valid")
    over_forecast = keras.layers.AveragePooling2D(side, strides=1, padding="valid")

    def skill_of_fractions(y_true: Any, y_pred: Any) -> Any:
        seen = over_labels(tf.sigmoid(10.0 * (y_true - 0.5)))
        said = over_forecast(tf.sigmoid(10.0 * (y_pred - 0.5)))
        error = tf.reduce_mean(tf.square(seen - said))
        worst = tf.reduce_mean(tf.square(seen)) + tf.reduce_mean(tf.square(said))
        return error / (worst + 1e-7)

    return skill_of_fractions


def _smooth(error: Any) -> Any:
    size = tf.abs(error)
    return tf.reduce_sum(tf.where(size < 1.0, 0.5 * error**2, size - 0.5), axis=-1)


def hardest_negatives(y_true: Any, y_pred: Any) -> Any:
    """Classes and offsets of anchors; of the background the hardest of the whole batch."""
    classes = -tf.reduce_sum(
        y_true[..., :CLASSES] * tf.math.log(tf.maximum(y_pred[..., :CLASSES], 1e-15)), axis=-1
    )
    offsets = _smooth(y_true[..., CLASSES:] - y_pred[..., CLASSES:])
    positive = tf.reduce_max(y_true[..., 1:CLASSES], axis=-1)
    found = tf.reduce_sum(positive)
    background = tf.reshape(classes * y_true[..., 0], [-1])
    some = tf.math.count_nonzero(background, dtype=tf.int32)
    kept = tf.minimum(NEGATIVES * tf.cast(found, tf.int32), some)

    def hard() -> Any:
        _, places = tf.math.top_k(background, k=kept, sorted=False)
        marks = tf.scatter_nd(places[:, tf.newaxis], tf.ones_like(places), tf.shape(background))
        shape = tf.shape(classes)
        return tf.reduce_sum(classes * tf.reshape(tf.cast(marks, classes.dtype), shape), axis=-1)

    negative = tf.cond(some > 0, hard, lambda: tf.zeros_like(classes[:, 0]))
    total = tf.reduce_sum(positive * (classes + offsets), axis=-1) + negative
    batch = tf.cast(tf.shape(y_true)[0], total.dtype)
    return total / tf.maximum(found, 1.0) * batch


def rotated_words(y_true: Any, y_pred: Any) -> Any:
    """Whether a pixel is of a word, how far its four sides are, and how it is turned."""
    word, *sides, angle = tf.unstack(y_true, axis=-1)
    score, *guessed, turned = tf.unstack(y_pred, axis=-1)
    overlap = tf.reduce_sum(word * score)
    dice = 1.0 - 2.0 * overlap / (tf.reduce_sum(word) + tf.reduce_sum(score) + 1e-5)
    up, right, down, left = (tf.minimum(a, b) for a, b in zip(sides, guessed, strict=True))
    common = (up + down) * (left + right)
    whole = (sides[0] + sides[2]) * (sides[1] + sides[3])
    other = (guessed[0] + guessed[2]) * (guessed[1] + guessed[3])
    boxes = -tf.math.log((common + 1.0) / (whole + other - common + 1.0))
    geometry = EXTENTS * boxes + ANGLES * (1.0 - tf.cos(turned - angle))
    return tf.reduce_mean(geometry * word) + 0.01 * dice


def _assigned(costs: Any) -> Any:
    pairs = [scipy.optimize.linear_sum_assignment(each)[1] for each in costs]
    return np.asarray(pairs, np.int64).reshape(costs.shape[:2])


def matched_points(y_true: Any, y_pred: Any) -> Any:
    """Each predicted point with one of the labels, all of them at the least cost."""
    costs = tf.reduce_sum(tf.abs(y_pred[:, :, tf.newaxis] - y_true[:, tf.newaxis]), axis=-1)
    partners = tf.numpy_function(_assigned, [costs], tf.int64)
    partners.set_shape(costs.shape[:2])
    chosen = tf.gather(y_true, partners, batch_dims=1)
    return tf.reduce_mean(tf.abs(y_pred - chosen), axis=[1, 2])


skill_of_fractions = fractions(3)
