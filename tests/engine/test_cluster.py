"""Losses on the workers of a Dask scheduler: a real one with two workers, one of them killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from losscheck.engine import cluster
from losscheck.engine.task import Task
from losscheck.model import UsageError
from losscheck.settings.settings import Settings, an_executor

ROOT = Path(__file__).parents[2]
HEAD = "import tensorflow as tf\n"
LOSS = """

def loss_{0:02d}(y_true, y_pred):
    return tf.reduce_mean(tf.math.log(y_pred + {0}.0) * y_true, axis={1})
"""
COUNT = 24


def test_an_address_is_one() -> None:
    for given in ("dask://localhost:8786", "dask://10.0.0.7:1", "dask://[::1]:8786"):
        assert an_executor(given, "--executor") == given
    for given in ("localhost:8786", "dask://", "dask://host", "tcp://host:1", "dask://a b:1"):
        with pytest.raises(UsageError, match="expected dask://HOST:PORT"):
            an_executor(given, "--executor")


def test_a_worker_that_would_run_losses_otherwise_is_named() -> None:
    here = cluster.versions()
    assert cluster._unfit({**here, "daemon": ""}, here) == ""
    assert cluster._unfit({**here, "tensorflow": "1.0", "daemon": ""}, here) == (
        f"tensorflow 1.0 in place of {here['tensorflow']}"
    )
    told = cluster._unfit({**here, "losscheck": "", "daemon": "yes"}, here)
    assert told.startswith("losscheck none in place of")
    assert "--no-nanny" in told


def test_workers_are_compared_before_anything_is_handed_out() -> None:
    here = cluster.versions()

    class Client:
        def wait_for_workers(self, count: int, timeout: float) -> None:
            assert count == 1

        def run(self, function: Any, on_error: str) -> dict[str, Any]:
            older = {**here, "keras": "3.0", "daemon": ""}
            return {
                "tcp://a:1": {**here, "daemon": ""},
                "tcp://b:1": older,
                "tcp://c:1": ModuleNotFoundError("No module named 'losscheck'"),
            }

    pytest.importorskip("distributed")
    with pytest.raises(UsageError, match="these workers would run the losses otherwise") as raised:
        cluster._check(Client(), here)
    told = str(raised.value).splitlines()[1:]
    assert told == [
        f"  tcp://b:1: keras 3.0 in place of {here['keras']}",
        "  tcp://c:1: No module named 'losscheck'",
    ]


def test_where_no_scheduler_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "WAIT", 0.2)
    settings = Settings(directory=str(tmp_path), executor=f"dask://127.0.0.1:{_port()}")
    task = Task(target="mse", settings=settings)
    with pytest.raises(UsageError, match="no scheduler answers there"):
        list(cluster.examined([task], settings))


def test_without_dask_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    settings = Settings(directory=str(tmp_path), executor="dask://127.0.0.1:1")
    with pytest.raises(UsageError, match=r"pip install 'losscheck\[dask\]'"):
        list(cluster.examined([], settings))


def _port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@attrs.frozen
class Cluster:
    """A scheduler and its workers."""

    address: str
    workers: list[subprocess.Popen[bytes]]


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Cluster]:
    pytest.importorskip("distributed")
    port = _port()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def serve(module: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments]
        with (tmp_path / f"{module}.log").open("ab") as log:
            return subprocess.Popen(
                [*command, "--no-dashboard"], cwd=tmp_path, env=environment, stdout=log, stderr=log
            )

    scheduler = serve("dask_scheduler", "--host", "127.0.0.1", "--port", str(port))
    there = f"tcp://127.0.0.1:{port}"
    workers = [serve("dask_worker", there, "--no-nanny", "--nthreads", "1") for _ in range(2)]
    try:
        yield Cluster(address=f"dask://127.0.0.1:{port}", workers=workers)
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()


def report(*arguments: str) -> list[str]:
    """The command that writes the report of all losses."""
    quick = ("--select", "LC404", "--no-cache", "--fail-on", "never", "-q")
    return [sys.executable, "-m", "losscheck", "losses.py", *quick, *arguments]


def timeless(file: Path) -> Any:
    """A report without times, and without where it was made."""

    def without(tree: Any) -> Any:
        if isinstance(tree, dict):
            left_out = {"seconds", "date", "environment"}
            return {key: without(part) for key, part in tree.items() if key not in left_out}
        return [without(part) for part in tree] if isinstance(tree, list) else tree

    return without(json.loads(file.read_text(encoding="utf-8")))


@pytest.mark.cluster  # two workers import TensorFlow, and 24 losses are run three times
def test_workers_and_shards_report_what_one_run_does(dask: Cluster, tmp_path: Path) -> None:
    losses = HEAD + "".join(LOSS.format(i, -(i % 12 > 0)) for i in range(COUNT))
    older, project = tmp_path / "older", tmp_path / "project"
    for folder, text in ((older, losses), (project, "# A line more than there.\n" + losses)):
        folder.mkdir()
        (folder / "losses.py").write_text(text, encoding="utf-8")
    archive = shutil.make_archive(str(tmp_path / "project"), "zip", project)
    sent = ("--executor", dask.address, "--upload", archive)
    running = start(report(*sent, "--format", "json=../workers.json"), older)
    kill = dask.workers[0]
    while running.poll() is None and not _busy(kill.pid):
        time.sleep(0.2)
    assert running.poll() is None
    kill.send_signal(signal.SIGKILL)  # while it examines a loss, which the other then does
    assert running.wait() == 0

    assert start(report("--format", "json=../whole.json"), project).wait() == 0
    parts = [f"../{part}.json" for part in "123"]
    for part, name in zip("123", parts, strict=True):
        assert (
            start(report("--shard", f"{part}/3", "--format", f"json={name}"), project).wait() == 0
        )
    merge = [sys.executable, "-m", "losscheck", "merge", *parts, "--fail-on", "never"]
    assert start([*merge, "--format", "json=../merged.json"], project).wait() == 0

    whole = timeless(tmp_path / "whole.json")
    assert len(whole["losses"]) == COUNT
    assert sum(len(loss["findings"]) for loss in whole["losses"]) == COUNT // 12  # of axis 0
    # The lines agree too, so what was sent is what was run.
    assert timeless(tmp_path / "workers.json") == whole
    assert timeless(tmp_path / "merged.json") == whole


def start(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    """Start a command in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=folder, env=environment)


def _busy(pid: int) -> bool:
    """Whether a worker examines a loss: a process of its own prepares them, and forks."""
    import psutil

    try:
        return len(psutil.Process(pid).children(recursive=True)) >= 3
    except psutil.Error:
        return False
