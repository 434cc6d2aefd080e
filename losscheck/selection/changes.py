"""Which losses differ from a commit: their own source, or a module of the project they import.

A loss differs where its definition does or what that uses at the top level of its module, where a
module does that these import, at whatever depth, or the `__init__` of a package that holds any of
them. A file differs where its syntax tree does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from losscheck.model import UsageError
from losscheck.selection.modules import PACKAGE, Modules
from losscheck.selection.outline import Outline, Unit, outline
from losscheck.selection.repository import Repository
from losscheck.targets.importing import file_of
from losscheck.targets.reference import Reference, parse

EMPTY = Outline(())


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
        self._outlines: dict[Path, Outline] = {}
        self._earlier: dict[Path, Outline | None] = {}
        self._repository = Repository(directory)
        self.base = self._repository.base(given)
        self._differing = self._repository.differing(self.base)
        self._modules = Modules(
            self._repository.files,
            frozenset(file for file in self._differing if not file.exists()),
            tuple(self._folders(targets, home)),
            self._repository.root,
        )

    def may_differ(self, target: str) -> bool:
        """Say whether a target names a loss that differs, before it is known what it names."""
        reference = parse(target)
        file = self._file(reference)
        if file is None or reference.names or file not in self._repository.files:
            return self.why(target) is not None
        names = sorted(self._losses(file))
        if not names:  # it may be no Python any more, which its import tells
            return self._differs(file)
        return any(self._why(file, name) is not None for name in names)

    def why(self, target: str) -> str | None:
        """Say in a few words why a loss differs; None where it does not.

        A module that is none of the repository, as Keras' own losses, does not differ.
        """
        reference = parse(target)
        file = self._file(reference)
        if file is None:
            return None
        if file not in self._repository.files:  # ignored, or of another repository
            return f"git does not track {self._shown(file)} here"
        return self._why(file, (reference.names or ("",))[0])

    def _file(self, reference: Reference) -> Path | None:
        if not reference.is_file:
            return self._modules.file(reference.place)
        try:
            return file_of(reference.place, self._directory)
        except UsageError:  # told where the targets are looked for
            return None

    def _folders(self, targets: Sequence[str], home: Path | None) -> Iterator[Path]:
        """The import path, as far as it leads into the repository."""
        beside = []
        for reference in map(parse, targets):
            if (file := self._file_alone(reference)) is not None:
                beside.append(file.parent)
        given = [self._directory, *([home] if home else [])]
        known = (Path(place).resolve() for place in sys.path if place)
        for folder in (*(f for g in given for f in (g, g / "src")), *beside, *known):
            if folder.is_relative_to(self._repository.root):
                yield folder

    def _file_alone(self, reference: Reference) -> Path | None:
        """The file of a target that is imported alone, with its folder on the import path."""
        if not reference.is_file:
            return None
        try:
            file = file_of(reference.place, self._directory)
        except UsageError:
            return None
        while (file.parent / PACKAGE).is_file():  # then it is the folder of its package
            file = file.parent
        return file

    def _why(self, file: Path, name: str) -> str | None:
        if (file, name) not in self._reasons:
            self._reasons[file, name] = None  # modules that hand a name to each other define none
            self._reasons[file, name] = self._reason(file, name)
        return self._reasons[file, name]

    def _reason(self, file: Path, name: str) -> str | None:
        now, before = self._now(file), self._before(file)
        if before is None:
            return self._told(file)
        source = self._source(file, name)
        if not now.binding(name) and source is None:  # made while the module runs, or a mistake
            return f"{name} is not written in {self._shown(file)}"
        units, earlier = (self._behind(file, each, name) for each in (now, before))
        if [unit.text for unit in units] != [unit.text for unit in earlier]:
            return f"{_differing(name, units, earlier)} in {self._shown(file)}"
        if source is not None:
            units = tuple(unit for unit in units if name not in unit.binds)
            if (reason := self._why(source, name)) is not None:
                return reason
        return self._elsewhere(file, units)

    def _behind(self, file: Path, outlined: Outline, name: str) -> tuple[Unit, ...]:
        """What a name depends on in a file; an `__init__` imports modules to hand them on."""
        units = outlined.behind(name)
        unnamed = outlined.unnamed if file.name != PACKAGE else ()
        ours = (u for u in unnamed if any(map(bool, self._modules.imported(u.imports[0], file))))
        starred = outlined.starred if outlined.needs_starred(units) else ()
        return (*units, *ours, *starred)

    def _source(self, file: Path, name: str) -> Path | None:
        """The file that defines what a module hands on under the same name."""
        outlined = self._now(file)
        binding = outlined.binding(name)
        imports = [unit.imported for unit in (binding or outlined.starred)]
        if len(binding) > 1:
            return None
        for given in imports:
            if given is None or given.name not in (name, "*"):
                continue
            for source in self._modules.imported(given, file):
                if source.exists() and name in self._names(source):
                    return source
        return None

    def _names(self, file: Path) -> set[str]:
        """The names that a module has, those of `import *` as well."""
        found: set[str] = set()
        waiting = [file]
        seen = set()
        while waiting:
            this = waiting.pop()
            if this in seen or not this.exists():
                continue
            seen.add(this)
            outlined = self._now(this)
            found |= {name for unit in outlined.units for name in unit.binds}
            for unit in outlined.starred:
                waiting += self._modules.imported(unit.imports[0], this)
        return found - {"*"}

    def _losses(self, file: Path) -> set[str]:
        """The names among which the losses of a module are; a package hands on those of others."""
        if file.name == PACKAGE:
            return self._names(file)
        units = (unit for unit in self._now(file).units if unit.imported is None)
        return {name for unit in units for name in unit.binds}

    def _elsewhere(self, file: Path, units: Iterable[Unit]) -> str | None:
        """Say which of the files differs that units of a file import, at whatever depth."""
        waiting = [*self._asked(file, units)]
        seen = set()
        while waiting:
            this = waiting.pop(0)
            if this in seen:
                continue
            seen.add(this)
            module, whole = this
            if self._differs(module, whole=whole):
                return self._told(module)
            if module.exists():
                outlined = self._now(module)
                units = outlined.units if whole else self._run(outlined)
                waiting += self._asked(module, units)
        return None

    def _run(self, outlined: Outline) -> tuple[Unit, ...]:
        """What an `__init__` runs for more than names."""
        acting = outlined.acting
        return (*acting, *(outlined.starred if outlined.needs_starred(acting) else ()))

    def _asked(self, file: Path, units: Iterable[Unit]) -> Iterator[tuple[Path, bool]]:
        """The modules that units import, and the packages around a file, which are no whole ones.

        What the `__init__` of a package hands on from its other modules has no part in a module
        that merely lies in it.
        """
        for given in dict.fromkeys(given for unit in units for given in unit.imports):
            yield from ((module, True) for module in self._modules.imported(given, file))
        yield from ((init, False) for init in self._modules.packages(file))

    def _differs(self, file: Path, *, whole: bool = True) -> bool:
        if file not in self._differing:
            return False
        now, before = self._now(file), self._before(file)
        if before is None or not file.exists():
            return True
        if not now.units or not before.units:  # one of them may be no Python
            return self._repository.text(file, self.base) != file.read_bytes()
        return now.texts != before.texts if whole else now.own != before.own

    def _now(self, file: Path) -> Outline:
        if file not in self._outlines:
            self._outlines[file] = outline(file.read_bytes()) if file.exists() else EMPTY
        return self._outlines[file]

    def _before(self, file: Path) -> Outline | None:
        """What a file was; None where there was none."""
        if file not in self._differing:
            return self._now(file)
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
