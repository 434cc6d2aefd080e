"""Gradients of unusual size, each beside a sound loss."""

from __future__ import annotations

import tensorflow as tf

from losscheck.rules import find
from tests.desks import desk

REALS = {"y_true": ("real", "(B, D)"), "y_pred": ("real", "(B, D)")}
LOGITS = {"y_true": ("binary", "(B, D)"), "y_pred": ("logits", "(B, D)")}


def forms(loss, declared):
    rule = find("LC107")
    laid = desk(loss, **declared)
    return {crowd.form for crowd in rule.judge(**{name: laid.get(name) for name in rule.needs})}


def steep(y_true, y_pred):
    return tf.reduce_mean(1.0 / (tf.abs(y_true - y_pred) + 1e-7), axis=-1)


def gentle(y_true, y_pred):
    return tf.reduce_mean(1.0 / (tf.abs(y_true - y_pred) + 0.1), axis=-1)


def saturated(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - tf.sigmoid(y_pred)), axis=-1)


def unsaturated(y_true, y_pred):
    return tf.reduce_mean(tf.math.softplus(y_pred) - y_true * y_pred, axis=-1)


def slowly_flattening(y_true, y_pred):  # its slope at a distance d is 2 / d
    return tf.reduce_mean(tf.math.log1p(tf.square(y_true - y_pred)), axis=-1)


def sharply_counted(y_true, y_pred):  # a slope of 10 at most, and none to speak of among logits
    seen, said = (tf.reduce_mean(tf.sigmoid(40.0 * (x - 0.5)), axis=-1) for x in (y_true, y_pred))
    return tf.square(seen - said)


def product(y_true, y_pred):  # the gradient is the label, which may be small
    return -tf.reduce_mean(y_true * y_pred, axis=-1)


def test_a_spike_is_huge_and_a_square_is_not() -> None:
    assert forms(steep, REALS) == {"huge"}
    assert forms(gentle, REALS) == set()


def test_a_saturated_sigmoid_is_faint_and_its_logits_are_not() -> None:
    assert forms(saturated, LOGITS) == {"faint"}
    assert forms(unsaturated, LOGITS) == set()


def test_a_slope_that_is_usual_anywhere_else_is_no_spike() -> None:
    assert "huge" not in forms(sharply_counted, LOGITS)


def test_what_falls_as_a_power_or_with_the_label_is_not_faint() -> None:
    assert forms(slowly_flattening, REALS) == set()
    assert forms(product, REALS) == set()
