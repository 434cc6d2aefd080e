"""The findings of a report, run again: by their cases where these tell, else by their rules."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from losscheck.model import Finding, LossReport, Report, Severity, UsageError
from losscheck.program.tracing.trace import CallError, OutputError
from losscheck.replayed import Replay, Replayed, State
from losscheck.replaying import case, rule
from losscheck.targets import Loss, resolve

SHOWN = 12  # ids that a message lists


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
    report
        The report.
    name
        The file that it stands in, for messages.
    wanted
        The id of a finding or of a diagnosis; "" for all errors and warnings.
    directory
        The working directory.
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
            again = rule.replay(before, rest, seed, directory)
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
