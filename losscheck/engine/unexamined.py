"""The report of a loss that was not examined to the end: why, and what was found until then."""

from __future__ import annotations

import os
from collections.abc import Sequence

import attrs

from losscheck.diagnoses import of_findings
from losscheck.engine import outcomes
from losscheck.engine.apart import apart
from losscheck.evidence.graph import last_return
from losscheck.findings.finding import Writer
from losscheck.model import (
    Check,
    Direction,
    Finding,
    Location,
    LossReport,
    Outcome,
    Suspect,
    Verdict,
)
from losscheck.program.tracing.origin import Frame, is_users, locate
from losscheck.program.tracing.trace import OutputError
from losscheck.rules import rules
from losscheck.rules.execution.ending import Ending
from losscheck.rules.execution.process import Crash, Timeout, program
from losscheck.rules.shape.output_shape import OutputShape
from losscheck.settings.settings import Settings
from losscheck.targets import Loss

INTERRUPTED = "the examination was interrupted"


class InterruptedExamination(KeyboardInterrupt):
    """The user has interrupted an examination.

    Attributes
    ----------
    report
        What was found until then.
    """

    def __init__(self, report: LossReport) -> None:
        super().__init__()
        self.report = report


def no_tensor(loss: Loss, settings: Settings, error: OutputError) -> LossReport:
    """Report a loss that returns no tensor of numbers."""
    base = os.path.abspath(settings.directory)
    suspect = Suspect(
        code=OutputShape.code,
        form=error.form,
        facts={"type": error.returned},
        location=last_return(loss.python, loss.file, base, opening=error.form == "async"),
        expected_text="a tensor: a scalar, or the losses of the samples",
    )
    findings = Writer(loss, settings, None, base).findings(OutputShape(), [suspect])
    return _alone(loss, settings, findings, "the loss returns no tensor")


def without_an_end(
    loss: Loss, settings: Settings, ending: Ending, found: Sequence[Finding] = ()
) -> LossReport:
    """Report how a process ended before its loss was examined, and what it had found."""
    base = os.path.abspath(settings.directory)
    writer = Writer(loss, settings, None, base)
    shown = program(loss.target, settings.seed, ending)
    ending = attrs.evolve(ending, calls=_calls(ending, os.path.dirname(loss.file), base))
    findings = [
        attrs.evolve(finding, reproduce=shown)
        for rule in (Timeout(), Crash())
        for finding in writer.findings(rule, rule.judge(ending=ending))
    ]
    others = f"the examination did not finish: see {findings[0].code}"
    return _alone(loss, settings, [*findings, *found], others)


def _calls(ending: Ending, home: str, base: str) -> tuple[Location, ...]:
    """The user's lines among those that a process was at, innermost first."""
    users = [Frame(file, line) for file, line in ending.lines if is_users(file, home)]
    own = [frame for frame in users if frame.file.startswith((home or base, base))]
    return tuple(locate(frame, "", Direction.FORWARD, base) for frame in own or users)


def interrupted(loss: Loss, settings: Settings, found: Sequence[Finding]) -> LossReport:
    """Report what was found before the user interrupted the examination."""
    report = _alone(loss, settings, found, INTERRUPTED)
    return attrs.evolve(report, reason=report.reason or INTERRUPTED)


def cut_short(loss: Loss, checks: Sequence[Check], reason: str) -> LossReport:
    """Report a loss whose arguments the budget left no time to find out about."""
    return LossReport(
        target=loss.target,
        verdict=Verdict.INCONCLUSIVE.value,
        seconds=0.0,
        cases=0,
        source=loss.source,
        checks=tuple(checks),
        reason=f"its shapes and domains were not found: {reason}",
        notes=(f"{', '.join(c.code for c in checks if c.reason == reason)}: {reason}",),
    )


def _outcome(code: str, findings: Sequence[Finding]) -> str:
    return outcomes.outcome([f for f in findings if f.code == code]).value


def _alone(loss: Loss, settings: Settings, findings: Sequence[Finding], others: str) -> LossReport:
    """Report what leaves the other rules nothing to judge."""
    codes = {finding.code for finding in findings}
    checks = [
        Check(code=r.code, slug=r.slug, outcome=_outcome(r.code, findings))
        if r.code in codes
        else Check(code=r.code, slug=r.slug, outcome=Outcome.SKIP.value, reason=others)
        for r in rules()
    ]
    found = apart(findings, checks, loss, settings)
    verdict, reason = outcomes.verdict(found.kept, found.checks)
    if verdict is Verdict.PASS:
        verdict, reason = Verdict.INCONCLUSIVE, others
    return LossReport(
        target=loss.target,
        verdict=verdict.value,
        seconds=0.0,
        cases=0,
        source=loss.source,
        checks=found.checks,
        findings=found.kept,
        diagnoses=of_findings(found.kept, loss.target),
        ignored=found.ignored,
        reminders=found.reminders,
        reason=reason,
    )
