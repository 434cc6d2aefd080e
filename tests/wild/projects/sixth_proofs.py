"""What the losses of the sixth set give, what is right, and the faulty ones with faults cured."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tests.wild.projects import grids, ranked
from tests.wild.projects.proofs import (
    Pair,
    not_finite,
    slope_at,
    tensors,
    value_and_gradient,
    value_at,
)
from tests.wild.projects.third_proofs import STEP, mended
from tests.wild.projects.truth import Truth


def preferred_item(y_true: Any, y_pred: Any) -> Any:
    """As its source mended it: a softplus."""
    chosen, other = tf.unstack(y_pred, axis=-1)
    return tf.math.softplus(other - chosen)


def next_items(y_true: Any, y_pred: Any) -> Any:
    """By softplus of the logits."""
    kept = tf.cast(tf.not_equal(y_true, 0.0), y_pred.dtype)
    surprise = tf.math.softplus(-y_pred[..., 0]) + tf.math.softplus(y_pred[..., 1])
    return tf.math.divide_no_nan(tf.reduce_sum(surprise * kept), tf.reduce_sum(kept))


def lifetimes_in_a_batch(y_true: Any, y_pred: Any) -> Any:
    """Events as a row, as risks are."""
    time, event, risk = y_true[:, 0], y_true[:, 1], y_pred[:, 0]
    there = time[tf.newaxis, :] >= time[:, tf.newaxis]
    among = tf.reduce_logsumexp(tf.where(there, risk[tf.newaxis, :], -ranked.FAR), axis=1)
    return -tf.reduce_mean((risk - among) * event)


def half_hard(y_true: Any, y_pred: Any) -> Any:
    """0 where no two samples are of a class."""
    late, friends = ranked.late_and_friends(y_true, y_pred)
    return tf.math.divide_no_nan(tf.reduce_sum(late), tf.reduce_sum(friends))


def naive_scale(y_true: Any, y_pred: Any) -> Any:
    """0 where nothing changed."""
    naive = tf.reduce_sum(tf.abs(y_true[1:] - y_true[:-1]))
    return tf.math.divide_no_nan(tf.reduce_mean(tf.abs(y_true - y_pred)), naive)


def circular(y_true: Any, y_pred: Any) -> Any:
    """The logarithm of a Bessel function, whose slope TensorFlow knows."""
    kappa = tf.sqrt(tf.reduce_sum(tf.square(y_pred), axis=-1) + 1e-6)
    normaliser = tf.math.log(tf.math.bessel_i0e(kappa)) + kappa
    return normaliser - tf.reduce_sum(y_true * y_pred, axis=-1)


def focal_overlap(y_true: Any, y_pred: Any) -> Any:
    """Something small below the power."""
    seen, said = tf.reshape(y_true, [-1]), tf.reshape(y_pred, [-1])
    right, wrong = tf.reduce_sum(seen * said), tf.reduce_sum(said) - tf.reduce_sum(seen * said)
    missed = tf.reduce_sum(seen) - right
    whole = right + grids.MISSED * missed + (1.0 - grids.MISSED) * wrong + grids.SMOOTH
    lost = tf.maximum(1.0 - (right + grids.SMOOTH) / whole, 0.0)
    return tf.pow(lost + 1e-6, grids.FOCUS)


def overlap_of_classes(y_true: Any, y_pred: Any) -> Any:
    """Chances in place of the likeliest class."""
    both_of_them = keras.ops.sum(y_true * y_pred, axis=(1, 2))
    either = keras.ops.sum(y_true + y_pred, axis=(1, 2)) - both_of_them
    return 1.0 - keras.ops.mean((both_of_them + 1e-6) / (either + 1e-6), axis=-1)


def _as_mended(truth: Truth) -> float:
    return float(np.ravel(mended(truth)[0])[0])


def _softplus(truth: Truth) -> Pair:
    right = value_at(truth, "float64")
    assert math.isclose(_as_mended(truth), right, rel_tol=1e-6)
    return value_at(truth), right


def _items(truth: Truth) -> Pair:
    right = math.log1p(math.exp(20.0)) + math.log(2.0)
    assert math.isclose(_as_mended(truth), right, rel_tol=1e-6)
    return value_at(truth), right


def _lifetimes(truth: Truth) -> Pair:
    right = -(1.0 - math.log(math.e + 1.0)) / 2.0
    assert math.isclose(_as_mended(truth), right, rel_tol=1e-5)
    return value_at(truth), right


def _no_pairs(truth: Truth) -> Pair:
    mended(truth)
    return not_finite(truth)


def _differences(truth: Truth) -> Pair:
    up, down = (
        value_at(truth, "float64", y_pred=[[2.0 + side * STEP, 0.0]]) for side in (1.0, -1.0)
    )
    slope = slope_at(truth)
    assert math.isclose(float(mended(truth)[1][0, 0]), slope, rel_tol=1e-5)
    return slope, (up - down) / (2.0 * STEP)


def _power(truth: Truth) -> Pair:
    mended(truth)
    assert not math.isfinite(slope_at(truth, "float64"))
    return slope_at(truth), "finite"


def _argmax(truth: Truth) -> Pair:
    assert truth.fault is not None
    gradient = value_and_gradient(truth.loss, tensors(truth.fault.trigger))[1]
    assert np.abs(mended(truth)[1]).max() > 0.0
    return str(gradient), "a number for each pixel"


SIXTH_PROOFS: Mapping[str, Callable[[Truth], Pair]] = {
    "preferred_item": _softplus,
    "next_items": _items,
    "lifetimes_in_a_batch": _lifetimes,
    "half_hard": _no_pairs,
    "naive_scale": _no_pairs,
    "circular": _differences,
    "focal_overlap": _power,
    "overlap_of_classes": _argmax,
}


def _depth_slopes(truth: Truth, case: dict[str, Any]) -> Any:
    """Signs of what differs, by hand, and the slope of an SSIM, which is right in float32."""
    seen, guess = tf.constant(case["y_true"]), tf.constant(case["y_pred"])
    with tf.GradientTape() as tape:
        tape.watch(guess)
        built = (1.0 - tf.image.ssim(seen, guess, grids.DEEPEST)) * 0.5
    slopes = tape.gradient(built, guess).numpy().astype(float)
    each = 1.0 / slopes[0].size
    slopes += grids.SHARE * each * np.sign(case["y_pred"] - case["y_true"])
    for axis in (1, 2):
        turned = np.diff(case["y_pred"].astype(float), axis=axis)
        signs = each * np.sign(turned - np.diff(case["y_true"].astype(float), axis=axis))
        slopes -= np.diff(signs, axis=axis, prepend=0.0, append=0.0)
    return slopes


SIXTH_HELD = {"depth_and_edges": _depth_slopes}
