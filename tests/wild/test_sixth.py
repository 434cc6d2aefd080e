"""The sixth set of losses of public projects, and what went wrong with them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import losscheck
from benchmarks.stability_projects import look
from losscheck.evidence.gradient.gradient_sizes import gradient_sizes
from losscheck.evidence.graph import graph_facts
from losscheck.evidence.shape.layouts import layout_runs
from losscheck.program.tracing.trace import CallError
from tests.desks import desk
from tests.verdicts import errors, found
from tests.wild.projects import grids
from tests.wild.projects.sixth import SIXTH
from tests.wild.projects.truth import Truth

NAMED = {truth.name: truth for truth in SIXTH}


@pytest.mark.slow
@pytest.mark.parametrize("truth", SIXTH, ids=lambda truth: truth.name)
def test_what_is_said_of_a_declared_loss_is_true(truth: Truth) -> None:
    judged = look(truth, declared=True)
    assert (judged.alarms, judged.own) == ((), "")
    assert judged.found is not False
    # Fixes, which put two diagnoses of one fault together, are tried in test_fixes.py alone.
    assert any(each.severity == "error" for each in judged.report.diagnoses) == truth.faulty


def added_first(y_true: Any, y_pred: Any) -> Any:
    """1 and 1e-8 are added first where it is traced: of a chance of 1 it is the logarithm of 0."""
    return -tf.reduce_sum((1.0 - y_true) * tf.math.log(1.0 - y_pred + 1e-8), axis=-1)


def added_later(y_true: Any, y_pred: Any) -> Any:
    """1 + 1e-7 is more than 1 in float32."""
    return -tf.reduce_sum((1.0 - y_true) * tf.math.log(1.0 - y_pred + 1e-7), axis=-1)


def test_an_epsilon_that_the_graph_adds_to_1_first_is_blamed_where_it_is() -> None:
    report = losscheck.check(added_first, select=["LC202"])
    (finding,) = found(report, "LC202", "error")
    assert finding.location is not None
    assert finding.location.op == "Log"
    assert "adds the constants first, and 1 + 1e-8 is 1 in float32. " in finding.cause
    assert "The logarithm of 1.0 - y_pred + 1e-08 = 0 is -Inf." in finding.cause
    assert errors(losscheck.check(added_later, select=["LC202"])) == []


def test_no_sample_alone_says_what_a_shared_risk_is() -> None:
    truth = NAMED["lifetimes_in_a_batch"]
    (run,) = (run for run in layout_runs(desk(truth.loss, **truth.arguments).evidence) if run.outer)
    assert run.aligned is None
    declared = {"y_true": {"shape": "(B, 1)"}, "y_pred": {"shape": "(B, 1)"}}
    (run,) = (run for run in layout_runs(desk(row_and_column, **declared).evidence) if run.outer)
    assert run.aligned is not None


def row_and_column(y_true: Any, y_pred: Any) -> Any:
    """A row and a column of what is right by itself."""
    return tf.reduce_mean(tf.square(tf.reshape(y_true, [-1]) - y_pred))


def test_the_last_path_ends_at_an_argmax_and_not_at_a_comparison_beside_it() -> None:
    declared = {"y_true": {"shape": "(B, 3)"}, "y_pred": {"shape": "(B, 3)"}}
    assert graph_facts(desk(likeliest, **declared).evidence).blocked_by == "ArgMax"


def likeliest(y_true: Any, y_pred: Any) -> Any:
    """By keras.ops, which looks for a 0 with a sign first."""
    given = keras.ops.one_hot(keras.ops.argmax(y_pred, axis=-1), 3, dtype=y_pred.dtype)
    return keras.ops.sum(keras.ops.square(y_true - given), axis=-1)


def test_bits_stay_those_of_float32() -> None:
    declared = {"y_true": {"shape": "(B, 3)"}, "y_pred": {"shape": "(B, 3)"}}
    program = desk(likeliest, **declared).evidence.main.program.graphed
    assert program is not None
    rows = np.random.default_rng(0).normal(size=(2, *program.shapes["y_pred"]))
    case = {"y_true": rows[:, ::-1], "y_pred": rows}
    assert np.allclose(program.in_float64().run(case).value, program.run(case).value)


def seen_points(y_true: Any, y_pred: Any) -> Any:
    """Three numbers for a point of two: where it is, and whether it is seen."""
    apart = tf.reduce_sum(tf.square(y_true[..., :2] - y_pred), axis=-1)
    return tf.reduce_sum(y_true[..., 2] * apart, axis=-1)


def weight_last(y_true: Any, y_pred: Any) -> Any:
    """A label more than there are predictions, which says how much they count."""
    return y_true[:, -1] * tf.reduce_mean(tf.abs(y_true[:, :-1] - y_pred), axis=-1)


def nothing_more(y_true: Any, y_pred: Any) -> Any:
    """As many of both, though a slice of labels is taken."""
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1) + tf.abs(y_true[:, 0] - y_pred[:, 0])


@pytest.mark.parametrize(
    ("loss", "label", "prediction"),
    [
        (seen_points, "(B, T, 3)", "(B, T, 2)"),
        (weight_last, "(B, 3)", "(B, 2)"),
        (nothing_more, "(B, D)", "(B, D)"),
    ],
)
def test_labels_may_hold_more_than_predictions(loss: Any, label: str, prediction: str) -> None:
    spec = desk(loss).evidence.spec
    assert [argument.shape for argument in spec.arguments] == [label, prediction]


def all_pairs(y_true: Any, y_pred: Any) -> Any:
    """Every number of a batch beside all others."""
    row = tf.reshape(y_pred - y_true, [-1])
    return tf.reduce_mean(tf.square(row[:, tf.newaxis] - row))


def test_what_no_memory_holds_is_not_run() -> None:
    programs = desk(all_pairs).evidence.programs
    with pytest.raises(CallError, match=r"a tensor would have 4,294,967,296 elements"):
        programs.at({"y_true": (65_536,), "y_pred": (65_536,)})


@pytest.mark.slow
def test_what_is_rounding_alone_is_no_gradient_that_is_cut_off() -> None:
    report = losscheck.check(grids.mixture_of_levels, select=["LC101"])
    assert report.findings == ()


def known_alone(y_true: Any, y_pred: Any) -> Any:
    """A label of -1 is missing: half of the ordinary losses are 0."""
    known = tf.cast(tf.not_equal(y_true, -1.0), y_pred.dtype)
    each = tf.nn.sigmoid_cross_entropy_with_logits(tf.maximum(y_true, 0.0), y_pred)
    return tf.math.divide_no_nan(tf.reduce_sum(each * known, -1), tf.reduce_sum(known, -1))


def test_a_loss_is_large_beside_those_that_are_not_0() -> None:
    declared = {"y_true": {"domain": "sign"}, "y_pred": {"domain": "logits"}}
    sizes = gradient_sizes(desk(known_alone, **declared).evidence)
    assert sizes is not None
    assert not sizes.faint.any()
