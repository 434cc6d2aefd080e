"""The examination of one loss: every rule judges the evidence, and its suspects become findings."""

from __future__ import annotations

import os
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import attrs

from losscheck import outcomes
from losscheck.config import ArgumentSettings, Settings
from losscheck.data import Batches
from losscheck.decided import looked_at, missing, not_tried, undecided
from losscheck.evidence.covered import covered
from losscheck.evidence.curves import curves
from losscheck.evidence.desk import WITHOUT_A_RUN, Desk
from losscheck.evidence.ending import Ending
from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.graph import last_return
from losscheck.evidence.verified import summary
from losscheck.explain.finding import Writer
from losscheck.explain.process_words import program
from losscheck.infer import Asked, Inferred, infer
from losscheck.model import (
    Check,
    Finding,
    GradientSummary,
    Ignored,
    LossReport,
    Outcome,
    Suspect,
    UsageError,
    Verdict,
)
from losscheck.program.batch import Program
from losscheck.program.trace import OutputError
from losscheck.program.ways import Way
from losscheck.rules import RULES, find
from losscheck.rules.base import Rule
from losscheck.targets import Loss


class Examination:
    """Examines one loss.

    Parameters
    ----------
    loss
        The loss.
    settings
        What steers the run.
    declared
        What the user says of its arguments.
    listen
        Called with the name of each stage as it begins.
    batches
        The user's data, if there are any.
    """

    def __init__(
        self,
        loss: Loss,
        settings: Settings,
        declared: Mapping[str, ArgumentSettings],
        listen: Callable[[str], None],
        batches: Batches | None = None,
    ) -> None:
        self._loss = loss
        self._settings = settings
        self._declared = declared
        self._listen = listen
        self._batches = batches
        self._base = os.path.abspath(settings.directory)
        self._home = os.path.dirname(_file(loss))
        self._faults: list[str] = []  # tracebacks of our own, for -v
        self._partial: set[str] = set()  # rules whose findings leave the others something to judge

    def report(self) -> LossReport:
        """Examine it."""
        self._listen("spec")
        try:
            inferred = infer(
                self._loss,
                self._declared,
                home=self._home,
                base=self._base,
                data=self._data(),
            )
        except OutputError as error:
            return self._no_tensor(error)
        desk = Desk(
            Evidence(
                inferred=inferred,
                dtypes=self._settings.dtypes,
                modes_wanted=self._settings.modes,
                seed=self._settings.seed,
            )
        )
        writer = Writer(self._loss, self._settings, desk, self._base)
        checks: list[Check] = []
        findings: list[Finding] = []
        for rule in sorted(RULES, key=lambda rule: len(rule.masked_by)):
            masks = ({f.code for f in findings} - self._partial) & set(rule.masked_by)
            check, found = self._judge(rule, desk, writer, inferred, masks)
            checks.append(check)
            findings += found
        checks.sort(key=lambda check: check.code)
        return self._finished(desk, inferred, checks, findings)

    def _data(self) -> Asked | None:
        if self._batches is None:
            return None
        return Asked(batches=self._batches, others=self._settings.names, seed=self._settings.seed)

    def _judge(
        self, rule: Rule, desk: Desk, writer: Writer, inferred: Inferred, masks: set[str]
    ) -> tuple[Check, list[Finding]]:
        skip = self._skip(rule, inferred) or (f"see {', '.join(sorted(masks))}" if masks else "")
        if skip:
            return Check(
                code=rule.code, slug=rule.slug, outcome=Outcome.SKIP.value, reason=skip
            ), []
        self._listen(rule.slug)
        begin = time.perf_counter()
        try:
            evidence = {name: self._evidence(desk, name, inferred) for name in rule.needs}
            suspects = list(rule.judge(**evidence))
            findings = writer.findings(rule, suspects)
            if all(suspect.form in rule.partial for suspect in suspects):
                self._partial.add(rule.code)
            cases, modes = looked_at(desk, rule) if inferred.error is None else (0, ())
        except UsageError:
            raise
        except Exception as error:  # a fault of ours in one rule must not hide what others found
            fault = f"losscheck itself failed: {type(error).__name__}: {error}"[:300]
            self._faults += traceback.format_exc().splitlines()
            check = Check(code=rule.code, slug=rule.slug, outcome=Outcome.ERROR.value, reason=fault)
            return check, []
        outcome = outcomes.outcome(findings)
        reason = ""
        if not findings and inferred.error is not None:
            outcome, reason = Outcome.SKIP, _raises(inferred)
        elif not findings and (nothing := missing(rule, evidence)):
            outcome, reason, cases = Outcome.SKIP, nothing, 0
        elif not findings and (doubt := undecided(rule, evidence)):
            outcome, reason = Outcome.INCONCLUSIVE, doubt
        elif rule.code == "LC603":
            reason = not_tried(evidence["training"])
        return (
            Check(
                code=rule.code,
                slug=rule.slug,
                outcome=outcome.value,
                cases=cases,
                dtypes=self._settings.dtypes,
                modes=modes,
                seconds=time.perf_counter() - begin,
                reason=reason,
            ),
            findings,
        )

    def _evidence(self, desk: Desk, name: str, inferred: Inferred) -> object:
        if inferred.error is not None and name not in WITHOUT_A_RUN:
            return None if name == "tracing" else ()
        return desk.get(name)

    def _skip(self, rule: Rule, inferred: Inferred) -> str:
        if self._settings.select and not rule.code.startswith(self._settings.select):
            return "not selected"
        if reason := rule.left_out(self._settings):
            return reason
        if inferred.error is not None and WITHOUT_A_RUN.isdisjoint(rule.needs):
            return _raises(inferred)
        return ""

    def _finished(
        self, desk: Desk, inferred: Inferred, checks: list[Check], findings: list[Finding]
    ) -> LossReport:
        reasons = self._reasons()
        kept = [f for f in findings if f.code not in reasons]
        checks = [outcomes.without(check, kept) for check in checks]
        runs = inferred.error is None
        verdict, reason = outcomes.verdict(kept, checks)
        if not runs and verdict is Verdict.PASS:
            verdict, reason = Verdict.INCONCLUSIVE, _raises(inferred)
        gradient = self._gradient(desk) if runs else None
        return LossReport(
            target=self._loss.target,
            verdict=verdict.value,
            seconds=0.0,
            cases=desk.evidence.total_cases if runs else 0,
            source=self._loss.source,
            arguments=inferred.spec.arguments,
            gradient=gradient,
            checks=tuple(checks),
            findings=tuple(sorted(kept, key=outcomes.by_weight)),
            ignored=self._ignored(findings),
            curves=curves(desk.evidence) if runs else (),
            digits=desk.get("digits") if runs and self._selected("LC301", "LC302") else None,
            coverage=covered(desk.evidence) if runs else (),
            reason=reason,
            notes=(
                *_notes(desk, inferred),
                *(desk.get("opinions").notes if gradient is not None else ()),
                *(line[:200] for line in self._faults),
            ),
        )

    def _selected(self, *codes: str) -> bool:
        select = self._settings.select
        return not select or any(code.startswith(select) for code in codes)

    def _gradient(self, desk: Desk) -> GradientSummary | None:
        return summary(desk) if self._selected("LC101") else None

    def _no_tensor(self, error: OutputError) -> LossReport:
        writer = Writer(self._loss, self._settings, None, self._base)
        where = last_return(self._loss.python, _file(self._loss), self._base)
        suspect = Suspect(
            code="LC404",
            form=error.form,
            facts={"type": error.returned},
            location=where,
            expected_text="a tensor: a scalar, or the losses of the samples",
        )
        return self._alone(writer.findings(find("LC404"), [suspect]), "the loss returns no tensor")

    def without_an_end(self, ending: Ending) -> LossReport:
        """Report how a process ended before its loss was examined."""
        writer = Writer(self._loss, self._settings, None, self._base)
        judged = (find("LC902"), find("LC903"))
        shown = program(self._loss.target, self._settings.seed, ending)
        findings = [
            attrs.evolve(finding, reproduce=shown)
            for rule in judged
            for finding in writer.findings(rule, rule.judge(ending=ending))
        ]
        return self._alone(findings, f"the examination had no end: see {findings[0].code}")

    def _alone(self, findings: list[Finding], others: str) -> LossReport:
        """Report what leaves the other rules nothing to judge."""
        reasons = self._reasons()
        kept = [f for f in findings if f.code not in reasons]
        found = {finding.code for finding in findings}
        checks = [
            Check(code=r.code, slug=r.slug, outcome=outcomes.outcome(kept).value)
            if r.code in found
            else Check(code=r.code, slug=r.slug, outcome=Outcome.SKIP.value, reason=others)
            for r in RULES
        ]
        verdict, reason = outcomes.verdict(kept, checks)
        if verdict is Verdict.PASS:
            verdict, reason = Verdict.INCONCLUSIVE, others
        return LossReport(
            target=self._loss.target,
            verdict=verdict.value,
            seconds=0.0,
            cases=0,
            source=self._loss.source,
            checks=tuple(checks),
            findings=tuple(kept),
            ignored=self._ignored(findings),
            reason=reason,
        )

    def _reasons(self) -> Mapping[str, str]:
        """The rules whose findings the user's settings ignore, and why."""
        return {**self._settings.ignore, **self._settings.for_loss(self._loss.target).ignore}

    def _ignored(self, findings: Sequence[Finding]) -> tuple[Ignored, ...]:
        reasons = self._reasons()
        ignored = (f for f in findings if f.code in reasons)
        return tuple(Ignored(id=f.id, code=f.code, reason=reasons[f.code]) for f in ignored)


def _raises(inferred: Inferred) -> str:
    assert inferred.error is not None
    return f"the loss raises {type(inferred.error.error).__name__} whatever it is given"


def _file(loss: Loss) -> str:
    code = getattr(loss.python, "__code__", None)
    return str(code.co_filename) if code is not None else ""


def _notes(desk: Desk, inferred: Inferred) -> tuple[str, ...]:
    notes = list(inferred.data.notes) if inferred.data else []
    if inferred.spec.narrowed:
        notes.append(f"the domain was narrowed: {inferred.spec.narrowed}")
    if inferred.error is None:
        ways = dict.fromkeys(_way(instance) for instance in desk.evidence.instances)
        slow = [way for way in ways if way != Way.VECTORIZED]
        notes += [f"the cases were run by {way}: the loss cannot be vectorized" for way in slow]
    return tuple(notes)


def _way(instance: Instance) -> str:
    program = instance.program
    return program.way() if isinstance(program, Program) else "one eager call each"


def aggregate(reports: Sequence[LossReport]) -> Counter[Verdict]:
    """Count losses by verdict."""
    return Counter(Verdict(report.verdict) for report in reports)
