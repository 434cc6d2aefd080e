"""Losses on the workers of a Dask scheduler, which are compared first and given the project.

A worker that is lost takes no loss with it: the scheduler hands what it had to another one. Workers
run what they have installed or are sent; those that would run a loss otherwise are refused by name.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import hashlib
import io
import multiprocessing
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

from losscheck import __version__
from losscheck.engine.events import Event, Finished, Interrupted, Started
from losscheck.engine.task import Task, lost
from losscheck.engine.whole import installed
from losscheck.engine.workers import alone
from losscheck.model import Environment, LossReport, UsageError
from losscheck.rules.execution.ending import End, Ending
from losscheck.settings.settings import Settings

WAIT = 30.0  # seconds for the scheduler to answer, and for it to have a worker
COMPARED = ("losscheck", "python", "tensorflow", "keras", "numpy")  # worker against worker
Versions = dict[str, str]


class OtherWorkerError(Exception):
    """A worker has other versions than those that the losses are to be run with."""


def examined(tasks: Sequence[Task], settings: Settings) -> Iterator[Event]:
    """Examine losses on the workers of a scheduler, and tell of each as it is done.

    Parameters
    ----------
    settings
        Where the scheduler is, and what its workers are sent.

    Raises
    ------
    UsageError
        There is no scheduler or no worker, a worker differs, or a loss or what was to be sent
        cannot be used.
    """
    with _connected(settings.executor) as client:
        expected = versions()
        _check(client, expected)
        sent = _send(client, settings.upload, tasks)
        executor = client.get_executor(pure=False)
        waiting: dict[concurrent.futures.Future[Any], Task] = {}
        for index, task in enumerate(tasks):
            own = attrs.evolve(task.settings, executor="", upload="", jobs=1)
            there = attrs.evolve(task, settings=own)
            waiting[executor.submit(_examine, there, expected, sent)] = task
            yield Started(target=task.target, index=index, total=len(tasks))
        try:
            for done in concurrent.futures.as_completed(waiting):
                report, environment = _result(done, waiting[done])
                yield Finished(target=waiting[done].target, report=report, environment=environment)
        except KeyboardInterrupt:
            yield Interrupted()
        finally:
            executor.shutdown(wait=False)  # which cancels what is left


def versions() -> Versions:
    """Give the versions that numbers depend on, in this process."""
    where = installed()
    return {name: getattr(where, name) for name in COMPARED[1:]} | {"losscheck": __version__}


def _send(client: Any, archive: str, tasks: Sequence[Task]) -> str:
    """Send an archive to all workers, those that come later too; give its name there."""
    if not archive:
        return ""
    for task in tasks:
        if Path(task.target).is_absolute():
            raise UsageError(
                f"--upload: {task.target} is a path of this machine; give it as it is in the "
                "archive, such as losses.py or my_pkg.losses"
            )
    with named_by_content(archive) as file:
        client.upload_file(str(file), load=False)
        return file.name


def _examine(task: Task, expected: Versions, sent: str) -> tuple[LossReport, Environment | None]:
    """Examine a loss on this worker, which may have come after the others were compared."""
    from distributed import get_worker

    if told := _unfit(_worker(), expected):
        raise OtherWorkerError(told)
    if sent:
        folder = unpacked(Path(get_worker().local_directory, sent))
        task = attrs.evolve(task, settings=attrs.evolve(task.settings, directory=str(folder)))
    return alone(task)


def _worker() -> Versions:
    """What is to be known of a worker; it must be able to start processes."""
    daemon = multiprocessing.current_process().daemon
    return {**versions(), "daemon": "yes" if daemon else ""}


def _unfit(worker: Versions, expected: Versions) -> str:
    """Say why a worker cannot take losses; "" where it can."""
    differ = [
        f"{name} {worker[name] or 'none'} in place of {expected[name]}"
        for name in COMPARED
        if worker[name] != expected[name]
    ]
    if worker["daemon"]:
        differ.append("it cannot start processes: start it with --no-nanny")
    return ", ".join(differ)


def _check(client: Any, expected: Versions) -> None:
    """See that there are workers, and refuse those that differ."""
    from distributed import TimeoutError as LateError

    try:
        client.wait_for_workers(1, timeout=WAIT)
    except LateError:
        address = client.scheduler.address
        raise UsageError(
            f"--executor: the scheduler {address} has no worker; start some, as in "
            f"`dask worker {address} --no-nanny --nthreads 1`"
        ) from None
    try:
        found = client.run(_worker, on_error="return")
    except Exception as error:
        raise UsageError(f"--executor: the workers do not answer: {error}") from error
    told = []
    for address, worker in sorted(found.items()):
        why = str(worker) if isinstance(worker, BaseException) else _unfit(worker, expected)
        told += [f"{address}: {why}"] if why else []
    if told:
        raise UsageError(
            "--executor: these workers would run the losses otherwise; give them the versions that "
            "are here, or stop them:\n  " + "\n  ".join(told)
        )


def _result(
    done: concurrent.futures.Future[Any], task: Task
) -> tuple[LossReport, Environment | None]:
    """Give what a worker has found, or how all that tried it ended."""
    from distributed.scheduler import KilledWorker

    try:
        found: tuple[LossReport, Environment | None] = done.result()
    except KilledWorker:
        status = "each of the workers that took it has ended"  # which is not its doing
        return lost(task, Ending(end=End.UNSTARTED, status=status)), None
    except OtherWorkerError as error:
        raise UsageError(f"--executor: a worker that came later differs: {error}") from error
    return found


@contextlib.contextmanager
def _connected(executor: str) -> Iterator[Any]:
    """Connect with a scheduler, such as "dask://host:8786"."""
    try:
        from distributed import Client
    except ImportError as error:
        raise UsageError(
            "--executor needs Dask, which is not installed: pip install 'losscheck[dask]'"
        ) from error
    address = executor.replace("dask://", "tcp://")
    try:
        client = Client(address, timeout=WAIT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(f"--executor {executor}: no scheduler answers there ({error})") from error
    try:
        yield client
    finally:
        client.close()


@contextlib.contextmanager
def named_by_content(archive: str) -> Iterator[Path]:
    """Copy an archive under a name that only its content decides, while the context lasts.

    Two runs then share workers without one taking the other's files for its own.

    Parameters
    ----------
    archive
        The path of a wheel or a zip.

    Raises
    ------
    UsageError
        It cannot be read, or is none.
    """
    try:
        content = Path(archive).read_bytes()
    except FileNotFoundError as error:
        raise UsageError(_unusable(archive, "there is no such file")) from error
    except OSError as error:
        raise UsageError(_unusable(archive, error.strerror or "it cannot be read")) from error
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise UsageError(_unusable(archive, "it is neither"))
    digest = hashlib.sha256(content).hexdigest()
    with tempfile.TemporaryDirectory() as folder:
        named = Path(folder, f"losscheck-{digest[:16]}.zip")
        named.write_bytes(content)
        yield named


def unpacked(archive: Path) -> Path:
    """Give the folder beside an archive that holds what is in it.

    Whoever comes first unpacks it. The folder appears whole, so nobody imports from half of it.
    """
    folder = archive.with_suffix("")
    if not folder.exists():
        begun = Path(tempfile.mkdtemp(dir=archive.parent))
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(begun)  # which keeps every member inside
        try:
            begun.rename(folder)
        except OSError:  # another has been faster
            shutil.rmtree(begun)
    return folder


def _unusable(archive: str, why: str) -> str:
    return (
        f"--upload {archive}: expected a wheel or a zip of the project, but {why}; make one by "
        "`git archive -o project.zip HEAD` or `python -m build --wheel`"
    )
