"""The fourth set of losses of public projects, and the kinds that went wrong with them."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf

import losscheck
from benchmarks.stability_projects import look
from tests.desks import desk
from tests.verdicts import found
from tests.wild.projects.fourth import FOURTH
from tests.wild.projects.truth import Truth

NAMED = {truth.name: truth for truth in FOURTH}


@pytest.mark.slow
@pytest.mark.parametrize("truth", FOURTH, ids=lambda truth: truth.name)
def test_what_is_said_of_a_declared_loss_is_true(truth: Truth) -> None:
    judged = look(truth, declared=True)
    assert (judged.alarms, judged.own) == ((), "")
    assert judged.found is not False
    assert judged.line is not False


def two_classes(y_true: Any, y_pred: Any) -> Any:
    """Two places for a class, whatever the width of the prediction is."""
    hot = tf.one_hot(tf.cast(y_true, tf.int32), 2)
    return tf.nn.softmax_cross_entropy_with_logits(labels=hot, logits=y_pred[:, :2])


def as_many_as_columns(y_true: Any, y_pred: Any) -> Any:
    """A place for each column."""
    hot = tf.one_hot(tf.cast(y_true, tf.int32), y_pred.shape[-1])
    return tf.nn.softmax_cross_entropy_with_logits(labels=hot, logits=y_pred)


@pytest.mark.parametrize(("loss", "classes"), [(two_classes, 2), (as_many_as_columns, 5)])
def test_there_are_as_many_classes_as_places_in_a_one_hot_row(loss: Any, classes: int) -> None:
    declared = {
        "y_true": {"domain": "class_index", "shape": "(B,)"},
        "y_pred": {"domain": "real", "shape": "(B, 5)"},
    }
    evidence = desk(loss, **declared).evidence
    assert evidence.classes(evidence.main) == classes


def test_an_axis_that_does_not_exist_is_written_as_the_last_one() -> None:
    truth = NAMED["critic_descends"]
    report = losscheck.check(truth.loss, arguments=truth.arguments, select=["LC402"])
    (finding,) = found(report, "LC402", "error")
    assert "tf.reduce_sum(each, axis=-1)" in (report.diagnoses[0].diff or finding.fix)
    assert "Invalid reduction dimension 2 for input with 2 dimensions" in finding.cause
    assert "T=DT_FLOAT" not in finding.cause
