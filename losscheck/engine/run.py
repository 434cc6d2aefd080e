"""Many losses examined, here or in processes of their own, as events."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator, Sequence

from losscheck import __version__
from losscheck.engine.events import Done, Event, Finished, Found, Interrupted, Stage, Started
from losscheck.engine.task import Task, examine
from losscheck.engine.unexamined import InterruptedExamination
from losscheck.engine.whole import installed, summary
from losscheck.engine.workers import examined
from losscheck.model import Environment, LossReport, Report
from losscheck.settings.settings import Settings


def _unheard(event: Event) -> None:
    """Tell nobody."""


def run(
    tasks: Sequence[Task], settings: Settings, hear: Callable[[Event], None] = _unheard
) -> Iterator[Event]:
    """Examine losses as the settings have it; the last event carries the report.

    Parameters
    ----------
    hear
        Told of stages and findings at once where a loss is examined in this very process, since
        the events that are given wait for the end of it.
    """
    from losscheck.program.quiet import environment

    begin = time.perf_counter()
    date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    here = not (settings.apart or settings.executor)
    events = _events(tasks, settings, hear)
    found: dict[str, LossReport] = {}
    where: Environment | None = None
    interrupted = False
    for event in events:
        if isinstance(event, Finished):
            found[event.target] = event.report
            where = where or event.environment
        interrupted |= isinstance(event, Interrupted)
        yield event
    reports = [found[task.target] for task in tasks if task.target in found]
    report = Report(
        losscheck=__version__,
        environment=where or (environment() if here else installed()),
        seed=settings.seed,
        seconds=time.perf_counter() - begin,
        summary=summary(reports),
        losses=tuple(reports),
        date=date,
        unexamined=tuple(task.target for task in tasks if interrupted and task.target not in found),
    )
    yield Done(report=report, interrupted=interrupted)


def _events(
    tasks: Sequence[Task], settings: Settings, hear: Callable[[Event], None]
) -> Iterator[Event]:
    if settings.executor:
        from losscheck.engine import cluster  # Dask may be missing

        return cluster.examined(tasks, settings)
    return examined(tasks, settings) if settings.apart else _here(tasks, hear)


def _here(tasks: Sequence[Task], hear: Callable[[Event], None]) -> Iterator[Event]:
    for index, task in enumerate(tasks):
        target = task.target
        yield Started(target=target, index=index, total=len(tasks))
        try:
            report = _heard(task, hear)
        except InterruptedExamination as stopped:
            yield Finished(target=target, report=stopped.report)
            yield Interrupted()
            return
        yield Finished(target=target, report=report)


def _heard(task: Task, hear: Callable[[Event], None]) -> LossReport:
    return examine(
        task,
        listen=lambda stage: hear(Stage(target=task.target, name=stage)),
        tell=lambda finding: hear(Found(target=task.target, finding=finding)),
    )
