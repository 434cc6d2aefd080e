"""From targets to tasks: what every way of running losscheck does before the engine runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from losscheck.model import LeftOut, Source, UsageError
from losscheck.rules import rules
from losscheck.selection import Selection
from losscheck.settings.baseline import read
from losscheck.settings.settings import LossSettings, Settings, did_you_mean, is_pattern
from losscheck.targets import Loss, check, resolve
from losscheck.targets.importing import FailedImportError, put_on_path
from losscheck.targets.locating import locate
from losscheck.targets.reference import parse

if TYPE_CHECKING:
    from losscheck.engine.task import Task


@attrs.frozen(kw_only=True, eq=False)
class Plan:
    """What is to be examined."""

    tasks: tuple[Task, ...]
    left_out: tuple[LeftOut, ...]
    said: tuple[str, ...] = ()  # of what was chosen and what not: lines
    unchanged: bool = False  # whether targets were left out that do not differ, or go elsewhere
    sources: Mapping[str, Source | None] = attrs.field(factory=dict)  # target -> where it is
    refused: tuple[LeftOut, ...] = ()  # targets whose module cannot be imported, beside others
    printed: str = ""  # by their modules

    @property
    def broken(self) -> bool:
        """Whether modules could not be imported, so that nobody knows what losses they have."""
        return bool(self.refused) or any(task.died is not None for task in self.tasks)


def plan(
    targets: Sequence[str],
    settings: Settings,
    selection: Selection | None = None,
    passed: Collection[str] = (),
    listen: Callable[[str], None] = lambda target: None,
) -> Plan:
    """Find the losses of all targets, each once, with the settings that hold for it.

    Parameters
    ----------
    selection
        Which of them are wanted, where the caller has asked already.
    passed
        Targets that are known and not looked at.
    listen
        Called with each target before its module is imported.

    Returns
    -------
    Plan
        A task a loss, in the order of the targets, and what was left out.

    Raises
    ------
    UsageError
        If a target names no loss, or something is declared of an argument or a loss that is not
        there, or an installed rule or the baseline cannot be used.
    """
    directory = _prepared(settings)
    chosen = selection or Selection(targets, settings)
    targets = chosen.targets
    check(targets, directory)
    named = _Named()
    for target in targets:
        if target not in passed:
            listen(target)
            named.add(target, directory, alone=not settings.apart)
    losses = named.losses
    targets = [target for target in targets if target not in (*named.refused, *passed)]
    if named.refused and not (targets or passed):
        raise next(iter(named.refused.values()))
    every = tuple(dict.fromkeys(name for loss in losses.values() for name in _names(loss)))
    _check_arguments(losses, settings, every, whole=chosen.whole)
    _check_tables(targets, losses, settings, directory)
    return Plan(
        tasks=tuple(_tasks(losses, settings, every, chosen)),
        left_out=tuple(item for item in named.left_out.values() if item.target not in losses),
        said=chosen.said(),
        unchanged=chosen.unchanged or chosen.elsewhere,
        sources={target: loss.source for target, loss in losses.items()},
        refused=tuple(named.refusals()),
    )


def _prepared(settings: Settings) -> Path:
    """Look at what can be told before a module is imported; give the working directory."""
    rules()  # one that cannot be used is told of before a loss is run
    if settings.baseline:
        read(Path(settings.baseline))
    if settings.home:
        put_on_path(Path(settings.home))
    return Path(settings.directory).resolve()


@attrs.define(eq=False)
class _Named:
    """What targets name, each once."""

    losses: dict[str, Loss] = attrs.field(factory=dict)
    left_out: dict[str, LeftOut] = attrs.field(factory=dict)
    refused: dict[str, FailedImportError] = attrs.field(factory=dict)

    def add(self, target: str, directory: Path, *, alone: bool) -> None:
        """Look at a target; one whose module cannot be imported is kept, unless it is alone."""
        try:
            found, rest = resolve(target, directory)
        except FailedImportError as error:
            if alone:
                raise
            self.refused[target] = error
            return
        self.losses.update({each.target: each for each in found if each.target not in self.losses})
        self.left_out.update({item.target: item for item in rest})

    def refusals(self) -> Iterator[LeftOut]:
        """Say why modules cannot be imported."""
        for target, error in self.refused.items():
            yield LeftOut(target=target, reason=str(error))


def _tasks(
    losses: Mapping[str, Loss], settings: Settings, every: tuple[str, ...], chosen: Selection
) -> Iterator[Task]:
    from losscheck.engine.task import Task

    for target, loss in losses.items():
        if chosen.takes(target):
            yield Task(target=target, settings=_own(settings, loss, every), source=loss.source)


def _own(settings: Settings, loss: Loss, every: tuple[str, ...]) -> Settings:
    """Keep of the arguments for every loss those that this one has."""
    names = _names(loss)
    kept = {name: value for name, value in settings.arguments.items() if name in names}
    return attrs.evolve(settings, arguments=kept, names=every)


def _check_arguments(
    losses: dict[str, Loss], settings: Settings, every: tuple[str, ...], *, whole: bool
) -> None:
    """Complain of arguments that their loss has not, and that none has, where these are all."""
    for name in settings.arguments if losses and whole else ():
        if name not in every:
            raise UsageError(
                f"no loss here has an argument {name!r}; there are {', '.join(every)}."
                f"{did_you_mean(name, every)}"
            )
    for target, loss in losses.items():
        names = _names(loss)
        for name in settings.losses.get(target, LossSettings()).arguments:
            if name not in names:
                raise UsageError(
                    f'the configuration\'s losses."{target}".arguments names {name!r}, which is no '
                    f"argument of it ({', '.join(names)}).{did_you_mean(name, names)}"
                )


def _check_tables(
    targets: Sequence[str], losses: dict[str, Loss], settings: Settings, directory: Path
) -> None:
    """Complain of a table for a loss that the module of a target does not have."""
    places = {parse(target).place for target in targets}
    for table in settings.losses:
        told = f'the configuration has a table losses."{table}"'
        known = table in losses or any(fnmatchcase(target, table) for target in losses)
        if not known and table.rpartition(":")[0] in targets:
            near = did_you_mean(table, tuple(losses))
            raise UsageError(f"{told}, but there is no such loss.{near}")
        if is_pattern(table):
            continue
        reference = parse(table)
        if reference.place in places and reference.names:
            try:
                locate(reference, directory)
            except UsageError as error:
                raise UsageError(f"{told}: {error}") from None


def _names(loss: Loss) -> tuple[str, ...]:
    """The arguments of a loss; of a whole model those of its outputs' losses."""
    own = (parameter.name for parameter in loss.parameters)
    return tuple(dict.fromkeys((*own, *(name for out in loss.outputs for name in _names(out)))))
