"""One loss examined: spec, evidence, rules, policy, explanation.

Examining a loss is a plain function of picklable settings that returns a picklable report, so that
it may run in another process or on another machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs

from losscheck.cases.user_data import Batches, read
from losscheck.engine.examination import Examination
from losscheck.engine.loss import LossExamination
from losscheck.engine.model import ModelExamination
from losscheck.engine.unexamined import interrupted, without_an_end
from losscheck.faults import Faults, told
from losscheck.model import (
    Check,
    Fault,
    Finding,
    LossReport,
    Outcome,
    Source,
    UsageError,
    Verdict,
)
from losscheck.rules import packages, rules
from losscheck.rules.execution.ending import End, Ending
from losscheck.settings.budget import own_seed
from losscheck.settings.settings import ArgumentSettings, Settings, lay_over
from losscheck.targets import Loss, resolve
from losscheck.targets.loss import unrun


@attrs.frozen(kw_only=True)
class Task:
    """One loss to examine, and all that steers it."""

    target: str
    settings: Settings
    source: Source | None = None  # where it is written, which is told of it even if it never runs
    died: Ending | None = None  # how its module ended what imported it; it is not examined then
    ended: str = ""  # how a process ended that vectorized the loss; then nothing is


def examine(
    task: Task,
    loss: Loss | None = None,
    listen: Callable[[str], None] = lambda stage: None,
    data: Any = None,
    tell: Callable[[Finding], None] = lambda finding: None,
) -> LossReport:
    """Examine one loss.

    Parameters
    ----------
    loss
        The resolved loss, where the caller has it (a callable has no text to resolve).
    listen
        Called with the name of each stage as it begins.
    data
        The user's data, where the caller has them; by default what the settings name.
    tell
        Called with each finding as soon as it is written.

    Returns
    -------
    LossReport
        With the verdict "error" where losscheck itself failed.

    Raises
    ------
    UsageError
        The target or a declaration cannot be used.
    InterruptedExamination
        The user has interrupted it; it holds what was found so far.
    """
    from losscheck.program.quiet import seldom_collected, tensorflow
    from losscheck.program.running.execution import unvectorized

    begin = time.perf_counter()
    tensorflow()
    found = loss if loss is not None else _resolve(task)
    try:
        with unvectorized(bool(task.ended)), seldom_collected():
            report = _examination(found, task.settings, listen, data, tell).report()
    except UsageError:
        raise
    except Exception as error:  # a fault of ours must not hide the other losses' reports
        faults = Faults(packages())
        fault = faults.add("the examination", error)
        report = _failed(found, told(fault), faults.all)
    why = f"nothing was vectorized: a vectorized run had ended the process by {task.ended}"
    notes = (*report.notes, why) if task.ended else report.notes
    return attrs.evolve(
        report,
        seconds=time.perf_counter() - begin,
        notes=notes,
        own_seed=own_seed(task.settings.seed, found.target),
    )


def _examination(
    loss: Loss,
    settings: Settings,
    listen: Callable[[str], None],
    data: Any,
    tell: Callable[[Finding], None],
) -> Examination:
    if loss.compiled is not None:
        return ModelExamination(loss, settings, listen, tell)
    declared, batches = _declared(loss, settings), _batches(data, loss, settings)
    return LossExamination(loss, settings, declared, listen, batches, tell)


def lost(task: Task, ending: Ending, found: Sequence[Finding] = ()) -> LossReport:
    """Report of a loss whose process has ended before it was examined, with what it had found."""
    loss = unrun(task.target, task.source, Path(task.settings.directory))
    if ending.end is End.UNSTARTED:  # a fault of ours, or of who calls us without a main guard
        said = f": {ending.printed.splitlines()[-1]}" if ending.printed else ""
        reason = f"the process that should examine it could not start: {ending.status}{said}"
        return _failed(loss, reason)
    report = without_an_end(loss, task.settings, ending, found)
    return attrs.evolve(report, seconds=ending.seconds)


def stopped(task: Task, found: Sequence[Finding]) -> LossReport:
    """Report of a loss whose examination the user has interrupted."""
    loss = unrun(task.target, task.source, Path(task.settings.directory))
    return interrupted(loss, task.settings, found)


def _resolve(task: Task) -> Loss:
    losses, _ = resolve(task.target, Path(task.settings.directory).resolve())
    # A model's own target gives the losses of its outputs, too.
    losses = [loss for loss in losses if loss.target == task.target] or losses
    if len(losses) != 1:
        raise UsageError(f"{task.target!r} names {len(losses)} losses; examine takes one")
    return losses[0]


def _batches(given: Any, loss: Loss, settings: Settings) -> Batches | None:
    named = settings.for_loss(loss.target).data
    if given is None and not named:
        return None
    return read(named if given is None else given, Path(settings.directory).resolve())


def _declared(loss: Loss, settings: Settings) -> dict[str, ArgumentSettings]:
    return dict(lay_over(settings.for_loss(loss.target).arguments, loss.declared))


def _failed(loss: Loss, reason: str, faults: tuple[Fault, ...] = ()) -> LossReport:
    checks = (
        Check(code=r.code, slug=r.slug, outcome=Outcome.INCONCLUSIVE.value, reason=reason)
        for r in rules()
    )
    return LossReport(
        target=loss.target,
        verdict=Verdict.ERROR.value,
        seconds=0.0,
        cases=0,
        source=loss.source,
        checks=tuple(checks),
        reason=reason,
        faults=faults,
    )
