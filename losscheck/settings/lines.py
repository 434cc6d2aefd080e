"""On which line of a TOML file a key stands, which Python's own parser does not tell."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

Keys = tuple[str, ...]


def lines(text: str, above: Keys = ()) -> dict[Keys, int]:
    """Give the line on which each key below a table is set, 1-based.

    The document is read line by line: a beginning of it that is TOML and has a key that no shorter
    one has ends where that key is set. So nothing here knows how TOML is written.

    Parameters
    ----------
    text
        A valid document.
    above
        The keys that lead to the table.
    """
    rows = text.split("\n")
    first = _first(rows, above)
    found: dict[Keys, int] = {}
    begun = first  # where what is not complete yet begins
    for end in range(first + 1, len(rows) + 1):
        if begun == end - 1 and _is_empty(rows[begun]):
            begun = end
            continue
        try:
            document = tomllib.loads("\n".join(rows[first:end]) + "\n")
        except tomllib.TOMLDecodeError:  # in the middle of a value
            continue
        for keys in _keys(document):
            if keys[: len(above)] == above:
                found.setdefault(keys[len(above) :], begun + 1)
        begun = end
    return found


def _first(rows: list[str], above: Keys) -> int:
    """The first row of the table, where a header with all its keys says so; else that of all."""
    header = f"[{'.'.join(above)}"
    for number, row in enumerate(rows):
        if above and row.startswith(header):
            try:  # else it stands within a text
                before = tomllib.loads("\n".join(rows[:number]) + "\n")
            except tomllib.TOMLDecodeError:
                continue
            return 0 if above in set(_keys(before)) else number
    return 0


def _is_empty(row: str) -> bool:
    return not row.strip() or row.lstrip().startswith("#")


def _keys(table: Mapping[str, Any], above: Keys = ()) -> Iterator[Keys]:
    for key, value in table.items():
        yield (*above, key)
        if isinstance(value, Mapping):
            yield from _keys(value, (*above, key))
