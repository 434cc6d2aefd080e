"""A case of many numbers is told by the few that it takes."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

import losscheck
from losscheck.report.arrays import array
from tests.verdicts import found


def overlap(y_true, y_pred):
    """A power of 1 - overlap: from two hits on, 2 + 1e-7 is 2, and its slope at 0 is infinite."""
    hits = tf.reduce_sum(y_true * y_pred, axis=(1, 2))
    missed = tf.reduce_sum(y_true * (1.0 - y_pred) + (1.0 - y_true) * y_pred, axis=(1, 2))
    return tf.pow(1.0 - hits / (hits + 0.5 * missed + 1e-7), 0.75)


MASKS = {
    "y_true": {"domain": "binary", "shape": "(B, H, W)"},
    "y_pred": {"domain": "probability", "shape": "(B, H, W)"},
}


def test_a_case_keeps_the_places_that_it_needs() -> None:
    result = losscheck.check(overlap, arguments=MASKS, select="LC203", modes="graph")
    (error,) = found(result, "LC203", "error")
    for name in ("y_true", "y_pred"):
        numbers = np.asarray(error.inputs[name])
        assert numbers.shape[0] == 1
        assert 2 <= numbers.size <= 4
        assert np.isclose(numbers.sum(), 2.0)
    # 1 - 2 / (2 + 1e-7) is 5e-8, and the power 0.75 of it 3.34e-6.
    assert np.isclose(np.asarray(error.expected.value).item(), (5e-8) ** 0.75, rtol=0.01)


def test_a_long_array_of_one_number_is_told_by_the_others() -> None:
    numbers = np.zeros((4, 5, 6), np.float32)
    numbers[1, 2, 3] = 0.5
    assert array(numbers) == "all 0 but 0.5 at [1, 2, 3], of shape (4, 5, 6)"
    numbers[0, 0, 0] = -0.0
    assert array(numbers) == "all 0 but 0.5 at [1, 2, 3], of shape (4, 5, 6)"
