"""The unit of work: picklable in, picklable out, the same from run to run."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import attrs
import jsonschema
import pytest

from losscheck.engine.events import Done, Event, Finished, Found, Interrupted, Stage, Started
from losscheck.engine.run import run
from losscheck.engine.task import Task, examine, lost
from losscheck.model import LossReport, UsageError
from losscheck.report import schema, words
from losscheck.report.json import from_json, to_json
from losscheck.report.text import loss_text
from losscheck.report.verdicts import View
from losscheck.rules.execution.ending import End, Ending
from losscheck.settings.settings import ArgumentSettings, Settings

SOURCE = """
import tensorflow as tf

def gapped(y_true, y_pred):
    hit = tf.where(y_pred > 0.0, tf.math.log(y_pred), 0.0)
    return -tf.reduce_mean(y_true * hit)
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    directory = tmp_path_factory.mktemp("project")
    (directory / "gapped_losses.py").write_text(SOURCE)
    return Settings(directory=str(directory))


@pytest.fixture(scope="module")
def task(settings: Settings) -> Task:
    return Task(target="gapped_losses.py:gapped", settings=settings)


@pytest.fixture(scope="module")
def events(task: Task, settings: Settings) -> list[object]:
    return list(run([task], settings))


@pytest.fixture(scope="module")
def report(events: list[object]) -> LossReport:
    finished = [event for event in events if isinstance(event, Finished)]
    return finished[0].report


def test_the_events_come_in_order(events: list[object]) -> None:
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Done)
    assert events[-1].report.summary.fail == 1


def test_stages_and_findings_are_told_at_once(task: Task, settings: Settings) -> None:
    heard: list[object] = []
    begun = run([task], attrs.evolve(settings, select=("LC203",)), heard.append)
    assert isinstance(next(begun), Started)
    assert heard == []
    assert isinstance(next(begun), Finished)
    assert next(event.name for event in heard if isinstance(event, Stage)) == "spec"
    told = [event.finding.code for event in heard if isinstance(event, Found)]
    assert "LC203" in told


def test_what_was_found_before_an_interrupt_is_kept(task: Task, settings: Settings) -> None:
    def hear(event: Event) -> None:
        if isinstance(event, Found) and event.finding.severity == "error":
            raise KeyboardInterrupt

    other = attrs.evolve(task, target="gapped_losses.py:never_reached")
    _, finished, interrupted, done = run([task, other], settings, hear)
    assert isinstance(finished, Finished)
    assert finished.report.verdict == "fail"
    assert [d.severity for d in finished.report.diagnoses] == ["error"]
    assert isinstance(interrupted, Interrupted)
    assert isinstance(done, Done)
    assert done.interrupted
    assert done.report.unexamined == (other.target,)
    assert done.report.summary.losses == 1
    jsonschema.validate(json.loads(to_json(done.report)), schema())


def test_what_was_found_before_the_time_was_over_is_kept(task: Task, report: LossReport) -> None:
    found = [f for f in report.findings if f.code == "LC203"]
    late = lost(task, Ending(end=End.TIMEOUT, stage="training", seconds=5.0), found)
    assert {f.code for f in late.findings} == {"LC902", "LC203"}
    assert next(c.outcome for c in late.checks if c.code == "LC203") == "fail"
    assert len(late.diagnoses) == 2


def test_task_and_report_survive_pickling(task: Task, report: LossReport) -> None:
    assert pickle.loads(pickle.dumps(task)) == task
    again = pickle.loads(pickle.dumps(report))
    assert [f.id for f in again.findings] == [f.id for f in report.findings]


def test_the_finding_has_all_that_a_reader_needs(report: LossReport) -> None:
    finding = next(f for f in report.findings if f.code == "LC203")
    assert finding.severity == "error"
    assert finding.location is not None
    assert finding.location.file == "gapped_losses.py"
    start, end = finding.location.column, finding.location.end_column
    assert start is not None
    assert end is not None
    assert finding.location.source[start - 1 : end - 1] == "tf.math.log(y_pred)"
    assert finding.location.direction == "backward"
    assert float(finding.inputs["y_pred"].ravel()[0]) == 0.0


def test_two_runs_say_the_same(task: Task, report: LossReport) -> None:
    again = examine(task)
    assert [f.id for f in again.findings] == [f.id for f in report.findings]
    assert [(c.code, c.outcome, c.cases) for c in again.checks] == [
        (c.code, c.outcome, c.cases) for c in report.checks
    ]
    assert again.cases == report.cases
    for one, other in zip(again.findings, report.findings, strict=True):
        assert {n: a.tolist() for n, a in one.inputs.items()} == {
            n: a.tolist() for n, a in other.inputs.items()
        }


def test_the_json_validates_and_reads_back(events: list[object]) -> None:
    done = events[-1]
    assert isinstance(done, Done)
    text = to_json(done.report)

    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is no JSON")

    data = json.loads(text, parse_constant=refuse)
    jsonschema.validate(data, schema())
    assert to_json(from_json(text)) == text


def test_every_rule_states_its_outcome(report: LossReport) -> None:
    from losscheck.rules import BUILT_IN

    assert [c.code for c in report.checks] == [rule.code for rule in BUILT_IN]
    swept = next(c for c in report.checks if c.code == "LC203")
    assert swept.outcome == "fail"
    assert swept.cases >= 100_000
    assert set(swept.modes) == {"graph", "eager", "xla"}


def test_no_case_is_run_for_a_rule_that_needs_none(settings: Settings) -> None:
    alone = Settings(directory=settings.directory, select=("LC601",))
    report = examine(Task(target="gapped_losses.py:gapped", settings=alone))
    assert (report.cases, report.curves, report.verdict) == (0, (), "pass")
    asking = Settings(directory=settings.directory, select=("LC201",))
    report = examine(Task(target="gapped_losses.py:gapped", settings=asking))
    assert report.cases > 0
    assert report.curves


def test_a_selected_rule_runs_alone(settings: Settings) -> None:
    chosen = Settings(directory=settings.directory, select=("LC404",))
    report = examine(Task(target="gapped_losses.py:gapped", settings=chosen))
    outcomes = {c.code: (c.outcome, c.reason) for c in report.checks}
    assert outcomes["LC404"][0] == "pass"
    assert outcomes["LC203"] == ("skip", "not selected")
    assert report.verdict == "pass"


def test_no_family_has_passed_of_which_a_rule_did_not_run_or_is_ignored(
    settings: Settings,
) -> None:
    for changes in ({"select": ("LC204",)}, {"select": ("LC2",), "ignore": {"LC203": "known"}}):
        chosen = attrs.evolve(settings, **changes)
        report = examine(Task(target="gapped_losses.py:gapped", settings=chosen))
        assert "gradient-inf" in words.passed(report)
        assert "NaN and Inf" not in words.passed(report)
        text = loss_text(report, View())
        assert "NaN and Inf" not in text
        assert ("LC203 at gapped_losses.py:5, " in text) is ("ignore" in changes)


def test_the_second_derivative_is_looked_at_when_asked_for(
    settings: Settings, report: LossReport
) -> None:
    first = next(c for c in report.checks if c.code == "LC106")
    assert (first.outcome, first.reason) == ("skip", "ask with --order 2")
    asking = Settings(directory=settings.directory, select=("LC106",), order=2)
    again = examine(Task(target="gapped_losses.py:gapped", settings=asking))
    second = next(c for c in again.checks if c.code == "LC106")
    assert second.outcome == "pass", again.findings
    assert second.cases > 0
    assert second.reason == ""


def test_ignored_findings_keep_their_reason(settings: Settings) -> None:
    ignoring = Settings(
        directory=settings.directory, select=("LC203",), ignore={"LC203": "known, being mended"}
    )
    report = examine(Task(target="gapped_losses.py:gapped", settings=ignoring))
    assert report.verdict == "pass"
    assert [(i.code, i.reason) for i in report.ignored] == [("LC203", "known, being mended")]


def test_a_declared_argument_that_does_not_exist_is_the_users_mistake(settings: Settings) -> None:
    wrong = Settings(
        directory=settings.directory, arguments={"y_perd": ArgumentSettings(domain="real")}
    )
    with pytest.raises(UsageError, match="y_pred"):
        examine(Task(target="gapped_losses.py:gapped", settings=wrong))


def test_a_required_half_type_is_judged_as_float32_is(tmp_path: Path) -> None:
    # 1e-8 is 0 in float16 (its smallest number is 6e-8): log(0) at y_pred = 0 (CATALOGUE.md, 8).
    (tmp_path / "half_losses.py").write_text(
        "import tensorflow as tf\n\n"
        "def padded(y_true, y_pred):\n"
        "    return -tf.reduce_mean(y_true * tf.math.log(y_pred + 1e-8))\n"
    )
    arguments = {
        "y_true": ArgumentSettings(domain="binary", shape="(B, D)"),
        "y_pred": ArgumentSettings(domain="probability", shape="(B, D)"),
    }
    both = Settings(
        directory=str(tmp_path),
        dtypes=("float32", "float16"),
        arguments=arguments,
        select=("LC20",),
    )
    report = examine(Task(target="half_losses.py:padded", settings=both))
    errors = [f for f in report.findings if f.severity == "error"]
    assert {f.dtype for f in errors} == {"float16"}
    assert {f.code for f in errors} <= {"LC201", "LC202", "LC203"}


def test_what_has_nothing_to_look_at_has_not_passed(report: LossReport) -> None:
    check = next(check for check in report.checks if check.code == "LC206")
    assert (check.outcome, check.cases) == ("skip", 0)
    assert check.reason == "no label is the number of a class"
