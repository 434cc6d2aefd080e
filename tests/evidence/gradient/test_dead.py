"""Dead gradients: clips inside the ordinary range, and what is none."""

from __future__ import annotations

import tensorflow as tf

from losscheck.evidence.gradient.dead import DeadGradients
from tests.desks import desk

BINARY, PROBABILITY = ("binary", "(B, D)"), ("probability", "(B, D)")


def _dead(function: object, **arguments: object) -> DeadGradients:
    found: DeadGradients = desk(function, **arguments).get("dead")  # type: ignore[arg-type]
    return found


def _entropy(y_true: tf.Tensor, p: tf.Tensor) -> tf.Tensor:
    return -tf.reduce_mean(y_true * tf.math.log(p) + (1 - y_true) * tf.math.log(1 - p))


def test_a_clip_inside_the_ordinary_range_takes_a_share_of_it() -> None:
    def loss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return _entropy(y_true, tf.clip_by_value(y_pred, 0.1, 0.9))

    # Of predictions spread over (0, 1), those below 0.1 for label 1 and above 0.9 for label 0 are
    # dead at a large loss: one in ten.
    assert 0.07 < _dead(loss, y_true=BINARY, y_pred=PROBABILITY).share < 0.13


def test_a_clip_at_epsilon_is_dead_at_the_ends_alone() -> None:
    def loss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return _entropy(y_true, tf.clip_by_value(y_pred, 1e-7, 1 - 1e-7))

    found = _dead(loss, y_true=BINARY, y_pred=PROBABILITY)
    assert found.dead.any()
    assert found.share == 0.0


def test_a_minimum_is_not_dead() -> None:
    found = _dead(
        lambda y_true, y_pred: tf.reduce_mean(tf.exp(y_pred) - y_true * y_pred),
        y_true=("count", "(B, D)"),
        y_pred=("logits", "(B, D)"),
    )
    ordinary = found.ranges == 0
    assert not found.dead[ordinary].any()


def test_a_missing_class_is_no_clip() -> None:
    def dice(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        overlap = 2 * tf.reduce_sum(y_true * y_pred)
        return 1 - overlap / (tf.reduce_sum(y_true) + tf.reduce_sum(y_pred) + 1e-7)

    assert _dead(dice, y_true=BINARY, y_pred=PROBABILITY).share == 0.0


def _entropy_of_logits(y_true: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    labels = tf.sigmoid(y_true)
    return tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)


def test_the_top_of_a_hill_at_an_edge_is_a_point() -> None:
    found = _dead(
        lambda y_true, y_pred: 2.0 - _entropy_of_logits(y_true, y_pred),
        y_true=("[-1, 1]", "(B,)"),
        y_pred=("[-1, 1]", "(B,)"),
    )
    # The slope is sigmoid(y_true) - sigmoid(y_pred): at equal numbers 0, and an ulp beside it less
    # than an ulp of a sigmoid.
    assert not (found.dead | found.rounded | found.vanishing).any()


def test_a_clip_of_a_few_ulps_at_an_edge_is_dead() -> None:
    found = _dead(
        lambda y_true, y_pred: 2.0 - _entropy_of_logits(y_true, tf.minimum(y_pred, 1 - 1e-6)),
        y_true=("[-1, 1]", "(B,)"),
        y_pred=("[-1, 1]", "(B,)"),
    )
    assert found.dead.any()
    assert (found.cases.inputs["y_pred"][found.dead] >= 1 - 2e-6).all()
