"""From what the rules say of a model's weights to findings: blamed, made small, put in words."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from losscheck.advice.blamed import Blame
from losscheck.evidence.gather import Instance
from losscheck.evidence.keras.weights import Moment, WeightEvidence
from losscheck.evidence.precision.truth import LARGEST
from losscheck.faults import Faults
from losscheck.findings import locate
from losscheck.findings.blame import nonfinite_source, zero_source
from losscheck.findings.explanation import Explanation, Spot
from losscheck.findings.finding import Writer
from losscheck.findings.inside import float_tensors
from losscheck.findings.reproduce_weights import reproduce
from losscheck.findings.steps import Remedy, plain, stated
from losscheck.model import (
    Array,
    Direction,
    Kind,
    Location,
    Observed,
    Suspect,
)
from losscheck.program.keras.objective import Objective
from losscheck.program.tracing.origin import Frame
from losscheck.program.tracing.origin import locate as place
from losscheck.program.tracing.wiring import Node
from losscheck.rules import policy
from losscheck.rules.base import Rule, Trail
from losscheck.rules.crowd import Crowd
from losscheck.rules.model import listed
from losscheck.settings.settings import Settings
from losscheck.targets import Loss

SHOWN = 512  # elements of a batch or a gradient that a finding carries


class WeightWriter(Writer):
    """Writes the findings of one model.

    Parameters
    ----------
    evidence
        What is known of its weights.
    """

    def __init__(
        self, loss: Loss, settings: Settings, evidence: WeightEvidence, base: str, faults: Faults
    ) -> None:
        super().__init__(loss, settings, None, base, faults)
        self._evidence = evidence

    def _add(self, rule: Rule, suspect: Suspect | Crowd, written: dict[Spot, Explanation]) -> None:
        """Write a finding for each operation that spoils weights."""
        assert isinstance(suspect, Suspect)  # a model has no crowd of cases
        parts = self._faults.attempt(
            f"the blame for {rule.code}",
            functools.partial(self._by_source, rule, suspect),
            [(suspect, None)],
        )
        for part, node in parts:
            written[rule.code, len(written)] = self._written(rule, part, node)

    def _by_source(self, rule: Rule, suspect: Suspect) -> list[tuple[Suspect, Node | None]]:
        """Take apart weights whose gradients different operations spoil."""
        if suspect.form not in rule.nonfinite:
            return [(suspect, None)]
        suspect = self._smaller(suspect)
        objective, values = self._values(suspect.facts["moment"])
        members = suspect.facts["weights"] or (None,)
        groups: dict[str, tuple[Node | None, list[int]]] = {}
        for i in members:
            graph = objective.wiring(i or 0)
            start = graph.value if i is None else graph.gradient
            node = nonfinite_source(graph, start, values) if start else None
            forward = "" if node is None else _forward(objective, node)
            entry = groups.setdefault(forward, (node, []))
            entry[1].extend([] if i is None else [i])
        return [
            (attrs.evolve(suspect, facts={**suspect.facts, "weights": tuple(members)}), node)
            for node, members in groups.values()
        ]

    def _smaller(self, suspect: Suspect) -> Suspect:
        """Look for a single sample that shows the same, at the start and without dropout."""
        moment: Moment = suspect.facts["moment"]
        objective = self._evidence.at(moment)
        if moment.steps or moment.training or not objective.any_rows:
            return suspect
        for row in range(moment.batch.rows):
            batch = moment.batch.take(slice(row, row + 1))
            run = objective.run(moment.weights, batch, moment.state)
            numbers = [run.gradients[i] for i in suspect.facts["weights"]] or [run.value]
            backward = bool(suspect.facts["weights"])
            same = all(n is not None and _is(suspect.form, n) for n in numbers)
            if same and (not backward or np.isfinite(run.value)):
                small = attrs.evolve(moment, batch=batch, run=run)
                facts = {**suspect.facts, "moment": small}
                return attrs.evolve(suspect, facts=facts, value=run.value)
        return suspect

    def _values(self, moment: Moment) -> tuple[Objective, dict[str, Array]]:
        """Every floating-point tensor of the graph at a moment."""
        objective = self._evidence.at(moment)
        graph = objective.wiring(0)
        shares = [name for share in objective.shares for name in share if name is not None]
        ends = [graph.value, *(g for g in objective.gradients if g is not None), *shares]
        names = float_tensors(graph, ends)
        feed = objective.feed(moment.weights, moment.batch, moment.state)
        return objective, dict(zip(names, objective.program.once(names, feed), strict=True))

    def _written(self, rule: Rule, suspect: Suspect, node: Node | None) -> Explanation:
        moment: Moment = suspect.facts["moment"]
        members: Sequence[int] = suspect.facts["weights"]
        attempt, code = self._faults.attempt, rule.code
        suspect = attempt(f"the truth of {code}", lambda: self._with_truth(rule, suspect), suspect)
        blame = attempt(
            f"the blame for {code}",
            lambda: self._blame(rule, suspect, node),
            locate.of_location(None, suspect.direction),
        )
        if blame.location is None:
            blame = attrs.evolve(blame, location=self._home())
        told = attempt(
            f"the words of {code}",
            lambda: self._told(rule, suspect, blame),
            plain(rule),
        )
        gradient = suspect.gradient
        if gradient is None and members:
            found = moment.run.gradients[members[0]]
            gradient = found if found is None or found.size <= SHOWN else None
        finding = stated(
            rule,
            suspect,
            told,
            policy.of_suspect(suspect, self._settings.dtypes, self._settings.severity),
            blame.location,
            id=f"{suspect.code}-{self._hash(suspect, blame)}",
            inputs=self._inputs(moment),
            observed=Observed(value=moment.run.value, gradient=gradient),
            reproduce=attempt(
                f"the program of {code}",
                lambda: reproduce(suspect, self._loss, members, self._evidence.seed, self._base),
                "",
            ),
        )
        return Explanation(finding=finding, suspect=suspect, blame=blame)

    def _with_truth(self, rule: Rule, suspect: Suspect) -> Suspect:
        """Say of what is not finite what it is in float64."""
        if suspect.form not in rule.nonfinite:
            return suspect
        moment: Moment = suspect.facts["moment"]
        objective = self._evidence.at(moment)
        names = [objective.value] if not suspect.facts["weights"] else []
        names += [str(objective.gradients[i]) for i in suspect.facts["weights"]]
        feed = objective.feed(moment.weights, moment.batch, moment.state)
        try:
            numbers = objective.double().once(names, feed)
        except Exception:  # no kernel in float64: what it is there is not known
            return suspect
        largest = max(float(np.abs(n).max(initial=0.0)) for n in numbers)
        if not np.isfinite(largest):
            # Whatever the truth is at such a point, a model that starts there cannot learn.
            return attrs.evolve(suspect, kind=Kind.UNDEFINED)
        kind = Kind.AVOIDABLE if largest <= LARGEST[suspect.dtype] else Kind.INHERENT
        value = float(numbers[0]) if not suspect.facts["weights"] else None
        return attrs.evolve(suspect, kind=kind, expected_value=value)

    def _blame(self, rule: Rule, suspect: Suspect, node: Node | None) -> Blame:
        moment: Moment = suspect.facts["moment"]
        objective = self._evidence.at(moment)
        if rule.by_derivative:
            return locate.of_location(self._custom_gradient(suspect), suspect.direction)
        known = rule.trail is Trail.KNOWN  # it says which operation has no gradient
        if known and not suspect.facts["blocked"]:
            return locate.of_location(None, suspect.direction)
        objective, values = self._values(moment)
        members = suspect.facts["weights"]
        graph = objective.wiring(members[0] if members else 0, suspect.facts.get("tensor"))
        if known:
            node = next(n for n in graph.nodes if n.name == suspect.facts["blocked"])
        elif rule.trail is Trail.ZERO and suspect.form != "stuck" and graph.gradient:
            node = zero_source(graph, graph.gradient, values)
        instance = Instance(
            name="weights", sizes={}, shapes={}, program=objective.program, wiring=graph
        )
        return locate.described(instance, graph, node, suspect.direction, values)[1]

    def _custom_gradient(self, suspect: Suspect) -> Location | None:
        """The user's own backward code that the wrong weights have and the right ones have not."""
        objective = self._evidence.objective
        wrong = set(suspect.facts["weights"])
        graph = objective.wiring(suspect.facts["worst"])
        if suspect.form == "stop-gradient":
            depends = graph.depends(graph.prediction)
            stops = [
                n
                for n in graph.forward
                if n.type == "StopGradient" and not depends.isdisjoint(n.inputs)
            ]
            return objective.program.traced.origins.location(stops[0].name) if stops else None
        right: set[str] = set()
        for i, gradient in enumerate(objective.gradients):
            if i not in wrong and gradient is not None:
                right.update(node.name for node in graph.ancestors(gradient))
        return locate.custom_gradient(objective.program, graph, frozenset(right))

    def _told(self, rule: Rule, suspect: Suspect, blame: Blame) -> Remedy:
        """The words of a rule, which name the weights, or the output that it is about."""
        weights, part = self._evidence.objective.weights, suspect.facts.get("part")
        named = {
            "names": listed([weights[i].name for i in suspect.facts["weights"]]),
            "output": "" if part is None else self._loss.outputs[part].target,
        }
        said = attrs.evolve(suspect, facts={**suspect.facts, **named})
        return Remedy(*rule.words(said, blame, ()))

    def _home(self) -> Location | None:
        """The line where the model is made: blamed where nothing better is known."""
        code = getattr(self._loss.python, "__code__", None)
        if code is None or self._loss.source is None:
            return None
        frame = Frame(code.co_filename, self._loss.source.line)
        return place(frame, "", Direction.FORWARD, self._base)

    def _inputs(self, moment: Moment) -> dict[str, Array]:
        """The batch, where it is small enough to be read; its reproduction draws it anyway."""
        compiled = self._evidence.compiled
        arrays = moment.batch.arrays
        names = [t.name for t in compiled.inputs]
        many = len(compiled.outputs) > 1
        names += [
            f"y_true[{output.name or k}]" if many else "y_true"
            for k, output in enumerate(compiled.outputs)
        ]
        return {
            name: array
            for name, array in zip(names, arrays.values(), strict=True)
            if array.size <= SHOWN
        }

    def _hash(self, suspect: Suspect, blame: Blame) -> str:
        where = blame.location
        parts: tuple[Any, ...] = (
            self._loss.target,
            suspect.form,
            suspect.facts["weights"],
            suspect.facts.get("part"),
            blame.op,
            "" if where is None else where.source.strip(),
            suspect.direction,
            suspect.kind or "",
        )
        return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:8]


def _forward(objective: Objective, node: Node) -> str:
    return objective.program.traced.origins.forward_name(node.name)


def _is(form: str, number: Array | float) -> bool:
    bad = np.isnan(number) if form == "nan" else np.isinf(number)
    return bool(np.any(bad))
