"""What is said of a rule and of a loss, once the findings are known."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import attrs

from losscheck.model import (
    Check,
    Diagnosis,
    Finding,
    LossReport,
    Outcome,
    Severity,
    Verdict,
)
from losscheck.rules import by_code, policy

_OUTCOME = {
    Severity.ERROR: Outcome.FAIL,
    Severity.WARNING: Outcome.WARN,
    Severity.NOTE: Outcome.NOTE,
}


def outcome(findings: Sequence[Finding]) -> Outcome:
    """Say what a rule comes to that found these."""
    if not findings:
        return Outcome.PASS
    worst = max((Severity(f.severity) for f in findings), key=policy.RANK.__getitem__)
    if worst is not Severity.ERROR and doubt(findings):
        return Outcome.INCONCLUSIVE
    return _OUTCOME[worst]


def doubt(findings: Sequence[Finding]) -> str:
    """Say what was seen that may be right or wrong; "" where each finding is one or the other."""
    for finding in findings:
        if policy.undecided(finding.code, finding.kind) and finding.severity == Severity.WARNING:
            what = "NaN" if finding.slug.endswith("nan") else "Inf"
            return f"{what} was seen, and what is right there could not be decided"
    return ""


def verdict(
    findings: Sequence[Finding], checks: Sequence[Check], failed: Collection[str] = ()
) -> tuple[Verdict, str]:
    """Say what a loss comes to, and why where that is no pass or fail.

    Parameters
    ----------
    failed
        The codes of the rules that a fault of ours left undecided.
    """
    if any(finding.severity == Severity.ERROR for finding in findings):
        return Verdict.FAIL, ""
    if failed and not findings and not any(map(_judged, checks)):
        return Verdict.ERROR, next(check.reason for check in checks if check.code in failed)
    deciding = [c for c in checks if by_code(c.code).decisive or c.code in failed]
    open_ = [check for check in deciding if check.outcome == Outcome.INCONCLUSIVE]
    if open_:
        return Verdict.INCONCLUSIVE, f"{open_[0].slug}: {open_[0].reason}"
    return Verdict.PASS, ""


def _judged(check: Check) -> bool:
    """Say whether a check says anything of the loss; that it can be called at all is not much."""
    undone = (Outcome.SKIP, Outcome.INCONCLUSIVE, Outcome.ERROR)
    return check.outcome not in undone and by_code(check.code).numeric


def by_weight(finding: Finding) -> tuple[int, str, int, str]:
    """Sort findings: what counts most first."""
    weight = policy.RANK[Severity(finding.severity)]
    return (-weight, finding.code, -finding.count, finding.id)


def _by_severity(diagnosis: Diagnosis) -> int:
    """Sort diagnoses: the worst first, otherwise as they are."""
    return -policy.RANK[Severity(diagnosis.severity)]


_WORST = (
    Outcome.ERROR,
    Outcome.FAIL,
    Outcome.INCONCLUSIVE,
    Outcome.WARN,
    Outcome.NOTE,
    Outcome.PASS,
    Outcome.SKIP,
)


def together(whole: LossReport, outputs: Sequence[LossReport]) -> LossReport:
    """Put the report of a model and those of its outputs' losses into one.

    Parameters
    ----------
    whole
        Of what the model is trained on.
    outputs
        Of the loss of each output.

    Returns
    -------
    LossReport
        With every finding, of each rule the outcome that counts most, and the verdict that does.
    """
    every = (whole, *outputs)
    decided = _of_all([Verdict(report.verdict) for report in every])
    telling = [report for report in every if report.verdict == decided and report.reason]
    reason = next((r.reason if r is whole else f"{r.target}: {r.reason}" for r in telling), "")
    return attrs.evolve(
        whole,
        verdict=decided.value,
        reason=reason,
        seconds=sum(report.seconds for report in every),
        cases=sum(report.cases for report in every),
        checks=tuple(_one(parts) for parts in zip(*(r.checks for r in every), strict=True)),
        findings=tuple(sorted((f for r in every for f in r.findings), key=by_weight)),
        diagnoses=tuple(sorted((d for r in every for d in r.diagnoses), key=_by_severity)),
        ignored=tuple(item for report in every for item in report.ignored),
        reminders=tuple(dict.fromkeys(told for report in every for told in report.reminders)),
        notes=(*whole.notes, *(f"{r.target}: {note}" for r in outputs for note in r.notes)),
        faults=tuple(fault for report in every for fault in report.faults),
    )


def _of_all(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict of what these belong to: an error only where none of them judged anything."""
    if Verdict.FAIL in verdicts:
        return Verdict.FAIL
    if set(verdicts) == {Verdict.ERROR}:
        return Verdict.ERROR
    return Verdict.PASS if set(verdicts) == {Verdict.PASS} else Verdict.INCONCLUSIVE


def _one(checks: Sequence[Check]) -> Check:
    """One check of the same rule on several losses."""
    worst = min(checks, key=lambda check: _WORST.index(Outcome(check.outcome)))
    return attrs.evolve(
        worst,
        cases=sum(check.cases for check in checks),
        seconds=sum(check.seconds for check in checks),
        dtypes=tuple(dict.fromkeys(dtype for check in checks for dtype in check.dtypes)),
        modes=tuple(dict.fromkeys(mode for check in checks for mode in check.modes)),
    )
