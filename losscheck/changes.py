"""What tells one fault from another for good, and what differs between two reports by that.

Faults are told apart by their fingerprints, so that neither a moved line nor other numbers make an
old one new. What was not looked at again is not called mended.

Where several operations of one line can be to blame, as both halves of a `tf.clip_by_value`, the
case that was found says which: who compares looks at the line as well.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from losscheck.model import (
    Diagnosis,
    Finding,
    Location,
    LossReport,
    Outcome,
    Report,
    Severity,
)

RANK = {Severity.NOTE: 0, Severity.WARNING: 1, Severity.ERROR: 2}
DIGITS = 0.5  # of the gradient: what is less differs from run to run
SLOWER, SECONDS = 1.5, 1.0  # a time that differs less, by factor or by seconds, is noise
OPEN = (Outcome.SKIP, Outcome.INCONCLUSIVE, Outcome.ERROR)
LENGTH = 32  # hexadecimal digits
_COMMENT = re.compile(r"\s#.*")
_VARIABLE = re.compile(r"(?<![\w.])[^\W\d]\w*(?!\w)(?!\s*\()")  # what is called is none


@attrs.frozen(kw_only=True)
class Change:
    """A fault that is in one report and not, or not so, in the other."""

    target: str
    id: str  # of the finding that is told first
    code: str
    slug: str
    severity: str
    message: str
    location: Location | None
    was: str = ""  # its severity before, where it was there and is worse now
    reason: str = ""  # why it cannot be said whether it is mended


@attrs.frozen(kw_only=True)
class LossChange:
    """What else differs of a loss that both reports have."""

    target: str
    verdicts: tuple[str, str]  # before and now, as all below
    digits: tuple[float | None, float | None]  # of the gradient, beside numeric derivatives
    seconds: tuple[float, float]


@attrs.frozen(kw_only=True)
class Changes:
    """All that differs; `new`, `worse` and `mended` have the worst first."""

    new: tuple[Change, ...]
    worse: tuple[Change, ...]
    mended: tuple[Change, ...]
    unsure: tuple[Change, ...]  # not found again where it was not looked for to the end
    unchanged: int  # diagnoses
    losses: tuple[LossChange, ...]
    added: tuple[str, ...]  # targets that the old report has not
    missing: tuple[str, ...]  # targets that the new report has not
    seconds: tuple[float, float]  # of what both reports have

    @property
    def new_errors(self) -> int:
        """How many faults are errors now and were none before."""
        return sum(change.severity == Severity.ERROR for change in (*self.new, *self.worse))


@attrs.frozen(kw_only=True, eq=False)
class _Fault:
    """A diagnosis, or a finding that belongs to none."""

    lead: Finding
    severity: str
    location: Location | None
    prints: frozenset[str]

    def change(self, target: str, was: str = "", reason: str = "") -> Change:
        return Change(
            target=target,
            id=self.lead.id,
            code=self.lead.code,
            slug=self.lead.slug,
            severity=self.severity,
            message=self.lead.message,
            location=self.location,
            was=was,
            reason=reason,
        )


def changes(old: Report, new: Report) -> Changes:
    """Compare two reports, loss by loss.

    Parameters
    ----------
    old, new
        The reports; losses are the same where their targets are.
    """
    before = {loss.target: loss for loss in old.losses}
    now = {loss.target: loss for loss in new.losses}
    both = [(before[target], loss) for target, loss in now.items() if target in before]
    came = [change for loss in now.values() for change in _new(before.get(loss.target), loss)]
    gone = [change for pair in both for change in _gone(*pair)]
    fresh = [change for change in came if not change.was]
    counted = sum(len(list(_faults(loss))) for loss in now.values())
    return Changes(
        new=_sorted(fresh),
        worse=_sorted(change for change in came if change.was),
        mended=_sorted(change for change in gone if not change.reason),
        unsure=_sorted(change for change in gone if change.reason),
        unchanged=counted - len(came),
        losses=tuple(filter(None, (_other(*pair) for pair in both))),
        added=tuple(target for target in now if target not in before),
        missing=tuple(target for target in before if target not in now),
        seconds=(sum(loss.seconds for loss, _ in both), sum(loss.seconds for _, loss in both)),
    )


def _sorted(found: Iterator[Change] | list[Change]) -> tuple[Change, ...]:
    return tuple(sorted(found, key=lambda change: -RANK[Severity(change.severity)]))


def _faults(loss: LossReport) -> Iterator[_Fault]:
    prints = [give(loss.target, loss.findings) for give in (fingerprints, of_lines)]
    for diagnosis, members in together(loss):
        yield _fault(diagnosis, members, prints)


def _fault(
    diagnosis: Diagnosis | None, members: list[Finding], prints: Sequence[Mapping[str, str]]
) -> _Fault:
    lead = members[0]
    return _Fault(
        lead=lead,
        severity=lead.severity if diagnosis is None else diagnosis.severity,
        location=lead.location if diagnosis is None else diagnosis.location,
        prints=frozenset(p[f.id] for p in prints for f in members if f.id in p),
    )


def _severities(loss: LossReport) -> dict[str, str]:
    """The severity of the fault that each fingerprint belongs to."""
    return {mark: fault.severity for fault in _faults(loss) for mark in fault.prints}


def _new(old: LossReport | None, new: LossReport) -> Iterator[Change]:
    """Give the faults that were not there before, or are worse now."""
    known = {} if old is None else _severities(old)
    for fault in _faults(new):
        were = [known[mark] for mark in fault.prints if mark in known]
        was = max(were, key=lambda each: RANK[Severity(each)], default="")
        if not was or RANK[Severity(was)] < RANK[Severity(fault.severity)]:
            yield fault.change(new.target, was=was)


def _gone(old: LossReport, new: LossReport) -> Iterator[Change]:
    """Give the faults that are not found any more, and why where that does not mean mended."""
    still = _severities(new)
    for fault in _faults(old):
        if not any(mark in still for mark in fault.prints):
            yield fault.change(old.target, reason=_open(new, fault.lead.code))


def _open(loss: LossReport, code: str) -> str:
    """Say why a rule's silence says nothing; "" where it was run to the end."""
    for entry in loss.ignored:
        if entry.code == code:
            return f"ignored: {entry.reason}"
    for check in loss.checks:
        if check.code == code:
            return check.reason or "it was not decided" if check.outcome in OPEN else ""
    return loss.reason or "its rule was not run"


def _other(old: LossReport, new: LossReport) -> LossChange | None:
    """Give verdict, digits and time of a loss where any of them differs by more than noise."""
    one, other = (None if r.gradient is None else r.gradient.digits for r in (old, new))
    known = one is not None and other is not None
    moved = abs((other or 0) - (one or 0)) >= DIGITS if known else one is not other
    low, high = sorted((old.seconds, new.seconds))
    timed = high > SLOWER * low and high - low >= SECONDS
    if old.verdict == new.verdict and not moved and not timed:
        return None
    return LossChange(
        target=new.target,
        verdicts=(old.verdict, new.verdict),
        digits=(one, other),
        seconds=(old.seconds, new.seconds),
    )


def together(loss: LossReport) -> Iterator[tuple[Diagnosis | None, list[Finding]]]:
    """Give each diagnosis of a loss with its findings, and alone those that belong to none."""
    known = {finding.id: finding for finding in loss.findings}
    told: set[str] = set()
    for diagnosis in loss.diagnoses:
        if members := [known[name] for name in diagnosis.findings if name in known]:
            told.update(finding.id for finding in members)
            yield diagnosis, members
    yield from ((None, [finding]) for finding in loss.findings if finding.id not in told)


def parts(target: str, finding: Finding) -> tuple[str, ...]:
    """What a fingerprint is made of: target, code, operation and direction, dtype and mode."""
    place = finding.location
    op, direction = ("", "") if place is None else (place.op, place.direction)
    return (target, finding.code, op, direction, finding.dtype, finding.mode)


def fingerprints(target: str, findings: Iterable[Finding]) -> dict[str, str]:
    """Give the fingerprint of each finding of a loss, by its id.

    Those that are alike, such as two logarithms of 0, are told apart by their order in the source.
    """
    alike: Counter[tuple[str, ...]] = Counter()
    found: dict[str, str] = {}
    for finding in sorted(findings, key=_in_source):
        kind = parts(target, finding)
        alike[kind] += 1
        found[finding.id] = _hashed((*kind, str(alike[kind])))
    return found


def of_lines(target: str, findings: Iterable[Finding]) -> dict[str, str]:
    """Give the same by the line that is blamed, in place of the operation on it.

    Its variables go by their order, so that their names say nothing; lines that are alike go by
    theirs. What is blamed on no line has none.
    """
    kinds = {}
    lines: dict[tuple[str, ...], list[int]] = {}
    for finding in sorted(findings, key=_in_source):
        if (place := finding.location) is not None and place.source.strip():
            code, _, direction, dtype, mode = parts(target, finding)[1:]
            kind = (target, code, direction, dtype, mode, _without_names(place.source))
            alike = lines.setdefault(kind, [])
            if place.line not in alike:
                alike.append(place.line)
            kinds[finding.id] = (*kind, str(alike.index(place.line) + 1))
    return {name: _hashed(kind) for name, kind in kinds.items()}


def _hashed(kind: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(kind).encode()).hexdigest()[:LENGTH]


def _without_names(line: str) -> str:
    """Number the variables of a line; what is called, and every number, stays."""
    names: dict[str, str] = {}
    text = " ".join(_COMMENT.sub("", line).split())
    return _VARIABLE.sub(lambda name: names.setdefault(name[0], f"${len(names)}"), text)


def _in_source(finding: Finding) -> tuple[str, int, int, str]:
    place = finding.location
    if place is None:
        return ("", 0, 0, finding.id)
    return (place.file, place.line, place.column or 0, finding.id)
