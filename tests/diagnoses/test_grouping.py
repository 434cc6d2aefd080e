"""One fault is one diagnosis, two are two, and a diagnosis is the same from run to run."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

import losscheck
from losscheck.diagnoses.grouping import Flow, groups
from losscheck.findings.explanation import Explanation
from losscheck.findings.locate import of_location
from losscheck.model import Diagnosis, Direction, LossReport, Severity, Suspect
from tests.diagnoses import losses

NUMBERS = ("LC2", "LC3", "LC503", "LC107")


@functools.cache
def _report(loss: Callable[..., Any], true: str, pred: str) -> LossReport:
    arguments = {"y_true": (true, "(B, D)"), "y_pred": (pred, "(B, D)")}
    return losscheck.check(loss, arguments=arguments, select=NUMBERS)


def _errors(report: LossReport) -> list[Diagnosis]:
    return [diagnosis for diagnosis in report.diagnoses if diagnosis.severity == "error"]


@pytest.mark.parametrize(
    ("loss", "true", "pred", "begins"),
    [
        pytest.param(
            losses.own_logsumexp, "one_hot", "logits", "tf.exp(y_pred)", marks=pytest.mark.slow
        ),
        (losses.survival, "binary", "logits", "tf.math.log(1.0 - tf.sigmoid(y_pred))"),
        (losses.root_of_a_sum, "[-1e20, 1e20]", "[-1e20, 1e20]", "tf.square("),
        pytest.param(
            losses.angle, "unit_vector", "unit_vector", "tf.acos(", marks=pytest.mark.slow
        ),
        (losses.two_of_one_operand, "binary", "probability", "tf.math.log(y_pred)"),
    ],
)
def test_one_fault_is_one_diagnosis(
    loss: Callable[..., Any], true: str, pred: str, begins: str
) -> None:
    report = _report(loss, true, pred)
    (diagnosis,) = _errors(report)
    errors = {finding.id for finding in report.findings if finding.severity == "error"}
    assert len(errors) > 1
    assert errors <= set(diagnosis.findings)
    where = diagnosis.location
    assert where is not None
    assert where.source[(where.column or 1) - 1 :].startswith(begins)


def test_two_faults_on_one_line_stay_two() -> None:
    found = _errors(_report(losses.two_on_a_line, "probability", "probability"))
    assert {diagnosis.location.op for diagnosis in found if diagnosis.location} == {"Log", "Acos"}
    assert len(found) == 2


class _Near(Flow):
    """Says that every case lies near to where something else fails."""

    def nears(self, steep: Explanation, failing: Explanation) -> bool:
        return True


def _told(code: str, node: str) -> Explanation:
    finding = attrs.evolve(
        _report(losses.survival, "binary", "logits").findings[0],
        id=f"{code}-{node}",
        code=code,
        severity=Severity.ERROR,
        location=None,
    )
    suspect = Suspect(code=code, form="nonfinite", inputs={})
    blame = of_location(None, Direction.FORWARD)
    return Explanation(finding=finding, suspect=suspect, blame=blame, node=node)


def test_a_mode_that_fails_next_to_two_faults_does_not_join_them() -> None:
    one, other, mode = _told("LC201", "log"), _told("LC201", "div"), _told("LC503", "div")
    found = groups([mode, one, other], _Near(None))
    assert sorted(len(group) for group in found) == [1, 2]
    assert next(group for group in found if mode in group) == [other, mode]


def test_slopes_as_steep_in_several_places_are_one_remark() -> None:
    small, same, huge = (
        attrs.evolve(each, suspect=attrs.evolve(each.suspect, form=form))
        for each, form in zip(
            (_told("LC107", name) for name in ("first", "second", "third")),
            ("small", "small", "huge"),
            strict=True,
        )
    )
    assert [len(group) for group in groups([small, same, huge], Flow(None))] == [2, 1]


def test_every_finding_is_in_one_diagnosis_with_the_worst_first() -> None:
    report = _report(losses.survival, "binary", "logits")
    told = [identity for diagnosis in report.diagnoses for identity in diagnosis.findings]
    assert sorted(told) == sorted(finding.id for finding in report.findings)
    by_id = {finding.id: finding for finding in report.findings}
    for diagnosis in report.diagnoses:
        root = by_id[diagnosis.findings[0]]
        assert (root.severity, root.location) == (diagnosis.severity, diagnosis.location)
        assert diagnosis.cause == root.cause
    severities = [diagnosis.severity for diagnosis in report.diagnoses]
    assert severities == sorted(severities, key=["error", "warning", "note"].index)


def test_a_sound_loss_has_no_diagnosis_that_counts() -> None:
    report = _report(losses.sound, "real", "real")
    assert not [each for each in report.diagnoses if each.severity != "note"]


def test_its_id_does_not_hang_on_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import tensorflow as tf\n{}def loss(y_true, y_pred):\n"
        "    return tf.reduce_mean(-y_true * tf.math.log(y_pred), axis=-1)\n"
    )
    ids = []
    arguments = {"y_true": ("binary", "(B, D)"), "y_pred": ("probability", "(B, D)")}
    for folder, above in (("one", ""), ("other", "\n# two more\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "moved.py").write_text(code.format(above))
        monkeypatch.chdir(tmp_path / folder)
        report = losscheck.check("moved.py:loss", arguments=arguments, select=["LC20"])
        ids.append([(each.id, each.severity) for each in report.diagnoses])
    assert ids[0] == ids[1]
