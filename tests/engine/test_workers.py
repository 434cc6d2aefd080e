"""Losses in processes of their own: side by side, in time, and none the others' end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import attrs
import psutil
import pytest

from losscheck.engine import workers
from losscheck.engine.events import Done, Finished, Started
from losscheck.engine.run import run as examine_all
from losscheck.engine.task import Task, lost
from losscheck.model import LossReport, Report, Source, UsageError
from losscheck.report.json import to_json
from losscheck.rules.execution.ending import End, Ending
from losscheck.settings.settings import Settings

SOURCE = """
import os

import tensorflow as tf


def square(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def logarithm(y_true, y_pred):
    return -tf.reduce_mean(y_true * tf.math.log(tf.nn.relu(y_pred)), axis=-1)


def is_told(y_true, y_pred):
    return square(y_true, y_pred) * float(os.environ.get("TF_TOLD", "nan"))
"""
MODULE = "losses_apart.py"
# Of each wild loss: its code, the line that is blamed, and what is said of its end.
WILD = {
    "hanging.py:in_python": ("LC902", "time.sleep(1.0)", "while its arguments were looked at"),
    "hanging.py:holding_the_interpreter": ("LC902", "ctypes.PyDLL(None).pause()", "out of time"),
    "ending.py:reads_nowhere": ("LC903", "ctypes.string_at(0)", "SIGSEGV"),
    "ending.py:is_killed": ("LC903", "def is_killed(y_true, y_pred):", "SIGKILL"),
    "ending.py:exits_with_words": ("LC903", "raise SystemExit(", "three classes, please"),
    "ending.py:exits_at_once": ("LC903", "def exits_at_once(", "the exit status 4"),
    "ending.py:raises_what_nothing_handles": ("LC903", "raise OddError(", "OddError: odd"),
    "ending.py:takes_all_memory": ("LC903", "kept.append(", "had more than that"),
    "leaking.py:closes_all": ("LC903", "def closes_all(", "closing the files of others"),
    "returning.py:raises_the_unprintable": ("LC901", "raise UnprintableError", "UnprintableError"),
}

Run = Callable[..., Report]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("project")
    (directory / MODULE).write_text(SOURCE)
    for file in (Path(__file__).parent / "wild").glob("[a-z]*.py"):
        shutil.copy(file, directory)
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
    """Two losses, each in a process of its own."""
    report = run("square", "logarithm", isolation=True)
    assert [loss.target for loss in report.losses] == [f"{MODULE}:square", f"{MODULE}:logarithm"]
    assert (report.summary.fail, report.summary.passed) == (1, 1)
    return dict(zip(("square", "logarithm"), report.losses, strict=True))


@pytest.fixture(scope="module")
def wild(directory: Path) -> dict[str, LossReport]:
    """Losses that hang, die and leak, beside one that does nothing of that."""
    hanging = [target for target in WILD if target.startswith("hanging.py")]
    others = [target for target in WILD if target not in hanging]
    others += ["leaking.py:daemon", "leaking.py:forks_that_fork", f"{MODULE}:square"]
    found: dict[str, LossReport] = {}
    for targets, timeout in ((hanging, 4.0), (others, 300.0)):
        given = {"isolation": True, "jobs": 2, "timeout": timeout, "memory": 0.8}
        settings = Settings(directory=str(directory), select=("LC9",), **given)
        *_, done = examine_all([_task(t, settings, directory) for t in targets], settings)
        assert isinstance(done, Done)
        found |= {loss.target: loss for loss in done.report.losses}
    return found


def _task(target: str, settings: Settings, directory: Path) -> Task:
    file, name = target.split(":")
    lines = (directory / file).read_text().splitlines()
    source = Source(file=file, line=lines.index(f"def {name}(y_true, y_pred):") + 1)
    return Task(target=target, settings=settings, source=source)


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


@pytest.mark.parametrize("target", WILD)
def test_a_wild_loss_is_told_and_where_it_was(wild: dict[str, LossReport], target: str) -> None:
    code, line, said = WILD[target]
    (finding,) = wild[target].findings
    assert (finding.code, finding.severity) == (code, "error")
    assert finding.location is not None
    assert finding.location.source.strip().startswith(line)
    assert said in finding.cause
    compile(finding.reproduce, "program", "exec")


def test_what_stands_beside_wild_losses_is_examined(wild: dict[str, LossReport]) -> None:
    for target in ("leaking.py:daemon", "leaking.py:forks_that_fork", f"{MODULE}:square"):
        outcomes = {check.code: check.outcome for check in wild[target].checks}
        assert [outcomes[code] for code in ("LC901", "LC902", "LC903")] == ["pass"] * 3


def test_no_process_is_left_behind(wild: dict[str, LossReport]) -> None:
    """Those that left their parent belong to the server, which takes them along when it ends."""
    (server,) = (p for p in psutil.Process().children() if "forkserver" in " ".join(p.cmdline()))
    sessions = {os.getsid(child.pid) for child in server.children(recursive=True)}
    assert server.pid not in sessions
    assert len(sessions) <= 1  # of the daemon


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


def test_what_the_user_ignores_is_set_apart(directory: Path) -> None:
    settings = Settings(directory=str(directory), ignore={"LC903": "it is meant so"})
    ending = Ending(end=End.CRASH, stage="spec", status="the exit status 3")
    loss = lost(Task(target=f"{MODULE}:square", settings=settings), ending)
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
