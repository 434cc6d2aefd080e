"""Which losses differ from a commit: their own source, or a module of the project they import.

A loss differs where its definition does or what that uses at the top level of its module, where a
module does that these import, at whatever depth, or the `__init__` of a package that holds any of
them. A file differs where its syntax tree does.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from losscheck.selection.outline import Outline, Unit, outline
from losscheck.selection.project import Project
from losscheck.selection.repository import Repository
from losscheck.targets.reference import parse


class Changes:
    """Says of losses why they differ from a commit.

    Parameters
    ----------
    targets
        As the user gave them.
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
