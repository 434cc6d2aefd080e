"""A process from outside: begun, heard, watched and ended; and how many the machine can take."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import re
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.util import get_temp_dir
from pathlib import Path
from typing import Any

import attrs
import psutil

from losscheck.engine.inside import CASE, CLOSED, OUTPUT, SILENCED, STACK, Told, Work, work
from losscheck.program.running import noted
from losscheck.rules.execution.ending import End, Ending
from losscheck.settings.settings import AUTO, Settings

START = 60.0  # seconds that TensorFlow may take to be imported, beside the time of the loss
WATCHED = 0.1  # seconds between two looks at a process's memory
_YOUNG = 5.0  # seconds of a process that another thread may have begun, and not yet entered
_living: set[int] = set()  # the processes that do something
SERVER_GONE = "the end of what it was forked from"
_STACK_TIME = 2.0  # seconds that a process has to write where it is
_KEPT = 20_000  # bytes of what it printed, the last
_MOST = 2_000_000  # of it on the disk
_ROUNDS = 50  # of ending what starts others meanwhile
_FATAL = re.compile(
    r"^(?:F\d{4} .*|.*Check failed.*|terminate called.*|  what\(\).*)$", re.MULTILINE
)
_LINE = re.compile(r'^  File "(?P<file>.*)", line (?P<line>\d+)', re.MULTILINE)
GIGABYTE = 1e9
LEAST = 1.5 * GIGABYTE  # what a sound loss may need; no process gets less, and fewer run instead
_LIMITS = (  # of a container, where the machine itself shows more: the limit, what is taken
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


class Alone:
    """A process that does one thing.

    Parameters
    ----------
    do
        What it does.
    limits
        What it may take.
    forked
        Whether TensorFlow is there to be forked from; else the process imports it.
    by_stage
        Whether each stage may take the time that is given.

    Attributes
    ----------
    stage
        What it was doing when it last said so.
    """

    def __init__(self, do: Work, limits: Limits, *, forked: bool, by_stage: bool = False) -> None:
        context: Any = multiprocessing.get_context("forkserver" if forked else "spawn")
        self._limits, self._by_stage = limits, by_stage
        self._room = Path(tempfile.mkdtemp(prefix="losscheck-", dir=get_temp_dir()))
        self._pipe, theirs = context.Pipe(duplex=False)
        own = (theirs, str(self._room), limits.threads, do)
        self._process = context.Process(target=work, args=own)
        self._process.start()
        theirs.close()
        _living.add(self._process.pid)
        self._server = _parent(self._process.pid) if forked else None
        self._begin = time.monotonic()
        self._deadline = self._begin + (limits.timeout + START if limits.timeout else float("inf"))
        self._began = False
        self._raised: tuple[str, tuple[tuple[str, int], ...]] | None = None
        self._said_before = 0  # bytes that it had printed when its stage began
        self.stage = ""

    @property
    def waited_for(self) -> tuple[Any, Any]:
        """What is ready once there is something to hear."""
        return self._pipe, self._process.sentinel

    def heard(self) -> Iterator[tuple[Told, Any]]:
        """Give what it has told; EOFError once it has ended."""
        ended = not self._process.is_alive()
        if ended:
            self._kill()  # what holds the other end of the pipe, too
        while self._pipe.poll():
            try:
                what, told = self._pipe.recv()
            except Exception as error:  # half a message, or what is none
                raise EOFError from error
            if what is Told.STAGE:
                self.stage = told
            if what is Told.STAGE and self._by_stage:
                self._said_before = _size(self._room / OUTPUT)
            if what is Told.BEGAN or (what is Told.STAGE and self._by_stage):
                self._began, self._begin = True, time.monotonic()
                self._deadline = self._begin + (self._limits.timeout or float("inf"))
            if what is Told.RAISED:
                self._raised = told
                raise EOFError
            yield what, told
        if ended:
            raise EOFError

    def exceeded(self) -> Ending | None:
        """How it had to be ended, if it has taken more than it may."""
        self._shorten_output()
        if time.monotonic() >= self._deadline:
            return self._ended(End.TIMEOUT, seconds=self._limits.timeout)
        if self._memory() > self._limits.memory:
            return self._ended(End.MEMORY, memory=self._limits.memory)
        return None

    def crash(self) -> Ending:
        """How it has ended of itself."""
        if self._raised is not None:
            status, lines = self._raised
            return self._ended(End.CRASH, status=status, lines=lines)
        self._process.join(_STACK_TIME)
        if self._server is not None and not _runs(self._server):
            return self._ended(End.CRASH, status=SERVER_GONE)
        code = self._process.exitcode
        if not self._began:
            return self._ended(End.UNSTARTED, status=_status(code))
        return self._ended(End.CRASH, status=_status(code))

    def _ended(self, end: End, **how: Any) -> Ending:
        """Say how it ended; where it is still running, where it is."""
        with contextlib.suppress(OSError):
            if self._process.is_alive():
                os.kill(self._process.pid, signal.SIGABRT)  # faulthandler writes its stack
                self._process.join(_STACK_TIME)
        seconds = time.monotonic() - self._begin
        printed = self._printed(self._said_before, signalled=end is End.CRASH)
        given = {"seconds": seconds, "lines": self._lines(), "printed": printed, **how}
        return Ending(end=end, stage=self.stage, case=noted.read(self._room / CASE), **given)

    def _lines(self) -> tuple[tuple[str, int], ...]:
        """The lines of Python that it was at, innermost first: of the thread that ran, then all."""
        before, current, after = _read(self._room / STACK).partition("Current thread")
        found = _LINE.finditer(after + before if current else before)
        return tuple((match["file"], int(match["line"])) for match in found)

    def _printed(self, since: int = 0, *, signalled: bool = False) -> str:
        """What it printed last; of what losscheck silences, why a library ended it."""
        fatal = _FATAL.findall(_read(self._room / SILENCED)) if signalled else []
        return "\n".join((_read(self._room / OUTPUT, since).rstrip(), *fatal)).strip()

    def _shorten_output(self) -> None:
        for name in (OUTPUT, SILENCED):
            if _size(self._room / name) > _MOST:
                os.truncate(self._room / name, 0)

    def _memory(self) -> float:
        """Bytes that are its own: what it was forked with, it shares."""
        try:
            process = psutil.Process(self._process.pid)
            if process.memory_info().rss <= self._limits.memory:
                return 0.0
            return float(process.memory_full_info().uss)
        except psutil.Error:
            return 0.0

    def end(self) -> str:
        """End the process, whatever it is at, and all that it has started; give what it printed."""
        self._kill()
        self._process.join()
        self._pipe.close()
        _living.discard(self._process.pid)
        if self._server is not None:
            _end_orphans(self._server)
        printed = self._printed()
        shutil.rmtree(self._room, ignore_errors=True)
        return printed

    def _kill(self) -> None:
        pid = self._process.pid
        for _ in range(_ROUNDS):
            others = _started_by(pid)
            self._process.kill()
            for other in others:
                with contextlib.suppress(psutil.Error):
                    other.kill()
            if not others:
                return


def _started_by(pid: int) -> list[psutil.Process]:
    """The processes that this one has started, and those that are in its session."""
    found: dict[int, psutil.Process] = {}
    with contextlib.suppress(psutil.Error):
        found = {each.pid: each for each in psutil.Process(pid).children(recursive=True)}
    for other in psutil.pids() if hasattr(os, "getsid") else ():
        with contextlib.suppress(OSError, psutil.Error):
            if os.getsid(other) == pid != other and other not in found:
                found[other] = psutil.Process(other)
    return [each for each in found.values() if _runs(each)]


def _end_orphans(server: psutil.Process) -> None:
    """End what has left the processes that began it: it belongs to the server by then."""
    with contextlib.suppress(psutil.Error):
        for child in server.children():
            if child.pid not in _living and time.time() - child.create_time() > _YOUNG:
                for each in (*child.children(recursive=True), child):
                    each.kill()


def _parent(pid: int) -> psutil.Process | None:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).parent()
    return None


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _status(code: int | None) -> str:
    if code is None or code == CLOSED:
        return "closing the files of others"
    if code >= 0:
        return f"the exit status {code}"
    try:
        return f"the signal {signal.Signals(-code).name}"
    except ValueError:
        return f"the signal {-code}"


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _read(file: Path, since: int = 0) -> str:
    """The end of a file, of what stands behind this byte; "" where there is none."""
    try:
        with file.open("rb") as opened:
            begin = max(since, _size(file) - _KEPT)
            opened.seek(begin)
            text = opened.read().decode(errors="replace")
            return text if begin == since else f"[...]\n{text.partition(chr(10))[2]}"
    except OSError:
        return ""


@attrs.frozen(kw_only=True)
class Limits:
    """What one process may take."""

    timeout: float  # seconds; 0 for as many as it likes
    memory: float  # bytes
    threads: int  # of TensorFlow, for one operation


def jobs(settings: Settings, losses: int) -> int:
    """How many losses are examined at the same time."""
    wanted = settings.jobs
    if wanted == AUTO:
        wanted = min(cores(), int(_free() // LEAST))
    return max(1, min(int(wanted), losses))


def limits(settings: Settings, jobs: int) -> Limits:
    """What each of so many processes may take."""
    memory = settings.memory * GIGABYTE or max(_free() / jobs, LEAST)
    return Limits(timeout=settings.timeout, memory=memory, threads=max(1, cores() // jobs))


def cores() -> int:
    """How many cores this process may use."""
    able = getattr(os, "sched_getaffinity", None)  # Linux alone tells
    return len(able(0)) if able is not None else os.cpu_count() or 1


def _free() -> float:
    """Bytes of memory that are free."""
    free = float(psutil.virtual_memory().available)
    for limit, taken in _LIMITS:
        with contextlib.suppress(OSError, ValueError):  # "max" is none
            free = min(free, int(Path(limit).read_text()) - int(Path(taken).read_text()))
    return free
