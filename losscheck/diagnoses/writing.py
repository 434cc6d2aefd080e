"""Findings with one root cause, told as one: where it begins, why, and what to write there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from losscheck.diagnoses.curing import Cured, with_cures
from losscheck.diagnoses.flow import Flow
from losscheck.diagnoses.grouping import Group, groups
from losscheck.evidence.desk import Desk
from losscheck.faults import Faults
from losscheck.findings.explanation import Explanation
from losscheck.findings.locate import of_location
from losscheck.fixes.bench import Bench
from losscheck.fixes.edit import Edit
from losscheck.model import Diagnosis, Direction, Finding, Suspect
from losscheck.rules import by_code


def diagnosed(
    explanations: Sequence[Explanation],
    desk: Desk | None,
    target: str,
    faults: Faults,
    bench: Bench | None = None,
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
    bench
        Where changes of the loss are tried; None where none are.

    Returns
    -------
    tuple of Diagnosis
        The worst first; each finding is in one of them.
    """
    flow = Flow(desk)
    found = faults.attempt(
        "what the findings have in common",
        lambda: groups(explanations, flow),
        groups(explanations, Flow(None)),
    )
    cured: list[Cured] = [(group, None) for group in found]
    if desk is not None and bench is not None:
        cured = faults.attempt("the fix", lambda: with_cures(found, bench, desk), cured)
    return tuple(_written(cured, flow, target))


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
    flow = Flow(None)
    return tuple(_written([(group, None) for group in groups(bare, flow)], flow, target))


def _written(found: Sequence[Cured], flow: Flow, target: str) -> Iterator[Diagnosis]:
    known: dict[tuple[str, str], int] = {}  # those alike in rule and expression are numbered
    for group, cure in found:
        ordered = _ordered(group, flow)
        root = ordered[0]
        alike = root.finding.code, root.blame.expression
        known[alike] = known.get(alike, 0) + 1
        yield Diagnosis(
            id=f"D-{_hash(target, *alike, known[alike])}",
            severity=root.finding.severity,
            location=root.finding.location,
            cause=root.finding.cause or root.finding.message,
            fix=root.finding.fix if cure is None else _texts(cure.edit),
            verified=cure is not None,
            diff="" if cure is None else cure.verified.diff,
            clears=() if cure is None else cure.verified.clears,
            adds=() if cure is None else cure.verified.adds,
            departs=0 if cure is None else cure.verified.departs,
            findings=tuple(told.finding.id for told in ordered),
        )


def _texts(edit: Edit) -> str:
    """What is written, place by place."""
    return "\n".join(text for step in edit.steps for text in (*step.before, step.new))


def _ordered(group: Group, flow: Flow) -> Group:
    """The worst first, of these the one where the fault begins, as it is most plainly seen."""

    def key(told: Explanation) -> tuple[object, ...]:
        finding, rule = told.finding, by_code(told.finding.code)
        return (
            -told.weight,
            rule.by_mode or finding.dtype != "float32",
            flow.order(told),
            told.suspect.direction is Direction.BACKWARD,
            finding.code,
            finding.id,
        )

    return sorted(group, key=key)


def _hash(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:8]
