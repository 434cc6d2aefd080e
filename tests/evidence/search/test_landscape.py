"""Where a loss is finite over prediction and label; what is expected is known by hand."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from losscheck.evidence.drawn import landscape
from losscheck.model import Landscape
from tests.desks import desk


def root(y_true, y_pred):
    return tf.reduce_mean(tf.sqrt(tf.abs(y_true - y_pred)), axis=-1)


def entropy(y_true, y_pred):
    return -tf.reduce_mean(y_true * tf.math.log(y_pred), axis=-1)


def coupled(y_true, y_pred):
    return -tf.reduce_sum(y_true * tf.nn.log_softmax(y_pred), axis=-1)


def of(loss, y_true: str, y_pred: str) -> Landscape | None:
    evidence = desk(loss, y_true=y_true, y_pred=y_pred).evidence
    assert evidence.sweeps
    return landscape(evidence)


def test_the_slope_of_a_root_is_nan_where_label_and_prediction_are_equal() -> None:
    land = of(root, "real", "real")
    assert land is not None
    assert (land.x == land.y).all()
    marks = np.array([list(row) for row in land.marks])
    assert set(np.diag(marks)) == {"n"}  # 0 times infinity
    assert set(marks[~np.eye(len(marks), dtype=bool)]) == {"."}
    assert land.ordinary[0][int(np.flatnonzero(land.x == 1)[0])] == "o"
    assert land.ordinary[0][-1] == "."


def test_a_logarithm_of_0() -> None:
    land = of(entropy, "binary", "probability")
    assert land is not None
    assert land.y.tolist() == [0, 1]
    assert (land.x[0], land.x[-1]) == (0, 1)
    assert [row[0] for row in land.marks] == ["N", "I"]  # 0 times -Inf, and Inf
    assert set(land.marks[1][1:]) == {"."}


def test_what_is_too_large_for_float32_is_told_from_an_overflow_inside() -> None:
    land = of(
        lambda y_true, y_pred: tf.reduce_mean((y_true - y_pred) ** 5, axis=-1), "real", "real"
    )
    assert land is not None
    x, y = np.meshgrid(land.x, land.y)
    marks = np.array([list(row) for row in land.marks])
    assert set(marks[np.abs(x - y) > 1e8]) == {"o"}  # to the fifth above 3.4e38
    assert "I" not in marks
    land = of(lambda y_true, y_pred: tf.math.log(tf.math.cosh(y_pred - y_true)), "real", "real")
    assert land is not None
    marks = np.array([list(row) for row in land.marks])
    assert set(marks[np.abs(x - y) > 1e3]) == {"I"}  # right is x - log 2
    assert "o" not in marks


def charbonnier(y_true, y_pred):
    return tf.reduce_mean(tf.sqrt(tf.square(y_pred - y_true) + 1e8) - 1e4, axis=-1)


def test_lost_digits_are_marked() -> None:
    land = of(charbonnier, "real", "real")
    assert land is not None
    marks = dict(zip(land.x.tolist(), land.marks[int(np.flatnonzero(land.y == 0)[0])], strict=True))
    assert marks[1.0] == "d"  # 5e-5 is right, and float32 has steps of 1e-3 at 1e4
    assert marks[1e9] == "."
    assert marks[0.0] == "."


def test_there_is_no_map_of_rows() -> None:
    assert of(coupled, "one_hot", "logits") is None
