"""A fault of losscheck itself while a model is examined leaves what else is known of it."""

from __future__ import annotations

from typing import Any

import pytest

from losscheck.engine import model as model_examination
from losscheck.engine import outcomes
from losscheck.engine.task import Task, examine
from losscheck.engine.unexamined import InterruptedExamination
from losscheck.findings import weight_finding
from losscheck.model import LossReport, Verdict
from losscheck.rules.model.weights import WEIGHT_RULES
from losscheck.settings.settings import Settings
from tests.verdicts import codes

TARGET = "tests.models.planted:divides_by_zero"


def broken(*given: Any, **named: Any) -> Any:
    """What is planted."""
    raise ValueError("planted")


def examined() -> LossReport:
    return examine(Task(target=TARGET, settings=Settings()))


@pytest.mark.parametrize("step", ["listed", "reproduce", "nonfinite_source"])
def test_a_step_of_an_explanation_that_fails_loses_no_finding(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weight_finding, step, broken)
    report = examined()
    assert report.verdict == Verdict.FAIL
    assert "LC202" in codes(report, "error")
    assert report.faults
    assert all(f.message and f.fix for f in report.findings)


def test_a_rule_that_fails_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for rule in WEIGHT_RULES:
        if rule.code != "LC202":
            monkeypatch.setattr(rule, "judge", broken, raising=False)
    report = examined()
    assert codes(report, "error") == {"LC202"}
    undecided = {c.code for c in report.checks if c.outcome == "inconclusive"}
    assert undecided == {r.code for r in WEIGHT_RULES} - {"LC202"} - {
        c.code for c in report.checks if c.outcome == "skip"
    }


def test_where_nothing_of_a_model_can_be_judged_its_outputs_still_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(model_examination, "whole", broken)
    report = examined()
    assert report.verdict == Verdict.ERROR
    assert report.faults[0].error == "ValueError: planted"
    for other, together in (
        (Verdict.PASS, Verdict.INCONCLUSIVE),
        (Verdict.FAIL, Verdict.FAIL),
        (Verdict.ERROR, Verdict.ERROR),
    ):
        output = LossReport(
            target="m[0]",
            verdict=other,
            seconds=0.0,
            cases=0,
            source=None,
            checks=report.checks,
        )
        assert outcomes.together(report, [output]).verdict == together


def test_what_was_found_of_a_model_is_told_at_once_and_kept_where_the_user_interrupts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupts(*given: Any, **named: Any) -> Any:
        raise KeyboardInterrupt

    missing = next(rule for rule in WEIGHT_RULES if rule.code == "LC102")
    monkeypatch.setattr(missing, "judge", interrupts, raising=False)
    heard: list[str] = []
    with pytest.raises(InterruptedExamination) as interrupted:
        examine(
            Task(target=TARGET, settings=Settings()),
            tell=lambda finding: heard.append(finding.code),
        )
    assert "LC202" in heard
    assert "LC202" in codes(interrupted.value.report, "error")
