"""What one change cures is one fault: the first change that holds, and what else it clears."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from losscheck.diagnoses.grouping import Group
from losscheck.evidence.desk import Desk
from losscheck.findings.explanation import Explanation
from losscheck.fixes.bench import Bench
from losscheck.fixes.cure import Cure, cures
from losscheck.model import Severity
from losscheck.settings.budget import CutError, strictly

Cured = tuple[Group, Cure | None]  # findings of one fault, and a verified change that cures it


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
        if cure is not None:
            helpless = [other for other, found in told if found is None]
            group, cure, left = _joined(group, cure, [*helpless, *waiting], bench)
            told = [one for one in told if one[1] is not None or _among(one[0], left)]
            waiting = [other for other in waiting if _among(other, left)]
        told.append((group, cure))
    return sorted(told, key=lambda one: -_weight(one[0]))


def _cure(group: Group, bench: Bench, desk: Desk) -> Cure | None:
    """The change that cures all that weighs most in a group; None where none is known to."""
    asked = _asked(group)
    try:
        with strictly():
            tried = cures(bench, desk, asked)
    except CutError:
        return None
    best = tried[-1] if tried else None
    return best if best is not None and _holds(best, group) else None


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
    worst = {one.finding.id for one in group if one.weight == _weight(group)}
    return cure.verified.holds and worst <= {*cure.verified.clears}


def _asked(group: Sequence[Explanation]) -> list[Explanation]:
    """What a change must clear: notes are right as they are, or lie at the ends of the dtype."""
    counting = [one for one in group if one.finding.severity != Severity.NOTE]
    return counting or list(group)


def _weight(group: Group) -> int:
    return max(one.weight for one in group)
