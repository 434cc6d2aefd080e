"""Losses found in a process of its own: a module may end what imports it, and change it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from multiprocessing import connection

import attrs

from losscheck.engine import alone
from losscheck.engine.alone import WATCHED, Alone
from losscheck.engine.inside import Tell, Told
from losscheck.engine.plan import Plan, plan
from losscheck.engine.task import Task
from losscheck.engine.workers import forked, prepare
from losscheck.model import UsageError
from losscheck.rules.execution.ending import Ending
from losscheck.selection import Selection
from losscheck.settings.settings import Settings


def planned(targets: Sequence[str], settings: Settings, selection: Selection) -> Plan:
    """Find the losses of all targets; of one whose module ends its process, the plan says so.

    Raises
    ------
    UsageError
        As of `plan`.
    """
    prepare()
    died: dict[str, Ending] = {}
    while True:
        do = functools.partial(_plan, targets, settings, selection, frozenset(died))
        process = Alone(do, alone.limits(settings, 1), forked=forked(), by_stage=True)
        try:
            found = _outcome(process)
        finally:
            printed = process.end()
        if isinstance(found, Ending):
            if process.stage not in selection.targets or process.stage in died:
                raise RuntimeError(f"the process that finds the losses ended by {found.status}")
            died[process.stage] = attrs.evolve(found, stage="import")
            continue
        dead = [Task(target=t, settings=settings, died=ending) for t, ending in died.items()]
        unknown = dict.fromkeys((*died, *(each.target for each in found.refused)))
        sources, tasks = {**found.sources, **unknown}, (*found.tasks, *dead)
        return attrs.evolve(found, tasks=tasks, sources=sources, printed=printed)


def _plan(
    targets: Sequence[str],
    settings: Settings,
    selection: Selection,
    passed: frozenset[str],
    tell: Tell,
) -> Plan:
    return plan(targets, settings, selection, passed, lambda target: tell(Told.STAGE, target))


def _outcome(process: Alone) -> Plan | Ending:
    """Wait for a process: for what it has found, or how it ended."""
    while True:
        connection.wait(process.waited_for, WATCHED)
        try:
            for what, told in process.heard():
                if what is Told.REFUSED:
                    assert isinstance(told, UsageError)
                    raise told
                if what is Told.DONE:
                    assert isinstance(told, Plan)
                    return told
        except EOFError:
            return process.crash()
        if (ending := process.exceeded()) is not None:
            return ending
