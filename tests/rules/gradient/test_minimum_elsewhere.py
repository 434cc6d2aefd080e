"""Minima in the wrong place, each beside a sound loss."""

from __future__ import annotations

import tensorflow as tf

from losscheck.rules import find
from tests.desks import desk

REALS = {"y_true": ("real", "(B, D)"), "y_pred": ("real", "(B, D)")}
LOGITS = {"y_true": ("binary", "(B, D)"), "y_pred": ("logits", "(B, D)")}
BINARY = {"y_true": ("binary", "(B, D)"), "y_pred": ("probability", "(B, D)")}


def forms(loss, declared):
    rule = find("LC108")
    laid = desk(loss, **declared)
    return {crowd.form for crowd in rule.judge(**{name: laid.get(name) for name in rule.needs})}


def unsaturated(y_true, y_pred):
    return tf.reduce_mean(tf.math.softplus(y_pred) - y_true * y_pred, axis=-1)


def slowly_flattening(y_true, y_pred):  # its slope at a distance d is 2 / d
    return tf.reduce_mean(tf.math.log1p(tf.square(y_true - y_pred)), axis=-1)


def product(y_true, y_pred):  # the gradient is the label, which may be small
    return -tf.reduce_mean(y_true * y_pred, axis=-1)


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
    assert forms(upside_down, REALS) == {"lower"}
    assert forms(slowly_flattening, REALS) == set()


def test_a_loss_that_falls_as_predictions_get_worse_is_found() -> None:
    assert forms(wrong_base, BINARY) == {"falls"}
    assert forms(right_base, BINARY) == set()


def test_smoothed_labels_and_products_are_left_alone() -> None:
    assert forms(smoothed, LOGITS) == set()
    undeclared = {"y_true": {"shape": "(B, D)"}, "y_pred": {"shape": "(B, D)"}}
    assert forms(product, undeclared) == set()
