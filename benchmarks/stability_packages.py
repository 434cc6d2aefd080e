"""Published losses under losscheck: which of their severe defects are found, which are alarmed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import attrs

import losscheck
from benchmarks.claims import Claim, claims
from benchmarks.stability_corpus import CODES, Defect, Entry, entries
from losscheck.model import Finding, LossReport
from losscheck.rules.policy import Severity
from losscheck.targets import from_callable
from tests.zoo.judging import alarms, faults

NONFINITE = frozenset({"LC201", "LC202", "LC203", "LC204", "LC503"})


@attrs.frozen(kw_only=True, eq=False)
class Published:
    """What was said of one entry.

    Attributes
    ----------
    found, missed
        Severe defects.
    errors
        Code, message and line of each.
    said
        Every code and severity.
    claims
        The numbers that its findings name, computed again.
    """

    entry: Entry
    verdict: str
    found: tuple[tuple[Defect, str], ...]
    missed: tuple[Defect, ...]
    errors: tuple[str, ...]
    said: tuple[str, ...]
    seconds: float
    claims: tuple[Claim, ...] = ()


def look_at_packages(
    tell: Callable[[str], None], seconds: float = math.inf
) -> tuple[list[Published], int]:
    """Check the entries of the corpus, those with severe defects first.

    Parameters
    ----------
    seconds
        After so many no further entry is begun.

    Returns
    -------
    tuple
        What was said, and how many entries there are.
    """
    looked = []
    every = sorted(entries(), key=_turn)
    start = time.perf_counter()
    for number, entry in enumerate(every, 1):
        if time.perf_counter() - start > seconds:
            break
        begin = time.perf_counter()
        try:
            loss = entry.make()
        except ImportError as error:
            tell(f"{number}/{len(every)} {entry.package} {entry.call}: left out, {error}")
            continue
        report = losscheck.check(loss, arguments=_arguments(entry, loss))
        one = _published(entry, report, time.perf_counter() - begin)
        again = tuple(claim for each in report.findings for claim in claims(each, loss))
        looked.append(attrs.evolve(one, claims=again))
        tell(f"{number}/{len(every)} {describe(looked[-1])}")
    return looked, len(every)


def _turn(entry: Entry) -> int:
    """Severe defects first, then entries without any, then the others."""
    if any(defect.severe for defect in entry.defects):
        return 0
    return 2 if entry.defects else 1


def describe(one: Published) -> str:
    """Say on one line what was said of an entry."""
    missed = f"MISSED {[defect.kind for defect in one.missed]}" if one.missed else ""
    found = f"found {[(defect.kind, code) for defect, code in one.found]}" if one.found else ""
    return (
        f"{one.entry.package} {one.entry.call}: {one.verdict} {found} {missed} "
        f"errors {list(one.errors)} {one.seconds:.0f} s"
    )


def _arguments(entry: Entry, loss: object) -> dict[str, tuple[str, str]] | None:
    """Declare labels and predictions, which every loss of the corpus takes first and second."""
    if entry.domains is None:
        return None
    names = [parameter.name for parameter in from_callable(loss).parameters]  # type: ignore[arg-type]
    return dict(zip(names[:2], entry.domains, strict=True))


def _published(entry: Entry, report: LossReport, seconds: float) -> Published:
    severe = [defect for defect in entry.defects if defect.severe]
    by_defect = [(defect, _finding(defect, report)) for defect in severe]
    return Published(
        entry=entry,
        verdict=report.verdict,
        found=tuple(
            (defect, f"{finding.code} {finding.severity}")
            for defect, finding in by_defect
            if finding is not None
        ),
        missed=tuple(defect for defect, finding in by_defect if finding is None),
        errors=(*map(_short, alarms(report)), *faults(report)),
        said=tuple(dict.fromkeys(f"{f.code} {f.severity}" for f in report.findings)),
        seconds=seconds,
    )


def _finding(defect: Defect, report: LossReport) -> Finding | None:
    """Give the weightiest finding that says what the defect is."""
    for finding in report.findings:
        excused = finding.code in NONFINITE and finding.severity == Severity.NOTE
        if finding.code in CODES[defect.kind] and not excused:
            return finding
    return None


def _short(finding: Finding) -> str:
    line = "" if finding.location is None else f" at `{finding.location.source.strip()}`"
    return f"{finding.code}: {finding.message}{line}"
