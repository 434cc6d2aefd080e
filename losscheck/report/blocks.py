"""The terminal's text for one loss or one finding alone: what a failing test shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs
from rich.text import Text

from losscheck.model import Finding, LossReport
from losscheck.report import text, text_diagnosis, words
from losscheck.report.lines import printed
from losscheck.report.told import told
from losscheck.report.verdicts import View


def of_loss(loss: LossReport) -> str:
    """Say all of one loss, in plain text."""
    return _plain(text.loss_lines(loss, View()))


def of_finding(finding: Finding, loss: LossReport) -> str:
    """Say one finding, in plain text, below the line that test runners show of a failure."""
    return f"{summary(finding)}\n{_plain(_with_fix(finding, loss))}"


def summary(finding: Finding) -> str:
    """Say a finding in one line, which begins with its place."""
    place = words.place(finding.location)
    return f"{place}{place and ': '}{words.one_line(finding.message)}"


def _with_fix(finding: Finding, loss: LossReport) -> Iterator[Text]:
    """A finding with what to write: a fix that was tried and clears it, else its own advice."""
    for each in told(loss):
        if finding.id in each.diagnosis.clears:
            yield from text_diagnosis.finding_lines(attrs.evolve(finding, fix=""), View())
            yield from text_diagnosis.tried(each, View().width)
            return
    yield from text_diagnosis.finding_lines(finding, View())


def _plain(lines: Iterable[Text]) -> str:
    return printed(lines, View()).rstrip()
