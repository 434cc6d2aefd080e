"""Labels that no class has."""

from __future__ import annotations

import tensorflow as tf

from losscheck.rules import find
from tests.desks import desk

SPARSE = {"y_true": ("class_index", "(B,)"), "y_pred": ("logits", "(B, C)")}


def hot_rows(y_true, y_pred):
    hot = tf.one_hot(tf.cast(y_true, tf.int32), 3)
    return tf.nn.softmax_cross_entropy_with_logits(labels=hot, logits=y_pred)


def rows_by_hand(y_true, y_pred):  # its comparison tells classes apart: it asks for no other label
    hot = tf.cast(tf.equal(y_true[:, None], tf.range(3.0)), y_pred.dtype)
    return tf.nn.softmax_cross_entropy_with_logits(labels=hot, logits=y_pred)


def sparse(y_true, y_pred):
    labels = tf.cast(y_true, tf.int32)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=y_pred)


def known_labels(y_true, y_pred):
    known = tf.logical_and(y_true >= 0.0, y_true < 3.0)
    hot = tf.one_hot(tf.cast(tf.where(known, y_true, 0.0), tf.int32), 3)
    each = tf.nn.softmax_cross_entropy_with_logits(labels=hot, logits=y_pred)
    weight = tf.cast(known, y_pred.dtype)
    return tf.math.divide_no_nan(tf.reduce_sum(weight * each), tf.reduce_sum(weight))


def outside(loss):
    laid = desk(loss, **SPARSE)
    return list(find("LC206").judge(labels_outside=laid.get("labels_outside")))


def test_a_row_of_zeros_is_a_label_without_complaint() -> None:
    for loss in (hot_rows, rows_by_hand):
        found = outside(loss)
        assert [(s.form, s.facts["label"]) for s in found] == [("value", -1), ("value", 3)]
        assert found[0].location.source.strip().startswith("hot =")


def test_labels_that_raise_in_some_modes_alone_are_found() -> None:
    found = outside(sparse)
    assert {s.form for s in found} == {"mode"}
    assert found[0].mode == "xla"  # where nothing checks labels


def test_a_loss_that_asks_for_its_classes_is_left_alone() -> None:
    assert outside(known_labels) == []


def same_class(y_true, y_pred):  # labels are names: any number is as good as another
    same = tf.cast(tf.equal(y_true[:, None], y_true[None, :]), y_pred.dtype)
    apart = tf.reduce_sum(tf.square(y_pred[:, None] - y_pred[None, :]), axis=-1)
    return tf.reduce_mean(same * apart + (1.0 - same) * tf.nn.relu(1.0 - apart))


def test_labels_that_are_names_are_left_alone() -> None:
    assert outside(same_class) == []
