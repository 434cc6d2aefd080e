"""The examination of a compiled model: the rules that ask of its weights, and why others do not."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Sequence

from losscheck.diagnoses import of_findings
from losscheck.engine import outcomes
from losscheck.engine.apart import apart
from losscheck.evidence.keras.weights import WeightEvidence
from losscheck.faults import Faults, told
from losscheck.findings.weight_finding import WeightWriter
from losscheck.infer.whole import Whole, batches, whole
from losscheck.model import (
    Argument,
    Check,
    Finding,
    GradientSummary,
    LossReport,
    Outcome,
    Suspect,
    Verdict,
)
from losscheck.program.keras.objective import Objective
from losscheck.program.tracing.trace import CallError, OutputError
from losscheck.rules import packages, rules
from losscheck.rules.base import Rule
from losscheck.rules.model import WeightRule
from losscheck.rules.model.weights import WEIGHT_RULES
from losscheck.settings.budget import own_seed
from losscheck.settings.settings import ArgumentSettings, Settings, lay_over
from losscheck.targets import Loss

BATCHES = 4  # two of each kind of input, where two are plausible
OWN_STEP = (
    "the model has a train_step of its own, which is not followed: what its compute_loss gives is "
    "checked"
)
ELSEWHERE = "asked of the loss of each output, not of the weights"


class ModelExamination:
    """Examines what one compiled model is trained on, down to its weights.

    Parameters
    ----------
    listen
        Called with the name of each stage as it begins.
    """

    def __init__(self, loss: Loss, settings: Settings, listen: Callable[[str], None]) -> None:
        assert loss.compiled is not None
        self._loss = loss
        self._compiled = loss.compiled
        self._settings = settings
        self._listen = listen
        self._base = os.path.abspath(settings.directory)
        self._faults = Faults(packages())
        self._unsure: set[str] = set()  # rules that faults of ours left undecided

    def report(self) -> LossReport:
        """Examine it."""
        self._listen("spec")
        outputs = self._loss.outputs
        declared = [self._declared(output) for output in outputs]
        fed = whole(self._compiled, outputs, declared, base=self._base)
        if fed.missing:
            return self._undecided(fed, fed.missing)
        if not self._compiled.model.trainable_variables:
            return self._undecided(fed, "the model has no trainable weights")
        try:
            evidence = self._evidence(fed)
        except (CallError, OutputError) as error:
            told = str(error).strip().partition("\n")[0]
            return self._undecided(fed, f"what the model is trained on cannot be run: {told}")
        checks, findings = self._judged(evidence)
        return self._finished(fed, evidence, checks, findings)

    def _declared(self, output: Loss) -> dict[str, ArgumentSettings]:
        """What the user says of the arguments of one output's loss."""
        given = self._settings.for_loss(output.target).arguments
        names = {parameter.name for parameter in output.parameters}
        own = {name: settings for name, settings in given.items() if name in names}
        return lay_over(own, output.declared)

    def _evidence(self, fed: Whole) -> WeightEvidence:
        self._listen("weights")
        seed = own_seed(self._settings.seed, self._loss.target)
        made = [
            Objective(self._compiled, fed.labels, training=training, base=self._base)
            for training in (False, True)
        ]
        evidence = WeightEvidence(
            compiled=self._compiled,
            objective=made[0],
            training=made[1],
            batches=batches(fed.slots, BATCHES, seed),
            seed=seed,
        )
        # What cannot be run on what was drawn for it says so here, before any rule asks.
        assert evidence.start
        assert evidence.trained
        return evidence

    def _judged(self, evidence: WeightEvidence) -> tuple[list[Check], list[Finding]]:
        writer = WeightWriter(self._loss, self._settings, evidence, self._base, self._faults)
        asked = {rule.code for rule in WEIGHT_RULES}
        checks = [_skipped(r, ELSEWHERE) for r in rules() if r.code not in asked]
        findings: list[Finding] = []
        for rule in WEIGHT_RULES:
            masks = sorted({f.code for f in findings} & set(rule.masked_by))
            check, found = self._judge(rule, evidence, writer, masks)
            checks.append(check)
            findings += found
        return sorted(checks, key=lambda check: check.code), findings

    def _judge(
        self, rule: WeightRule, evidence: WeightEvidence, writer: WeightWriter, masks: Sequence[str]
    ) -> tuple[Check, list[Finding]]:
        if self._settings.select and not rule.code.startswith(self._settings.select):
            return _skipped(rule, "not selected"), []
        if masks:
            return _skipped(rule, f"see {', '.join(masks)}"), []
        self._listen(rule.slug)
        begin = time.perf_counter()
        what = f"the judgment of {rule.code}"
        suspects: list[Suspect] = []
        judge = functools.partial(rule.judge, weights=evidence)
        self._faults.attempt(what, lambda: suspects.extend(judge()), None, rule.code)  # type: ignore[arg-type]
        findings = writer.findings(rule, suspects)
        outcome, reason, cases = outcomes.outcome(findings), outcomes.doubt(findings), 0
        if not findings and (fault := self._faults.within((rule.code,))) is not None:
            self._unsure.add(rule.code)
            outcome, reason = Outcome.INCONCLUSIVE, told(fault)
        elif rule.by_derivative:
            cases = evidence.slopes.points
            if not findings and evidence.slopes.reason:
                outcome, reason = Outcome.INCONCLUSIVE, evidence.slopes.reason
        else:
            cases = len(evidence.batches)
        return (
            Check(
                code=rule.code,
                slug=rule.slug,
                outcome=outcome.value,
                cases=cases,
                dtypes=("float32",),
                modes=("graph",),
                seconds=time.perf_counter() - begin,
                reason=reason,
            ),
            findings,
        )

    def _finished(
        self,
        fed: Whole,
        evidence: WeightEvidence,
        checks: Sequence[Check],
        findings: Sequence[Finding],
    ) -> LossReport:
        found = apart(findings, checks, self._loss, self._settings)
        verdict, reason = outcomes.verdict(found.kept, found.checks, self._unsure)
        select = self._settings.select
        compared = (rule.code for rule in WEIGHT_RULES if rule.by_derivative)
        selected = not select or any(code.startswith(select) for code in compared)
        return LossReport(
            target=self._loss.target,
            verdict=verdict.value,
            seconds=0.0,
            cases=sum(batch.rows for batch in evidence.batches),
            source=self._loss.source,
            arguments=(*fed.arguments, _weights(evidence)),
            gradient=self._faults.attempt(
                "the summary of the gradient", lambda: _gradient(evidence), None
            )
            if selected
            else None,
            checks=found.checks,
            findings=tuple(sorted(found.kept, key=outcomes.by_weight)),
            diagnoses=of_findings(found.kept, self._loss.target),
            ignored=found.ignored,
            reminders=found.reminders,
            reason=reason,
            notes=tuple(self._notes(evidence)),
            faults=self._faults.all,
        )

    def _notes(self, evidence: WeightEvidence) -> list[str]:
        notes = []
        if self._compiled.own_step:
            notes.append(OWN_STEP)
        if self._settings.for_loss(self._loss.target).data:
            notes.append(
                "the data are for the losses of the outputs; the model is fed what was made for it"
            )
        if evidence.untrained:
            notes.append(f"the weights are checked at their start alone: {evidence.untrained}")
        return notes

    def _undecided(self, fed: Whole, reason: str) -> LossReport:
        return LossReport(
            target=self._loss.target,
            verdict=Verdict.INCONCLUSIVE.value,
            seconds=0.0,
            cases=0,
            source=self._loss.source,
            arguments=fed.arguments,
            checks=tuple(_skipped(rule, reason) for rule in rules()),
            reason=reason[:300],
            notes=(OWN_STEP,) if self._compiled.own_step else (),
        )


def _skipped(rule: Rule, reason: str) -> Check:
    return Check(code=rule.code, slug=rule.slug, outcome=Outcome.SKIP.value, reason=reason[:300])


def _weights(evidence: WeightEvidence) -> Argument:
    """The weights, as an argument of the report: what the gradient is taken of."""
    weights = evidence.objective.weights
    return Argument(
        name="weights",
        role="y_pred",
        domain="real",
        shape=f"({sum(weight.size for weight in weights)},)",
        dtype="float32",
        origin="known",
        why=f"the model's {len(weights)} trainable variables, from where they start",
    )


def _gradient(evidence: WeightEvidence) -> GradientSummary | None:
    found = evidence.slopes
    if found.digits is None:
        return None
    return GradientSummary(
        digits=found.digits,
        max_error=found.error,
        compute_gradient_max_error=None,
        points=found.points,
        largest=sum(weight.size for weight in evidence.objective.weights),
    )
