"""What the reader should know of how a loss was examined: how much, in which way, or why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from losscheck.advice import wording
from losscheck.advice.refusals import HANDED, taken
from losscheck.evidence.desk import Desk, Handed
from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.shape.calls import of_sizes
from losscheck.infer import Inferred
from losscheck.model import Check, Coverage, Outcome
from losscheck.program.running.ways import Way
from losscheck.rules.base import Rule
from losscheck.rules.evidence import LeftOut
from losscheck.rules.execution.call_fails import CallFails


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


def remarks(desk: Desk, inferred: Inferred) -> tuple[str, ...]:
    """List what holds of the whole examination: data, slow ways, cases left out."""
    notes = list(inferred.data.notes) if inferred.data else []
    if inferred.spec.narrowed:
        notes.append(f"the domain was narrowed: {inferred.spec.narrowed}")
    return (*notes, *_of_the_runs(desk)) if desk.evidence.swept else tuple(notes)


def _of_the_runs(desk: Desk) -> Iterator[str]:
    ways = dict.fromkeys(instance.program.way() for instance in desk.evidence.instances)
    slow = [way for way in ways if way != Way.VECTORIZED]
    yield from (f"the cases were run by {way}: the loss cannot be vectorized" for way in slow)
    main = desk.evidence.main
    if main.wiring and "xla" in desk.evidence.modes_wanted and not main.compiles(last=True):
        size = len(main.wiring.nodes)
        yield f"no sweep was run under XLA: its {size:,} operations take long to compile"
    if desk.evidence.fatal_to_xla:
        yield (
            "nothing was run under XLA: a slice in a loop has a size that changes with it, over "
            "which XLA's compiler may end the whole process"
        )
    for dtype, blocks in desk.evidence.refused.items():
        count = sum(map(len, blocks))
        yield f"{count:,} cases were left out in {dtype}: an operation raises on them"
    if desk.evidence.draws:
        yield "the random numbers drawn inside were held: the same in every run"


def short(inferred: Inferred) -> str:
    """Say why a rule does not judge a loss that raises."""
    if inferred.structures:
        return f"the loss takes {taken(inferred.structures)}"
    assert inferred.error is not None
    where = "at every layout that was tried" if _may_fit(inferred) else "whatever it is given"
    return f"the loss raises {type(inferred.error.error).__name__} {where}"


def whole(inferred: Inferred) -> str:
    """Say why nothing is judged of it, and what the user can do."""
    if inferred.structures:
        return f"{short(inferred)}, and {HANDED}: see {CallFails.code}"
    if not _may_fit(inferred):
        return short(inferred)
    spec = inferred.spec
    first = " and ".join(f"{a.name} {a.shape}" for a in spec.arguments)
    asked = next(a.name for a in spec.arguments if a.role == "y_pred")
    message = wording.sentence(inferred.error and inferred.error.error)
    return (
        f"{short(inferred)}; with {first} it says: {message}. Declare what it takes, such as "
        f"--arg {asked}='real:(B, 8)'"
    )


def _may_fit(inferred: Inferred) -> bool:
    """Whether another layout than those that were tried may be what it takes."""
    raised = inferred.error and inferred.error.error
    return isinstance(raised, of_sizes()) and not inferred.spec.laid_out


def covered(evidence: Evidence) -> tuple[Coverage, ...]:
    """Collect the coverage of every stage at every size that was swept."""
    found: list[Coverage] = []
    for instance in evidence.instances:
        search = evidence.searches.get(instance.name)
        if search is not None:
            found += search.coverage
        scan = evidence.scans.get((instance.name, "float32"))
        if scan is not None:
            shape = instance.shapes[evidence.spec.prediction.name]
            found.append(Coverage(stage="lattice", shape=shape, cases=scan.cases, what=scan.what))
        found.append(_guided(instance, evidence))
    return tuple(found)


def _guided(instance: Instance, evidence: Evidence) -> Coverage:
    shape = instance.shapes[evidence.spec.prediction.name]
    search = evidence.guided.get(instance.name)
    if search is not None:
        return search.coverage(shape)
    reason = "the loss has no graph to search" if instance.program.eager else "not run"
    return Coverage(stage="guided", shape=shape, cases=0, reason=reason)
