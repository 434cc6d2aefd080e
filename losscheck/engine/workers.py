"""Losses examined in processes of their own: several at once, in time, and none the others' end.

The processes are forked from one that has imported TensorFlow and run nothing of it, so that each
is ready in a fraction of a second; where a target has set what TensorFlow reads at its import, and
on Windows, each imports it itself. A process examines one loss after another, as a run of one
process does, and is replaced only where it ended or was ended.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Iterator, Sequence
from multiprocessing import connection
from typing import TYPE_CHECKING, Any

import attrs

from losscheck.engine.events import Event, Finished, Found, Interrupted, Stage, Started
from losscheck.model import Finding, UsageError
from losscheck.rules.execution.ending import End, Ending

if TYPE_CHECKING:
    from losscheck.engine.task import Task

PRELOADED = ["losscheck.program.preloaded"]
READ = ("CUDA_", "KERAS_", "OMP_", "ONEDNN_", "TF_", "XLA_")
"""How the variables begin that TensorFlow and Keras read when they are imported."""
_prepared: dict[str, str] | None = None  # what TensorFlow was imported with for them
_BEGAN, _STAGE, _FOUND, _REPORT, _REFUSED = range(5)  # what a worker tells of


def examined(tasks: Sequence[Task], *, jobs: int, timeout: float) -> Iterator[Event]:
    """Examine losses side by side, and tell of each as it happens.

    Parameters
    ----------
    tasks
        The losses.
    jobs
        How many are examined at the same time.
    timeout
        Seconds that each may take once TensorFlow is imported; 0 for as long as it likes.

    Raises
    ------
    UsageError
        What the first loss that cannot be used was refused for.
    """
    prepare()
    jobs = min(jobs, len(tasks))  # they share the cores
    context = multiprocessing.get_context("forkserver" if _read() == _prepared else "spawn")
    tasks = list(tasks)
    waiting = deque(range(len(tasks)))
    workers: list[_Worker] = []
    refused: dict[int, str] = {}
    crashed: dict[int, str] = {}
    try:
        while waiting or any(worker.index is not None for worker in workers):
            if refused:  # nothing new; those before it may still be refused themselves
                waiting.clear()
            while waiting and (worker := _idle(workers, context, jobs)):
                index = waiting.popleft()
                worker.hand_over(index, tasks[index])
                if not tasks[index].ended:
                    yield Started(target=tasks[index].target, index=index, total=len(tasks))
            for worker in _heard(workers):
                yield from worker.tell(tasks, timeout, refused, crashed)
            while crashed:  # to vectorize it may have done that, which is our own doing
                index, status = crashed.popitem()
                tasks[index] = attrs.evolve(tasks[index], ended=status)
                waiting.appendleft(index)
            for worker in [w for w in workers if w.index is not None and w.late]:
                yield worker.ended(
                    tasks, Ending(end=End.TIMEOUT, stage=worker.stage, seconds=timeout)
                )
            workers = [worker for worker in workers if worker.alive]
    except KeyboardInterrupt:
        busy = [worker for worker in workers if worker.index is not None]
        yield from (worker.interrupted(tasks) for worker in busy)
        yield Interrupted()
        return
    finally:
        for worker in workers:
            worker.end()
    if refused:
        raise UsageError(refused[min(refused)])


def prepare() -> None:
    """Begin to import TensorFlow for the processes, while this one does something else."""
    global _prepared
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # the processes inherit it
    # Windows has no forks.
    if _prepared is None and "forkserver" in multiprocessing.get_all_start_methods():
        from multiprocessing import forkserver, resource_tracker

        forkserver.set_forkserver_preload(PRELOADED)
        resource_tracker.ensure_running()  # which would let interrupts through
        # Who started the processes ends them, and says so once for all.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            forkserver.ensure_running()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        _prepared = _read()


def _read() -> dict[str, str]:
    """What TensorFlow would be imported with now: a loss's module may set some of it."""
    return {name: value for name, value in os.environ.items() if name.startswith(READ)}


@attrs.define(eq=False)
class _Worker:
    """A process, and the loss that it examines."""

    process: Any
    pipe: connection.Connection
    index: int | None = None
    stage: str = ""
    found: list[Finding] = attrs.field(factory=list)  # of this loss, so far
    began: float | None = None  # when it told that it came to its loss
    deadline: float = float("inf")
    alive: bool = True

    @property
    def late(self) -> bool:
        """Whether the time of its loss is over."""
        return time.monotonic() >= self.deadline

    def hand_over(self, index: int, task: Task) -> None:
        """Give it a loss."""
        self.index, self.stage, self.deadline = index, "", float("inf")
        self.began, self.found = None, []
        with contextlib.suppress(OSError):  # it has ended: that is heard at its end of the pipe
            self.pipe.send(task)

    def tell(
        self,
        tasks: Sequence[Task],
        timeout: float,
        refused: dict[int, str],
        crashed: dict[int, str],
    ) -> Iterator[Event]:
        """Tell what it has sent, or how it ended: in `crashed` where that is to be tried again."""
        assert self.index is not None
        target = tasks[self.index].target
        try:
            what, told = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            crash = self._crash()
            if self._by_vectorizing and not tasks[self.index].ended:
                crashed[self.index], self.index = crash.status, None
                self.end()
            else:
                yield self.ended(tasks, crash)
            return
        if what == _BEGAN:
            self.began = time.monotonic()
            self.deadline = self.began + (timeout or float("inf"))
        elif what == _STAGE:
            self.stage = told
            yield Stage(target=target, name=told)
        elif what == _FOUND:
            self.found.append(told)
            yield Found(target=target, finding=told)
        elif what == _REPORT:
            self.index, self.deadline = None, float("inf")
            yield Finished(target=target, report=told)
        elif what == _REFUSED:
            refused[self.index] = told
            self.index, self.deadline = None, float("inf")

    @property
    def _by_vectorizing(self) -> bool:
        """Whether to vectorize the loss may have ended it: it had run before, case by case."""
        return self.process.exitcode < 0 and self.stage not in ("", "spec")

    def _crash(self) -> Ending:
        status = _status(self.process.exitcode)
        if self.began is None:
            return Ending(end=End.UNSTARTED, status=status)
        seconds = time.monotonic() - self.began
        return Ending(end=End.CRASH, stage=self.stage, seconds=seconds, status=status)

    def ended(self, tasks: Sequence[Task], ending: Ending) -> Finished:
        """Say how the examination of its loss ended with the process, and let go of it."""
        from losscheck.engine.task import lost

        assert self.index is not None
        self.end()
        task, self.index = tasks[self.index], None
        return Finished(target=task.target, report=lost(task, ending, self.found))

    def interrupted(self, tasks: Sequence[Task]) -> Finished:
        """Say what was found of its loss when the user interrupted the run."""
        from losscheck.engine.task import stopped

        assert self.index is not None
        task = tasks[self.index]
        return Finished(target=task.target, report=stopped(task, self.found))

    def end(self) -> None:
        """End the process, whatever it is at."""
        self.alive = False
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _idle(workers: list[_Worker], context: Any, jobs: int) -> _Worker | None:
    """Find a worker without a loss, or start one; None where there are as many as are allowed."""
    for worker in workers:
        if worker.index is None:
            return worker
    if len(workers) >= jobs:
        return None
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, max(1, _cores() // jobs)), daemon=True)
    process.start()
    theirs.close()  # so that the end of the process is the end of the pipe
    workers.append(_Worker(process, ours))
    return workers[-1]


def _heard(workers: Sequence[_Worker]) -> Iterator[_Worker]:
    """Wait until a worker has something to tell, or its time is over."""
    busy = [worker for worker in workers if worker.index is not None]
    if not busy:
        return
    first = min(worker.deadline for worker in busy)
    wait = None if first == float("inf") else max(0.0, first - time.monotonic())
    ready = set(connection.wait([worker.pipe for worker in busy], wait))
    yield from (worker for worker in busy if worker.pipe in ready)


def _status(code: int) -> str:
    if code >= 0:
        return f"the exit status {code}"
    try:
        return f"the signal {signal.Signals(-code).name}"
    except ValueError:
        return f"the signal {-code}"


def _cores() -> int:
    """How many this process may use."""
    able = getattr(os, "sched_getaffinity", None)  # Linux alone tells
    return len(able(0)) if able is not None else os.cpu_count() or 1


def _work(pipe: connection.Connection, threads: int) -> None:
    """Examine what comes through a pipe: what a process of these does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started us ends us
    # Of one operation: threads that wait for work of the others take the others' cores.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(threads))
    from losscheck.engine.task import examine
    from losscheck.program.quiet import tensorflow

    tensorflow()
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        pipe.send((_BEGAN, None))
        try:
            report = examine(
                task,
                listen=lambda stage: pipe.send((_STAGE, stage)),
                tell=lambda finding: pipe.send((_FOUND, finding)),
            )
        except UsageError as error:
            pipe.send((_REFUSED, str(error)))
        else:
            pipe.send((_REPORT, report))
