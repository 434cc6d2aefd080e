"""The modules of a repository, found by name without importing anything."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Container, Iterator, Sequence
from pathlib import Path

from losscheck.selection.outline import Import

PACKAGE = "__init__.py"


class Modules:
    """Finds the file of a module, as an import would.

    Parameters
    ----------
    files
        Those that are there.
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
