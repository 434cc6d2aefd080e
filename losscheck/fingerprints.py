"""What tells one fault from another for good: no number of a line, no name of a variable, no value.

Where several operations of one line can be to blame, as both halves of a `tf.clip_by_value`, the
case that was found says which: who compares looks at the line as well.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from losscheck.model import Diagnosis, Finding, LossReport

LENGTH = 32  # hexadecimal digits
_COMMENT = re.compile(r"\s#.*")
_VARIABLE = re.compile(r"(?<![\w.])[^\W\d]\w*(?!\w)(?!\s*\()")  # what is called is none


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
