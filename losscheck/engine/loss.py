"""The examination of one loss: what its rules judge, and what its report shows beside that."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from losscheck.cases.user_data import Batches
from losscheck.diagnoses import diagnosed, of_findings
from losscheck.engine import accounts
from losscheck.engine.accounts import accounted, covered, remarks
from losscheck.engine.examination import Examination, skipped
from losscheck.engine.unexamined import no_tensor
from losscheck.evidence.desk import INSTEAD, WITHOUT_A_RUN, WITHOUT_VALUES, Desk
from losscheck.evidence.drawn import drawn
from losscheck.evidence.gather import Evidence
from losscheck.evidence.gradient.summary import summary
from losscheck.faults import FailedError
from losscheck.findings.explanation import Explanation
from losscheck.findings.finding import Writer
from losscheck.fixes.bench import Bench
from losscheck.infer import Asked, Inferred, infer
from losscheck.model import (
    Check,
    Diagnosis,
    Fault,
    Finding,
    GradientSummary,
    LossReport,
    UsageError,
)
from losscheck.program.tracing.trace import OutputError
from losscheck.rules import rules
from losscheck.rules.base import Rule
from losscheck.rules.evidence import schedule
from losscheck.settings.budget import CutError
from losscheck.settings.settings import ArgumentSettings, Settings, lay_over
from losscheck.targets import Loss


class LossExamination(Examination):
    """Examines one loss.

    Parameters
    ----------
    declared
        What the user says of its arguments.
    batches
        The user's data, if there are any.
    """

    _inferred: Inferred
    _desk: Desk

    def __init__(
        self,
        loss: Loss,
        settings: Settings,
        declared: Mapping[str, ArgumentSettings],
        listen: Callable[[str], None],
        batches: Batches | None = None,
        tell: Callable[[Finding], None] = lambda finding: None,
    ) -> None:
        super().__init__(loss, settings, listen, tell)
        self._declared = declared
        self._batches = batches
        self._home = os.path.dirname(loss.file)
        self._shortened: dict[str, list[str]] = {}  # code -> the evidence that the budget cut alone
        self._guessed: Fault | None = None  # why the domains are no more than guessed

    def _gather(self) -> LossReport | None:
        try:
            self._inferred = self._infer()
        except OutputError as error:
            return no_tensor(self._loss, self._settings, error)
        self._desk = Desk(
            Evidence(
                inferred=self._inferred,
                dtypes=self._settings.dtypes,
                modes_wanted=self._settings.modes,
                seed=self._seed,
                shared_seed=self._settings.seed,
                faults=self._faults,
            )
        )
        self._writer = self._writer_of(self._desk)
        return None

    def _asked(self) -> Sequence[Rule]:
        return schedule(rules())

    def _infer(self) -> Inferred:
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

    def _evidence(self, rule: Rule) -> dict[str, Any] | None:
        found: dict[str, Any] = {}
        failed = False
        for name in rule.needs:
            if self._inferred.error is not None and name not in WITHOUT_A_RUN:
                found[name] = None if name == "tracing" else ()
                continue
            try:
                known = self._guessed is None or name in WITHOUT_VALUES
                found[name] = self._desk.given(name) if known else INSTEAD[name]
            except (FailedError, KeyError):
                failed = True
            except CutError:
                if not found or not rule.essential or name not in INSTEAD:
                    raise
                found[name] = INSTEAD[name]
                self._shortened.setdefault(rule.code, []).append(name)
        return None if failed else found

    def _accounted(self, check: Check, rule: Rule, evidence: Mapping[str, Any]) -> Check:
        return accounted(check, rule, self._desk, evidence, self._inferred)

    def _fault(self, rule: Rule) -> Fault | None:
        fault = super()._fault(rule)
        return fault if fault or WITHOUT_VALUES.issuperset(rule.needs) else self._guessed

    def _unrun(self) -> tuple[str, str]:
        if self._inferred.error is None:
            return "", ""
        return accounts.short(self._inferred), accounts.whole(self._inferred)

    def _not_asked(self, rule: Rule) -> Check | None:
        if (check := super()._not_asked(rule)) is not None:
            return check
        if reason := rule.left_out(self._settings):
            return skipped(rule, reason, applies=False)
        unrun, _ = self._unrun()
        return skipped(rule, unrun) if unrun and WITHOUT_A_RUN.isdisjoint(rule.needs) else None

    def _diagnoses(
        self, kept: Sequence[Finding], counted: Sequence[Explanation]
    ) -> tuple[Diagnosis, ...]:
        self._listen("fixes")
        desk, target, faults = self._desk, self._loss.target, self._faults
        runs = counted and self._inferred.error is None
        bench = Bench(desk, self._base, counted, self._writer_of) if runs else None
        return faults.attempt(
            "the diagnoses",
            lambda: diagnosed(counted, desk, target, faults, bench),
            of_findings(kept, target),
        )

    def _writer_of(self, desk: Desk) -> Writer:
        return Writer(self._loss, self._settings, desk, self._base, desk.evidence.faults)

    def _shown(self) -> dict[str, Any]:
        """Show beside it what can be shown; a part that fails is left out."""
        arguments = {"arguments": self._inferred.spec.arguments}
        if self._inferred.error is not None or self._guessed is not None:
            return arguments
        desk, evidence, attempt = self._desk, self._desk.evidence, self._unless_cut
        gradient = attempt("the summary of the gradient", self._gradient, None)
        digits = self._asks("precision")
        said = attempt("the notes", lambda: remarks(desk, self._inferred), ())
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
            **arguments,
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

    def _gradient(self) -> GradientSummary | None:
        return summary(self._desk) if self._asks("gradients") else None
