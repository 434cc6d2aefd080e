"""What is said of a rule and of a loss, once the findings are known."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from losscheck import policy
from losscheck.model import Check, Finding, LossReport, Outcome, Severity, Verdict

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
    return _OUTCOME[worst]


def without(check: Check, kept: Sequence[Finding]) -> Check:
    """Restate the outcome of a check once the user's ignored findings are taken out."""
    if check.outcome not in (Outcome.FAIL, Outcome.WARN, Outcome.NOTE):
        return check
    own = [finding for finding in kept if finding.code == check.code]
    return attrs.evolve(check, outcome=outcome(own).value)


def verdict(findings: Sequence[Finding], checks: Sequence[Check]) -> tuple[Verdict, str]:
    """Say what a loss comes to, and why where that is no pass or fail."""
    if any(finding.severity == Severity.ERROR for finding in findings):
        return Verdict.FAIL, ""
    for check in checks:
        if check.outcome == Outcome.ERROR:
            return Verdict.ERROR, check.reason
    # A second derivative that cannot be decided leaves value and gradient what they are, and so do
    # digits that cannot be counted.
    deciding = [check for check in checks if check.code not in ("LC106", "LC301", "LC302")]
    open_ = [check for check in deciding if check.outcome == Outcome.INCONCLUSIVE]
    if open_:
        return Verdict.INCONCLUSIVE, f"{open_[0].slug}: {open_[0].reason}"
    return Verdict.PASS, ""


def by_weight(finding: Finding) -> tuple[int, str, int, str]:
    """Sort findings: what counts most first."""
    weight = policy.RANK[Severity(finding.severity)]
    return (-weight, finding.code, -finding.count, finding.id)


_WORST = (
    Outcome.ERROR,
    Outcome.FAIL,
    Outcome.INCONCLUSIVE,
    Outcome.WARN,
    Outcome.NOTE,
    Outcome.PASS,
    Outcome.SKIP,
)
_DECIDING = (Verdict.ERROR, Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS)


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
    worst = min(every, key=lambda report: _DECIDING.index(Verdict(report.verdict)))
    reason = worst.reason
    if worst is not whole and reason:
        reason = f"{worst.target}: {reason}"
    return attrs.evolve(
        whole,
        verdict=worst.verdict,
        reason=reason,
        seconds=sum(report.seconds for report in every),
        cases=sum(report.cases for report in every),
        checks=tuple(_one(parts) for parts in zip(*(r.checks for r in every), strict=True)),
        findings=tuple(sorted((f for r in every for f in r.findings), key=by_weight)),
        ignored=tuple(item for report in every for item in report.ignored),
        notes=(*whole.notes, *(f"{r.target}: {note}" for r in outputs for note in r.notes)),
    )


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
