"""Several differences of one text made together, where they do not touch the same words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@")
Change = tuple[int, int, str]  # of the old text: from, to, and what stands there instead


class ConflictError(Exception):
    """Two differences change the same words."""


def files_of(difference: str) -> dict[str, str]:
    """Split a unified difference by the files that it changes, named as behind "b/"."""
    found: dict[str, str] = {}
    for piece in re.split(r"(?m)^(?=--- a/)", difference):
        if piece:
            name = piece.splitlines()[1].removeprefix("+++ b/")
            found[name] = piece
    return found


def applied(difference: str, old: str) -> str:
    """Apply the difference of one file to its text.

    Raises
    ------
    ConflictError
        The text is not what it was made of.
    """
    lines = old.splitlines(keepends=True)
    result, at = [], 0
    rest = difference.splitlines(keepends=True)[2:]
    for line in rest:
        if match := _HUNK.match(line):
            begin = int(match[1]) - (match[2] != "0")
            result += lines[at:begin]
            at = begin
        elif line.startswith("+"):
            result.append(line[1:])
        elif line.startswith((" ", "-")):
            if at >= len(lines) or lines[at].rstrip("\n") != line[1:].rstrip("\n"):
                raise ConflictError("the file is not what it was when it was examined")
            result += [lines[at]] if line[0] == " " else []
            at += 1
    return "".join([*result, *lines[at:]])


def merged(old: str, versions: Sequence[str]) -> str:
    """Make the changes of several versions of a text together.

    Raises
    ------
    ConflictError
        Two of them change the same words in different ways.
    """
    changes = sorted({change for version in versions for change in _changes(old, version)})
    result, at = [], 0
    for begin, end, new in changes:
        if begin < at or (begin == end and any(_at(begin, end, new, c) for c in changes)):
            raise ConflictError("another change is made at the same place")
        result += [old[at:begin], new]
        at = end
    return "".join([*result, old[at:]])


def _at(begin: int, end: int, new: str, other: Change) -> bool:
    """Say whether another change puts something else at the same place."""
    return other[:2] == (begin, end) and other[2] != new


def _changes(old: str, new: str) -> Iterator[Change]:
    """What a version changes, word by word within the lines that differ."""
    before, after = (text.splitlines(keepends=True) for text in (old, new))
    starts = [0]
    for line in before:
        starts.append(starts[-1] + len(line))
    for tag, i, j, k, m in _differing(before, after):
        held, instead = "".join(before[i:j]), "".join(after[k:m])
        if tag == "replace":
            for begin, end, words in _words(held, instead):
                yield starts[i] + begin, starts[i] + end, words
        else:
            yield starts[i], starts[j], instead


def _words(old: str, new: str) -> Iterator[Change]:
    before, after = (re.findall(r"\w+|[^\S\n]+|\n|.", text) for text in (old, new))
    for _, i, j, k, m in _differing(before, after):
        begin = sum(map(len, before[:i]))
        yield begin, begin + sum(map(len, before[i:j])), "".join(after[k:m])


def _differing(
    before: Sequence[str], after: Sequence[str]
) -> Iterator[tuple[str, int, int, int, int]]:
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    return (each for each in matcher.get_opcodes() if each[0] != "equal")
