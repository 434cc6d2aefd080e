"""What cures losses of projects, and that nothing else is proposed as a cure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import losscheck
from losscheck.fixes.cure import cures
from tests.fixes.explained import explained
from tests.wild import fixes_losses as losses
from tests.wild.projects.fourth import FOURTH
from tests.wild.projects.sixth import SIXTH

NONFINITE = ("LC201", "LC202", "LC203", "LC204")


@pytest.mark.parametrize(
    ("loss", "true", "pred", "new"),
    [
        pytest.param(
            losses.weights_of_classes,
            "one_hot",
            "probability",
            "tf.math.divide_no_nan(1.0, ",
            marks=pytest.mark.slow,
        ),
        (losses.tail_of_sigmoid, "binary", "logits", "tf.math.log_sigmoid(y_pred)"),
        pytest.param(
            losses.tail_of_gauss,
            "real",
            "real",
            "-tf.square(y_true - y_pred)",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            losses.over_two_lines,
            "binary",
            "[0, 1]",
            "tf.math.divide_no_nan(tf.reduce_sum(",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            losses.normalised_in_place,
            "[0, 1]",
            "[0, 1]",
            "tf.math.divide_no_nan(y_pred, ",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_what_cures_it(loss: Callable[..., Any], true: str, pred: str, new: str) -> None:
    found = explained(loss, NONFINITE, y_true=true, y_pred=pred)
    errors = [each for each in found.explanations if each.finding.severity == "error"]
    best = cures(found.bench, found.desk, errors)[-1]
    assert best.verified.holds, best.verified.complaints
    assert best.edit.new.startswith(new)


@pytest.mark.parametrize(
    ("loss", "clipped"),
    [
        pytest.param(losses.squared_signal, "clip_by_value(2.0", marks=pytest.mark.slow),
        (losses.doubled, "clip_by_value(2.0"),
        pytest.param(losses.tenfold, "clip_by_value(10.0", marks=pytest.mark.slow),
    ],
)
def test_no_constant_is_clipped(loss: Callable[..., Any], clipped: str) -> None:
    found = explained(loss, NONFINITE, y_true="real", y_pred="real")
    assert found.explanations
    for each in found.explanations:
        assert clipped not in each.finding.fix


@pytest.mark.slow
def test_a_column_is_squeezed_where_it_meets_a_row() -> None:
    """One diagnosis, and a change that makes the loss the mean of the samples' own losses."""
    (truth,) = (each for each in FOURTH if each.name == "actor_with_baseline")
    report = losscheck.check(truth.loss, arguments=truth.arguments, select=["LC401"])
    (diagnosis,) = report.diagnoses
    assert diagnosis.verified
    assert "y_true - tf.squeeze(value, axis=-1)" in diagnosis.diff


@pytest.mark.slow
def test_no_infinity_in_place_of_nan_is_a_cure() -> None:
    """A root of what is negative that is made 0 is divided by: one change for both."""
    (truth,) = (each for each in FOURTH if each.name == "phi_coefficient")
    report = losscheck.check(truth.loss, arguments=truth.arguments, select=["LC201", "LC202"])
    (diagnosis,) = [each for each in report.diagnoses if each.severity == "error"]
    assert diagnosis.verified
    assert "tf.where(inside" not in diagnosis.diff
    assert len(diagnosis.clears) > 1


@pytest.mark.slow
def test_a_column_that_meets_shared_risks_is_squeezed() -> None:
    (truth,) = (each for each in SIXTH if each.name == "lifetimes_in_a_batch")
    diagnosis = losscheck.check(truth.loss, arguments=truth.arguments).diagnoses[0]
    assert "tf.squeeze(event, axis=-1)" in diagnosis.diff
    assert diagnosis.verified


@pytest.mark.slow
def test_a_vector_without_a_length_has_no_direction() -> None:
    diagnosis = losscheck.check(losses.cosine).diagnoses[0]
    assert "tf.math.divide_no_nan(y_true, tf.norm(y_true" in diagnosis.diff
