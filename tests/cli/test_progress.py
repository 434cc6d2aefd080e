"""What stands on stderr while losses are examined, and what is printed meanwhile."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import attrs
import pytest

from losscheck.cli import streams
from losscheck.cli.progress import BEGINNING, Watch, watch
from losscheck.engine.events import Finished, Found, Stage, Started
from losscheck.model import Finding
from tests.report.conftest import GRADIENT_NAN


class Bar:
    """Stands in for rich's, and keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.printed: list[str] = []
        self.advanced = 0
        self.total: int | None = None
        self.console = SimpleNamespace(print=lambda text, **_: self.printed.append(text))

    def add_task(self, description: str, total: int | None) -> int:
        self.said.append(description)
        return 0

    def update(self, bar: int, description: str = "", total: int | None = None) -> None:
        self.said += [description] if description else []
        self.total = total or self.total

    def remove_task(self, bar: int) -> None:
        self.said.append("removed")

    def advance(self, bar: int) -> None:
        self.advanced += 1

    def stop(self) -> None:
        self.said.append("stopped")

    def start(self) -> None:
        self.said.append("started")


@pytest.fixture
def bar() -> Bar:
    return Bar()


def _hear(watching: Watch, *findings: Finding) -> None:
    watching.hear(Started(target="m:loss", index=0, total=2))
    watching.hear(Stage(target="m:loss", name="gradient-nan"))
    for finding in findings:
        watching.hear(Found(target="m:loss", finding=finding))
    watching.hear(Finished(target="m:loss", report=None))  # type: ignore[arg-type]


def test_loss_stage_and_what_was_found_so_far_are_shown(bar: Bar) -> None:
    watching = Watch(bar)
    watching.begin(2)
    warning = attrs.evolve(GRADIENT_NAN, severity="warning")
    _hear(watching, warning, GRADIENT_NAN)
    assert bar.said == [
        BEGINNING,
        "2 losses",
        "m:loss",
        "m:loss  gradient-nan",
        "m:loss  gradient-nan  1 warning",
        "m:loss  gradient-nan  1 error, 1 warning",
        "removed",
    ]
    assert (bar.advanced, bar.total) == (1, 2)


def test_the_first_error_of_a_loss_is_told_when_it_is_found(bar: Bar) -> None:
    _hear(Watch(bar), GRADIENT_NAN, GRADIENT_NAN)
    assert bar.printed == [
        "my_package/losses.py:16: LC203 gradient-nan: the gradient is NaN while the loss is finite"
    ]


def test_the_bar_gives_way_to_what_is_printed(bar: Bar) -> None:
    with Watch(bar).aside():
        bar.said.append("a report")
    assert bar.said[1:] == ["stopped", "a report", "started"]


@pytest.mark.parametrize("quiet", [True, False])
def test_nothing_is_shown_where_nobody_looks(quiet: bool, capfd: Any) -> None:
    with watch(quiet=quiet) as watching, watching.aside():  # no terminal under pytest
        _hear(watching, GRADIENT_NAN)
    assert capfd.readouterr() == ("", "")


def test_results_reach_stdout_while_everything_else_does_not(capfd: Any) -> None:
    with streams.stdout_to_stderr() as out:
        print("a loss prints")
        out("the report of the first loss: ±\n")
    said = capfd.readouterr()
    assert said.out == "the report of the first loss: ±\n"
    assert said.err == "a loss prints\n"
