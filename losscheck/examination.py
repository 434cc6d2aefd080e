"""The examination of one loss: every rule judges the evidence, and its suspects become findings."""

from __future__ import annotations

import os
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from losscheck import outcomes
from losscheck.config import ArgumentSettings, Settings
from losscheck.data import Batches
from losscheck.evidence.covered import covered
from losscheck.evidence.curves import curves
from losscheck.evidence.desk import WITHOUT_A_RUN, Desk
from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.graph import GraphFacts, last_return
from losscheck.evidence.left_out import LeftOut
from losscheck.evidence.verified import summary
from losscheck.explain.finding import Writer
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
from losscheck.rules import RULES
from losscheck.rules.base import Rule
from losscheck.targets import Loss

UNDECIDED = "no point could be decided"


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
            masks = {f.code for f in findings} & set(rule.masked_by)
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
            findings = writer.findings(rule, list(rule.judge(**evidence)))
            cases, modes = _covered(desk, rule) if inferred.error is None else (0, ())
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
        elif not findings and (missing := _missing(rule, evidence)):
            outcome, reason, cases = Outcome.SKIP, missing, 0
        elif not findings and (undecided := _undecided(rule, evidence)):
            outcome, reason = Outcome.INCONCLUSIVE, undecided
        elif rule.code == "LC603":
            reason = _not_tried(evidence["training"])
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
        if rule.order > self._settings.order:
            return f"ask with --order {rule.order}"
        if inferred.error is not None and WITHOUT_A_RUN.isdisjoint(rule.needs):
            return _raises(inferred)
        return ""

    def _finished(
        self, desk: Desk, inferred: Inferred, checks: list[Check], findings: list[Finding]
    ) -> LossReport:
        reasons = {
            **self._settings.ignore,
            **self._settings.for_loss(self._loss.target).ignore,
        }
        ignored = [f for f in findings if f.code in reasons]
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
            ignored=tuple(Ignored(id=f.id, code=f.code, reason=reasons[f.code]) for f in ignored),
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
        rule = next(rule for rule in RULES if rule.code == "LC404")
        findings = writer.findings(rule, [suspect])
        reason = "the loss returns no tensor"
        checks = [
            Check(code=r.code, slug=r.slug, outcome=outcomes.outcome(findings).value)
            if r is rule
            else Check(code=r.code, slug=r.slug, outcome=Outcome.SKIP.value, reason=reason)
            for r in RULES
        ]
        return LossReport(
            target=self._loss.target,
            verdict=Verdict.FAIL.value,
            seconds=0.0,
            cases=0,
            source=self._loss.source,
            checks=tuple(checks),
            findings=tuple(findings),
        )


def _raises(inferred: Inferred) -> str:
    assert inferred.error is not None
    return f"the loss raises {type(inferred.error.error).__name__} whatever it is given"


def _file(loss: Loss) -> str:
    code = getattr(loss.python, "__code__", None)
    return str(code.co_filename) if code is not None else ""


# What a rule looks at, and why there may be nothing of it: then it has not passed, but not run.
NOTHING: Mapping[str, tuple[str, str]] = {
    "LC107": ("gradient_sizes", "the loss has no gradient"),
    "LC108": ("right_and_wrong", "the domains do not say which prediction is right"),
    "LC206": ("labels_outside", "no label is the number of a class"),
    "LC405": ("empty_batch", "no axis is a batch, or the loss has no graph"),
    "LC505": ("halves", "the half types are required, or no graph of the loss runs in them"),
    "LC506": ("xla", "XLA is not asked for, or the loss has no graph"),
    "LC601": ("saving", "the loss is no Loss of Keras"),
    "LC602": ("weighing", "there are no weights to look at"),
    "LC603": ("training", "no small model was trained"),
}


def _missing(rule: Rule, evidence: Mapping[str, object]) -> str:
    """Say why there was nothing to look at; "" if there was."""
    name, reason = NOTHING.get(rule.code, ("", ""))
    if not name or evidence[name]:
        return ""
    found = evidence[name]
    return found.reason if isinstance(found, LeftOut) else reason


def _not_tried(training: object) -> str:
    """Name the ways of training that were not tried, each with its reason."""
    left_out: Mapping[str, str] = getattr(training, "left_out", {})
    parts = [f"{how} ({reason})" for how, reason in left_out.items()]
    return f"not tried: {', '.join(parts)}" if parts else ""


def _undecided(rule: Rule, evidence: Mapping[str, object]) -> str:
    """Say why a rule could decide nothing; "" if it could."""
    if rule.code == "LC106":
        second = evidence["second_order"]
        assert isinstance(second, tuple)
        if not second:
            return "no verified gradient to take differences of, or none that can be derived again"
        return "" if any(check.decided.any() for check in second) else UNDECIDED
    if "precision" in rule.needs and not evidence["precision"]:
        return "the loss does not run in float64, so there is nothing to compare float32 with"
    if rule.code != "LC101":
        return ""
    checks = evidence["gradients"]
    assert isinstance(checks, tuple)
    graph = evidence["graph"]
    missing = isinstance(graph, GraphFacts) and graph.gradient_missing
    return "" if missing or any(check.decided.any() for check in checks) else UNDECIDED


def _covered(desk: Desk, rule: Rule) -> tuple[int, tuple[str, ...]]:
    """How many cases the evidence of a rule holds, and in which modes they were run."""
    if "gradients" in rule.needs:
        return sum(int(c.decided.sum()) for c in desk.get("gradients")), ("graph",)
    if "second_order" in rule.needs:
        return sum(int(c.decided.sum()) for c in desk.get("second_order")), ("graph",)
    if "modes" in rule.needs:
        return sum(len(s) for s in desk.get("sweeps")), ("graph", *_modes(desk))
    if "precision" in rule.needs:
        runs = desk.get("precision")
        whole = sum(len(run) for run in runs if run.mode == "graph")
        return whole, ("graph", *(m for m in _modes(desk) if m == "eager"))
    if not {"sweeps", "finite_tests", "dead"}.isdisjoint(rule.needs):
        return sum(len(s) for s in desk.get("sweeps")), ("graph",)
    if "training" in rule.needs and (trained := desk.get("training")):
        return len(trained.trials), trained.ways
    if "weighing" in rule.needs and (weighed := desk.get("weighing")):
        return len(weighed.cases), ("eager",)
    if "saving" in rule.needs and (saved := desk.get("saving")):
        return len(saved.survivals), ("eager",)
    for name in ("halves", "integers"):
        if name in rule.needs:
            return max(1, sum(len(part) for part in desk.get(name))), ("graph",)
    for name in ("gradient_sizes", "right_and_wrong"):
        if name in rule.needs and desk.get(name) is not None:
            return len(desk.get(name)), ("graph",)
    if "labels_outside" in rule.needs:
        return len(desk.get("labels_outside")), _tried(desk)
    for name in ("crossings", "layouts", "dtypes"):
        if name in rule.needs:
            return max(1, len(desk.get(name))), ("graph",)  # no place to look at is a look, too
    for name in ("repeats", "parts"):
        if name in rule.needs and desk.get(name) is not None:
            return len(desk.get(name).cases), ("graph",)
    return 1, ("graph",)  # the graph itself, or a call


def _tried(desk: Desk) -> tuple[str, ...]:
    """The modes in which labels outside were given."""
    return tuple(dict.fromkeys(mode for run in desk.get("labels_outside") for mode in run.seen))


def _modes(desk: Desk) -> tuple[str, ...]:
    return tuple(dict.fromkeys(run.mode for run in desk.get("modes")))


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
