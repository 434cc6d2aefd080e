"""Which of the targets are examined: those that no pattern excludes and, if asked, that differ.

Told from texts alone, as far as these tell, before anything of the user's is imported.

A loss differs where its definition does or what that uses at the top level of its module, where a
module does that these import, at whatever depth, or the `__init__` of a package that holds any of
them. A file differs where its syntax tree does.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from losscheck.model import UsageError
from losscheck.report.words import plural
from losscheck.selection.outline import Outline, Unit, outline
from losscheck.selection.project import Project
from losscheck.selection.repository import Repository
from losscheck.settings.reading import seen_from
from losscheck.settings.settings import Settings
from losscheck.targets import check
from losscheck.targets.importing import lies_in
from losscheck.targets.reference import parse

__all__ = ["Selection", "is_target"]


class Selection:
    """Chooses among targets, and among the losses that they turn out to name.

    Parameters
    ----------
    settings
        What steers the run: the patterns, and the commit to compare with.

    Attributes
    ----------
    targets
        Those that may name a loss to examine.
    whole
        Whether these are all.

    Raises
    ------
    UsageError
        There is nothing to compare with.
    """

    def __init__(self, targets: Sequence[str], settings: Settings) -> None:
        directory = Path(settings.directory).resolve()
        home = Path(settings.home).resolve() if settings.home else None
        self._exclusion = Exclusion(settings.exclude, directory, home)
        self._shard = settings.shard
        self._wanted = self._taken = 0  # losses
        kept = [target for target in targets if not self._exclusion.leaves_out(target)]
        self._changes = None
        self._alike: list[str] = []  # what does not differ
        self._why: dict[str, str] = {}  # what differs
        if settings.changed is not None:
            check(kept, directory)  # what is not there has not stayed the same
            self._changes = changes = Changes(kept, directory, home, settings.changed)
            self._alike = [target for target in kept if not changes.may_differ(target)]
        self.targets = tuple(target for target in kept if target not in self._alike)
        self.whole = len(self.targets) == len(targets)

    def takes(self, target: str) -> bool:
        """Say whether a loss is to be examined."""
        if self._exclusion.leaves_out(target):
            return False
        if self._changes is not None:
            reason = self._changes.why(target)
            if reason is None:
                self._alike.append(target)
                return False
            self._why[target] = reason
        part, of = self._shard
        mine = self._wanted % of == part - 1
        self._wanted += 1
        self._taken += mine
        return mine

    @property
    def elsewhere(self) -> bool:
        """Whether all losses that are wanted belong to other shards."""
        return self._wanted > self._taken == 0

    @property
    def unchanged(self) -> bool:
        """Whether targets or losses were left out because they do not differ."""
        return bool(self._alike)

    def said(self) -> tuple[str, ...]:
        """What the user is told of it, once every loss was asked for: lines."""
        lines = list(self._exclusion.said())
        part, of = self._shard
        if of > 1:
            lines.append(f"shard {part}/{of}: {self._taken} of {plural(self._wanted, 'loss')}")
        if self._changes is not None:
            lines.append(f"compared with {self._changes.base.told}")
            lines += [f"{target} is checked: {reason}" for target, reason in self._why.items()]
            if self._alike:
                count = plural(len(self._alike), "target")
                nothing = "" if self._why else "nothing to check: "
                lines.append(f"{nothing}{count} left out that did not change")
        return tuple(lines)


def is_target(text: str, directory: Path) -> bool:
    """Say whether what may be a commit is none, and a target that is there.

    Raises
    ------
    UsageError
        There is no repository.
    """
    if Repository(directory).commit(text) is not None:
        return False
    if text.isidentifier():  # else a branch with a mistake in it would be a loss of Keras
        return lies_in(directory, text)
    try:
        check((text,), directory)
    except UsageError:
        return False
    return True


class Exclusion:
    """Leaves out targets, and remembers what it left out.

    Parameters
    ----------
    patterns
        As the shell has them: `*` stands for any text, `?` for a character. One that is just like a
        name matches it, whatever brackets stand in it.
    directory
        The working directory, from which targets name their files.
    home
        The folder of the configuration, whose patterns name files from there; None without one.
    """

    def __init__(self, patterns: Sequence[str], directory: Path, home: Path | None = None) -> None:
        self._folders = (directory, home or directory)
        self._found: dict[str, list[str]] = {pattern: [] for pattern in patterns}

    def leaves_out(self, target: str) -> bool:
        """Say whether any of the patterns matches a target."""
        names = {seen_from(target, folder, self._folders[0]) for folder in self._folders}
        matching = [p for p in self._found if any(_matches(name, p) for name in names)]
        for pattern in matching:
            self._found[pattern].append(target)
        return bool(matching)

    def said(self) -> tuple[str, ...]:
        """How many targets were left out, and which patterns have matched none: lines."""
        left_out = {name for names in self._found.values() for name in names}
        counted = (f"{plural(len(left_out), 'target')} excluded",) if left_out else ()
        idle = (pattern for pattern, names in self._found.items() if not names)
        return (
            *counted,
            *(f"exclude {pattern!r}: no target here is called so" for pattern in idle),
        )


def _matches(name: str, pattern: str) -> bool:
    return name == pattern or fnmatchcase(name, pattern)


class Changes:
    """Says of losses why they differ from a commit.

    Parameters
    ----------
    directory
        The working directory, absolute.
    home
        The folder of the configuration, which is on the import path too.
    given
        The commit; "" for the merge base with the default branch.

    Raises
    ------
    UsageError
        There is no repository, or no such commit.
    """

    def __init__(
        self, targets: Sequence[str], directory: Path, home: Path | None, given: str
    ) -> None:
        self._directory = directory
        self._reasons: dict[tuple[Path, str], str | None] = {}
        self._earlier: dict[Path, Outline | None] = {}
        self._repository = Repository(directory)
        self.base = self._repository.base(given)
        self._differing = self._repository.differing(self.base)
        self._project = Project(
            targets,
            directory,
            home,
            files=self._repository.files,
            gone=frozenset(file for file in self._differing if not file.exists()),
            root=self._repository.root,
        )

    def may_differ(self, target: str) -> bool:
        """Say whether a target names a loss that differs, before it is known what it names."""
        reference = parse(target)
        file = self._project.file(reference)
        if file is None or reference.names or file not in self._repository.files:
            return self.why(target) is not None
        names = sorted(self._project.losses(file))
        if not names:  # it may be no Python any more, which its import tells
            return self._differs(file)
        return any(self._why(file, name) is not None for name in names)

    def why(self, target: str) -> str | None:
        """Say in a few words why a loss differs; None where it does not.

        A module that is none of the repository, as Keras' own losses, does not differ.
        """
        reference = parse(target)
        file = self._project.file(reference)
        if file is None:
            return None
        if file not in self._repository.files:  # ignored, or of another repository
            return f"git does not track {self._shown(file)} here"
        return self._why(file, (reference.names or ("",))[0])

    def _why(self, file: Path, name: str) -> str | None:
        if (file, name) not in self._reasons:
            self._reasons[file, name] = None  # modules that hand a name to each other define none
            self._reasons[file, name] = self._reason(file, name)
        return self._reasons[file, name]

    def _reason(self, file: Path, name: str) -> str | None:
        now, before = self._project.outline(file), self._before(file)
        if before is None:
            return self._told(file)
        source = self._project.source(file, name)
        if not now.binding(name) and source is None:  # made while the module runs, or a mistake
            return f"{name} is not written in {self._shown(file)}"
        units, earlier = (self._project.behind(file, each, name) for each in (now, before))
        if [unit.text for unit in units] != [unit.text for unit in earlier]:
            return f"{_differing(name, units, earlier)} in {self._shown(file)}"
        if source is not None:
            units = tuple(unit for unit in units if name not in unit.binds)
            if (reason := self._why(source, name)) is not None:
                return reason
        return self._elsewhere(file, units)

    def _elsewhere(self, file: Path, units: Iterable[Unit]) -> str | None:
        """Say which of the files differs that units of a file import, at whatever depth."""
        for module, whole in self._project.reached(file, units):
            if self._differs(module, whole=whole):
                return self._told(module)
        return None

    def _differs(self, file: Path, *, whole: bool = True) -> bool:
        if file not in self._differing:
            return False
        now, before = self._project.outline(file), self._before(file)
        if before is None or not file.exists():
            return True
        if not now.units or not before.units:  # one of them may be no Python
            return self._repository.text(file, self.base) != file.read_bytes()
        return now.texts != before.texts if whole else now.own != before.own

    def _before(self, file: Path) -> Outline | None:
        """What a file was; None where there was none."""
        if file not in self._differing:
            return self._project.outline(file)
        if file not in self._earlier:
            text = self._repository.text(file, self.base)
            self._earlier[file] = None if text is None else outline(text)
        return self._earlier[file]

    def _told(self, file: Path) -> str:
        if not file.exists():
            return f"{self._shown(file)} is gone"
        if self._before(file) is not None:
            return f"{self._shown(file)} differs"
        former = self._differing.get(file, "")
        return f"{self._shown(file)} is new" + (f", {former} before" if former else "")

    def _shown(self, file: Path) -> str:
        return Path(os.path.relpath(file, self._directory)).as_posix()


def _differing(name: str, now: Sequence[Unit], before: Sequence[Unit]) -> str:
    """Name what differs between what a name depends on and what it did."""
    units = set(now) ^ set(before)
    names = {bound for unit in units for bound in unit.binds}
    if not any(name in unit.binds for unit in before):
        return "it is new"
    if name in names:
        return "its definition differs"
    return f"{' and '.join(sorted(names))} differs" if len(names) == 1 else "what it uses differs"
