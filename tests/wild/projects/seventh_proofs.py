"""What the losses of the seventh set give, what is right, and the faulty ones with faults cured."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from tests.wild.projects import outcomes, signals
from tests.wild.projects.proofs import Pair, not_finite, slope_at, value_at
from tests.wild.projects.third_proofs import mended
from tests.wild.projects.truth import Truth


def complete_overlap(y_true: Any, y_pred: Any) -> Any:
    """Something small beside what two equal boxes lack to an overlap."""
    start, high, end, low = tf.unstack(y_pred, axis=-1)
    left, top, right, bottom = tf.unstack(y_true, axis=-1)
    shared = tf.nn.relu(tf.minimum(right, end) - tf.maximum(left, start))
    shared *= tf.nn.relu(tf.minimum(bottom, low) - tf.maximum(top, high))
    area = (right - left) * (bottom - top) + (end - start) * (low - high)
    overlap = shared / (area - shared)
    wide, long = (right - left) / (bottom - top), (end - start) / (low - high)
    unlike = tf.square(tf.atan(wide) - tf.atan(long)) * 4.0 / math.pi**2
    return 1.0 - overlap + tf.square(unlike) / (1.0 - overlap + unlike + 1e-7)


def turned_poses(y_true: Any, y_pred: Any) -> Any:
    """A product that stays below 1."""
    along = tf.abs(tf.reduce_sum(y_true * y_pred, axis=2))
    return tf.reduce_sum(tf.acos(tf.clip_by_value(along, 0.0, 1.0 - 1e-6)), axis=1)


def blood_sugar(y_true: Any, y_pred: Any) -> Any:
    """The logarithm of a density."""
    spread, mean = y_pred[:, :1], y_pred[:, 1:]
    off = (y_true - mean) / spread
    return 0.5 * off * off + tf.math.log(spread) + 0.5 * math.log(2.0 * math.pi)


def scaled_action(y_true: Any, y_pred: Any) -> Any:
    """The slope of what is squashed, before it is stretched."""
    likely = -0.5 * tf.square(y_pred) - 0.5 * math.log(2.0 * math.pi)
    likely -= tf.math.log(1.0 - tf.square(tf.tanh(y_pred)) + outcomes.NOISE)
    worth = tf.reduce_sum(y_true * outcomes.REACH * tf.tanh(y_pred), axis=-1)
    return outcomes.WORTH * tf.reduce_sum(likely, axis=-1) - worth


def statistics_of_sets(y_true: Any, y_pred: Any) -> Any:
    """Both as rows."""
    return tf.reduce_mean(tf.square(y_pred[:, 0] - y_true))


def deviance(y_true: Any, y_pred: Any) -> Any:
    """0 log 0 is 0."""
    safe = tf.where(y_true > 0.0, y_true, 1.0)
    return 2.0 * (y_true * tf.math.log(safe / y_pred) + y_pred - y_true)


def spread_of_forecasts(y_true: Any, y_pred: Any) -> Any:
    """A spread that is never 0."""
    mean, spread = y_pred[:, 0], tf.nn.softplus(y_pred[:, 1]) + 1e-3
    off = (y_true[:, 0] - mean) / spread
    density = tf.exp(-0.5 * tf.square(off)) / math.sqrt(2.0 * math.pi)
    turned = off * tf.math.erf(off / math.sqrt(2.0))
    return spread * (turned + 2.0 * density - 1.0 / math.sqrt(math.pi))


def _likeness(seen: Any, said: Any) -> Any:
    squares = tf.reduce_sum(seen * seen, axis=-1) * tf.reduce_sum(said * said, axis=-1)
    return -tf.reduce_sum(seen * said, axis=-1) / tf.sqrt(squares + signals.SILENT)


def voice_and_noise(y_true: Any, y_pred: Any) -> Any:
    """Something small below the root."""
    noisy, clean = y_true[..., 0], y_true[..., 1]
    noise, loud = noisy - clean, tf.reduce_sum(clean * clean, axis=-1)
    share = loud / (loud + tf.reduce_sum(noise * noise, axis=-1) + signals.SILENT)
    return share * _likeness(clean, y_pred) + (1.0 - share) * _likeness(noise, noisy - y_pred)


def blended_densities(y_true: Any, y_pred: Any) -> Any:
    """A logarithm of a sum of exponentials."""
    weights, means, spreads = tf.split(y_pred, 3, axis=-1)
    spreads = tf.nn.softplus(spreads) + signals.SOFT
    off = (y_true - means) / spreads
    each = -0.5 * tf.square(off) - tf.math.log(spreads) - 0.5 * math.log(2.0 * math.pi)
    return -tf.reduce_logsumexp(tf.nn.log_softmax(weights) + each, axis=-1)


def linear_likeness(y_true: Any, y_pred: Any) -> Any:
    """Something small below the root."""
    seen = y_true - tf.reduce_mean(y_true, axis=-1, keepdims=True)
    said = y_pred - tf.reduce_mean(y_pred, axis=-1, keepdims=True)
    squares = tf.reduce_sum(tf.square(seen), axis=-1) * tf.reduce_sum(tf.square(said), axis=-1)
    return 1.0 - tf.reduce_sum(seen * said, axis=-1) / tf.sqrt(squares + 1e-6)


def _undefined(truth: Truth) -> Pair:
    mended(truth)
    return not_finite(truth)


def _steep(truth: Truth) -> Pair:
    mended(truth)
    assert not math.isfinite(slope_at(truth, "float64"))
    return slope_at(truth), "finite"


def _far_off(truth: Truth) -> Pair:
    right = 50.0 + 0.5 * math.log(2.0 * math.pi)
    assert math.isclose(float(mended(truth)[0][0, 0]), right, rel_tol=1e-6)
    return value_at(truth), right


def _apart(truth: Truth) -> Pair:
    spread = math.log(2.0) + signals.SOFT
    right = 0.5 * (100.0 / spread) ** 2 + math.log(spread) + 0.5 * math.log(2.0 * math.pi)
    assert math.isclose(float(mended(truth)[0][0]), right, rel_tol=1e-6)
    return value_at(truth), right


def _nothing_happened(truth: Truth) -> Pair:
    assert float(mended(truth)[0][0, 0]) == 2.0
    return value_at(truth, "float64"), 2.0


def _table(truth: Truth) -> Pair:
    assert float(mended(truth)[0]) == 0.0
    return value_at(truth), 0.0


SEVENTH_PROOFS: Mapping[str, Callable[[Truth], Pair]] = {
    "complete_overlap": _undefined,
    "turned_poses": _steep,
    "blood_sugar": _far_off,
    "scaled_action": _undefined,
    "statistics_of_sets": _table,
    "deviance": _nothing_happened,
    "spread_of_forecasts": _undefined,
    "voice_and_noise": _steep,
    "blended_densities": _apart,
    "linear_likeness": _undefined,
}
