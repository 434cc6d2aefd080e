"""One line a finding, for editors and for grep."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from losscheck.model import Finding, LossReport, Report, Severity, Verdict
from losscheck.report import words
from losscheck.report.verdicts import View
from losscheck.report.words import by_severity, clean, one_line, place


def render(report: Report, view: View) -> str:
    """Write ``file:line:col: code severity slug: message``; `view` changes nothing here."""
    return "".join(f"{line}\n" for loss in report.losses for line in _lines(loss))


def errors(loss: LossReport) -> str:
    """Write the lines of what makes a loss fail, or leaves it undecided."""
    failing = [finding for finding in loss.findings if finding.severity == Severity.ERROR]
    return "".join(f"{line}\n" for line in _lines(attrs.evolve(loss, findings=tuple(failing))))


def _lines(loss: LossReport) -> Iterator[str]:
    for finding in by_severity(loss.findings):
        what = f"{finding.code} {finding.severity} {finding.slug}"
        yield f"{_where(loss, finding)}: {what}: {one_line(finding.message)}"
    for fault in loss.faults:
        yield f"{_home(loss)}: fault: {words.fault(fault)}"
    # A verdict that no finding explains must not look like a pass.
    if loss.verdict in (Verdict.INCONCLUSIVE, Verdict.ERROR):
        yield f"{_home(loss)}: {loss.verdict}: {one_line(f'{loss.target}: {loss.reason}')}"


def _where(loss: LossReport, finding: Finding) -> str:
    if finding.location is None:
        return _home(loss)
    column = finding.location.column
    return place(finding.location) + ("" if column is None else f":{column}")


def _home(loss: LossReport) -> str:
    source = loss.source
    return clean(loss.target if source is None else f"{source.file}:{source.line}")
