"""What the formats for machines list: one result a diagnosis, each with a lasting fingerprint."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from losscheck.fingerprints import fingerprints, together
from losscheck.model import Diagnosis, Finding, Location, LossReport, Report, Severity
from losscheck.report import words

RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


@attrs.frozen(kw_only=True, eq=False)
class Result:
    """One fault of one loss.

    Attributes
    ----------
    lead
        The finding in which it begins.
    symptoms
        The others that come of it.
    diagnosis
        What is said of all of them; None of a finding that belongs to no diagnosis.
    fingerprint
        The same for the same fault, whatever line it has moved to and whatever numbers show it.
    """

    loss: LossReport
    lead: Finding
    symptoms: tuple[Finding, ...]
    diagnosis: Diagnosis | None
    fingerprint: str

    @property
    def severity(self) -> str:
        """That of its worst symptom."""
        return self.lead.severity if self.diagnosis is None else self.diagnosis.severity

    @property
    def location(self) -> Location | None:
        """Where it begins; None where no line is known."""
        return self.lead.location if self.diagnosis is None else self.diagnosis.location

    @property
    def place(self) -> tuple[str, int] | None:
        """File and line: its own, or those of the loss; None of a loss without a file."""
        if self.location is not None:
            return self.location.file, self.location.line
        source = self.loss.source
        return None if source is None else (source.file, source.line)

    @property
    def message(self) -> str:
        """What is wrong and why, in a few sentences on one line."""
        cause = self.lead.cause if self.diagnosis is None else self.diagnosis.cause
        told = words.one_line(f"{self.lead.message} {cause}")
        return f"{self.loss.target}: {told}"


def results(report: Report) -> list[Result]:
    """All of a report, the worst first."""
    found = [result for loss in report.losses for result in of_loss(loss)]
    return sorted(found, key=lambda result: RANK[Severity(result.severity)])


def of_loss(loss: LossReport) -> Iterator[Result]:
    """Those of one loss: its diagnoses, and the findings that belong to none."""
    prints = fingerprints(loss.target, loss.findings)
    for diagnosis, (lead, *others) in together(loss):
        yield Result(
            loss=loss,
            lead=lead,
            symptoms=tuple(others),
            diagnosis=diagnosis,
            fingerprint=prints[lead.id],
        )
