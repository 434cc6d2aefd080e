"""The examination of a compiled model: the rules that ask of its weights, and why others do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from losscheck.diagnoses import of_findings
from losscheck.engine.examination import Examination, skipped
from losscheck.evidence.keras.weights import WeightEvidence
from losscheck.findings.explanation import Explanation
from losscheck.findings.weight_finding import WeightWriter
from losscheck.infer.whole import Whole, batches, whole
from losscheck.model import (
    Argument,
    Check,
    Diagnosis,
    Finding,
    GradientSummary,
    LossReport,
    Outcome,
    Verdict,
)
from losscheck.program.keras.objective import Objective
from losscheck.program.tracing.trace import CallError, OutputError
from losscheck.rules import rules
from losscheck.rules.base import Rule
from losscheck.rules.model.weights import WEIGHT_RULES
from losscheck.settings.settings import ArgumentSettings, lay_over
from losscheck.targets import Loss

BATCHES = 4  # two of each kind of input, where two are plausible
OWN_STEP = (
    "the model has a train_step of its own, which is not followed: what its compute_loss gives is "
    "checked"
)
ELSEWHERE = "asked of the loss of each output, not of the weights"


class ModelExamination(Examination):
    """Examines what one compiled model is trained on, down to its weights."""

    _fed: Whole
    _weights: WeightEvidence

    _seconds = 0.0  # a step of a model takes as long as it takes: there is nothing to leave out

    def _gather(self) -> LossReport | None:
        assert self._loss.compiled is not None
        self._compiled = self._loss.compiled
        outputs = self._loss.outputs
        declared = [self._declared(output) for output in outputs]
        self._fed = whole(self._compiled, outputs, declared, base=self._base)
        if self._fed.missing:
            return self._unjudged(self._fed.missing)
        if not self._compiled.model.trainable_variables:
            return self._unjudged("the model has no trainable weights")
        self._listen("weights")
        try:
            self._weights = self._run()
        except (CallError, OutputError) as error:
            said = str(error).strip().partition("\n")[0]
            return self._unjudged(f"what the model is trained on cannot be run: {said}")
        self._writer = WeightWriter(
            self._loss, self._settings, self._weights, self._base, self._faults
        )
        return None

    def _declared(self, output: Loss) -> dict[str, ArgumentSettings]:
        """What the user says of the arguments of one output's loss."""
        given = self._settings.for_loss(output.target).arguments
        names = {parameter.name for parameter in output.parameters}
        own = {name: settings for name, settings in given.items() if name in names}
        return lay_over(own, output.declared)

    def _run(self) -> WeightEvidence:
        made = [
            Objective(self._compiled, self._fed.labels, training=training, base=self._base)
            for training in (False, True)
        ]
        evidence = WeightEvidence(
            compiled=self._compiled,
            objective=made[0],
            training=made[1],
            batches=batches(self._fed.slots, BATCHES, self._seed),
            seed=self._seed,
        )
        # What cannot be run on what was drawn for it says so here, before any rule asks.
        assert evidence.start
        assert evidence.trained
        return evidence

    def _asked(self) -> Sequence[Rule]:
        own = {rule.code for rule in WEIGHT_RULES}
        return (*WEIGHT_RULES, *(rule for rule in rules() if rule.code not in own))

    def _not_asked(self, rule: Rule) -> Check | None:
        return super()._not_asked(rule) if rule in WEIGHT_RULES else skipped(rule, ELSEWHERE)

    def _evidence(self, rule: Rule) -> dict[str, Any]:
        return {"weights": self._weights}

    def _accounted(self, check: Check, rule: Rule, evidence: Mapping[str, Any]) -> Check:
        check = attrs.evolve(check, dtypes=("float32",), modes=("graph",))
        if not rule.by_derivative:
            return attrs.evolve(check, cases=len(self._weights.batches))
        slopes = self._weights.slopes
        if check.outcome == Outcome.PASS and slopes.reason:
            undecided = Outcome.INCONCLUSIVE.value
            check = attrs.evolve(check, outcome=undecided, reason=slopes.reason)
        return attrs.evolve(check, cases=slopes.points)

    def _diagnoses(
        self, kept: Sequence[Finding], counted: Sequence[Explanation]
    ) -> tuple[Diagnosis, ...]:
        return of_findings(kept, self._loss.target)

    def _shown(self) -> dict[str, Any]:
        compared = any(rule.by_derivative and self._is_selected(rule) for rule in WEIGHT_RULES)
        weights, attempt = self._weights, self._faults.attempt
        return {
            "cases": sum(batch.rows for batch in weights.batches),
            "arguments": (*self._fed.arguments, _weights(weights)),
            "gradient": attempt("the summary of the gradient", lambda: _gradient(weights), None)
            if compared
            else None,
            "notes": tuple(self._notes()),
        }

    def _notes(self) -> list[str]:
        notes = []
        if self._compiled.own_step:
            notes.append(OWN_STEP)
        if self._settings.for_loss(self._loss.target).data:
            notes.append(
                "the data are for the losses of the outputs; the model is fed what was made for it"
            )
        if self._weights.untrained:
            notes.append(f"the weights are checked at their start alone: {self._weights.untrained}")
        return notes

    def _unjudged(self, reason: str) -> LossReport:
        return LossReport(
            target=self._loss.target,
            verdict=Verdict.INCONCLUSIVE.value,
            seconds=0.0,
            cases=0,
            source=self._loss.source,
            arguments=self._fed.arguments,
            checks=tuple(skipped(rule, reason[:300]) for rule in rules()),
            reason=reason[:300],
            notes=(OWN_STEP,) if self._compiled.own_step else (),
        )


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
