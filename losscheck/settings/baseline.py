"""The baseline: findings that were there before, which do not fail until they expire.

It is a JSON file to be kept beside the code. An entry has no line and no number, so that an edit
elsewhere changes nothing in it.
"""

from __future__ import annotations

import datetime
import functools
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

from losscheck.changes import fingerprints, of_lines, parts
from losscheck.model import Finding, LossReport, Severity, UsageError
from losscheck.settings.reading import SMALL, text_of, tree_of

FILE = "losscheck-baseline.json"
VERSION = 1
REASON = "it was there when the baseline was written"
OF_LINE = "of_line"  # which entries of earlier versions have not
FIELDS = ("fingerprint", "target", "code", "op", "pass", "dtype", "mode", "first_seen", "reason")


@attrs.frozen(kw_only=True)
class Entry:
    """A finding that is known.

    Attributes
    ----------
    fingerprint
        As `losscheck.changes.fingerprints` gives it.
    target, code, op, direction, dtype, mode
        What it is made of, for whoever reads the file.
    first_seen, expires
        Dates as "2026-11-30"; `expires` is "" where it holds for good.
    reason
        Why it is left as it is.
    of_line
        As `losscheck.changes.of_lines` gives it; "" where no line is blamed.
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
    of_line: str = ""

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
        tree = tree_of(text_of(file, SMALL, "a baseline"))
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
    if not isinstance(tree.get(OF_LINE, ""), str):
        raise UsageError(f"{where}: {OF_LINE}: expected a text, got {tree[OF_LINE]!r}")
    return Entry(
        **{name: tree[name] for name in FIELDS if name != "pass"},
        direction=tree["pass"],
        expires=tree.get("expires") or "",
        of_line=tree.get(OF_LINE, ""),
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


def written(entries: Iterable[Entry]) -> str:
    """Give the text of a baseline, sorted so that its differences are small."""
    ordered = sorted(entries, key=lambda e: (e.target, e.code, e.op, e.dtype, e.fingerprint))
    tree = {"version": VERSION, "entries": list(map(_tree, ordered))}
    return json.dumps(tree, ensure_ascii=False, indent=1) + "\n"


def _tree(entry: Entry) -> dict[str, str]:
    tree = attrs.asdict(entry)
    tree["pass"] = tree.pop("direction")
    return {name: tree[name] for name in (*FIELDS, "expires", OF_LINE) if tree[name]}


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
    found = list(known)
    for loss in losses:
        prints, of_line = (g(loss.target, loss.findings) for g in (fingerprints, of_lines))
        before = matched(known, loss.target, loss.findings)
        for finding in loss.findings:
            if finding.severity == Severity.NOTE or finding.id in before:
                continue
            target, code, op, direction, dtype, mode = parts(loss.target, finding)
            entry = Entry(
                fingerprint=prints[finding.id],
                target=target,
                code=code,
                op=op,
                direction=direction,
                dtype=dtype,
                mode=mode,
                first_seen=today.isoformat(),
                of_line=of_line.get(finding.id, ""),
                **given,
            )
            found.append(entry)
    return tuple(found)


def matched(known: Iterable[Entry], target: str, findings: Sequence[Finding]) -> dict[str, Entry]:
    """Give the entry that each finding of a loss has, by the id of the finding.

    An entry holds for all operations of its line: what has not changed has no new fault, and which
    of them is blamed, or are, may depend on the cases.
    """
    own = [entry for entry in known if entry.target == target]
    exact = {entry.fingerprint: entry for entry in own}
    by_line = {entry.of_line: entry for entry in own if entry.of_line}
    prints, lines = (give(target, findings) for give in (fingerprints, of_lines))
    found = {name: by_line[mark] for name, mark in lines.items() if mark in by_line}
    return found | {name: exact[mark] for name, mark in prints.items() if mark in exact}


def still(known: Iterable[Entry], target: str, findings: Sequence[Finding]) -> list[Entry]:
    """Give the entries of which a loss has a finding."""
    prints, lines = ({*give(target, findings).values()} for give in (fingerprints, of_lines))
    own = (entry for entry in known if entry.target == target)
    return [entry for entry in own if entry.fingerprint in prints or entry.of_line in lines]


def mended(losses: Sequence[LossReport], known: Iterable[Entry]) -> tuple[Entry, ...]:
    """Give the entries whose rule was judged on their loss, and found nothing like them."""
    known = tuple(known)
    return tuple(entry for loss in losses for entry in _mended(loss, known))


def _mended(loss: LossReport, known: Sequence[Entry]) -> Iterator[Entry]:
    there = still(known, loss.target, loss.findings)
    judged = ("pass", "note", "warn", "fail")
    codes = {check.code for check in loss.checks if check.outcome in judged}
    own = (entry for entry in known if entry.target == loss.target and entry not in there)
    yield from (entry for entry in own if entry.code in codes)
