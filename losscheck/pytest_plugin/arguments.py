"""Which losses the arguments of pytest choose, by the ids of their tests."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Sequence
from pathlib import Path

import attrs

from losscheck.pytest_plugin.losses import ELSEWHERE


@attrs.frozen(kw_only=True)
class Chosen:
    """What is chosen among the losses.

    Attributes
    ----------
    ids
        Of files, losses and tests.
    every
        Whether all are chosen, as none is named.
    """

    ids: tuple[str, ...] = ()
    every: bool = False

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
    """Where pytest runs, and which files have losses.

    Attributes
    ----------
    directory
        That the arguments are relative to.
    root
        That the ids of tests are relative to.
    files
        The ids of files with losses.
    listing
        Where losses stand that are in none of them.
    codes
        Of the rules.
    patterns
        Of the names of files with tests.
    """

    directory: Path
    root: Path
    files: Collection[str]
    listing: Path
    codes: Collection[str]
    patterns: Sequence[str]

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
