"""Formats for machines: valid by the schemas of those who read them, and within their limits."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import attrs
import jsonschema
import junitparser
import pytest
import xmlschema

from losscheck.cli import outputs
from losscheck.model import Check, Diagnosis, Finding, LossReport, Report, UsageError
from losscheck.report import github, render
from losscheck.report.told import of_loss, results

HERE = Path(__file__).parent
SARIF = jsonschema.Draft4Validator(
    json.loads((HERE / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
)
JUNIT = xmlschema.XMLSchema(str(HERE / "junit-10.xsd"))
DIFF = """--- a/my_package/losses.py
+++ b/my_package/losses.py
@@ -40,3 +40,4 @@
 def hit_loss(y_true, y_pred):
+    safe = tf.where(y_pred > 0.0, y_pred, 1.0)
-    hit = tf.where(y_pred > 0.0, tf.math.log(y_pred), 0.0)
+    hit = tf.where(y_pred > 0.0, tf.math.log(safe), 0.0)
     return tf.reduce_mean(hit)
"""


def many(report: Report, count: int) -> Report:
    """A report of one loss with many findings, all of them errors."""
    loss = report.losses[0]
    first = attrs.evolve(loss.findings[0], severity="error")
    found = tuple(attrs.evolve(first, id=f"{first.code}-{i:08x}") for i in range(count))
    losses = (attrs.evolve(loss, findings=found, diagnoses=()),)
    return attrs.evolve(report, losses=losses)


def of_diagnosis(report: Report, **changes: Any) -> tuple[Report, Diagnosis]:
    """A report whose first loss has one diagnosis of all its findings."""
    loss = report.losses[0]
    names = tuple(finding.id for finding in loss.findings)
    diagnosis = Diagnosis(
        id="D-1",
        severity="error",
        location=loss.findings[0].location,
        cause="The slope of log at 0 is infinite.",
        fix="tf.math.log(safe)",
        findings=names,
        **changes,
    )
    losses = (attrs.evolve(loss, diagnoses=(diagnosis,)), *report.losses[1:])
    return attrs.evolve(report, losses=losses), diagnosis


def sarif(report: Report) -> dict[str, Any]:
    log = json.loads(render(report, "sarif"))
    SARIF.validate(log)
    run: dict[str, Any] = log["runs"][0]
    return run


def test_sarif_is_valid_and_names_rules_and_places(report: Report) -> None:
    run = sarif(report)
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert len(result["partialFingerprints"]["losscheck/v1"]) == 32
    assert all("Why it matters" in rule["help"]["markdown"] for rule in rules)


def test_sarif_counts_columns_from_one_and_within_the_line(report: Report) -> None:
    for result in sarif(report)["results"]:
        for place in result["locations"]:
            region = place["physicalLocation"]["region"]
            assert region.get("startColumn", 1) >= 1
            assert region.get("endColumn", 99) > region.get("startColumn", 1)


def test_a_diagnosis_is_one_result_with_its_symptoms_beside_it(report: Report) -> None:
    told, diagnosis = of_diagnosis(report)
    run = sarif(told)
    first = run["results"][0]
    assert set(first["properties"]["codes"]) == {f.code for f in told.losses[0].findings}
    placed = [f for f in told.losses[0].findings[1:] if f.location is not None]
    assert len(first["relatedLocations"]) == len(placed)
    assert "fixes" not in first
    assert diagnosis.cause in first["message"]["text"]


def test_a_verified_fix_is_a_replacement_of_lines(report: Report) -> None:
    told, _ = of_diagnosis(report, verified=True, diff=DIFF)
    (fix,) = sarif(told)["results"][0]["fixes"]
    (change,) = fix["artifactChanges"]
    (replacement,) = change["replacements"]
    assert change["artifactLocation"]["uri"] == "my_package/losses.py"
    assert replacement["deletedRegion"] == {
        "startLine": 40, "startColumn": 1, "endLine": 43, "endColumn": 1,
    }  # fmt: skip
    kept = [line[1:] for line in DIFF.splitlines()[3:] if not line.startswith("-")]
    assert replacement["insertedContent"]["text"].splitlines() == kept


def test_code_scanning_takes_at_most_five_thousand_results(report: Report) -> None:
    run = sarif(many(report, 5_200))
    assert len(run["results"]) == 5_000
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert notes[0]["message"]["text"].startswith("200 of 5200 results")


def test_code_scanning_takes_at_most_ten_megabytes(report: Report) -> None:
    loss = report.losses[0]
    long = attrs.evolve(loss.findings[0], message="x" * 30_000)
    found = tuple(attrs.evolve(long, id=str(i)) for i in range(500))
    losses = (attrs.evolve(loss, findings=found, diagnoses=()),)
    text = render(attrs.evolve(report, losses=losses), "sarif")
    assert len(text.encode()) <= 10_000_000
    assert 0 < len(json.loads(text)["runs"][0]["results"]) < 500


def test_junit_is_valid_and_read_by_others(report: Report) -> None:
    text = render(report, "junit")
    JUNIT.validate(io.StringIO(text))
    suites = list(junitparser.JUnitXml.fromstring(text.encode()))
    assert [suite.name for suite in suites] == [loss.target for loss in report.losses]
    for suite, loss in zip(suites, report.losses, strict=True):
        failing = {f.code for f in loss.findings if f.severity == "error"}
        undecided = loss.verdict in ("inconclusive", "error")
        assert suite.failures >= len(failing & {c.code for c in loss.checks}) + undecided
        codes = {c.code for c in loss.checks} | {f.code for f in loss.findings}
        assert suite.tests == len(codes) + undecided


def test_junit_fails_one_case_by_what_leaves_a_whole_loss_open(report: Report) -> None:
    failed = "losscheck itself failed in the trace: ValueError: planted"
    for told, failing in ((failed, ["verdict"]), ("LC101 is open", ["LC101 a", "verdict"])):
        checks = tuple(
            Check(code=code, slug=slug, outcome="error", reason=failed)
            for code, slug in (("LC101", "a"), ("LC203", "b"), ("LC401", "c"))
        )
        open_ = {"verdict": "error", "reason": told, "checks": checks}
        loss = attrs.evolve(report.losses[0], findings=(), diagnoses=(), **open_)
        text = render(attrs.evolve(report, losses=(loss,)), "junit")
        JUNIT.validate(io.StringIO(text))
        (suite,) = junitparser.JUnitXml.fromstring(text.encode())
        failures = [case.name for case in suite if not case.is_passed and not case.is_skipped]
        assert failures == failing
        assert suite.skipped == 4 - len(failing)


def test_github_shows_ten_of_each_and_counts_the_rest(report: Report) -> None:
    lines = render(many(report, 500), "github").splitlines()
    commands = [line for line in lines if line.startswith("::error")]
    assert len(commands) == 10
    assert commands[-1] == "::error::491 more of 1 loss in the report of losscheck"


def test_github_commands_are_escaped(report: Report) -> None:
    loss = report.losses[0]
    odd = attrs.evolve(loss.findings[0], message="100% wrong\n::error::no")
    odd = attrs.evolve(odd, severity="error", location=None)
    losses = (attrs.evolve(loss, findings=(odd,), diagnoses=()),)
    (line,) = render(attrs.evolve(report, losses=losses), "github").splitlines()
    assert "100%25 wrong ::error::no" in line
    assert line.startswith(f"::error title={odd.code} {odd.slug},file=")


def test_the_summary_of_a_step_is_appended(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "summary.md"
    file.write_text("# Before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    outputs.write(report, outputs.parse([f"github={tmp_path / 'out.txt'}"]), 0)
    text = file.read_text(encoding="utf-8")
    assert text.startswith("# Before\n")
    assert report.losses[0].target in text
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    with pytest.raises(UsageError, match="GITHUB_STEP_SUMMARY"):
        outputs.write(report, outputs.parse(["github"]), 0)


def test_the_summary_stays_below_a_mebibyte(report: Report) -> None:
    loss = report.losses[0]
    huge = attrs.evolve(loss, notes=("é" * 1000,) * 1000)
    text = github.summary(attrs.evolve(report, losses=(huge,) * 3))
    assert len(text.encode()) < 1 << 20
    assert text.endswith("longer than a summary may be.)\n")


def test_gitlab_issues_have_what_is_required(report: Report) -> None:
    issues = json.loads(render(report, "gitlab"))
    assert issues
    for issue in issues:
        assert set(issue) == {
            "description", "check_name", "fingerprint", "severity", "location",
        }  # fmt: skip
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert issue["location"]["lines"]["begin"] >= 1
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)


def moved(finding: Finding) -> Finding:
    """The same finding some lines below, of another case and with other numbers."""
    place = finding.location
    if place is not None:
        place = attrs.evolve(place, line=place.line + 7)
    return attrs.evolve(
        finding, location=place, id=f"{finding.id}-later", count=3, message="another number"
    )


def test_a_fingerprint_is_that_of_the_fault_and_not_of_its_line(report: Report) -> None:
    loss = report.losses[0]
    later = attrs.evolve(loss, findings=tuple(map(moved, loss.findings)), diagnoses=())
    before = attrs.evolve(loss, diagnoses=())
    assert prints(later) == prints(before)
    assert len(set(prints(before))) == len(before.findings)
    renamed = attrs.evolve(before, target="other:loss")
    assert set(prints(renamed)).isdisjoint(prints(before))


def prints(loss: LossReport) -> list[str]:
    return [result.fingerprint for result in of_loss(loss)]


def test_the_worst_come_first(report: Report) -> None:
    severities = [result.severity for result in results(report)]
    assert severities == sorted(severities, key=["error", "warning", "note"].index)


def test_nothing_is_written_where_no_step_runs(
    report: Report, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    outputs.write(report, outputs.parse(["github"]), 0)
    assert capsys.readouterr().out.startswith("::error")
    assert "GITHUB_STEP_SUMMARY" not in os.environ
