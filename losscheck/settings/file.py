"""Reading [tool.losscheck] of the nearest pyproject.toml, or losscheck.toml, into `Settings`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from losscheck.model import UsageError
from losscheck.rules import EXAMPLE, rule_code
from losscheck.settings.budget import DEFAULT
from losscheck.settings.reading import SMALL, seen_from, text_of
from losscheck.settings.settings import (
    AUTO,
    DTYPES,
    FAIL_ON,
    SEVERITIES,
    TIMEOUT,
    ArgumentSettings,
    LossSettings,
    Settings,
    a_budget,
    a_number_of_jobs,
    an_amount,
    an_order,
    argument,
    check_texts,
    is_pattern,
    known_key,
    one_of,
)

OWN_FILE = "losscheck.toml"  # its keys stand at the top, without [tool.losscheck]
SHARED_FILE = "pyproject.toml"
KEYS = (
    "targets", "exclude", "dtypes", "fail-on", "ignore", "severity", "order", "budget", "baseline",
    "jobs", "timeout", "memory", "isolation", "losses",
)  # fmt: skip
LOSS_KEYS = ("ignore", "arguments", "data")


def read(directory: Path, file: Path | None = None) -> Settings:
    """Read the configuration that holds for a working directory.

    Parameters
    ----------
    directory
        The working directory. Targets that are files are rewritten relative to it.
    file
        The configuration file to read; None looks for the nearest one, upwards of `directory`.

    Returns
    -------
    Settings
        What it says, over the defaults; the defaults alone where there is no file.

    Raises
    ------
    UsageError
        For a file that cannot be read, an unknown key or a value of the wrong type; the message
        names the file and the key.
    """
    directory = directory.resolve()
    found = find(directory, file)
    if found is None:
        return Settings(directory=str(directory))
    return _Reader(found.file, directory).settings(found.table)


@attrs.frozen(kw_only=True)
class Found:
    """A configuration file."""

    file: Path  # where it is, absolute
    above: tuple[str, ...]  # the keys above its table: none, or those of [tool.losscheck]
    table: Mapping[str, Any]  # what it says, unchecked


def find(directory: Path, file: Path | None = None) -> Found | None:
    """Find the configuration that holds for a working directory; None where there is none.

    Raises
    ------
    UsageError
        It cannot be read, or has no table though it was asked for.
    """
    if file is not None:
        return _found((directory / file).resolve(), asked=True)
    for folder in (directory, *directory.parents):
        for name in (OWN_FILE, SHARED_FILE):
            if (folder / name).is_file() and (found := _found(folder / name, asked=False)):
                return found
    return None


def _found(file: Path, *, asked: bool) -> Found | None:
    """Read the table of a file; None where it has none and nobody asked for this file."""
    try:
        document = tomllib.loads(text_of(file, SMALL, "a configuration"))
    except OSError as error:
        raise UsageError(f"cannot read the configuration {file}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # TOML and UTF-8 errors alike, and deep nests
        if not asked and file.name == SHARED_FILE and "tool.losscheck" not in _text(file):
            return None
        raise UsageError(f"{file} is not valid TOML: {error}") from error
    tool = document.get("tool", {})
    table = tool.get("losscheck") if isinstance(tool, dict) else None
    if table is None and file.name != SHARED_FILE:
        return Found(file=file, above=(), table=document)
    if table is None and asked:
        raise UsageError(f"{file} has no [tool.losscheck] table; add one or name another file")
    if table is not None and not isinstance(table, dict):
        raise UsageError(f"{file}: tool.losscheck: expected a table, got {table!r}")
    return None if table is None else Found(file=file, above=("tool", "losscheck"), table=table)


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")


class _Reader:
    """Checks the table of one file, key by key; every message names file and key."""

    def __init__(self, file: Path, directory: Path) -> None:
        self.file = file
        self.directory = directory

    def settings(self, table: Mapping[str, Any]) -> Settings:
        for key in table:
            known_key(key, KEYS, str(self.file))
        dtypes = self._texts(table.get("dtypes", ["float32"]), "dtypes")
        severity = self._by_code(table.get("severity", {}), "severity")
        return Settings(
            targets=tuple(map(self._target, self._texts(table.get("targets", []), "targets"))),
            exclude=tuple(self._texts(table.get("exclude", []), "exclude")),
            dtypes=tuple(one_of(dtype, DTYPES, self._at("dtypes")) for dtype in dtypes),
            fail_on=one_of(
                self._word(table.get("fail-on", Settings().fail_on), "fail-on"),
                FAIL_ON,
                self._at("fail-on"),
            ),
            ignore=self._reasons(table.get("ignore", {}), "ignore"),
            severity={
                code: one_of(word, SEVERITIES, self._at("severity", code))
                for code, word in severity.items()
            },
            budget=a_budget(table.get("budget", DEFAULT), self._at("budget")),
            order=an_order(table.get("order", 1), self._at("order")),
            jobs=a_number_of_jobs(table.get("jobs", AUTO), self._at("jobs")),
            timeout=an_amount(
                table.get("timeout", TIMEOUT),
                self._at("timeout"),
                "seconds, 0 for as many as it takes",
            ),
            memory=an_amount(
                table.get("memory", 0), self._at("memory"), "gigabytes, 0 for what is free"
            ),
            isolation=self._choice(table.get("isolation"), "isolation"),
            losses=self._losses(table.get("losses", {})),
            baseline=self._baseline(table.get("baseline", "")),
            directory=str(self.directory),
            home=str(self.file.parent),
        )

    def _baseline(self, given: Any) -> str:
        """The file that is named, which lies beside this one."""
        name = self._word(given, "baseline")
        return str(self.file.parent / name) if name else ""

    def _losses(self, table: Any) -> dict[str, LossSettings]:
        losses = {}
        for target, own in self._mapping(table, "losses").items():
            key = f'losses."{target}"'
            for name in self._mapping(own, key):
                known_key(name, LOSS_KEYS, self._at(key))
                if is_pattern(target) and name != "ignore":
                    raise UsageError(
                        f"{self._at(key, name)}: a table of a pattern has `ignore` alone; say "
                        "it in the table of each loss"
                    )
            arguments = self._mapping(own.get("arguments", {}), f"{key}.arguments")
            losses[self._target(target)] = LossSettings(
                ignore=self._reasons(own.get("ignore", {}), f"{key}.ignore"),
                arguments={
                    name: self._argument(given, f"{key}.arguments.{name}")
                    for name, given in arguments.items()
                },
                data=self._data(own.get("data", ""), f"{key}.data"),
            )
        return losses

    def _argument(self, given: Any, key: str) -> ArgumentSettings:
        settings = argument(given, self._at(key))
        check_texts(settings, self._at(key))
        return settings

    def _data(self, given: Any, key: str) -> str:
        text = self._word(given, key)
        if text and not text.endswith(".npz") and ":" not in text:
            raise UsageError(
                f'{self._at(key)}: expected a file such as "batch.npz" or a callable such as '
                f'"my_module:batches", got {text!r}'
            )
        return self._target(text)

    def _target(self, target: str) -> str:
        """Make a file, which is named relative to the configuration, relative to the directory."""
        return seen_from(target, self.directory, self.file.parent)

    def _reasons(self, table: Any, key: str) -> dict[str, str]:
        reasons = self._by_code(table, key)
        for code, reason in reasons.items():
            if not reason.strip():
                raise UsageError(
                    f"{self._at(key, code)}: a reason is required; say why the finding is right "
                    "here and stays, the report prints it"
                )
        return reasons

    def _by_code(self, table: Any, key: str) -> dict[str, str]:
        if isinstance(table, list | str) and key.endswith("ignore"):
            raise UsageError(
                f"{self._at(key)}: expected a table from code to reason, such as "
                f'{{ {EXAMPLE} = "clipping is deliberate" }}, got {table!r}'
            )
        return {
            rule_code(code, self._at(key)): self._word(text, f"{key}.{code}")
            for code, text in self._mapping(table, key).items()
        }

    def _texts(self, given: Any, key: str) -> list[str]:
        if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
            raise UsageError(f"{self._at(key)}: expected a list of texts, got {given!r}")
        return given

    def _word(self, given: Any, key: str) -> str:
        if not isinstance(given, str):
            raise UsageError(f"{self._at(key)}: expected a text, got {given!r}")
        return given

    def _choice(self, given: Any, key: str) -> bool | None:
        if given is None or isinstance(given, bool):
            return given
        raise UsageError(f"{self._at(key)}: expected true or false, got {given!r}")

    def _mapping(self, given: Any, key: str) -> dict[str, Any]:
        if not isinstance(given, dict):
            raise UsageError(f"{self._at(key)}: expected a table, got {given!r}")
        return given

    def _at(self, *keys: str) -> str:
        return f"{self.file}: {'.'.join(keys)}"
