"""The targets by file, each loss examined once, and which of them pytest's arguments choose."""

from __future__ import annotations

import fnmatch
import warnings
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import attrs
import pytest

from losscheck.model import LossReport, Source, UsageError
from losscheck.rules import EXAMPLE, prefixes, rules
from losscheck.rules.base import Rule
from losscheck.rules.evidence import with_masks
from losscheck.rules.model.weights import WEIGHT_RULES
from losscheck.selection import Selection
from losscheck.settings.baseline import read as read_baseline
from losscheck.settings.file import find, read
from losscheck.settings.given import texts
from losscheck.settings.settings import Settings
from losscheck.targets import check
from losscheck.targets.importing import put_on_path
from losscheck.targets.locating import file_of_place
from losscheck.targets.reference import parse

if TYPE_CHECKING:
    from losscheck.engine.plan import Plan
    from losscheck.engine.task import Task

T = TypeVar("T")
ELSEWHERE = "losscheck"  # in place of a file: losses of Keras and of installed packages


def settings_of(config: pytest.Config) -> Settings:
    """Read the configuration, and lay the options of pytest over it.

    Raises
    ------
    UsageError
        It cannot be used.
    """
    found = read(config.invocation_params.dir)
    targets = config.getoption("--losscheck-target")
    select = config.getoption("--losscheck-select")
    return attrs.evolve(
        found,
        targets=tuple(targets) or found.targets,
        select=prefixes(texts(select, "--losscheck-select", EXAMPLE), "--losscheck-select"),
        isolation=False,  # pytest's own process
    )


class Losses:
    """Finds losses, and examines each once.

    Parameters
    ----------
    root
        The folder that the ids of tests are relative to.

    Attributes
    ----------
    files
        The targets of each file, by the id of the file.
    listing
        Where those stand that are in no file of the project.

    Raises
    ------
    UsageError
        The settings cannot be used, or list nothing.
    """

    def __init__(self, settings: Settings, root: Path) -> None:
        self._settings = settings
        self._plans: dict[tuple[str, ...], Plan | UsageError] = {}
        self._reports: dict[str, LossReport | UsageError] = {}
        self.files = self._files(root)
        self.listing = self._listing(root)

    def _listing(self, root: Path) -> Path:
        """The file that lists the losses that are in no file themselves, else the folder."""
        found = find(Path(self._settings.directory))
        below = found is not None and found.file.is_relative_to(root.resolve())
        return root / found.file.relative_to(root.resolve()) if found and below else root

    def _files(self, root: Path) -> dict[str, tuple[str, ...]]:
        """The targets of each file, by the id of the file; nothing of the user's is imported."""
        if not self._settings.targets:
            raise UsageError(
                "--losscheck: there are no targets; list them in pyproject.toml, as in "
                '[tool.losscheck] targets = ["my_pkg.losses"], or name them by --losscheck-target'
            )
        rules()  # one that cannot be used is told of before a loss is run
        if self._settings.baseline:
            read_baseline(Path(self._settings.baseline))
        directory = Path(self._settings.directory)
        if self._settings.home:
            put_on_path(Path(self._settings.home))
        targets = Selection(self._settings.targets, self._settings).targets
        check(targets, directory)
        found: dict[str, tuple[str, ...]] = {}
        for target in targets:
            file = file_of_place(target, directory)
            below = file is not None and file.is_relative_to(root.resolve())
            name = file.relative_to(root.resolve()).as_posix() if file and below else ELSEWHERE
            found[name] = (*found.get(name, ()), target)
        return found

    def tasks(self, file: str) -> tuple[Task, ...]:
        """Find the losses of a file.

        Raises
        ------
        UsageError
            One of its targets cannot be imported, or something declared of a loss does not fit.
        """
        own = {parse(target).place for target in self.files[file]}
        try:
            planned = self._plan(self._settings.targets)
        except UsageError:  # of which file, shows where each is planned alone
            planned = self._plan(self.files[file])
        return tuple(task for task in planned.tasks if parse(task.target).place in own)

    def source(self, task: Task) -> Source | None:
        """Where a loss is written."""
        planned = (plan for plan in self._plans.values() if not isinstance(plan, UsageError))
        found = (plan.sources[task.target] for plan in planned if task.target in plan.sources)
        return next(found, None)

    def rules(self) -> tuple[Rule, ...]:
        """Give the rules that are selected."""
        select = self._settings.select
        return tuple(rule for rule in rules() if not select or rule.code.startswith(select))

    @property
    def none_found(self) -> str:
        """What to say where no target has a loss; "" where one has, or cannot tell."""
        planned = self._plans.get(self._settings.targets)
        if planned is None or isinstance(planned, UsageError) or planned.tasks:
            return ""
        return f"--losscheck: no loss found in {', '.join(self._settings.targets)}"

    def _plan(self, targets: Sequence[str]) -> Plan:
        from losscheck.engine.plan import plan
        from losscheck.program.quiet import imported_to_stay

        key = tuple(targets)
        if key not in self._plans:
            # pytest collects garbage five times as it ends: through all of TensorFlow otherwise.
            with warnings.catch_warnings(), imported_to_stay():
                warnings.simplefilter("ignore")  # importing TensorFlow warns of its own ways
                try:
                    self._plans[key] = plan(key, self._settings)
                except UsageError as error:
                    self._plans[key] = error
        return _given(self._plans[key])

    def report(self, task: Task, codes: Collection[str]) -> LossReport:
        """Examine a loss, unless that was done.

        Parameters
        ----------
        codes
            Of the rules that are asked for; no more is gathered than these need.

        Raises
        ------
        UsageError
            What is declared of it cannot be used.
        """
        from losscheck.engine.task import examine

        if task.target not in self._reports:
            narrow = attrs.evolve(task.settings, select=self._select(codes))
            with warnings.catch_warnings():
                # What TensorFlow or the loss warns of is no finding, even under `-W error`.
                warnings.simplefilter("ignore")
                try:
                    self._reports[task.target] = examine(attrs.evolve(task, settings=narrow))
                except UsageError as error:
                    self._reports[task.target] = error
        return _given(self._reports[task.target])

    def _select(self, codes: Collection[str]) -> tuple[str, ...]:
        """Choose rules so that each of these says the same as if all were judged."""
        able = {rule.code for rule in self.rules()}
        wanted = with_masks(codes, (*rules(), *WEIGHT_RULES)) & able
        return self._settings.select if wanted == able else tuple(sorted(wanted))


def _given(found: T | UsageError) -> T:
    if isinstance(found, UsageError):
        raise found
    return found


@attrs.frozen(kw_only=True)
class Chosen:
    """What is chosen among the losses."""

    ids: tuple[str, ...] = ()  # of files, losses and tests
    every: bool = False  # whether all are chosen, as none is named

    def holds(self, nodeid: str) -> bool:
        """Say whether a node is chosen, or something in it."""
        return self.every or any(_within(nodeid, i) or _within(i, nodeid) for i in self.ids)

    def missing(self, found: Collection[str]) -> list[str]:
        """Give the ids that name nothing among the tests that were found."""
        return [i for i in self.ids if not any(_within(nodeid, i) for nodeid in found)]


def _within(nodeid: str, whole: str) -> bool:
    return nodeid == whole or nodeid.startswith(f"{whole}::")


@attrs.frozen(kw_only=True, eq=False)
class Place:
    """Where pytest runs, and which files have losses."""

    directory: Path  # that the arguments are relative to
    root: Path  # that the ids of tests are relative to
    files: Collection[str]  # the ids of files with losses
    listing: Path  # where losses stand that are in none of them
    codes: Collection[str]
    patterns: Sequence[str]  # of the names of files with tests

    def sort(self, arguments: Sequence[str]) -> tuple[Chosen, list[str]]:
        """Tell the arguments that name losses from those that are for pytest itself.

        Without any of the first kind all losses are chosen, unless a test is named by its id.
        """
        ids, rest = [], []
        for argument in arguments:
            found = self._id(argument)
            ids.append(found) if found else rest.append(argument)
        every = not ids and not any("::" in argument for argument in rest)
        return Chosen(ids=tuple(ids), every=every), rest

    def _id(self, argument: str) -> str:
        """The id of what an argument names among the losses; "" where it names none."""
        path, *names = argument.split("::")
        file = path if path in self.files and names else self._file(path)
        # A file of tests may hold losses, too: what stands in it is pytest's, but for our tests.
        tests = any(fnmatch.fnmatch(Path(path).name, pattern) for pattern in self.patterns)
        if file not in self.files or (tests and (not names or names[-1] not in self.codes)):
            return ""
        return "::".join((file, *names))

    def _file(self, path: str) -> str:
        file = (self.directory / path).resolve()
        root = self.root.resolve()
        if file == self.listing.resolve() and file.is_file():
            return ELSEWHERE
        return file.relative_to(root).as_posix() if file.is_relative_to(root) else ""
