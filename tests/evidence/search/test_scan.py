"""A lattice of numbers finds what falls between the half-precision ones, and keeps little."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from losscheck.evidence.search.sweep import KEPT
from losscheck.model import Range
from tests.desks import desk

# Between two float16 numbers, which lie 2^-12 apart there: a window of 2^-13 that no landmark and
# no half-precision number lies in, and one in 2,033 float32 numbers does (2^-25 apart).
LOW = 0.3 + 2.0**-14


def narrow(y_true: Any, y_pred: Any) -> Any:
    """The square root of a number that is negative inside the window alone."""
    low = np.float32(np.float16(LOW)) + np.float32(2.0**-14)
    inside = tf.logical_and(y_pred > low, y_pred < low + 2.0**-13)
    return tf.reduce_mean(tf.sqrt(tf.where(inside, -1.0, 1.0) * (1.0 + y_true * y_pred)), axis=-1)


def sound(y_true: Any, y_pred: Any) -> Any:
    """The same without the window."""
    return tf.reduce_mean(tf.sqrt(1.0 + y_true * y_pred), axis=-1)


def logarithm(y_true: Any, y_pred: Any) -> Any:
    """Fails below a half."""
    return tf.reduce_mean(y_true * tf.math.log(y_pred - 0.5), axis=-1)


def test_a_window_between_half_numbers_is_found() -> None:
    evidence = desk(narrow, y_true="binary", y_pred="probability").evidence
    block = evidence.cases(evidence.instances[0], "float32")
    values = block.inputs["y_pred"].ravel()
    halves = values[values == values.astype(np.float16).astype(np.float32)]
    assert np.isfinite(
        evidence.instances[0]
        .program.run({"y_true": np.ones((len(halves), 1, 1)), "y_pred": halves.reshape(-1, 1, 1)})
        .total
    ).all()
    assert evidence.sweeps
    scan = evidence.scans["narrow", "float32"]
    assert scan.failing is not None
    assert (scan.failing.ranges == Range.ORDINARY).all()
    assert evidence.total_cases > 1_000_000


def test_a_sound_loss_keeps_nothing() -> None:
    evidence = desk(sound, y_true="binary", y_pred="probability").evidence
    assert evidence.sweeps
    assert all(scan.failing is None for scan in evidence.scans.values())


def test_of_many_failures_some_are_kept() -> None:
    evidence = desk(logarithm, y_true="binary", y_pred="probability").evidence
    assert evidence.sweeps
    scan = evidence.scans["narrow", "float32"]
    assert scan.failing is not None
    counts = np.bincount(scan.failing.ranges)
    assert counts.max() <= KEPT
    assert counts[Range.ORDINARY] == KEPT
