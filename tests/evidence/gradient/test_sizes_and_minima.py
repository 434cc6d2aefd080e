"""Gradients of unusual size, and minima in the wrong place; each beside a sound loss."""

from __future__ import annotations

import tensorflow as tf

from losscheck.rules import find
from tests.desks import desk

REALS = {"y_true": ("real", "(B, D)"), "y_pred": ("real", "(B, D)")}
LOGITS = {"y_true": ("binary", "(B, D)"), "y_pred": ("logits", "(B, D)")}
BINARY = {"y_true": ("binary", "(B, D)"), "y_pred": ("probability", "(B, D)")}


def forms(code, loss, declared):
    rule = find(code)
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


def product(y_true, y_pred):  # the gradient is the label, which may be small
    return -tf.reduce_mean(y_true * y_pred, axis=-1)


def test_a_spike_is_huge_and_a_square_is_not() -> None:
    assert forms("LC107", steep, REALS) == {"huge"}
    assert forms("LC107", gentle, REALS) == set()


def test_a_saturated_sigmoid_is_faint_and_its_logits_are_not() -> None:
    assert forms("LC107", saturated, LOGITS) == {"faint"}
    assert forms("LC107", unsaturated, LOGITS) == set()


def test_what_falls_as_a_power_or_with_the_label_is_not_faint() -> None:
    assert forms("LC107", slowly_flattening, REALS) == set()
    assert forms("LC107", product, REALS) == set()


def upside_down(y_true, y_pred):
    return -tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def wrong_base(y_true, y_pred):
    pt = tf.clip_by_value(tf.where(y_true > 0.5, y_pred, 1.0 - y_pred), 1e-6, 1.0 - 1e-6)
    return -tf.reduce_mean(tf.square(pt) * tf.math.log(pt), axis=-1)


def right_base(y_true, y_pred):
    pt = tf.clip_by_value(tf.where(y_true > 0.5, y_pred, 1.0 - y_pred), 1e-6, 1.0 - 1e-6)
    return -tf.reduce_mean(tf.square(1.0 - pt) * tf.math.log(pt), axis=-1)


def smoothed(y_true, y_pred):  # its minimum is at 0.95, on the right side
    return unsaturated(0.9 * y_true + 0.05, y_pred)


def test_a_wrong_sign_prefers_wrong_predictions() -> None:
    assert forms("LC108", upside_down, REALS) == {"lower"}
    assert forms("LC108", slowly_flattening, REALS) == set()


def test_a_loss_that_falls_as_predictions_get_worse_is_found() -> None:
    assert forms("LC108", wrong_base, BINARY) == {"falls"}
    assert forms("LC108", right_base, BINARY) == set()


def test_smoothed_labels_and_products_are_left_alone() -> None:
    assert forms("LC108", smoothed, LOGITS) == set()
    undeclared = {"y_true": {"shape": "(B, D)"}, "y_pred": {"shape": "(B, D)"}}
    assert forms("LC108", product, undeclared) == set()
