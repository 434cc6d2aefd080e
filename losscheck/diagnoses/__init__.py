"""Findings with one root cause, told as one: where it begins, why, and what to write there.

What one change cures is one fault: the first change that holds, and what else it clears.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import attrs

from losscheck.diagnoses.grouping import Flow, Group, groups
from losscheck.evidence.desk import Desk
from losscheck.faults import Faults
from losscheck.findings.explanation import Explanation
from losscheck.findings.locate import of_location
from losscheck.fixes.bench import Bench
from losscheck.fixes.cure import Cure, compromise, cures
from losscheck.model import Diagnosis, Direction, Finding, Severity, Suspect
from losscheck.rules import by_code
from losscheck.settings.budget import CutError, strictly

# Findings of one fault, and a change: one that is verified, one that cures and spoils something,
# or what is advised and was seen to cure nothing.
Cured = tuple[Group, Cure | None]


def diagnosed(
    explanations: Sequence[Explanation],
    desk: Desk | None,
    target: str,
    faults: Faults,
    bench: Bench | None = None,
) -> tuple[Diagnosis, ...]:
    """Tell findings with one root cause as one.

    Parameters
    ----------
    explanations
        The findings of one loss that count.
    desk
        Its evidence; None where it was not run.
    target
        Its name, of which ids are made.
    faults
        Where it is kept if that fails: then nothing that must be run says what belongs together.
    bench
        Where changes of the loss are tried; None where none are.

    Returns
    -------
    tuple of Diagnosis
        The worst first; each finding is in one of them.
    """
    flow = Flow(desk)
    found = faults.attempt(
        "what the findings have in common",
        lambda: groups(explanations, flow),
        groups(explanations, Flow(None)),
    )
    found = [_ordered(group, flow) for group in found]
    cured: list[Cured] = [(group, None) for group in found]
    if desk is not None and bench is not None:
        cured = faults.attempt("the fix", lambda: with_cures(found, bench, desk), cured)
    return tuple(_written(cured, flow, target))


def of_findings(findings: Sequence[Finding], target: str) -> tuple[Diagnosis, ...]:
    """Tell findings as diagnoses of which no more is known than what they say."""
    bare = [
        Explanation(
            finding=finding,
            suspect=Suspect(code=finding.code, form="", inputs=finding.inputs),
            blame=of_location(finding.location, Direction.FORWARD),
        )
        for finding in findings
    ]
    flow = Flow(None)
    return tuple(_written([(group, None) for group in groups(bare, flow)], flow, target))


def _written(found: Sequence[Cured], flow: Flow, target: str) -> Iterator[Diagnosis]:
    known: dict[tuple[str, str], int] = {}  # those alike in rule and expression are numbered
    for group, cure in found:
        ordered = _ordered(group, flow)
        root = ordered[0]
        alike = root.finding.code, root.blame.expression
        known[alike] = known.get(alike, 0) + 1
        kept = cure is not None and bool(cure.verified.clears)
        yield Diagnosis(
            id=f"D-{_hash(target, *alike, known[alike])}",
            severity=root.finding.severity,
            location=root.finding.location,
            cause=root.finding.cause or root.finding.message,
            fix=root.finding.fix if cure is None else _fix(root.finding.fix, cure),
            verified=_is_verified(cure),
            diff=cure.verified.diff if cure is not None and kept else "",
            clears=() if cure is None else cure.verified.clears,
            adds=() if cure is None else cure.verified.adds,
            departs=0 if cure is None else cure.verified.departs,
            objection="" if cure is None else next(iter(cure.verified.complaints), ""),
            findings=tuple(told.finding.id for told in ordered),
        )


def _fix(advice: str, cure: Cure) -> str:
    """What is to be written, place by place; of what cures nothing no code is left to paste."""
    if cure.verified.clears:
        return "\n".join(text for step in cure.edit.steps for text in (*step.before, step.new))
    why = cure.verified.complaints[0]
    rest = [line for line in advice.splitlines() if line.startswith("#")]
    written = " ".join("; ".join((*cure.edit.before, cure.edit.new)).split())
    return "\n".join([f"# {written} was tried: {why}.", *rest])


def _ordered(group: Group, flow: Flow) -> Group:
    """The worst first, of these the one where the fault begins, as it is most plainly seen."""

    def key(told: Explanation) -> tuple[object, ...]:
        finding, rule = told.finding, by_code(told.finding.code)
        return (
            -told.weight,
            rule.by_mode or finding.dtype != "float32",
            flow.order(told),
            told.suspect.direction is Direction.BACKWARD,
            finding.code,
            finding.id,
        )

    return sorted(group, key=key)


def _hash(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:8]


def with_cures(found: Sequence[Group], bench: Bench, desk: Desk) -> list[Cured]:
    """Find a change that cures each fault; a group that the change for another cures joins it.

    Changes are tried for errors, and for warnings where there are no errors. One fault may be told
    by lost digits before it is told by NaN, and only what is written for the NaN may cure it.
    """
    worst = max((one.weight for group in found for one in group), default=0)
    told: list[Cured] = []
    waiting = list(found)
    while waiting:
        group = waiting.pop(0)
        cure = None
        if worst and _weight(group) == worst:
            cure = _cure(group, bench, desk)
        if cure is not None and cure.verified.holds:
            helpless = [other for other, found in told if not _is_verified(found)]
            group, cure, left = _joined(group, cure, [*helpless, *waiting], bench)
            told = [one for one in told if _is_verified(one[1]) or _among(one[0], left)]
            waiting = [other for other in waiting if _among(other, left)]
        told.append((group, cure))
    for group, cure in list(told):
        spoils = cure is not None and bool(cure.verified.clears) and not cure.verified.holds
        if cure is not None and spoils and _among(group, [one[0] for one in told]):
            told = _compromised(group, cure, told, bench)
    return sorted(told, key=lambda one: -_weight(one[0]))


def _compromised(group: Group, cure: Cure, told: Sequence[Cured], bench: Bench) -> list[Cured]:
    """Let groups without a verified change join one whose change clears them, at a price."""
    rest = [one for one, found in told if not _is_verified(found) and one is not group]
    rest = [one for one in rest if _weight(one) == _weight(group)]
    if not rest:
        return list(told)
    asked = _asked([one for each in (group, *rest) for one in each])
    try:
        with strictly():
            whole = attrs.evolve(cure, verified=bench.cleared([cure.edit], cure.verified, asked))
    except CutError:
        return list(told)
    if not _worst(group) <= {*whole.verified.clears}:
        return list(told)
    joining = [other for other in rest if _worst(other) <= {*whole.verified.clears}]
    together = [one for each in (group, *joining) for one in each]
    gone = [group, *joining]
    kept = [one for one in told if not _among(one[0], gone)]
    return [(together, whole), *kept]


def _cure(group: Group, bench: Bench, desk: Desk) -> Cure | None:
    """The change that cures all that weighs most in a group, or else what was tried for it."""
    asked = _asked(group)
    try:
        with strictly():
            tried = cures(bench, desk, asked)
            best = tried[-1] if tried else None
            if best is not None and _holds(best, group):
                return best
            return compromise(bench, tried, asked) or _refuted(tried, group)
    except CutError:
        return None


def _refuted(tried: Sequence[Cure], group: Group) -> Cure | None:
    """What the findings advise, the first one before the others, where it was tried in vain."""
    ran = [cure for cure in tried if not cure.edit.further and not cure.verified.cut]
    for told in group:
        advised = "".join(told.finding.fix.split())
        for cure in ran:
            texts = ("".join(text.split()) for text in (cure.edit.new, *cure.edit.before))
            if all(text in advised for text in texts):
                stays = f"{'part of ' if cure.verified.clears else ''}what was found stays"
                said = cure.verified.complaints or (stays,)
                verified = attrs.evolve(cure.verified, clears=(), complaints=said)
                return attrs.evolve(cure, verified=verified)
    return None


def _is_verified(cure: Cure | None) -> bool:
    return cure is not None and cure.verified.holds


def _joined(
    group: Group, cure: Cure, others: Sequence[Group], bench: Bench
) -> tuple[Group, Cure, list[Group]]:
    """Let groups whose errors the change cures, too, join."""
    rest = [other for other in others if _weight(other) == _weight(group)]
    if not rest:
        return group, cure, list(others)
    asked = _asked([one for each in (group, *rest) for one in each])
    try:
        with strictly():
            whole = attrs.evolve(cure, verified=bench.verify([cure.edit], asked))
    except CutError:
        return group, cure, list(others)
    joining = [other for other in rest if _holds(whole, other)]
    if not joining or not _holds(whole, group):
        return group, cure, list(others)
    left = [other for other in others if not _among(other, joining)]
    return [*group, *(one for other in joining for one in other)], whole, left


def _among(group: Group, groups: Sequence[Group]) -> bool:
    return any(group is one for one in groups)


def _holds(cure: Cure, group: Group) -> bool:
    """Say whether a change spoils nothing and clears all that weighs most in a group."""
    return cure.verified.holds and _worst(group) <= {*cure.verified.clears}


def _worst(group: Group) -> set[str]:
    """The ids of the findings that weigh most."""
    return {one.finding.id for one in group if one.weight == _weight(group)}


def _asked(group: Sequence[Explanation]) -> list[Explanation]:
    """What a change must clear: notes are right as they are, or lie at the ends of the dtype."""
    counting = [one for one in group if one.finding.severity != Severity.NOTE]
    return counting or list(group)


def _weight(group: Group) -> int:
    return max(one.weight for one in group)
