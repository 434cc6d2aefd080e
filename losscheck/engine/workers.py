"""Losses examined in processes of their own: several at once, in time, and none the others' end.

Each process is forked from one that has imported TensorFlow and run nothing of it, so that it is
ready in a fraction of a second, and ends with its loss: what a loss does to TensorFlow, Keras or
the process itself is done to none of the others. Where a target has set what TensorFlow reads at
its import, and on Windows, each process imports it itself.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from multiprocessing import connection
from multiprocessing.util import get_temp_dir

import attrs

from losscheck.engine.alone import SERVER_GONE, WATCHED, Alone, jobs, limits
from losscheck.engine.events import Event, Finished, Found, Interrupted, Printed, Stage, Started
from losscheck.engine.inside import ROOMS, Tell, Told
from losscheck.engine.task import Task, examine, lost, stopped
from losscheck.model import Environment, Finding, LossReport, UsageError
from losscheck.program.quiet import READ
from losscheck.rules.execution.ending import Ending
from losscheck.settings.settings import Settings

PRELOADED = ["losscheck.engine.forked"]
UNVECTORIZED = ("", "import", "spec")  # stages before anything is vectorized
_prepared: dict[str, str] | None = None  # what TensorFlow was imported with for them


def examined(tasks: Sequence[Task], settings: Settings) -> Iterator[Event]:
    """Examine losses side by side, and tell of each as it happens.

    Parameters
    ----------
    tasks
        The losses, in the order in which they are begun.
    settings
        How many at the same time, and what each may take.

    Raises
    ------
    UsageError
        What the first loss that cannot be used was refused for.
    """
    prepare()
    yield from _Run(tasks, settings).events()


def alone(task: Task) -> tuple[LossReport, Environment | None]:
    """Examine one loss in a process of its own.

    Parameters
    ----------
    task
        The loss; its settings say what the process may take.

    Returns
    -------
    report : LossReport
        It comes whatever the loss does to its process.
    environment : Environment or None
        Where it was examined; None where no process could be started.

    Raises
    ------
    UsageError
        The target or a declaration cannot be used.
    """
    own = attrs.evolve(task.settings, jobs=1)
    events = examined([task], own)
    finished = next(event for event in events if isinstance(event, Finished))
    return finished.report, finished.environment


def prepare() -> None:
    """Begin to import TensorFlow for the processes, while this one does something else."""
    global _prepared
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # the processes inherit it
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # they share its memory
    # Windows has no forks.
    if _prepared is None and "forkserver" in multiprocessing.get_all_start_methods():
        from multiprocessing import forkserver, resource_tracker

        forkserver.set_forkserver_preload(PRELOADED)
        resource_tracker.ensure_running()  # which would let interrupts through
        # Who started the processes ends them, and says so once for all.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        os.environ[ROOMS] = get_temp_dir()
        try:
            forkserver.ensure_running()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            del os.environ[ROOMS]
        _prepared = _read()


def forked() -> bool:
    """Whether TensorFlow is there to be forked from, as it would be imported now."""
    return _prepared is not None and _read() == _prepared


def _read() -> dict[str, str]:
    """What TensorFlow would be imported with now: a loss's module may set some of it."""
    return {name: value for name, value in os.environ.items() if name.startswith(READ)}


def _examine(task: Task, tell: Tell) -> LossReport:
    """Examine a loss in this process, which is its own."""
    tell(Told.STAGE, "import")
    return examine(
        task,
        listen=lambda stage: tell(Told.STAGE, stage),
        tell=lambda finding: tell(Told.FOUND, finding),
    )


@contextlib.contextmanager
def _asked_to_stop() -> Iterator[Sequence[int]]:
    """Note signals that ask this process to end; what they ask for twice happens at once."""
    asked: list[int] = []

    def note(number: int, _frame: object) -> None:
        asked.append(number)
        signal.signal(number, signal.SIG_DFL)

    if threading.current_thread() is not threading.main_thread():  # which alone hears them
        yield asked
        return
    before = {each: signal.signal(each, note) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for each, handler in before.items():
            if each not in asked:
                signal.signal(each, handler)


@attrs.define(eq=False)
class _Running:
    """A loss in its process."""

    index: int
    process: Alone
    beside: bool  # whether others may run meanwhile
    environment: Environment | None = None
    found: list[Finding] = attrs.field(factory=list)  # so far


class _Run:
    """Losses examined side by side."""

    def __init__(self, tasks: Sequence[Task], settings: Settings) -> None:
        self._tasks = list(tasks)
        self._waiting = deque(range(len(tasks)))
        self._jobs = jobs(settings, len(tasks))
        self._limits = limits(settings, self._jobs)
        self._running: list[_Running] = []
        self._refused: dict[int, UsageError] = {}

    def events(self) -> Iterator[Event]:
        """Examine them; an interrupt ends them, and a second one ends this process at once."""
        try:
            with _asked_to_stop() as asked:
                yield from self._examined(asked)
        finally:
            for running in self._running:
                running.process.end()
        if self._refused and not asked:
            raise self._refused[min(self._refused)]

    def _examined(self, asked: Sequence[int]) -> Iterator[Event]:
        while (self._waiting or self._running) and not asked:
            if self._refused:  # nothing new; those before it may still be refused themselves
                self._waiting.clear()
            while self._waiting and len(self._running) < self._jobs:
                yield from self._start(self._waiting.popleft())
            self._wait()
            for running in list(self._running):
                yield from self._tell(running)
        for running in self._running if asked else ():
            task = self._tasks[running.index]
            report = stopped(task, running.found)
            where = running.environment
            yield Finished(target=task.target, report=report, environment=where)
        if asked:
            yield Interrupted()

    def _start(self, index: int) -> Iterator[Event]:
        task = self._tasks[index]
        if not task.ended:
            yield Started(target=task.target, index=index, total=len(self._tasks))
        if task.died is not None:
            yield Finished(target=task.target, report=lost(task, task.died))
            return
        do = functools.partial(_examine, task)
        process = Alone(do, self._limits, forked=forked())
        self._running.append(_Running(index, process, beside=self._jobs > 1))

    def _wait(self) -> None:
        """Wait until a process has something to tell, or is to be looked at."""
        connection.wait([one for run in self._running for one in run.process.waited_for], WATCHED)

    def _tell(self, running: _Running) -> Iterator[Event]:
        """Tell what a process has told, and how it ended."""
        target = self._tasks[running.index].target
        try:
            for what, told in running.process.heard():
                if what is Told.BEGAN:
                    running.environment = told
                elif what is Told.STAGE:
                    yield Stage(target=target, name=told)
                elif what is Told.FOUND:
                    running.found.append(told)
                    yield Found(target=target, finding=told)
                elif what is Told.REFUSED:
                    self._refused[running.index] = told
                    self._end(running)
                    return
                elif what is Told.DONE:
                    if printed := self._end(running):
                        yield Printed(target=target, text=printed)
                    yield Finished(target=target, report=told, environment=running.environment)
                    return
        except EOFError:
            yield from self._crashed(running)
            return
        ending = running.process.exceeded()
        if ending is not None:
            yield self._lost(running, ending)

    def _crashed(self, running: _Running) -> Iterator[Event]:
        """Examine a loss again that others may have ended, or being vectorized: our own doing."""
        ending, task = running.process.crash(), self._tasks[running.index]
        if ending.status == SERVER_GONE and running.beside:  # who did it shows one by one
            self._end(running)
            self._jobs = 1
            self._waiting.appendleft(running.index)
        elif ending.signalled and ending.stage not in UNVECTORIZED and not task.ended:
            self._end(running)
            self._tasks[running.index] = attrs.evolve(task, ended=ending.status)
            self._waiting.appendleft(running.index)
        else:
            yield self._lost(running, ending)

    def _lost(self, running: _Running, ending: Ending) -> Finished:
        """Say how the examination of a loss ended before it was done."""
        self._end(running)
        report = lost(self._tasks[running.index], ending, running.found)
        target = self._tasks[running.index].target
        return Finished(target=target, report=report, environment=running.environment)

    def _end(self, running: _Running) -> str:
        """End a process; give what it has printed."""
        self._running.remove(running)
        return running.process.end()
