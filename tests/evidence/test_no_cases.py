"""Evidence of no cases at all: labels and predictions that share no numbers have none near."""

from __future__ import annotations

import tensorflow as tf

import losscheck
from tests.verdicts import errors


def guided_smoothness(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Steps of a map of depths, let off where the picture (the labels, in colours) has an edge."""
    depth = y_pred / (tf.reduce_mean(y_pred, axis=[1, 2], keepdims=True) + 1e-7)
    step = tf.abs(depth[:, :, 1:] - depth[:, :, :-1])
    edge = tf.reduce_mean(tf.abs(y_true[:, :, 1:] - y_true[:, :, :-1]), axis=-1, keepdims=True)
    return tf.reduce_mean(step * tf.exp(-edge), axis=[1, 2, 3])


def test_labels_of_other_channels_have_no_near_cases_and_are_no_fault() -> None:
    arguments = {"y_true": ("[0, 1]", "(B, 5, 5, 3)"), "y_pred": ("positive", "(B, 5, 5, 1)")}
    report = losscheck.check(guided_smoothness, arguments=arguments, select=["LC3"])
    assert not report.faults
    assert errors(report) == []
