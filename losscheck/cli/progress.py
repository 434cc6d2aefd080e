"""What is shown on stderr while losses are examined: a bar, and the first error of each loss."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from losscheck.engine.events import Event, Finished, Found, Stage, Started
from losscheck.model import Finding, Severity
from losscheck.report import words

BEGINNING = "importing TensorFlow and the losses"


class Watch:
    """Follows the events of a run; without a bar it shows nothing.

    Parameters
    ----------
    progress
        The bar of rich, or None.
    """

    def __init__(self, progress: Any = None) -> None:
        self._progress = progress
        self._bar = None if progress is None else progress.add_task(BEGINNING, total=None)
        self._lines: dict[str, Any] = {}  # of the losses that are examined now
        self._found: dict[str, Counter[str]] = {}  # of each loss, by severity
        self._stages: dict[str, str] = {}

    def begin(self, losses: int) -> None:
        """Know how many losses there are."""
        if self._progress is not None:
            said = words.plural(losses, "loss")
            self._progress.update(self._bar, total=losses, description=said)

    def hear(self, event: Event) -> None:
        """Show what has happened."""
        if self._progress is None:
            return
        match event:
            case Started(target=target):
                self._lines[target] = self._progress.add_task(words.clean(target), total=None)
            case Stage(target=target, name=name):
                self._stages[target] = name
                self._show(target)
            case Found(target=target, finding=finding):
                counts = self._found.setdefault(target, Counter())
                counts[finding.severity] += 1
                if finding.severity == Severity.ERROR and counts[finding.severity] == 1:
                    self._tell(target, finding)
                self._show(target)
            case Finished(target=target):
                self._progress.advance(self._bar)
                if target in self._lines:
                    self._progress.remove_task(self._lines.pop(target))

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Take the bar away while something else is printed."""
        if self._progress is None:
            yield
            return
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()

    def _show(self, target: str) -> None:
        counts = self._found.get(target, Counter())
        found = ", ".join(words.plural(counts[s], s) for s in ("error", "warning") if counts[s])
        parts = (words.clean(target), self._stages.get(target, ""), found)
        line = "  ".join(part for part in parts if part)
        self._progress.update(self._lines[target], description=line)

    def _tell(self, target: str, finding: Finding) -> None:
        where = words.place(finding.location) or words.clean(target)
        said = f"{where}: {finding.code} {finding.slug}: {words.one_line(finding.message)}"
        self._progress.console.print(said, markup=False, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def watch(*, quiet: bool) -> Iterator[Watch]:
    """Show how far a run is, from now on: on a terminal, and unless `quiet`."""
    if quiet or not sys.stderr.isatty():
        yield Watch()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TimeElapsedColumn(),
        BarColumn(bar_width=12),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
        yield Watch(progress)
