"""Which findings of a loss are set apart, and why: by settings, by comments, or as known."""

from __future__ import annotations

import datetime
import functools
import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

from losscheck.engine import outcomes
from losscheck.model import Check, Finding, Ignored, Outcome, UsageError
from losscheck.rules import EXAMPLE, prefixes
from losscheck.settings.baseline import Entry, matched, read, still
from losscheck.settings.settings import Settings
from losscheck.targets import Loss

JUDGED = (Outcome.PASS, Outcome.NOTE, Outcome.WARN, Outcome.FAIL)
COMMENT = re.compile(r"#\s*losscheck\s*:\s*ignore\b(?P<codes>\[[^\]]*\])?(?P<reason>.*)")


@attrs.frozen(kw_only=True, eq=False)
class Apart:
    """The findings of one loss, sorted."""

    kept: tuple[Finding, ...]
    ignored: tuple[Ignored, ...]
    reasons: dict[str, str]  # why findings are set apart, by their ids
    # Comments that match nothing, entries of the baseline that are mended or have expired.
    reminders: tuple[str, ...]
    checks: tuple[Check, ...]  # of every rule, restated without what is set apart


def apart(
    findings: Sequence[Finding], checks: Sequence[Check], loss: Loss, settings: Settings
) -> Apart:
    """Sort the findings of a loss, and restate its checks.

    Raises
    ------
    UsageError
        A comment names no rule or gives no reason.
    """
    home = Path(settings.directory).resolve()
    own = _own(loss)
    spoken: set[Comment] = set()
    entries = _baseline(loss.target, settings)
    known = matched(entries, loss.target, findings)
    today = datetime.datetime.now(tz=datetime.UTC).date()
    by_code = settings.ignored(loss.target)
    reasons: dict[str, str] = {}
    told: dict[str, str] = {}  # expired entries that are found again
    for finding in findings:
        comment = next(_comments_on(finding, own, loss, home), None)
        entry = known.get(finding.id)
        if comment is not None:
            spoken.add(comment)
        if finding.code in by_code:
            reasons[finding.id] = by_code[finding.code]
        elif comment is not None:
            reasons[finding.id] = comment.reason
        elif entry is not None and not entry.expired(today):
            reasons[finding.id] = f"in the baseline since {entry.first_seen}: {entry.reason}"
        if entry is not None and entry.expired(today):
            told[entry.fingerprint] = f"{entry.told} stood in the baseline until {entry.expires}"
    there = still(entries, loss.target, findings)
    gone = [entry for entry in entries if entry not in there]
    judged = {check.code for check in checks if check.outcome in JUDGED}
    reminders = [
        *told.values(),
        *(f"{e.told} is mended: `losscheck baseline prune`" for e in gone if e.code in judged),
        *(_unmatched(each) for each in own if each not in spoken and _was_asked(each, checks)),
    ]
    return Apart(
        kept=tuple(f for f in findings if f.id not in reasons),
        ignored=tuple(_ignored(f, reasons[f.id]) for f in findings if f.id in reasons),
        reasons=reasons,
        reminders=tuple(reminders),
        checks=tuple(_restated(check, findings, reasons) for check in checks),
    )


def _own(loss: Loss) -> tuple[Comment, ...]:
    """The comments within the source of the loss, and on the line above it."""
    if loss.source is None or not loss.file:
        return ()
    first, last = loss.lines
    return tuple(
        comment
        for comment in comments(Path(loss.file), loss.source.file)
        if first - 1 <= comment.line <= last
    )


def _comments_on(
    finding: Finding, own: Sequence[Comment], loss: Loss, home: Path
) -> Iterator[Comment]:
    """The comments that speak of a finding: on its line, or where the loss begins."""
    place = finding.location
    if place is not None:
        for comment in comments(home / place.file, place.file):
            if comment.speaks_of(place.line, finding.code):
                yield comment
    for comment in own:
        if any(comment.speaks_of(line, finding.code) for line in _head(loss)):
            yield comment


def _head(loss: Loss) -> range:
    return head(Path(loss.file), loss.lines[0])


def _baseline(target: str, settings: Settings) -> list[Entry]:
    """The entries of a loss."""
    entries = read(Path(settings.baseline)) if settings.baseline else ()
    return [entry for entry in entries if entry.target == target]


def _was_asked(comment: Comment, checks: Sequence[Check]) -> bool:
    """Say whether the rules that a comment names were judged: what is left out may find yet."""
    named = [check for check in checks if check.code.startswith(comment.codes)]
    return all(check.outcome in JUDGED or not check.applies for check in named)


def _unmatched(comment: Comment) -> str:
    codes = ", ".join(comment.codes)
    return f"{comment.place}: ignore[{codes}] matches no finding"


def _ignored(finding: Finding, reason: str) -> Ignored:
    return Ignored(
        id=finding.id,
        code=finding.code,
        reason=reason,
        count=finding.count,
        location=finding.location,
    )


def _restated(check: Check, findings: Sequence[Finding], reasons: dict[str, str]) -> Check:
    """Restate the outcome of a check some of whose findings are set apart."""
    own = [finding for finding in findings if finding.code == check.code]
    left = [finding for finding in own if finding.id not in reasons]
    if len(left) == len(own):
        return check
    if left:
        return attrs.evolve(
            check, outcome=outcomes.outcome(left).value, reason=outcomes.doubt(left)
        )
    why = "; ".join(dict.fromkeys(reasons[finding.id] for finding in own))
    reason = f"its findings are ignored: {why}"
    return attrs.evolve(check, outcome=Outcome.SKIP.value, reason=reason)


@attrs.frozen(kw_only=True)
class Comment:
    """One comment."""

    file: str
    line: int  # 1-based, where it stands
    codes: tuple[str, ...]  # codes, or how they begin
    reason: str  # why these findings are as they should be
    alone: bool  # whether nothing else stands on its line: then it speaks of the line below as well

    def speaks_of(self, line: int, code: str) -> bool:
        """Say whether it speaks of a finding of a code at a line."""
        here = line == self.line or (self.alone and line == self.line + 1)
        return here and code.startswith(self.codes)

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return f"{self.file}:{self.line}"


def comments(file: Path, shown: str) -> tuple[Comment, ...]:
    """Read the comments of a file; none of one that cannot be read as Python.

    What looks like a comment within a text or a docstring is none.

    Raises
    ------
    UsageError
        A comment names no rule, or gives no reason.
    """
    try:
        return _read(file, shown, file.stat().st_mtime_ns)
    except (OSError, UnicodeDecodeError):
        return ()


@functools.lru_cache(maxsize=256)
def _read(file: Path, shown: str, _changed: int) -> tuple[Comment, ...]:
    text = file.read_text(encoding="utf-8")
    if "losscheck" not in text:
        return ()
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and (match := COMMENT.search(token.string)):
                found.append(_comment(match, token, shown))
    except (tokenize.TokenError, SyntaxError):
        return ()
    return tuple(found)


def head(file: Path, first: int) -> range:
    """The lines of a definition that begins at `first`: its decorators, up to that of `def`."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return range(first, first + 1)
    for number, line in enumerate(lines[first - 1 :], first):
        if line.lstrip().startswith(("def ", "async def ", "class ")) or "lambda" in line:
            return range(first, number + 1)
    return range(first, first + 1)


def _comment(match: re.Match[str], token: tokenize.TokenInfo, shown: str) -> Comment:
    where = f"{shown}:{token.start[0]}"
    given = [code.strip() for code in (match["codes"] or "").strip("[]").split(",")]
    codes = [code for code in given if code]
    if not codes:
        raise UsageError(f"{where}: name the rules: # losscheck: ignore[{EXAMPLE}] and the reason")
    reason = match["reason"].strip().lstrip(":-").strip()
    if not reason:
        listed = ", ".join(codes)
        raise UsageError(f"{where}: give the reason: # losscheck: ignore[{listed}] why it is meant")
    return Comment(
        file=shown,
        line=token.start[0],
        codes=prefixes(codes, where),
        reason=reason,
        alone=not token.line[: token.start[1]].strip(),
    )
