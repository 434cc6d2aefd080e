"""The baseline: findings that were there before, which do not fail until they expire.

It is a JSON file to be kept beside the code. An entry has no line and no number, so that an edit
elsewhere changes nothing in it.
"""

from __future__ import annotations

import datetime
import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from losscheck.fingerprints import fingerprints, parts
from losscheck.model import LossReport, Severity, UsageError

FILE = "losscheck-baseline.json"
VERSION = 1
REASON = "it was there when the baseline was written"
FIELDS = ("fingerprint", "target", "code", "op", "pass", "dtype", "mode", "first_seen", "reason")


@attrs.frozen(kw_only=True)
class Entry:
    """A finding that is known.

    Attributes
    ----------
    fingerprint
        As `losscheck.fingerprints` gives it.
    target, code, op, direction, dtype, mode
        What it is made of, for whoever reads the file.
    first_seen, expires
        Dates as "2026-11-30"; `expires` is "" where it holds for good.
    reason
        Why it is left as it is.
    """

    fingerprint: str
    target: str
    code: str
    op: str
    direction: str
    dtype: str
    mode: str
    first_seen: str
    reason: str = REASON
    expires: str = ""

    def expired(self, today: datetime.date) -> bool:
        """Say whether it holds no more: the day that it names is the last one."""
        return bool(self.expires) and datetime.date.fromisoformat(self.expires) < today

    @property
    def told(self) -> str:
        """Name it in a few words, such as "LC203 at Log in float32"."""
        at = f" at {self.op}" if self.op else ""
        mode = "" if self.mode == "graph" else f" ({self.mode})"
        return f"{self.code}{at} in {self.dtype}{mode}"


def read(file: Path) -> tuple[Entry, ...]:
    """Read a baseline; one that has not changed is read once.

    Raises
    ------
    UsageError
        It cannot be read, or is no baseline; the message names the file and the entry.
    """
    try:
        return _read(file, file.stat().st_mtime_ns)
    except OSError as error:
        raise UsageError(
            f"cannot read the baseline {file}: {error.strerror}; "
            "`losscheck baseline write` makes one"
        ) from error


@functools.lru_cache(maxsize=8)
def _read(file: Path, _changed: int) -> tuple[Entry, ...]:
    try:
        tree = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{file} is no baseline: {error}") from error
    if not isinstance(tree, dict) or tree.get("version") != VERSION:
        raise UsageError(
            f'{file} is no baseline of this version: expected {{"version": {VERSION}, ...}}; '
            "write it anew with `losscheck baseline write`"
        )
    entries = tree.get("entries")
    if not isinstance(entries, list):
        raise UsageError(f"{file}: entries: expected a list, got {entries!r}")
    return tuple(_entry(each, f"{file}: entry {i + 1}") for i, each in enumerate(entries))


def _entry(tree: Any, where: str) -> Entry:
    if not isinstance(tree, dict):
        raise UsageError(f"{where}: expected a table, got {tree!r}")
    for name in FIELDS:
        if not isinstance(tree.get(name), str):
            raise UsageError(f"{where}: {name}: expected a text, got {tree.get(name)!r}")
    if not tree["reason"].strip():
        raise UsageError(f"{where}: reason: say why {tree['code']} is left as it is")
    for name in ("first_seen", "expires"):
        _date(tree.get(name) or "", f"{where}: {name}", needed=name == "first_seen")
    return Entry(
        **{name: tree[name] for name in FIELDS if name != "pass"},
        direction=tree["pass"],
        expires=tree.get("expires") or "",
    )


def a_date(text: str, where: str) -> str:
    """Check a date as "2026-11-30".

    Raises
    ------
    UsageError
        It is none; the message begins with `where`.
    """
    return _date(text, where, needed=True)


def _date(text: Any, where: str, *, needed: bool) -> str:
    if not text and not needed:
        return ""
    try:
        return datetime.date.fromisoformat(text).isoformat()
    except (TypeError, ValueError):
        raise UsageError(f"{where}: expected a date as 2026-11-30, got {text!r}") from None


def write(file: Path, entries: Iterable[Entry]) -> None:
    """Write a baseline, sorted so that its differences are small.

    Raises
    ------
    UsageError
        It cannot be written.
    """
    ordered = sorted(entries, key=lambda e: (e.target, e.code, e.op, e.dtype, e.fingerprint))
    tree = {"version": VERSION, "entries": list(map(_tree, ordered))}
    text = json.dumps(tree, ensure_ascii=False, indent=1) + "\n"
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write the baseline {file}: {error.strerror}") from error


def _tree(entry: Entry) -> dict[str, str]:
    tree = attrs.asdict(entry)
    tree["pass"] = tree.pop("direction")
    ordered = {name: tree[name] for name in FIELDS}
    return {**ordered, "expires": entry.expires} if entry.expires else ordered


def entries_of(
    losses: Sequence[LossReport], known: Iterable[Entry], today: datetime.date, **given: str
) -> tuple[Entry, ...]:
    """Give the entries of what was found: those that were known as they are, the others as new.

    Parameters
    ----------
    known
        What the baseline held.
    today
        When those that are new were first seen.
    **given
        `reason` and `expires` of those that are new, where they were given.
    """
    before: Mapping[str, Entry] = {entry.fingerprint: entry for entry in known}
    found: dict[str, Entry] = dict(before)
    for loss in losses:
        prints = fingerprints(loss.target, loss.findings)
        for finding in loss.findings:
            name = prints[finding.id]
            if finding.severity == Severity.NOTE or name in before:
                continue
            target, code, op, direction, dtype, mode = parts(loss.target, finding)
            found[name] = Entry(
                fingerprint=name,
                target=target,
                code=code,
                op=op,
                direction=direction,
                dtype=dtype,
                mode=mode,
                first_seen=today.isoformat(),
                **given,
            )
    return tuple(found.values())


def mended(losses: Sequence[LossReport], known: Iterable[Entry]) -> tuple[Entry, ...]:
    """Give the entries whose rule was judged on their loss, and found nothing like them."""
    reports = {loss.target: loss for loss in losses}
    return tuple(entry for entry in known if _is_mended(entry, reports.get(entry.target)))


def _is_mended(entry: Entry, loss: LossReport | None) -> bool:
    if loss is None or entry.fingerprint in fingerprints(loss.target, loss.findings).values():
        return False
    judged = ("pass", "note", "warn", "fail")
    return any(check.code == entry.code and check.outcome in judged for check in loss.checks)
