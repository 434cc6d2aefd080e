"""Which findings of a loss are set apart, and why: by settings, comments or the baseline."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

from losscheck.engine import outcomes
from losscheck.model import Check, Finding, Ignored, Outcome
from losscheck.settings.baseline import Entry, matched, read, still
from losscheck.settings.comments import Comment, comments, head
from losscheck.settings.settings import Settings
from losscheck.targets import Loss

JUDGED = (Outcome.PASS, Outcome.NOTE, Outcome.WARN, Outcome.FAIL)


@attrs.frozen(kw_only=True, eq=False)
class Apart:
    """The findings of one loss, sorted.

    Attributes
    ----------
    kept
        Those that count.
    ignored
        Those that are set apart.
    reasons
        Why, by their ids.
    reminders
        Comments that match nothing, entries of the baseline that are mended or have expired.
    checks
        Of every rule, restated without what is set apart.
    """

    kept: tuple[Finding, ...]
    ignored: tuple[Ignored, ...]
    reasons: dict[str, str]
    reminders: tuple[str, ...]
    checks: tuple[Check, ...]


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
