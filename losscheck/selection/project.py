"""What the sources of a project say that a loss depends on, without importing anything."""

from __future__ import annotations

import functools
import importlib.util
import sys
from collections.abc import Container, Iterable, Iterator, Sequence
from pathlib import Path

from losscheck.model import UsageError
from losscheck.selection.outline import Import, Outline, Unit, outline
from losscheck.targets.importing import file_of
from losscheck.targets.reference import Reference, parse

EMPTY = Outline(())
PACKAGE = "__init__.py"


class Project:
    """Finds the files of targets, and what stands behind a name in one.

    Parameters
    ----------
    directory
        The working directory, absolute.
    home
        The folder of the configuration, which is on the import path too.
    files
        The files that are looked into.
    gone
        Those that were deleted.
    root
        The folder that holds all of them.
    known
        Packages and modules by name that are not looked for.
    """

    def __init__(
        self,
        targets: Sequence[str],
        directory: Path,
        home: Path | None,
        *,
        files: Container[Path],
        gone: frozenset[Path],
        root: Path,
        known: Container[str] = (),
    ) -> None:
        self._directory = directory
        self._root = root
        self._outlines: dict[Path, Outline] = {}
        self._modules = Modules(files, gone, tuple(self._folders(targets, home)), root, known)

    def _folders(self, targets: Sequence[str], home: Path | None) -> Iterator[Path]:
        """The import path, as far as it leads into the repository."""
        beside = []
        for reference in map(parse, targets):
            if (file := self._file_alone(reference)) is not None:
                beside.append(file.parent)
        given = [self._directory, *([home] if home else [])]
        known = (Path(place).resolve() for place in sys.path if place)
        for folder in (*(f for g in given for f in (g, g / "src")), *beside, *known):
            if folder.is_relative_to(self._root):
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

    def file(self, reference: Reference) -> Path | None:
        """Give the file that holds a target; None where none of those that are looked into does."""
        if not reference.is_file:
            return self._modules.file(reference.place)
        try:
            return file_of(reference.place, self._directory)
        except UsageError:  # told where the targets are looked for
            return None

    def outline(self, file: Path) -> Outline:
        """Give the top level of a file as it is now; an empty one where there is no file."""
        if file not in self._outlines:
            self._outlines[file] = outline(file.read_bytes()) if file.exists() else EMPTY
        return self._outlines[file]

    def behind(self, file: Path, outlined: Outline, name: str) -> tuple[Unit, ...]:
        """What a name depends on in a file; an `__init__` imports modules to hand them on."""
        units = outlined.behind(name)
        unnamed = outlined.unnamed if file.name != PACKAGE else ()
        ours = (u for u in unnamed if any(map(bool, self._modules.imported(u.imports[0], file))))
        starred = outlined.starred if outlined.needs_starred(units) else ()
        return (*units, *ours, *starred)

    def source(self, file: Path, name: str) -> Path | None:
        """The file that defines what a module hands on under the same name."""
        outlined = self.outline(file)
        binding = outlined.binding(name)
        imports = [unit.imported for unit in (binding or outlined.starred)]
        if len(binding) > 1:
            return None
        for given in imports:
            if given is None or given.name not in (name, "*"):
                continue
            for source in self._modules.imported(given, file):
                if source.exists() and name in self.names(source):
                    return source
        return None

    def names(self, file: Path) -> set[str]:
        """The names that a module has, those of `import *` as well."""
        found: set[str] = set()
        waiting = [file]
        seen = set()
        while waiting:
            this = waiting.pop()
            if this in seen or not this.exists():
                continue
            seen.add(this)
            outlined = self.outline(this)
            found |= {name for unit in outlined.units for name in unit.binds}
            for unit in outlined.starred:
                waiting += self._modules.imported(unit.imports[0], this)
        return found - {"*"}

    def losses(self, file: Path) -> set[str]:
        """The names among which the losses of a module are; a package hands on those of others."""
        if file.name == PACKAGE:
            return self.names(file)
        units = (unit for unit in self.outline(file).units if unit.imported is None)
        return {name for unit in units for name in unit.binds}

    def reached(self, file: Path, units: Iterable[Unit]) -> Iterator[tuple[Path, bool]]:
        """Give the files that units of a file import, at whatever depth, and those around them.

        Beside each stands whether all of it counts, or what it runs for more than names alone.
        """
        waiting = [*self._asked(file, units)]
        seen = set()
        while waiting:
            this = waiting.pop(0)
            if this in seen:
                continue
            seen.add(this)
            yield this
            if this[0].exists():
                waiting += self._asked(this[0], self.counting(*this))

    def counting(self, file: Path, whole: bool) -> tuple[Unit, ...]:
        """Give what counts of a file that is reached."""
        outlined = self.outline(file)
        if whole:
            return outlined.units
        acting = outlined.acting
        return (*acting, *(outlined.starred if outlined.needs_starred(acting) else ()))

    def finds(self, given: Import, by: Path) -> bool:
        """Say whether an import in a file asks for a file that is looked into."""
        return next(self._modules.imported(given, by), None) is not None

    def _asked(self, file: Path, units: Iterable[Unit]) -> Iterator[tuple[Path, bool]]:
        """The modules that units import, and the packages around a file, which are no whole ones.

        What the `__init__` of a package hands on from its other modules has no part in a module
        that merely lies in it.
        """
        for given in dict.fromkeys(given for unit in units for given in unit.imports):
            yield from ((module, True) for module in self._modules.imported(given, file))
        yield from ((init, False) for init in self._modules.packages(file))


class Modules:
    """Finds the file of a module, as an import would.

    Parameters
    ----------
    gone
        Those that were deleted: an import of theirs finds something else now, or nothing.
    folders
        Of the import path, in its order.
    root
        The folder that holds all of them.
    known
        Packages and modules by name that are not looked for.
    """

    def __init__(
        self,
        files: Container[Path],
        gone: frozenset[Path],
        folders: Sequence[Path],
        root: Path,
        known: Container[str] = (),
    ) -> None:
        self._files = files
        self._gone = gone
        self._folders = tuple(dict.fromkeys(folders))
        self._root = root
        self._known = known

    def file(self, module: str) -> Path | None:
        """Give the file of a module of the repository; None where it has none of this name."""
        return next((file for file in self._found(module) if file in self._files), None)

    def imported(self, given: Import, by: Path) -> Iterator[Path]:
        """Give the files that an import in a file asks for; deleted ones that it would find too."""
        folders: tuple[Path, ...] = ()
        if given.level:
            folder = by.parent
            for _ in range(given.level - 1):
                folder = folder.parent
            folders = (folder,)
        if given.name is None:
            yield from self._found(given.module)
            return
        inner = f"{given.module}.{given.name}".lstrip(".")
        below = list(self._found(inner, folders)) if given.name != "*" else []
        yield from below
        if not any(file in self._files for file in below):
            yield from self._found(given.module, folders)

    def packages(self, file: Path) -> Iterator[Path]:
        """Give the files that are run before a file is imported: of the packages that hold it."""
        folder = file.parent.parent if file.name == PACKAGE else file.parent
        while (init := folder / PACKAGE) in self._files:
            yield init
            folder = folder.parent

    def _path(self, package: str) -> Iterator[Path]:
        yield from self._folders
        yield from _elsewhere(package, self._root)

    def _found(self, module: str, folders: tuple[Path, ...] = ()) -> Iterator[Path]:
        parts = module.split(".") if module else []
        if parts and not folders and parts[0] in self._known:
            return
        for folder in folders or self._path(parts[0]):
            place = folder.joinpath(*parts)
            for file in (
                place / PACKAGE,
                *([place.with_name(f"{place.name}.py")] if parts else []),
            ):
                if file in self._gone:
                    yield file
                if file in self._files:
                    yield file
                    return


@functools.lru_cache(maxsize=1024)
def _elsewhere(package: str, root: Path) -> tuple[Path, ...]:
    """The folders below the root in which the import system knows a package: installed editably."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError, AttributeError):  # a finder of its own, or no spec
        return ()
    places = (spec.submodule_search_locations or [spec.origin or ""]) if spec else []
    folders = (Path(place).resolve().parent for place in places if place.startswith(str(root)))
    return tuple(dict.fromkeys(folders))
