"""Losses that hang, die, leak and disturb beside sound ones, which come out as they do alone."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import psutil
import pytest

import losscheck
from tests.engine.wild import ENDS, FINDS, HANGS, LEAVES, REFUSED, SOUND

WILD = Path(__file__).parent / "wild"
SELECT = "LC1,LC2,LC9"
MARK = "LOSSCHECK_TORTURE"
TIMEOUT = 30.0  # seconds a loss

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("torture")
    (folder / "tmp").mkdir()
    shutil.copytree(WILD, folder / "wild", ignore=shutil.ignore_patterns("__init__.py", "__pyc*"))
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> dict[str, Any]:
    """One command over the whole folder."""
    mark = uuid.uuid4().hex
    files = sorted(file.name for file in (folder / "wild").glob("*.py"))
    given = ("--select", SELECT, "--timeout", f"{TIMEOUT:g}", "--memory", "1.5", "--no-cache")
    begin = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "losscheck", *files, *given, "--format", "json"],
        cwd=folder / "wild",
        env={**os.environ, MARK: mark, "TMPDIR": str(folder / "tmp")},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - begin
    time.sleep(1.0)  # what the run has been forked from ends behind it
    left = _left(mark)
    assert done.stdout, done.stderr[-2000:]
    tree = json.loads(done.stdout)
    losses = {loss["target"]: loss for loss in tree["losses"]}
    print(f"{len(losses)} losses in {seconds:.0f} s")
    return {"losses": losses, "status": done.returncode, "left": left, "seconds": seconds} | {
        "said": done.stderr
    }


def _left(mark: str) -> list[Any]:
    """The processes that a run has left behind."""
    return [each.info for each in psutil.process_iter(["pid", "cmdline"]) if _is(each, mark)]


def _is(process: psutil.Process, mark: str) -> bool:
    try:
        return bool(process.environ().get(MARK) == mark)
    except psutil.Error:
        return False


def test_every_loss_is_reported(run: dict[str, Any]) -> None:
    assert set(run["losses"]) == {*ENDS, *HANGS, *LEAVES, *FINDS, *(f"sound.py:{n}" for n in SOUND)}
    assert len(ENDS) + len(HANGS) + len(LEAVES) + len(FINDS) + len(REFUSED) >= 30
    assert run["status"] == 2  # modules that cannot be imported
    assert all(f"{name}: {name} cannot be imported" in run["said"] for name in REFUSED)


def test_nothing_is_left_behind(run: dict[str, Any], folder: Path) -> None:
    assert run["left"] == []
    assert list((folder / "tmp").iterdir()) == []
    files = {file.name for file in (folder / "wild").iterdir()} - {"__pycache__"}
    assert files == {file.name for file in WILD.glob("*.py")} - {"__init__.py", "deleting.py"}


def test_the_run_ends_in_bounded_time(run: dict[str, Any]) -> None:
    most = TIMEOUT + 5.0  # a loss: its time, and what its process takes to begin and to end
    assert run["seconds"] < most * len(run["losses"])


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_loss_keeps_what_is_found_of_it_alone(
    run: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(folder / "wild")
    alone = losscheck.check(f"sound.py:{name}", select=SELECT)
    beside = run["losses"][f"sound.py:{name}"]
    assert beside["verdict"] == alone.verdict
    told = [(f["id"], f["severity"], f["message"], f["count"]) for f in beside["findings"]]
    assert told == [(f.id, f.severity, f.message, f.count) for f in alone.findings]
    assert beside["cases"] == alone.cases


@pytest.mark.parametrize(("target", "code"), [*ENDS.items(), *HANGS.items(), *FINDS.items()])
def test_a_wild_loss_gets_its_code(run: dict[str, Any], target: str, code: str) -> None:
    codes = [f["code"] for f in run["losses"][target]["findings"] if f["severity"] == "error"]
    assert code in codes


@pytest.mark.parametrize("target", LEAVES)
def test_a_loss_that_disturbs_its_process_alone_is_examined(
    run: dict[str, Any], target: str
) -> None:
    loss = run["losses"][target]
    assert not {f["code"] for f in loss["findings"]} & {"LC902", "LC903"}
    assert loss["verdict"] != "error"


@pytest.mark.parametrize(
    ("signals", "status"),
    [
        ((signal.SIGINT,), 130),
        ((signal.SIGTERM,), 130),
        ((signal.SIGINT, signal.SIGINT), -signal.SIGINT),
        ((signal.SIGKILL,), -signal.SIGKILL),
    ],
    ids=str,
)
def test_whatever_ends_a_run_leaves_nothing_behind(
    folder: Path, signals: tuple[int, ...], status: int
) -> None:
    mark, report = uuid.uuid4().hex, folder / "interrupted.json"
    report.unlink(missing_ok=True)
    targets = ("sound.py:square", "leaking.py:daemon", "hanging.py")
    given = ("--select", "LC9", "--jobs", "2", "--timeout", "600", "--no-cache", "-q")
    with subprocess.Popen(
        [sys.executable, "-m", "losscheck", *targets, *given, "--format", f"json={report}"],
        cwd=folder / "wild",
        env={**os.environ, MARK: mark, "TMPDIR": str(folder / "tmp")},
    ) as running:
        deadline = time.monotonic() + 60.0
        while len(_sessions(mark)) < 4 and time.monotonic() < deadline:  # two hang by then
            time.sleep(0.1)
        for number in signals:
            running.send_signal(number)
            time.sleep(0.03)
    assert running.returncode == status
    time.sleep(1.0)
    assert _left(mark) == []
    assert list((folder / "tmp").iterdir()) == []
    assert report.exists() is (status == 130)
    if status == 130:
        tree = json.loads(report.read_text())
        assert tree["unexamined"]
        assert "inconclusive" in {loss["verdict"] for loss in tree["losses"]}


def _sessions(mark: str) -> set[int]:
    found = set()
    for process in psutil.process_iter():
        with contextlib.suppress(OSError, psutil.Error):
            if _is(process, mark):
                found.add(os.getsid(process.pid))
    return found
