"""What tells one fault from another for good: no line, no name of a variable, no number."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

from losscheck.model import Diagnosis, Finding, LossReport

LENGTH = 32  # hexadecimal digits


def together(loss: LossReport) -> Iterator[tuple[Diagnosis | None, list[Finding]]]:
    """Give each diagnosis of a loss with its findings, and alone those that belong to none."""
    known = {finding.id: finding for finding in loss.findings}
    told: set[str] = set()
    for diagnosis in loss.diagnoses:
        if members := [known[name] for name in diagnosis.findings if name in known]:
            told.update(finding.id for finding in members)
            yield diagnosis, members
    yield from ((None, [finding]) for finding in loss.findings if finding.id not in told)


def parts(target: str, finding: Finding) -> tuple[str, ...]:
    """What a fingerprint is made of: target, code, operation and direction, dtype and mode."""
    place = finding.location
    op, direction = ("", "") if place is None else (place.op, place.direction)
    return (target, finding.code, op, direction, finding.dtype, finding.mode)


def fingerprints(target: str, findings: Iterable[Finding]) -> dict[str, str]:
    """Give the fingerprint of each finding of a loss, by its id.

    Those that are alike, such as two logarithms of 0, are told apart by their order in the source.
    """
    alike: Counter[tuple[str, ...]] = Counter()
    found: dict[str, str] = {}
    for finding in sorted(findings, key=_in_source):
        kind = parts(target, finding)
        alike[kind] += 1
        text = "\n".join((*kind, str(alike[kind])))
        found[finding.id] = hashlib.sha256(text.encode()).hexdigest()[:LENGTH]
    return found


def _in_source(finding: Finding) -> tuple[str, int, int, str]:
    place = finding.location
    if place is None:
        return ("", 0, 0, finding.id)
    return (place.file, place.line, place.column or 0, finding.id)
