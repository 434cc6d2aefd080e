"""Findings by their rules: the loss as it is now is examined again, for these rules alone."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from losscheck.engine.events import Done
from losscheck.engine.run import run
from losscheck.engine.task import Task, examine
from losscheck.model import Finding, LossReport, Outcome
from losscheck.replayed import Replayed, State
from losscheck.replaying.case import of
from losscheck.rules import by_code
from losscheck.settings.settings import ArgumentSettings, Settings

PATIENCE = 60.0  # seconds that a loss which did not finish, or took its process down, is given
JUDGED = frozenset({Outcome.PASS, Outcome.FAIL, Outcome.WARN, Outcome.NOTE})


def replay(
    before: LossReport, findings: Sequence[Finding], seed: int, directory: str
) -> list[Replayed]:
    """Examine a loss for the rules of some findings, and look for each of them.

    What the report says was declared is declared again; the rest is inferred anew.
    """
    codes = tuple(dict.fromkeys(finding.code for finding in findings))
    settings = Settings(
        arguments=_declared(before),
        dtypes=_dtypes(before, codes),
        select=codes,
        seed=seed,
        directory=directory,
    )
    if any(by_code(code).left_out(settings) for code in codes):
        settings = attrs.evolve(settings, order=2)
    now = _examined(Task(target=before.target, settings=settings), codes)
    return [_found(finding, now) for finding in findings]


def _examined(task: Task, codes: Sequence[str]) -> LossReport:
    """Examine it here, or apart where it may never end or end the process."""
    if not any("ending" in by_code(code).needs for code in codes):
        return examine(task)
    apart = attrs.evolve(task.settings, timeout=PATIENCE)
    events = run([attrs.evolve(task, settings=apart)], apart)
    done = next(event for event in events if isinstance(event, Done))
    return done.report.losses[0]


def _found(finding: Finding, now: LossReport) -> Replayed:
    alike = [other for other in now.findings if _alike(finding, other)]
    if alike:
        return of(finding, now.target, State.THERE, f"its rule finds it again: {alike[0].message}")
    check = next((check for check in now.checks if check.code == finding.code), None)
    if check is None or check.outcome not in JUDGED:
        reason = (check.reason if check is not None else "") or now.reason or "it was not judged"
        return of(finding, now.target, State.UNKNOWN, f"its rule decides nothing now: {reason}")
    others = [other for other in now.findings if other.code == finding.code]
    said = "its rule was run again, and does not find it"
    if others:
        said += f"; it finds another: {others[0].message}"
    return of(finding, now.target, State.GONE, said)


def _alike(before: Finding, now: Finding) -> bool:
    """Say whether two findings of the same loss are the same one, whatever moved in its file."""
    if before.id == now.id:
        return True
    if (before.code, before.dtype, before.mode) != (now.code, now.dtype, now.mode):
        return False
    places = [each.location for each in (before, now)]
    if places[0] is None or places[1] is None or not (places[0].op and places[1].op):
        return True  # the loss as a whole is to blame
    return places[0].source.strip() == places[1].source.strip()


def _declared(before: LossReport) -> dict[str, ArgumentSettings]:
    return {
        a.name: ArgumentSettings(domain=a.domain, shape=a.shape, role=a.role)
        for a in before.arguments
        if a.origin == "declared" or a.met is not None
    }


def _dtypes(before: LossReport, codes: Sequence[str]) -> tuple[str, ...]:
    """The dtypes that were required."""
    found = (d for check in before.checks if check.code in codes for d in check.dtypes)
    return tuple(dict.fromkeys(found)) or ("float32",)
