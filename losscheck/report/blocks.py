"""The terminal's text for one loss or one finding alone: what a failing test shows."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text

from losscheck.model import Finding, LossReport
from losscheck.report import text, text_finding, words
from losscheck.report.lines import printed
from losscheck.report.view import View


def of_loss(loss: LossReport) -> str:
    """Say all of one loss, in plain text."""
    return _plain(text.loss_lines(loss, View()))


def of_finding(finding: Finding) -> str:
    """Say one finding, in plain text, below the line that test runners show of a failure."""
    place = words.place(finding.location)
    summary = f"{place}{place and ': '}{words.one_line(finding.message)}"
    return f"{summary}\n{_plain(text_finding.lines(finding, View()))}"


def _plain(lines: Iterable[Text]) -> str:
    return printed(lines, View()).rstrip()
