"""The diagnoses of a loss with their findings, as renderers and formats for machines ask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from losscheck.changes import fingerprints, together
from losscheck.model import Diagnosis, Finding, Location, LossReport, Report, Severity
from losscheck.report import words
from losscheck.report.words import SEVERITIES, clean, plural

SYMPTOMS = 6  # named; more are counted
RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


@attrs.frozen(kw_only=True, eq=False)
class Told:
    """A diagnosis with its findings."""

    diagnosis: Diagnosis
    findings: tuple[Finding, ...]

    @property
    def root(self) -> Finding:
        """The finding where it begins."""
        return self.findings[0]

    @property
    def severity(self) -> str:
        """That of its worst finding."""
        return self.diagnosis.severity

    @property
    def symptoms(self) -> tuple[str, ...]:
        """What else it shows by, a rule at a time: ``LC505 half-nonfinite in float16``."""
        shown: dict[str, dict[str, None]] = {}  # rule -> in what; a set that keeps its order
        root = self.root
        for finding in self.findings[1:]:
            if (finding.code, where(finding)) != (root.code, where(root)):
                shown.setdefault(f"{finding.code} {finding.slug}", {})[where(finding)] = None
        named = [f"{rule} {listed(ways)}".strip() for rule, ways in shown.items()]
        if len(named) > SYMPTOMS:
            named[SYMPTOMS - 1 :] = [plural(len(named) - SYMPTOMS + 1, "other rule")]
        return tuple(named)

    @property
    def changes(self) -> tuple[str, ...]:
        """The lines that a tried fix takes away and adds, without their common indentation."""
        lines = clean(self.diagnosis.diff).splitlines()
        changed = [
            line for line in lines if line[:1] in ("-", "+") and line[:3] not in ("---", "+++")
        ]
        room = min((_indent(line[1:]) for line in changed if line[1:].strip()), default=0)
        return tuple(f"{line[0]}  {line[1 + room :]}".rstrip() for line in changed)

    @property
    def cleared(self) -> str:
        """What a tried fix clears, and at what price, as a sentence."""
        diagnosis = self.diagnosis
        # An id begins with the code of its rule.
        gone = ", ".join(dict.fromkeys(clean(one).partition("-")[0] for one in diagnosis.clears))
        adds = diagnosis.adds
        if not diagnosis.verified:
            return f"tried: clears {gone}, but {diagnosis.objection}"
        warnings = f"{'a warning' if len(adds) == 1 else 'warnings'} ({', '.join(adds)})"
        said = f"verified: clears {gone}, adds {warnings if adds else 'none'}"
        return said + ("; right numbers change next to that point" if diagnosis.departs else "")


def told(loss: LossReport) -> list[Told]:
    """Give the diagnoses of a loss, the worst first; of a report without them one a finding."""
    by_id = {finding.id: finding for finding in loss.findings}
    diagnoses = loss.diagnoses or tuple(_alone(loss))
    made = [
        Told(diagnosis=each, findings=tuple(by_id[i] for i in each.findings if i in by_id))
        for each in diagnoses
    ]
    return sorted(
        (each for each in made if each.findings), key=lambda each: SEVERITIES.index(each.severity)
    )


def count(loss: LossReport, severity: str) -> int:
    """How many diagnoses of a loss have this severity."""
    return sum(each.severity == severity for each in told(loss))


def counts(loss: LossReport) -> str:
    """Write ``1 error, 2 warnings, 3 notes``; empty where nothing was found."""
    numbers = ((count(loss, severity), severity) for severity in SEVERITIES)
    return ", ".join(plural(number, severity) for number, severity in numbers if number)


def _alone(loss: LossReport) -> Iterator[Diagnosis]:
    for finding in loss.findings:
        yield Diagnosis(
            id=finding.id,
            severity=finding.severity,
            location=finding.location,
            cause=finding.cause or finding.message,
            fix=finding.fix,
            findings=(finding.id,),
        )


def where(finding: Finding) -> str:
    """Say in what it shows, where that is not float32: ``in float16``, ``under XLA``."""
    dtype = f"in {finding.dtype}" if finding.dtype != "float32" else ""
    return f"{dtype} {'under XLA' if finding.mode == 'xla' else ''}".strip()


def listed(ways: Iterable[str]) -> str:
    """Join in what a rule finds it: ``in bfloat16 and in float16``."""
    return " and ".join(way for way in ways if way)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


@attrs.frozen(kw_only=True, eq=False)
class Result:
    """One fault of one loss."""

    loss: LossReport
    lead: Finding  # the finding in which it begins
    symptoms: tuple[Finding, ...]  # the others that come of it
    # What is said of all of them; None of a finding that belongs to no diagnosis.
    diagnosis: Diagnosis | None
    # The same for the same fault, whatever line it has moved to and whatever numbers show it.
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
