"""What counts as found: a finding of the expected code, at the severity that policy gives it."""

from __future__ import annotations

from losscheck.model import Finding, LossReport
from losscheck.rules.policy import RANK, Severity
from tests.zoo.specimen import Specimen


def hits(specimen: Specimen, report: LossReport, *, declared: bool = True) -> list[Finding]:
    """List the findings that find the fault, in the order of the report.

    An expected note is found by a note at least, and by no error: the fault is inherent. Where
    nothing is declared, other codes may be right as well, and a warning does for an error: what
    holds in one of several plausible domains alone is one.
    """
    codes = specimen.codes if declared else specimen.codes | specimen.guessed
    wanted = Severity(specimen.severity)
    if wanted is Severity.ERROR and not declared:
        wanted = Severity.WARNING
    of_code = [finding for finding in report.findings if finding.code in codes]
    if specimen.severity == Severity.NOTE and any(f.severity == Severity.ERROR for f in of_code):
        return []
    return [f for f in of_code if RANK[Severity(f.severity)] >= RANK[wanted]]


def right_line(specimen: Specimen, found: list[Finding]) -> bool | None:
    """Say whether the first of the findings blames the line; None where there is none to blame."""
    if not specimen.line or not found:
        return None
    location = found[0].location
    return location is not None and specimen.line in location.source


def alarms(report: LossReport) -> list[Finding]:
    """List the errors of a loss that has none."""
    return [finding for finding in report.findings if finding.severity == Severity.ERROR]


def faults(report: LossReport) -> tuple[str, ...]:
    """List the checks in which losscheck itself failed: they could neither find nor alarm."""
    failed = (check for check in report.checks if check.outcome == "error")
    return tuple(f"{check.code}: {check.reason}" for check in failed)
