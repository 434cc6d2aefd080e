"""A diagnosis has a fix that was run, or says that it has none."""

from __future__ import annotations

import losscheck
from tests.diagnoses import losses


def test_a_fix_that_was_run_is_told_with_its_diff_and_what_it_clears() -> None:
    arguments = {"y_true": ("one_hot", "(B, C)"), "y_pred": ("simplex", "(B, C)")}
    report = losscheck.check(losses.guarded_too_late, arguments=arguments, select=["LC2"])
    (diagnosis,) = [each for each in report.diagnoses if each.severity == "error"]
    errors = {finding.id for finding in report.findings if finding.severity == "error"}
    assert diagnosis.verified
    assert errors <= set(diagnosis.clears) <= set(diagnosis.findings)
    taken = [line for line in diagnosis.diff.splitlines() if line.startswith("-    ")]
    assert taken == ["-    hit = tf.where(y_pred > 0.0, tf.math.log(y_pred), 0.0)"]
    assert diagnosis.fix


def test_advice_that_was_not_run_is_not_called_verified() -> None:
    report = losscheck.check(
        losses.sound,
        arguments={"y_true": ("real", "(B, D)"), "y_pred": ("real", "(B, D)")},
        select=["LC202", "LC401"],
    )
    assert report.diagnoses
    for diagnosis in report.diagnoses:
        assert not diagnosis.verified
        assert diagnosis.diff == ""
        assert diagnosis.clears == ()


def test_of_advice_that_was_tried_in_vain_no_code_is_left() -> None:
    # Below its bound the exponential is 1e37 still, whose square overflows.
    shapes = {"y_true": ("real", "(B, D)"), "y_pred": ("real", "(B, D)")}
    report = losscheck.check(losses.scaled, arguments=shapes, select=["LC201"])
    first = report.diagnoses[0]
    assert first.severity == "error"
    assert not first.verified
    assert first.diff == ""
    assert first.fix.startswith("# tf.exp(tf.minimum(y_pred, ")
    assert "was tried: what was found stays." in first.fix
    assert all(line.startswith("#") for line in first.fix.splitlines())
    assert first.objection == "what was found stays"
