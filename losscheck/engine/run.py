"""Many losses examined, here or in processes of their own, as events."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from losscheck import __version__
from losscheck.engine.events import Done, Event, Finished, Stage, Started
from losscheck.engine.loss import aggregate
from losscheck.engine.task import Task, examine
from losscheck.engine.workers import examined, prepare
from losscheck.model import (
    LossReport,
    Report,
    Summary,
    Verdict,
)
from losscheck.settings.settings import Settings


def run(tasks: Sequence[Task], settings: Settings) -> Iterator[Event]:
    """Examine losses as the settings have it; the last event carries the report."""
    from losscheck.program.quiet import environment, tensorflow

    begin = time.perf_counter()
    if settings.apart:
        prepare()
    tensorflow()
    events = (
        examined(tasks, jobs=settings.jobs, timeout=settings.timeout)
        if settings.apart
        else _unvectorized(tasks)
    )
    found: dict[str, LossReport] = {}
    for event in events:
        if isinstance(event, Finished):
            found[event.target] = event.report
        yield event
    reports = [found[task.target] for task in tasks]
    yield Done(
        report=Report(
            losscheck=__version__,
            environment=environment(),
            seed=settings.seed,
            seconds=time.perf_counter() - begin,
            summary=_summary(reports),
            losses=tuple(reports),
        )
    )


def _unvectorized(tasks: Sequence[Task]) -> Iterator[Event]:
    for index, task in enumerate(tasks):
        yield Started(target=task.target, index=index, total=len(tasks))
        stages: list[str] = []
        report = examine(task, listen=stages.append)
        for stage in stages:
            yield Stage(target=task.target, name=stage)
        yield Finished(target=task.target, report=report)


def _summary(reports: Sequence[LossReport]) -> Summary:
    count = aggregate(reports)
    return Summary(
        losses=len(reports),
        passed=count[Verdict.PASS],
        fail=count[Verdict.FAIL],
        inconclusive=count[Verdict.INCONCLUSIVE],
        error=count[Verdict.ERROR],
        cases=sum(report.cases for report in reports),
    )
