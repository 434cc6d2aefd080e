"""Losses in processes of their own: side by side, in time, and none the others' end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from losscheck.engine import workers
from losscheck.engine.events import Done, Finished, Started
from losscheck.engine.run import run as examine_all
from losscheck.engine.task import Task, lost
from losscheck.model import LossReport, Report, UsageError
from losscheck.report.json import to_json
from losscheck.rules.execution.ending import End, Ending
from losscheck.settings.settings import Settings

SOURCE = """
import os
import signal
import sys

import tensorflow as tf


def square(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def logarithm(y_true, y_pred):
    return -tf.reduce_mean(y_true * tf.math.log(tf.nn.relu(y_pred)), axis=-1)


def hangs(y_true, y_pred):
    signal.pause()


def is_killed(y_true, y_pred):
    os.kill(os.getpid(), signal.SIGKILL)


def leaves(y_true, y_pred):
    sys.exit(3)


def is_told(y_true, y_pred):
    return square(y_true, y_pred) * float(os.environ.get("TF_TOLD", "nan"))
"""
MODULE = "losses_apart.py"

Run = Callable[..., Report]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("project")
    (directory / MODULE).write_text(SOURCE)
    return directory


@pytest.fixture(scope="module")
def run(directory: Path) -> Run:
    def run(*names: str, **given: object) -> Report:
        settings = Settings(directory=str(directory), select=("LC2", "LC9"), **given)
        tasks = [Task(target=f"{MODULE}:{name}", settings=settings) for name in names]
        *events, done = examine_all(tasks, settings)
        assert sum(isinstance(event, Started) for event in events) == len(names)
        assert sum(isinstance(event, Finished) for event in events) == len(names)
        assert isinstance(done, Done)
        return done.report

    return run


@pytest.fixture(scope="module")
def apart(run: Run) -> dict[str, LossReport]:
    """Two losses that can be examined, and two that end their process."""
    names = ("is_killed", "square", "leaves", "logarithm")
    report = run(*names, jobs=2, isolation=True)
    assert [loss.target for loss in report.losses] == [f"{MODULE}:{name}" for name in names]
    assert (report.summary.fail, report.summary.passed) == (3, 1)
    return dict(zip(names, report.losses, strict=True))


def test_a_loss_comes_out_as_it_does_without_a_process_of_its_own(
    run: Run, apart: dict[str, LossReport]
) -> None:
    whole = run("square", "logarithm")

    def lines(loss: LossReport) -> list[str]:
        text = to_json(attrs.evolve(whole, losses=(loss,)))
        # LC903 is judged where there is a process of its own, and there alone.
        before, _, rest = text.partition('"code": "LC902"')
        return [
            line
            for line in (before + rest[rest.index('"findings"') :]).splitlines()
            if '"seconds"' not in line
        ]

    for name, loss in zip(("square", "logarithm"), whole.losses, strict=True):
        assert lines(apart[name]) == lines(loss)


def test_a_loss_that_does_not_finish_is_named(run: Run) -> None:
    (loss,) = run("hangs", isolation=True, timeout=1.0).losses
    (finding,) = loss.findings
    assert (finding.code, finding.severity) == ("LC902", "error")
    assert finding.location is not None
    assert finding.location.source == "    signal.pause()"
    assert "within 1 s" in finding.message
    assert "dump_traceback_later(11," in finding.reproduce


@pytest.mark.parametrize(("name", "said"), [("is_killed", "SIGKILL"), ("leaves", "exit status 3")])
def test_a_process_that_is_gone_is_named(
    apart: dict[str, LossReport], name: str, said: str
) -> None:
    (finding,) = apart[name].findings
    assert (finding.code, finding.severity) == ("LC903", "error")
    assert said in finding.cause
    assert "while its arguments were looked at" in finding.cause
    compile(finding.reproduce, "program", "exec")


def test_what_finishes_passes_and_what_is_not_asked_for_is_said(
    run: Run, apart: dict[str, LossReport]
) -> None:
    outcomes = {check.code: check.outcome for check in apart["square"].checks}
    assert (outcomes["LC902"], outcomes["LC903"]) == ("pass", "pass")
    checks = {
        check.code: check for check in run("square", isolation=True, timeout=0.0).losses[0].checks
    }
    assert checks["LC903"].outcome == "pass"
    assert (checks["LC902"].outcome, checks["LC902"].reason) == ("skip", "ask with --timeout")


def test_a_process_that_vectorizing_ends_is_tried_without(directory: Path) -> None:
    (directory / "in_blocks.py").write_text(
        SOURCE + "\n\ntf.vectorized_map = lambda *tensors, **options: os.abort()\n"
    )
    settings = Settings(directory=str(directory), select=("LC2", "LC9"))
    task = Task(target="in_blocks.py:square", settings=settings)
    *events, done = examine_all([task], attrs.evolve(settings, jobs=2, isolation=True))
    assert [type(event) for event in (events[0], events[-1])] == [Started, Finished]
    assert isinstance(done, Done)
    (loss,) = done.report.losses
    assert loss.verdict == "pass"
    assert any("SIGABRT" in note for note in loss.notes)
    assert loss.cases > 0


def test_the_first_target_that_cannot_be_used_is_told(run: Run) -> None:
    with pytest.raises(UsageError, match="no_such_loss"):
        run("square", "no_such_loss", "neither_is_this", isolation=True)


def test_what_the_user_ignores_is_set_apart(run: Run) -> None:
    (loss,) = run("leaves", isolation=True, ignore={"LC903": "it is meant so"}).losses
    assert not loss.findings
    assert [ignored.code for ignored in loss.ignored] == ["LC903"]
    assert loss.verdict == "inconclusive"


def test_a_process_that_never_started_is_no_fault_of_the_loss(directory: Path) -> None:
    settings = Settings(directory=str(directory))
    task = Task(target=f"{MODULE}:square", settings=settings)
    report = lost(task, Ending(end=End.UNSTARTED, status="the exit status 1"))
    assert (report.verdict, report.findings) == ("error", ())
    assert "could not start" in report.reason


def test_tensorflow_is_imported_with_what_the_target_has_set(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers.prepare()  # TensorFlow may be imported by now, and knows nothing of it
    monkeypatch.setenv("TF_TOLD", "1.0")
    assert run("is_told", isolation=True).summary.passed == 1
