"""Asking reports what the tests ask of them."""

from __future__ import annotations

from losscheck.model import Finding, LossReport


def errors(report: LossReport) -> list[str]:
    """Name the errors of a report, each with its line, as a failing test should show them."""
    assert report.verdict != "error", (report.reason, report.notes)
    return [
        f"{f.code} {f.message} at {f.location and f.location.source}"
        for f in report.findings
        if f.severity == "error"
    ]


def found(report: LossReport, code: str, severity: str = "", line: str = "") -> list[Finding]:
    """List the findings of a code, of a severity, on a line that holds a text."""
    return [
        f
        for f in report.findings
        if f.code == code
        and (not severity or f.severity == severity)
        and (not line or (f.location is not None and line in f.location.source))
    ]


def codes(report: LossReport, *severities: str) -> set[str]:
    """Name the codes found at these severities."""
    return {f.code for f in report.findings if f.severity in severities}
