"""Findings with one root cause, told as one: where it begins, why, and what to write there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from losscheck.diagnoses.flow import Flow
from losscheck.diagnoses.grouping import Group, groups
from losscheck.evidence.desk import Desk
from losscheck.faults import Faults
from losscheck.findings.explanation import Explanation
from losscheck.findings.locate import of_location
from losscheck.model import Diagnosis, Direction, Finding, Suspect
from losscheck.rules import by_code


def diagnosed(
    explanations: Sequence[Explanation], desk: Desk | None, target: str, faults: Faults
) -> tuple[Diagnosis, ...]:
    """Tell findings with one root cause as one.

    Parameters
    ----------
    explanations
        The findings of one loss that count.
    desk
        Its evidence; None where it was not run.
    target
        Its name, of which ids are made.
    faults
        Where it is kept if that fails: then nothing that must be run says what belongs together.

    Returns
    -------
    tuple of Diagnosis
        The worst first; each finding is in one of them.
    """
    return faults.attempt(
        "what the findings have in common",
        lambda: tuple(_written(explanations, Flow(desk), target)),
        tuple(_written(explanations, Flow(None), target)),
    )


def of_findings(findings: Sequence[Finding], target: str) -> tuple[Diagnosis, ...]:
    """Tell findings as diagnoses of which no more is known than what they say."""
    bare = [
        Explanation(
            finding=finding,
            suspect=Suspect(code=finding.code, form="", inputs=finding.inputs),
            blame=of_location(finding.location, Direction.FORWARD),
        )
        for finding in findings
    ]
    return tuple(_written(bare, Flow(None), target))


def _written(explanations: Sequence[Explanation], flow: Flow, target: str) -> Iterator[Diagnosis]:
    known: dict[tuple[str, str], int] = {}  # those alike in rule and expression are numbered
    for group in groups(explanations, flow):
        ordered = _ordered(group, flow)
        root = ordered[0]
        alike = root.finding.code, root.blame.expression
        known[alike] = known.get(alike, 0) + 1
        yield Diagnosis(
            id=f"D-{_hash(target, *alike, known[alike])}",
            severity=root.finding.severity,
            location=root.finding.location,
            cause=root.finding.cause or root.finding.message,
            fix=root.finding.fix,
            findings=tuple(told.finding.id for told in ordered),
        )


def _ordered(group: Group, flow: Flow) -> Group:
    """The worst first, of these the one where the fault begins, as it is most plainly seen."""

    def key(told: Explanation) -> tuple[object, ...]:
        finding, rule = told.finding, by_code(told.finding.code)
        return (
            -told.weight,
            flow.order(told),
            told.suspect.direction is Direction.BACKWARD,
            rule.by_mode or finding.dtype != "float32",
            finding.code,
            finding.id,
        )

    return sorted(group, key=key)


def _hash(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:8]
