"""The settings that hold, one by one, each with where it comes from: a file, a line, an option."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from losscheck.rules import rule_code
from losscheck.settings.file import Found
from losscheck.settings.reading import seen_from
from losscheck.settings.settings import ArgumentSettings, Settings

DEFAULT, CONFIGURATION, COMMAND_LINE = "default", "configuration", "command line"
# Settings that are one value: the field, its key in the configuration, its option.
PLAIN = (
    ("targets", "targets", "targets"),
    ("changed", "changed", "changed"),
    ("dtypes", "dtypes", "dtype"),
    ("modes", "modes", "mode"),
    ("select", "select", "select"),
    ("fail_on", "fail-on", "fail_on"),
    ("baseline", "baseline", "baseline"),
    ("seed", "seed", "seed"),
    ("order", "order", "order"),
    ("budget", "budget", "budget"),
    ("timeout", "timeout", "timeout"),
    ("memory", "memory", "memory"),
    ("jobs", "jobs", "jobs"),
    ("isolation", "isolation", "isolation"),
    ("data", "data", "data"),
    ("executor", "executor", "executor"),
    ("upload", "upload", "upload"),
    ("shard", "shard", "shard"),
    ("cache", "cache", "no_cache"),
)
Keys = tuple[str, ...]


@attrs.frozen(kw_only=True)
class Setting:
    """A setting that holds."""

    keys: Keys  # its key, with those below it where it is an entry of a table
    value: Any  # plain data
    origin: str  # "default", "configuration" or "command line"
    line: int | None = None  # of the configuration file, 1-based; None where it is not from there


class Origins:
    """Lists the settings that hold.

    Parameters
    ----------
    options
        The names of the options that the command line has.
    found
        The configuration file; None without one.
    """

    def __init__(self, held: Settings, options: Collection[str], found: Found | None) -> None:
        self._held = held
        self._options = options
        self._table: Mapping[str, Any] = found.table if found else {}
        self._home = found.file.parent if found else Path(held.directory)
        text = found.file.read_text(encoding="utf-8") if found else ""
        self._lines = lines(text, found.above) if found else {}

    def settings(self) -> Iterator[Setting]:
        """Give single values, and then the entries of tables."""
        for field, key, option in PLAIN:
            value = getattr(self._held, field)
            if option in self._options:
                yield Setting(keys=(key,), value=value, origin=COMMAND_LINE)
            else:
                yield self._configured((key,), value)
        yield from self._patterns()
        yield from self._by_code("ignore", self._held.ignore)
        yield from self._by_code("severity", self._held.severity)
        for name, declared in self._held.arguments.items():
            yield Setting(keys=("arguments", name), value=_plain(declared), origin=COMMAND_LINE)
        for target in self._table.get("losses", {}):
            yield from self._of_loss(target)

    def _configured(self, keys: Keys, value: Any, *written: str) -> Setting:
        """A setting of the configuration, under the keys that are `written` there; else a default.

        Those that are not given are written as they are.
        """
        line = self._lines.get(written or keys)
        origin = DEFAULT if line is None else CONFIGURATION
        return Setting(keys=keys, value=value, origin=origin, line=line)

    def _patterns(self) -> Iterator[Setting]:
        configured = self._table.get("exclude", [])
        for pattern in self._held.exclude:
            if pattern in configured:
                yield self._configured(("exclude",), pattern)
            else:
                yield Setting(keys=("exclude",), value=pattern, origin=COMMAND_LINE)

    def _by_code(self, key: str, entries: Mapping[str, str]) -> Iterator[Setting]:
        """The entries of a table by codes, where slugs may be written."""
        table = self._table.get(key, {})
        written = {rule_code(name, key): name for name in table}
        for code, text in entries.items():
            if table.get(written.get(code)) == text:
                yield self._configured((key, code), text, key, written[code])
            else:
                yield Setting(keys=(key, code), value=text, origin=COMMAND_LINE)

    def _of_loss(self, written: str) -> Iterator[Setting]:
        target = seen_from(written, Path(self._held.directory), self._home)
        held, table = self._held.losses[target], self._table["losses"][written]
        for name in table.get("ignore", {}):
            code = rule_code(name, "ignore")
            keys: Keys = ("losses", target, "ignore", code)
            yield self._configured(keys, held.ignore[code], "losses", written, "ignore", name)
        for name, declared in held.arguments.items():
            keys = ("losses", target, "arguments", name)
            at = ("losses", written, "arguments", name)
            yield self._configured(keys, _plain(declared), *at)
        if held.data:
            keys = ("losses", target, "data")
            yield self._configured(keys, held.data, "losses", written, "data")


def _plain(declared: ArgumentSettings) -> dict[str, Any]:
    if declared.constant:
        return {"value": declared.value}
    fields = {name: getattr(declared, name) for name in ("domain", "shape", "role")}
    return {name: value for name, value in fields.items() if value is not None}


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
