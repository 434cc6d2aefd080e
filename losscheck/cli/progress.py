"""The progress bar on stderr, driven by the engine's events."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from losscheck.engine.events import Done, Event, Finished, Stage, Started
from losscheck.model import Report


def follow(events: Iterable[Event], *, losses: int, quiet: bool) -> Report:
    """Wait for the report, showing how far the run is.

    A bar is drawn for several losses, on a terminal only.

    Parameters
    ----------
    events
        The engine's events; the last one carries the report.
    losses
        How many losses are examined.
    quiet
        Draw nothing.
    """
    if quiet or losses < 2 or not sys.stderr.isatty():
        return _last(events)
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
        bar = progress.add_task("", total=losses)
        return _last(_shown(event, progress, bar) for event in events)


def _shown(event: Event, progress: Any, bar: Any) -> Event:
    match event:
        case Started(target=target):
            progress.update(bar, description=target)
        case Stage(target=target, name=name):
            progress.update(bar, description=f"{target}  {name}")
        case Finished():
            progress.advance(bar)
    return event


def _last(events: Iterable[Event]) -> Report:
    report = None
    for event in events:
        if isinstance(event, Done):
            report = event.report
    assert report is not None  # the engine's promise: the last event is Done
    return report
