"""What the faulty losses of the fourth set give, what is right, and the same losses cured."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tests.wild.projects import regions, rewards
from tests.wild.projects.proofs import (
    Pair,
    not_finite,
    raised,
    slope_at,
    tensors,
    value_and_gradient,
    value_at,
)
from tests.wild.projects.third_proofs import mended
from tests.wild.projects.truth import Truth


def clusters_apart(y_true: Any, y_pred: Any) -> Any:
    """Of no pair nothing is asked."""

    def one(pair: tuple[Any, Any]) -> Any:
        single = tf.size(tf.unique(pair[0])[0]) < 2
        far = tf.sqrt(
            tf.reduce_sum(tf.square(pair[1] - tf.reduce_mean(pair[1], axis=0)), axis=-1) + 1e-12
        )
        alone = tf.reduce_mean(tf.square(tf.nn.relu(far - regions.PULL)))
        return tf.cond(single, lambda: alone, lambda: regions._one_image(pair))

    return tf.map_fn(one, (y_true, y_pred), fn_output_signature=y_pred.dtype)


def windowed_correlation(y_true: Any, y_pred: Any) -> Any:
    """Deviations from the mean of each window before their products: two passes."""
    size = regions.WINDOW
    fixed, moving = (
        tf.image.extract_patches(
            each, [1, size, size, 1], [1, 1, 1, 1], [1, 1, 1, 1], padding="SAME"
        )
        for each in (y_true, y_pred)
    )
    fixed -= tf.reduce_mean(fixed, axis=-1, keepdims=True)
    moving -= tf.reduce_mean(moving, axis=-1, keepdims=True)
    cross = tf.reduce_sum(fixed * moving, axis=-1)
    spreads = tf.reduce_sum(fixed**2, axis=-1) * tf.reduce_sum(moving**2, axis=-1)
    return 1.0 - tf.reduce_mean(cross**2 / (spreads + regions.STEADY), axis=[1, 2])


def phi_coefficient(y_true: Any, y_pred: Any) -> Any:
    """Scores made chances, and something small below the root."""
    chance = tf.sigmoid(y_pred)
    hits, alarms = tf.reduce_sum(y_true * chance), tf.reduce_sum((1.0 - y_true) * chance)
    yes, no = tf.reduce_sum(y_true), tf.reduce_sum(1.0 - y_true)
    rests, misses = no - alarms, yes - hits
    product = (hits + alarms) * yes * no * (rests + misses)
    return 1.0 - (hits * rests - alarms * misses) / tf.sqrt(product + 1e-7)


def capsule_margin(y_true: Any, y_pred: Any) -> Any:
    """As its source mended it: something small below this root as well."""
    squares = tf.reduce_sum(tf.square(regions._squash(y_pred)), axis=-1)
    lengths = tf.sqrt(squares + 1e-7)
    present = y_true * tf.square(tf.nn.relu(regions.SURE - lengths))
    absent = (1.0 - y_true) * tf.square(tf.nn.relu(lengths - regions.UNSURE))
    return tf.reduce_sum(present + regions.ABSENT * absent, axis=-1)


def efficiency_of_runoff(y_true: Any, y_pred: Any) -> Any:
    """Something beside a variance that may be 0."""
    seen, simulated = y_true[:, 2:], y_pred[:, 2:]
    mean = tf.reduce_mean(seen, axis=1, keepdims=True)
    spread = tf.reduce_sum(tf.square(seen - mean), axis=1) + 0.1
    return tf.reduce_sum(tf.square(simulated - seen), axis=1) / spread


def actor_with_baseline(y_true: Any, y_pred: Any, action: Any) -> Any:
    """The value squeezed once, for both."""
    value, logits = y_pred[:, 0], y_pred[:, 1:]
    taken = tf.one_hot(tf.cast(action, tf.int32), 3, dtype=y_pred.dtype)
    chance = tf.reduce_sum(taken * tf.nn.log_softmax(logits), axis=-1)
    advantage = tf.stop_gradient(y_true - value)
    return rewards.VALUE_WEIGHT * tf.square(y_true - value) - advantage * chance


def ranks_apart(y_true: Any, y_pred: Any) -> Any:
    """Places by sigmoids of differences, which have a slope."""
    known = tf.where(tf.equal(y_true, rewards.PADDING), rewards.LAST, y_true)
    places = tf.cast(tf.argsort(tf.argsort(known, axis=-1), axis=-1), y_pred.dtype)
    below = tf.sigmoid(y_pred[..., tf.newaxis] - y_pred[..., tf.newaxis, :])
    return tf.reduce_sum(tf.abs(places - tf.reduce_sum(below, axis=-1) + 0.5), axis=-1)


def critic_descends(y_true: Any, y_pred: Any) -> Any:
    """Over all axes but the first."""
    wanted = tf.stop_gradient(y_true + y_pred)
    return 0.5 * tf.reduce_sum(tf.square(wanted - y_pred), axis=-1)


def _cured(truth: Truth) -> Pair:
    mended(truth)
    return not_finite(truth)


def _flat_images(truth: Truth) -> Pair:
    fixed = mended(truth)[0]
    right = value_at(truth, "float64")
    assert abs(float(fixed[0]) - right) < 1e-4
    return value_at(truth), right


def _capsule(truth: Truth) -> Pair:
    mended(truth)
    assert math.isnan(slope_at(truth, "float64"))
    return slope_at(truth), "finite"


def _baseline(truth: Truth) -> Pair:
    assert truth.fault is not None
    given = {name: np.asarray(value) for name, value in truth.fault.trigger.items()}
    own = [
        float(truth.loss(**tensors({name: value[i : i + 1] for name, value in given.items()})))
        for i in (0, 1)
    ]
    assert np.allclose(mended(truth)[0], own)
    return value_at(truth), sum(own) / 2.0


def _places(truth: Truth) -> Pair:
    assert truth.fault is not None
    gradient = value_and_gradient(truth.loss, tensors(truth.fault.trigger))[1]
    assert np.abs(mended(truth)[1]).min() > 0.0
    return str(gradient), "a number for each score"


def _axes(truth: Truth) -> Pair:
    assert raised(truth, traced=True) == "ValueError"
    return raised(truth), float(mended(truth)[0][0])


FOURTH_PROOFS: Mapping[str, Callable[[Truth], Pair]] = {
    "clusters_apart": _cured,
    "windowed_correlation": _flat_images,
    "phi_coefficient": _cured,
    "capsule_margin": _capsule,
    "efficiency_of_runoff": _cured,
    "actor_with_baseline": _baseline,
    "ranks_apart": _places,
    "critic_descends": _axes,
}
