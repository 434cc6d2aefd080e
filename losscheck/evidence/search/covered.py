"""What the search covered, stage by stage, as the report says it."""

from __future__ import annotations

from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.search.guided import Guided, Hunt, Outcome
from losscheck.model import Coverage

DRIVEN = "operations that can fail, brought to where they do"


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
    if search is None:
        eager = instance.program.eager
        reason = "the loss has no graph to search" if eager else "not run"
        return Coverage(stage="guided", shape=shape, cases=0, reason=reason)
    cases = 0 if search.cases is None else len(search.cases)
    plain = Coverage(stage="guided", shape=shape, cases=cases, reason=_left_out(search))
    if not search.hunts:
        return plain
    reached = [hunt for hunt in search.hunts if hunt.reached]
    return Coverage(
        stage="guided",
        shape=shape,
        cases=cases,
        what=DRIVEN,
        covered=len(reached),
        of=len(search.hunts),
        reason=_left_out(search),
    )


def _left_out(search: Guided) -> str:
    parts = [search.reason] if search.reason else []
    short = [hunt for hunt in search.hunts if hunt.outcome is Outcome.SHORT]
    if short:
        parts.append("not brought there: " + ", ".join(map(_nearest, short)))
    beyond = [hunt.op for hunt in search.hunts if hunt.outcome is Outcome.BEYOND]
    if beyond:
        names = ", ".join(dict.fromkeys(beyond))
        parts.append(f"kept away by the domains: {len(beyond)} ({names})")
    return "; ".join(parts)


def _nearest(hunt: Hunt) -> str:
    return f"{hunt.op} (within {hunt.nearest:.1g} of {hunt.key[1]:g})"
