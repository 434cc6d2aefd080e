"""Which of the targets are examined: those that no pattern excludes and, if asked, that differ.

Told from texts alone, as far as these tell, before anything of the user's is imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from losscheck.model import UsageError
from losscheck.report.words import plural
from losscheck.selection.changes import Changes
from losscheck.selection.repository import Repository
from losscheck.settings.reading import seen_from
from losscheck.settings.settings import Settings
from losscheck.targets import check
from losscheck.targets.importing import lies_in

__all__ = ["Selection", "is_target"]


class Selection:
    """Chooses among targets, and among the losses that they turn out to name.

    Parameters
    ----------
    targets
        As the user gave them.
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
