"""Leaving out targets, by patterns on their names."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from losscheck.report.words import plural
from losscheck.settings.places import seen_from


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
