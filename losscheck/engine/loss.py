"""The examination of one loss: every rule judges the evidence, and its suspects become findings."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from losscheck.cases.user_data import Batches
from losscheck.diagnoses import diagnosed, of_findings
from losscheck.engine import accounts, outcomes
from losscheck.engine.accounts import accounted, covered, remarks
from losscheck.engine.apart import apart
from losscheck.engine.unexamined import (
    InterruptedExamination,
    cut_short,
    interrupted,
    no_tensor,
)
from losscheck.evidence.desk import INSTEAD, WITHOUT_A_RUN, WITHOUT_VALUES, Desk
from losscheck.evidence.drawn import drawn
from losscheck.evidence.gather import Evidence
from losscheck.evidence.gradient.summary import summary
from losscheck.faults import FailedError, Faults, told
from losscheck.findings.explanation import Explanation
from losscheck.findings.finding import Writer
from losscheck.fixes.bench import Bench
from losscheck.infer import Asked, Inferred, infer
from losscheck.model import (
    Check,
    Fault,
    Finding,
    GradientSummary,
    LossReport,
    Outcome,
    Suspect,
    UsageError,
    Verdict,
)
from losscheck.program.tracing.trace import OutputError
from losscheck.rules import by_code, packages, rules
from losscheck.rules.base import Rule
from losscheck.rules.crowd import Crowd
from losscheck.rules.evidence import schedule
from losscheck.rules.installed import check_suspects
from losscheck.settings.budget import Budget, CutError, own_seed
from losscheck.settings.settings import ArgumentSettings, Settings, lay_over
from losscheck.targets import Loss

NOT_SELECTED = "not selected"


class Examination:
    """Examines one loss.

    Parameters
    ----------
    declared
        What the user says of its arguments.
    listen
        Called with the name of each stage as it begins.
    batches
        The user's data, if there are any.
    tell
        Called with each finding as soon as it is written.
    """

    def __init__(
        self,
        loss: Loss,
        settings: Settings,
        declared: Mapping[str, ArgumentSettings],
        listen: Callable[[str], None],
        batches: Batches | None = None,
        tell: Callable[[Finding], None] = lambda finding: None,
    ) -> None:
        self._loss = loss
        self._settings = settings
        self._declared = declared
        self._listen = listen
        self._batches = batches
        self._tell = tell
        self._seed = own_seed(settings.seed, loss.target)
        self._base = os.path.abspath(settings.directory)
        self._home = os.path.dirname(loss.file)
        self._faults = Faults(packages())
        self._budget = Budget(settings.budget)
        self._cut: list[str] = []  # codes of the rules that the budget cut
        self._shortened: dict[str, list[str]] = {}  # code -> the evidence that it cut alone
        self._partial: set[str] = set()  # rules whose findings leave the others something to judge
        self._undecided: set[str] = set()  # rules that faults of ours left undecided
        self._so_far: list[Finding] = []  # what is left of it where the user interrupts
        self._guessed: Fault | None = None  # why the domains are no more than guessed

    def report(self) -> LossReport:
        """Examine it.

        Raises
        ------
        InterruptedExamination
            The user has interrupted it.
        """
        try:
            with self._budget.running():
                return self._report()
        except KeyboardInterrupt as error:
            report = interrupted(self._loss, self._settings, self._so_far)
            raise InterruptedExamination(report) from error

    def _report(self) -> LossReport:
        self._listen("spec")
        try:
            with self._budget.least():
                inferred = self._inferred()
        except OutputError as error:
            return no_tensor(self._loss, self._settings, error)
        except CutError:
            ordered = sorted(rules(), key=lambda rule: rule.code)
            left_out = [
                self._cut_off(rule) if self._is_selected(rule) else _skipped(rule, NOT_SELECTED)
                for rule in ordered
            ]
            return cut_short(self._loss, left_out, self._budget.reason)
        desk = Desk(
            Evidence(
                inferred=inferred,
                dtypes=self._settings.dtypes,
                modes_wanted=self._settings.modes,
                seed=self._seed,
                shared_seed=self._settings.seed,
                faults=self._faults,
            )
        )
        writer = self._writer(desk)
        checks: list[Check] = []
        explanations: list[Explanation] = []
        for rule in schedule(rules()):
            check = self._left_out(rule, inferred, checks, _told(explanations))
            if check is None:
                self._listen(rule.slug)
                check, found = self._judge(rule, desk, writer, inferred)
                explanations += found
                self._heard(_told(found))
            checks.append(check)
        checks.sort(key=lambda check: check.code)
        return self._finished(desk, inferred, checks, explanations)

    def _heard(self, findings: Sequence[Finding]) -> None:
        """Tell of findings that the user's settings do not ignore."""
        reasons = self._settings.ignored(self._loss.target)
        for finding in findings:
            self._so_far.append(finding)
            if finding.code not in reasons:
                self._tell(finding)

    def _inferred(self) -> Inferred:
        """Find what nobody declared; where that fails, guess what the graph can be read with."""
        ask = functools.partial(infer, home=self._home, base=self._base)
        try:
            return ask(self._loss, self._declared, data=self._data())
        except (OutputError, UsageError):
            raise
        except Exception as error:
            self._guessed = self._faults.add("inference", error)
            guess = {
                parameter.name: ArgumentSettings(domain="real")
                for parameter in self._loss.parameters
                if parameter.required
            }
            return ask(self._loss, lay_over(self._declared, guess))

    def _data(self) -> Asked | None:
        if self._batches is None:
            return None
        return Asked(batches=self._batches, others=self._settings.names, seed=self._seed)

    def _left_out(
        self, rule: Rule, inferred: Inferred, checks: Sequence[Check], findings: Sequence[Finding]
    ) -> Check | None:
        """Say why a rule is not judged; None where it is."""
        if reason := self._skip(rule, inferred):
            asked = reason == NOT_SELECTED or not rule.left_out(self._settings)
            return _skipped(rule, reason, applies=asked)
        masks = ({f.code for f in findings} - self._partial) & set(rule.masked_by)
        if masks:
            return _skipped(rule, f"see {', '.join(sorted(masks))}")
        # What a rule finds may come of what another one would have named, had it been judged.
        for check in checks:
            masking = check.code in rule.masked_by and by_code(check.code).masks_undecided
            if masking and check.outcome == Outcome.INCONCLUSIVE:
                self._undecided.add(rule.code)
                reason = f"{check.code} is undecided: {check.reason}"
                return _skipped(rule, reason, Outcome.INCONCLUSIVE)
        return None

    def _judge(
        self, rule: Rule, desk: Desk, writer: Writer, inferred: Inferred
    ) -> tuple[Check, list[Explanation]]:
        begin = time.perf_counter()
        try:
            evidence = self._evidence(rule, desk, inferred)
            suspects = self._suspects(rule, evidence)
            with self._budget.held() if rule.essential else self._budget.late():
                explanations = writer.explanations(rule, suspects)
        except CutError:
            return self._cut_off(rule), []
        findings = _told(explanations)
        if all(suspect.form in rule.partial for suspect in suspects):
            self._partial.add(rule.code)
        check = Check(
            code=rule.code,
            slug=rule.slug,
            outcome=outcomes.outcome(findings).value,
            dtypes=self._settings.dtypes,
            reason=outcomes.doubt(findings),
        )
        if evidence is not None and (findings or inferred.error is None):
            account = functools.partial(accounted, check, rule, desk, evidence, inferred)
            check = self._faults.attempt(f"the account of {rule.code}", account, check, rule.code)
        fault = self._faults.within((rule.code, *rule.needs))
        if fault is None and not WITHOUT_VALUES.issuperset(rule.needs):
            fault = self._guessed
        if fault is not None and check.outcome != Outcome.FAIL:  # what was found stays
            check = self._fails(rule, fault)
        elif not findings and inferred.error is not None:
            check = _skipped(rule, accounts.short(inferred))
        return attrs.evolve(check, seconds=time.perf_counter() - begin), explanations

    def _cut_off(self, rule: Rule) -> Check:
        """A rule that there was no time for."""
        self._cut.append(rule.code)
        outcome = Outcome.INCONCLUSIVE if rule.essential else Outcome.SKIP
        return _skipped(rule, self._budget.reason, outcome)

    def _fails(self, rule: Rule, fault: Fault) -> Check:
        """A rule that a fault of ours leaves undecided."""
        self._undecided.add(rule.code)
        return _skipped(rule, told(fault), Outcome.INCONCLUSIVE)

    def _evidence(self, rule: Rule, desk: Desk, inferred: Inferred) -> dict[str, object] | None:
        """What a rule needs; None where some of it failed and nothing stands for it."""
        found: dict[str, object] = {}
        failed = False
        for name in rule.needs:
            if inferred.error is not None and name not in WITHOUT_A_RUN:
                found[name] = None if name == "tracing" else ()
                continue
            try:
                known = self._guessed is None or name in WITHOUT_VALUES
                found[name] = desk.given(name) if known else INSTEAD[name]
            except (FailedError, KeyError):
                failed = True
            except CutError:
                if not found or not rule.essential or name not in INSTEAD:
                    raise
                found[name] = INSTEAD[name]
                self._shortened.setdefault(rule.code, []).append(name)
        return None if failed else found

    def _suspects(self, rule: Rule, evidence: Mapping[str, object] | None) -> list[Suspect | Crowd]:
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

    def _is_selected(self, rule: Rule) -> bool:
        return not self._settings.select or rule.code.startswith(self._settings.select)

    def _skip(self, rule: Rule, inferred: Inferred) -> str:
        if not self._is_selected(rule):
            return NOT_SELECTED
        if reason := rule.left_out(self._settings):
            return reason
        if inferred.error is not None and WITHOUT_A_RUN.isdisjoint(rule.needs):
            return accounts.short(inferred)
        return ""

    def _finished(
        self,
        desk: Desk,
        inferred: Inferred,
        checks: list[Check],
        explanations: Sequence[Explanation],
    ) -> LossReport:
        findings = _told(explanations)
        found = apart(findings, checks, self._loss, self._settings)
        counted = [told for told in explanations if told.finding.id not in found.reasons]
        runs = inferred.error is None
        verdict, reason = outcomes.verdict(found.kept, found.checks, self._undecided)
        if not runs and verdict is Verdict.PASS:
            verdict, reason = Verdict.INCONCLUSIVE, accounts.whole(inferred)
        with self._budget.held():  # what was found is told
            self._listen("fixes")
            bench = Bench(desk, self._base, counted, self._writer) if counted and runs else None
            target, faults = self._loss.target, self._faults
            told_as_one = faults.attempt(
                "the diagnoses",
                lambda: diagnosed(counted, desk, target, faults, bench),
                of_findings(found.kept, target),
            )
        shown = self._shown(desk, inferred) if runs and self._guessed is None else {}
        return LossReport(
            target=self._loss.target,
            verdict=verdict.value,
            seconds=0.0,
            source=self._loss.source,
            arguments=inferred.spec.arguments,
            checks=found.checks,
            findings=tuple(sorted(found.kept, key=outcomes.by_weight)),
            diagnoses=told_as_one,
            ignored=found.ignored,
            reminders=found.reminders,
            reason=reason,
            faults=self._faults.all,
            **{"cases": 0, **shown},
        )

    def _writer(self, desk: Desk) -> Writer:
        return Writer(self._loss, self._settings, desk, self._base, desk.evidence.faults)

    def _shown(self, desk: Desk, inferred: Inferred) -> dict[str, Any]:
        """What a report shows beside what was judged; a part that fails is left out."""
        evidence, attempt = desk.evidence, self._unless_cut
        gradient = attempt("the summary of the gradient", lambda: self._gradient(desk), None)
        digits = self._asks("precision")
        said = attempt("the notes", lambda: remarks(desk, inferred), ())
        said = (
            *said,
            *(
                f"{what}: {self._budget.reason}"
                for what in dict.fromkeys((*self._budget.shortened, *evidence.shortened))
            ),
        )
        for code, names in self._shortened.items():
            said = (*said, f"{code} was judged without {', '.join(names)}: {self._budget.reason}")
        if self._cut:
            said = (*said, f"{', '.join(sorted(self._cut))}: {self._budget.reason}")
        if gradient is not None:
            said = (*said, *desk.get("opinions").notes)
        return {
            "cases": attempt("the count of the cases", lambda: evidence.total_cases, 0),
            "gradient": gradient,
            **drawn(desk, attempt),
            "digits": attempt("the digits", lambda: desk.get("digits"), None) if digits else None,
            "coverage": attempt("the coverage", lambda: covered(evidence), ()),
            "notes": said,
        }

    def _unless_cut(self, what: str, do: Callable[[], Any], otherwise: Any) -> Any:
        try:
            return self._faults.attempt(what, do, otherwise)
        except CutError:
            return otherwise

    def _asks(self, evidence: str) -> bool:
        """Whether a rule that was selected needs it."""
        select = self._settings.select
        return any(
            evidence in rule.needs and (not select or rule.code.startswith(select))
            for rule in rules()
        )

    def _gradient(self, desk: Desk) -> GradientSummary | None:
        return summary(desk) if self._asks("gradients") else None


def _told(explanations: Sequence[Explanation]) -> list[Finding]:
    return [explanation.finding for explanation in explanations]


def _skipped(
    rule: Rule, reason: str, outcome: Outcome = Outcome.SKIP, *, applies: bool = True
) -> Check:
    return Check(
        code=rule.code, slug=rule.slug, outcome=outcome.value, reason=reason, applies=applies
    )
