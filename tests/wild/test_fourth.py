"""The fourth and fifth sets of losses of public projects, and what went wrong with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import losscheck
from benchmarks.stability_projects import look
from tests.desks import desk
from tests.verdicts import errors, found
from tests.wild.projects.fifth import FIFTH
from tests.wild.projects.fourth import FOURTH
from tests.wild.projects.truth import Truth

NAMED = {truth.name: truth for truth in (*FOURTH, *FIFTH)}


@pytest.mark.slow
@pytest.mark.parametrize("truth", NAMED.values(), ids=lambda truth: truth.name)
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


def _selected(name: str, *codes: str, fixed: bool = False) -> losscheck.CheckResult:
    truth = NAMED[name]
    loss = truth.fault.fixed if fixed and truth.fault is not None else truth.loss
    assert loss is not None
    return losscheck.check(loss, arguments=truth.arguments, select=codes)


def test_a_step_at_0_is_told_where_domains_leave_out_what_is_next_to_it() -> None:
    (finding,) = found(_selected("direction_of_change", "LC105"), "LC105", "warning")
    assert "jumps where y_pred passes 0." in finding.message
    assert "tf.tanh(y_pred / 0.1)" in finding.fix
    assert _selected("direction_of_change", "LC105", fixed=True).findings == ()


@pytest.mark.slow
def test_digits_of_a_gradient_that_is_nothing_beside_the_loss_are_no_error() -> None:
    assert errors(_selected("reverse_distillation", "LC302", fixed=True)) == []


@pytest.mark.slow
def test_sizes_that_labels_tell_keep_no_kink_from_being_looked_for() -> None:
    report = _selected("anchors_that_count", "LC104", "LC105")
    assert (report.verdict, report.faults) == ("pass", ())


def test_no_subnormal_number_is_an_overflow_that_is_hidden() -> None:
    (finding,) = found(_selected("scrubbed_percentage", "LC205"), "LC205", "error")
    sizes = [abs(float(x)) for value in finding.inputs.values() for x in np.ravel(value)]
    assert all(size == 0.0 or size > 1e-38 for size in sizes)


def test_a_relu_is_advised_to_be_softened() -> None:
    (finding,) = found(_selected("rectified_logarithms", "LC103"), "LC103", "error")
    assert "tf.math.softplus(1000.0 * each)" in finding.fix


def lengths(y_true: Any, y_pred: Any) -> Any:
    """A mean over as many steps as the label says, which is 0 over 0 of a length of 0."""
    long = tf.sequence_mask(tf.cast(y_true[:, 0], tf.int32), tf.shape(y_pred)[1])
    kept = tf.cast(long, y_pred.dtype)[:, :, tf.newaxis]
    return tf.reduce_sum(kept * tf.square(y_pred), axis=[1, 2]) / y_true[:, 0]


def test_what_is_divided_by_and_whole_may_be_a_length() -> None:
    report = losscheck.check(lengths, select=["LC201"])
    assert errors(report) == []
    assert found(report, "LC201", "warning")


def test_what_is_returned_is_averaged_as_it_is_written() -> None:
    (finding,) = found(_selected("efficiency_of_runoff", "LC404"), "LC404", "warning")
    assert finding.fix.startswith("return tf.reduce_mean(unexplained / tf.reduce_sum(")
    assert "axis=-1)  # one value a sample" in finding.fix
