"""What is the same for a loss and a compiled model: rules judge, suspects become findings."""

from __future__ import annotations

import abc
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import attrs

from losscheck.engine import outcomes
from losscheck.engine.apart import apart
from losscheck.engine.unexamined import InterruptedExamination, cut_short, interrupted
from losscheck.faults import Faults, told
from losscheck.findings.explanation import Explanation
from losscheck.model import Check, Diagnosis, Fault, Finding, LossReport, Outcome, Suspect, Verdict
from losscheck.rules import by_code, packages, rules
from losscheck.rules.base import Rule
from losscheck.rules.crowd import Crowd
from losscheck.rules.installed import check_suspects
from losscheck.settings.budget import Budget, CutError, own_seed
from losscheck.settings.settings import Settings
from losscheck.targets import Loss

NOT_SELECTED = "not selected"


class Writing(Protocol):
    """What turns suspects into findings."""

    def explanations(self, rule: Rule, suspects: Iterable[Any]) -> list[Explanation]:
        """Give the findings with what they were made from."""


class Examination(abc.ABC):
    """Examines one loss or model.

    Parameters
    ----------
    listen
        Called with the name of each stage as it begins.
    tell
        Called with each finding as soon as it is written.
    """

    _writer: Writing

    def __init__(
        self,
        loss: Loss,
        settings: Settings,
        listen: Callable[[str], None],
        tell: Callable[[Finding], None] = lambda finding: None,
    ) -> None:
        self._loss = loss
        self._settings = settings
        self._listen = listen
        self._tell = tell
        self._seed = own_seed(settings.seed, loss.target)
        self._base = os.path.abspath(settings.directory)
        self._faults = Faults(packages())
        self._budget = Budget(self._seconds)
        self._cut: list[str] = []  # codes of the rules that the budget cut
        self._partial: set[str] = set()  # rules whose findings leave the others something to judge
        self._undecided: set[str] = set()  # rules that faults of ours left undecided
        self._so_far: list[Finding] = []  # what is left of it where the user interrupts

    def report(self) -> LossReport:
        """Examine it.

        Raises
        ------
        InterruptedExamination
            The user has interrupted it.
        """
        try:
            with self._budget.running():
                self._listen("spec")
                try:
                    with self._budget.least():
                        undecided = self._gather()
                except CutError:
                    left_out = [
                        self._cut_off(rule) if self._is_selected(rule) else skipped(rule)
                        for rule in rules()
                    ]
                    return cut_short(self._loss, left_out, self._budget.reason)
                return undecided or self._judged()
        except KeyboardInterrupt as error:
            report = interrupted(self._loss, self._settings, self._so_far)
            raise InterruptedExamination(report) from error

    @abc.abstractmethod
    def _gather(self) -> LossReport | None:
        """Gather what all rules judge; the report where there is nothing to judge."""

    @abc.abstractmethod
    def _asked(self) -> Sequence[Rule]:
        """The rules in the order in which they are judged."""

    @abc.abstractmethod
    def _evidence(self, rule: Rule) -> Mapping[str, Any] | None:
        """What a rule needs; None where some of it failed and nothing stands for it."""

    @abc.abstractmethod
    def _accounted(self, check: Check, rule: Rule, evidence: Mapping[str, Any]) -> Check:
        """Say of a judged rule how much it looked at, and whether that decided anything."""

    @abc.abstractmethod
    def _shown(self) -> dict[str, Any]:
        """What a report shows beside what was judged."""

    @abc.abstractmethod
    def _diagnoses(
        self, kept: Sequence[Finding], counted: Sequence[Explanation]
    ) -> tuple[Diagnosis, ...]:
        """Tell the findings that have one root cause together."""

    @property
    def _seconds(self) -> float:
        """Of processor time that it may take; 0 for as many as it takes."""
        return self._settings.budget

    def _unrun(self) -> tuple[str, str]:
        """Why most rules cannot judge it, in short and with what can be done; "" where they can."""
        return "", ""

    def _not_asked(self, rule: Rule) -> Check | None:
        """Say why a rule is not judged, whatever others find; None where it is."""
        return None if self._is_selected(rule) else skipped(rule)

    def _fault(self, rule: Rule) -> Fault | None:
        """What failed of all that a rule rests on."""
        return self._faults.within((rule.code, *rule.needs))

    def _judged(self) -> LossReport:
        checks: list[Check] = []
        explanations: list[Explanation] = []
        for rule in self._asked():
            check = self._left_out(rule, checks, findings_of(explanations))
            if check is None:
                self._listen(rule.slug)
                check, found = self._judge(rule)
                explanations += found
                self._heard(findings_of(found))
            checks.append(check)
        return self._finished(sorted(checks, key=lambda check: check.code), explanations)

    def _heard(self, findings: Sequence[Finding]) -> None:
        """Tell of findings that the user's settings do not ignore."""
        reasons = self._settings.ignored(self._loss.target)
        for finding in findings:
            self._so_far.append(finding)
            if finding.code not in reasons:
                self._tell(finding)

    def _left_out(
        self, rule: Rule, checks: Sequence[Check], findings: Sequence[Finding]
    ) -> Check | None:
        """Say why a rule is not judged; None where it is."""
        if (check := self._not_asked(rule)) is not None:
            return check
        masks = ({f.code for f in findings} - self._partial) & set(rule.masked_by)
        if masks:
            return skipped(rule, f"see {', '.join(sorted(masks))}")
        # What a rule finds may come of what another one would have named, had it been judged.
        for check in checks:
            masking = check.code in rule.masked_by and by_code(check.code).masks_undecided
            if masking and check.outcome == Outcome.INCONCLUSIVE:
                self._undecided.add(rule.code)
                reason = f"{check.code} is undecided: {check.reason}"
                return skipped(rule, reason, Outcome.INCONCLUSIVE)
        return None

    def _judge(self, rule: Rule) -> tuple[Check, list[Explanation]]:
        begin = time.perf_counter()
        try:
            evidence = self._evidence(rule)
            suspects = self._suspects(rule, evidence)
            with self._budget.held() if rule.essential else self._budget.late():
                explanations = self._writer.explanations(rule, suspects)
        except CutError:
            return self._cut_off(rule), []
        findings = findings_of(explanations)
        if all(suspect.form in rule.partial for suspect in suspects):
            self._partial.add(rule.code)
        check = Check(
            code=rule.code,
            slug=rule.slug,
            outcome=outcomes.outcome(findings).value,
            dtypes=self._settings.dtypes,
            reason=outcomes.doubt(findings),
        )
        unrun, _ = self._unrun()
        if evidence is not None and (findings or not unrun):
            given = evidence
            what = f"the account of {rule.code}"
            check = self._faults.attempt(
                what, lambda: self._accounted(check, rule, given), check, rule.code
            )
        fault = self._fault(rule)
        if fault is not None and check.outcome != Outcome.FAIL:  # what was found stays
            self._undecided.add(rule.code)
            check = skipped(rule, told(fault), Outcome.INCONCLUSIVE)
        elif not findings and unrun:
            check = skipped(rule, unrun)
        return attrs.evolve(check, seconds=time.perf_counter() - begin), explanations

    def _suspects(self, rule: Rule, evidence: Mapping[str, Any] | None) -> list[Suspect | Crowd]:
        """What a rule suspects; what it said before a fault of its own stays."""
        found: list[Suspect | Crowd] = []
        if evidence is not None:
            what = f"the judgment of {rule.code}"
            self._faults.attempt(
                what, lambda: found.extend(rule.judge(**evidence)), None, rule.code
            )
        if rule.package:
            check_suspects(rule, found)
        return found

    def _cut_off(self, rule: Rule) -> Check:
        """A rule that there was no time for."""
        self._cut.append(rule.code)
        outcome = Outcome.INCONCLUSIVE if rule.essential else Outcome.SKIP
        return skipped(rule, self._budget.reason, outcome)

    def _is_selected(self, rule: Rule) -> bool:
        return not self._settings.select or rule.code.startswith(self._settings.select)

    def _finished(self, checks: Sequence[Check], explanations: Sequence[Explanation]) -> LossReport:
        found = apart(findings_of(explanations), checks, self._loss, self._settings)
        counted = [told for told in explanations if told.finding.id not in found.reasons]
        verdict, reason = outcomes.verdict(found.kept, found.checks, self._undecided)
        _, unrun = self._unrun()
        if unrun and verdict is Verdict.PASS:
            verdict, reason = Verdict.INCONCLUSIVE, unrun
        with self._budget.held():  # what was found is told
            diagnoses = self._diagnoses(found.kept, counted)
        shown = self._shown()
        return LossReport(
            target=self._loss.target,
            verdict=verdict.value,
            seconds=0.0,
            source=self._loss.source,
            checks=found.checks,
            findings=tuple(sorted(found.kept, key=outcomes.by_weight)),
            diagnoses=diagnoses,
            ignored=found.ignored,
            reminders=found.reminders,
            reason=reason,
            faults=self._faults.all,
            **{"cases": 0, **shown},
        )


def findings_of(explanations: Sequence[Explanation]) -> list[Finding]:
    """The findings alone."""
    return [explanation.finding for explanation in explanations]


def skipped(
    rule: Rule,
    reason: str = NOT_SELECTED,
    outcome: Outcome = Outcome.SKIP,
    *,
    applies: bool = True,
) -> Check:
    """A rule that was not judged, and why."""
    return Check(
        code=rule.code, slug=rule.slug, outcome=outcome.value, reason=reason, applies=applies
    )
