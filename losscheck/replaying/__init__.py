"""Findings of a stored report run again on the losses as they are now.

By their cases where these tell, else by their rules: the loss is examined again, for these alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import attrs

from losscheck.engine.events import Done
from losscheck.engine.run import run
from losscheck.engine.task import Task, examine
from losscheck.model import Finding, LossReport, Outcome, Report, Severity, UsageError
from losscheck.program.tracing.trace import CallError, OutputError
from losscheck.replayed import Replay, Replayed, State
from losscheck.replaying import case
from losscheck.replaying.case import of
from losscheck.rules import by_code
from losscheck.settings.settings import ArgumentSettings, Settings
from losscheck.targets import Loss, resolve

SHOWN = 12  # ids that a message lists
PATIENCE = 60.0  # seconds that a loss which did not finish, or took its process down, is given
JUDGED = frozenset({Outcome.PASS, Outcome.FAIL, Outcome.WARN, Outcome.NOTE})


def replay(
    report: Report,
    name: str,
    wanted: str = "",
    directory: str = ".",
    listen: Callable[[str], None] = lambda target: None,
) -> Replay:
    """Run findings of a report again, on the losses as they are now.

    A finding whose numbers one call shows (NaN, Inf, a wrong gradient, lost digits) is judged by
    its recorded case, in the recorded mode and dtype. Where that does not tell, because the loss is
    another function now, and for everything else (shapes, dtypes, training, weights) the loss is
    examined again for the rules concerned, with what the report says was declared.

    Parameters
    ----------
    name
        The file that it stands in, for messages.
    wanted
        The id of a finding or of a diagnosis; "" for all errors and warnings.
    listen
        Called with each target as it is run.

    Raises
    ------
    UsageError
        No finding has that id.
    """
    begin = time.perf_counter()
    chosen = [(loss, _chosen(loss, wanted)) for loss in report.losses]
    if wanted and not any(findings for _, findings in chosen):
        raise UsageError(_unknown(report, name, wanted))
    found: list[Replayed] = []
    for loss, findings in chosen:
        if findings:
            listen(loss.target)
            found += _replayed(loss, findings, report.seed, directory)
    return Replay(report=name, findings=tuple(found), seconds=time.perf_counter() - begin)


def _chosen(loss: LossReport, wanted: str) -> list[Finding]:
    if not wanted:
        return [f for f in loss.findings if f.severity in (Severity.ERROR, Severity.WARNING)]
    ids = {i for diagnosis in loss.diagnoses if diagnosis.id == wanted for i in diagnosis.findings}
    return [finding for finding in loss.findings if finding.id in ids | {wanted}]


def _replayed(
    before: LossReport, findings: Sequence[Finding], seed: int, directory: str
) -> list[Replayed]:
    """Run the findings of one loss again, in their order."""
    try:
        loss = _resolved(before.target, directory)
    except UsageError as error:
        return [case.of(f, before.target, State.UNKNOWN, str(error)) for f in findings]
    told = dict(_by_cases(loss, before, findings, directory))
    rest = [finding for finding in findings if finding.id not in told]
    if rest:
        try:
            again = by_rules(before, rest, seed, directory)
        except UsageError as error:
            again = [case.of(f, before.target, State.UNKNOWN, str(error)) for f in rest]
        told.update(zip((finding.id for finding in rest), again, strict=True))
    return [told[finding.id] for finding in findings]


def _by_cases(
    loss: Loss, before: LossReport, findings: Sequence[Finding], directory: str
) -> Iterator[tuple[str, Replayed]]:
    """What the recorded cases tell, by id."""
    some = [f for f in findings if case.is_told_by_a_case(f)]
    if not some or loss.compiled is not None:
        return
    try:
        run = case.runner(loss, before.arguments, directory)
    except (CallError, OutputError) as error:
        said = f"the loss raises whatever it is given now: {' '.join(str(error).split())[:200]}"
        yield from ((f.id, case.of(f, before.target, State.UNKNOWN, said)) for f in some)
        return
    except UsageError as error:
        yield from ((f.id, case.of(f, before.target, State.UNKNOWN, str(error))) for f in some)
        return
    for finding in some:
        made = case.replay(run, finding, before.target)
        if made is not None:
            yield finding.id, made


def _resolved(target: str, directory: str) -> Loss:
    losses, _ = resolve(target, Path(directory).resolve())
    losses = [loss for loss in losses if loss.target == target] or losses
    if len(losses) != 1:
        raise UsageError(f"{target!r} names {len(losses)} losses now")
    return losses[0]


def _unknown(report: Report, name: str, wanted: str) -> str:
    from losscheck.settings.settings import did_you_mean

    ids = [diagnosis.id for loss in report.losses for diagnosis in loss.diagnoses]
    ids += [finding.id for loss in report.losses for finding in loss.findings]
    if not ids:
        return f"{name} has no findings, so that none has the id {wanted!r}"
    rest = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
    near = did_you_mean(wanted, tuple(ids))
    return f"{name} has no finding {wanted!r}.{near} It has {', '.join(ids[:SHOWN])}{rest}"


def by_rules(
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
