"""Told what they are, traced as their Keras does, and judged by what can be judged of them."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from losscheck.api import check
from losscheck.blocks import of_loss
from losscheck.model import LossReport
from tests.verdicts import codes, errors, found
from tests.wild import contain_losses as losses


@pytest.mark.parametrize(
    ("loss", "told"),
    [
        (losses.awaited, "It is an async function"),
        (losses.Served(), "It is an async function"),
        (losses.in_steps, "There is a yield in it"),
        (losses.streamed, "There is a yield in it"),
    ],
)
def test_what_gives_no_tensor_is_told_what_it_is(loss: Any, told: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of coroutines that nobody awaits
        report = check(loss)
    (finding,) = report.findings
    assert (finding.code, finding.severity) == ("LC404", "error")
    assert told in finding.cause
    assert "losscheck itself failed" not in of_loss(report)


def test_an_async_function_is_to_be_written_without_async() -> None:
    (finding,) = check(losses.awaited).findings
    assert finding.fix.startswith("def awaited(")


@pytest.mark.parametrize("loss", [losses.ByRank(), losses.BySize()])
def test_a_loss_that_its_keras_converts_is_traced_so(loss: Any) -> None:
    report = check(loss, arguments={"y_true": "real", "y_pred": ("real", "(B, D)")})
    assert errors(report) == []
    assert not found(report, "LC501")
    training = next(c for c in report.checks if c.code == "LC603")
    assert (training.outcome, "another Keras" in training.reason) == ("skip", True)


def test_a_loss_that_nobody_converts_is_not_traceable() -> None:
    assert codes(check(losses.Unconverted(), select=["LC501"]), "error") == {"LC501"}


@pytest.mark.parametrize(
    ("loss", "label"), [(losses.pairs, "class_index"), (losses.in_order, "real")]
)
def test_a_prediction_for_each_pair_of_samples_is_trained_by_no_model(
    loss: Any, label: str
) -> None:
    report = check(loss, arguments={"y_true": (label, "(B,)"), "y_pred": ("real", "(B, B)")})
    assert errors(report) == []
    assert report.faults == ()
    checks = {c.code: c for c in report.checks}
    assert checks["LC603"].outcome == "skip"
    assert "each pair of samples" in checks["LC603"].reason
    assert checks["LC403"].outcome == "skip"


def outcome(report: LossReport, code: str) -> str:
    """What a rule came to."""
    return next(c.outcome for c in report.checks if c.code == code)


def test_a_family_passes_only_where_all_of_it_did() -> None:
    """log(0) is infinite and 0 times it NaN: LC201 and LC202, beside an LC204 that passes."""
    declared = {"y_true": ("binary", "(B, D)"), "y_pred": ("probability", "(B, D)")}
    selected = check(losses.scaled, arguments=declared, select=["LC204"])
    assert outcome(selected, "LC204") == "pass"
    assert "passed    gradient-inf" in of_loss(selected)
    assert "NaN and Inf" not in of_loss(selected)
    reasons = {"LC201": "known", "LC202": "known"}
    ignored = check(losses.scaled, arguments=declared, select=["LC2"], ignore=reasons)
    assert outcome(ignored, "LC201") == "skip"
    text = of_loss(ignored)
    assert "NaN and Inf" not in text
    assert "forward-nan" not in text
    assert "ignored   LC201, LC202: known" in text
