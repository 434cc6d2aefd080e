"""What a rule looked at: how many cases, or why at none, and why nothing could be decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from losscheck.evidence.desk import Desk, Handed
from losscheck.evidence.left_out import LeftOut
from losscheck.infer import Inferred
from losscheck.model import Check, Outcome
from losscheck.rules.base import Rule


def missing(rule: Rule, evidence: Mapping[str, object]) -> str:
    """Say why there was nothing to look at; "" if there was."""
    name, reason = rule.absent
    if not name or evidence[name]:
        return ""
    found = evidence[name]
    return found.reason if isinstance(found, LeftOut) else reason


def not_tried(training: object) -> str:
    """Name the ways of training that were not tried, each with its reason."""
    left_out: Mapping[str, str] = getattr(training, "left_out", {})
    parts = [f"{how} ({reason})" for how, reason in left_out.items()]
    return f"not tried: {', '.join(parts)}" if parts else ""


def looked_at(desk: Desk, rule: Rule) -> tuple[int, tuple[str, ...]]:
    """How many cases the evidence of a rule holds, and in which modes they were run."""
    if "gradients" in rule.needs:
        return sum(int(c.decided.sum()) for c in desk.get("gradients")), ("graph",)
    if "second_order" in rule.needs:
        return sum(int(c.decided.sum()) for c in desk.get("second_order")), ("graph",)
    if "modes" in rule.needs:
        lone = desk.given("lone") if "lone" in rule.needs else ()
        return sum(len(s) for s in (*desk.given("sweeps"), *lone)), ("graph", *_modes(desk))
    if "precision" in rule.needs:
        runs = desk.get("precision")
        whole = sum(len(run) for run in runs if run.mode == "graph")
        return whole, ("graph", *(m for m in _modes(desk) if m == "eager"))
    if not {"sweeps", "finite_tests", "dead"}.isdisjoint(rule.needs):
        return sum(len(s) for s in desk.given("sweeps")), ("graph",)
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
    return 1, () if "ending" in rule.needs else ("graph",)  # the graph itself, or a call


def _tried(desk: Desk) -> tuple[str, ...]:
    """The modes in which labels outside were given."""
    return tuple(dict.fromkeys(mode for run in desk.get("labels_outside") for mode in run.seen))


def _modes(desk: Desk) -> tuple[str, ...]:
    return tuple(dict.fromkeys(run.mode for run in desk.given("modes")))


def accounted(
    check: Check, rule: Rule, desk: Desk, evidence: Mapping[str, Any], inferred: Inferred
) -> Check:
    """Say of a rule that was judged how much it looked at, and whether that decided anything."""
    cases, modes = looked_at(Handed(desk, evidence), rule) if inferred.error is None else (0, ())
    check = attrs.evolve(check, cases=cases, modes=modes)
    if check.outcome == Outcome.PASS and (nothing := missing(rule, evidence)):
        skip = Outcome.SKIP.value
        return attrs.evolve(check, outcome=skip, reason=nothing, cases=0, applies=False)
    if check.outcome == Outcome.PASS and (doubt := rule.undecided(evidence)):
        return attrs.evolve(check, outcome=Outcome.INCONCLUSIVE.value, reason=doubt)
    if "training" in rule.needs:
        return attrs.evolve(check, reason=not_tried(evidence["training"]))
    return check
