"""Counts, cases and coverage as people read them; what every renderer shares."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from typing import Any

from losscheck.model import Check, Finding, GradientSummary, Location, LossReport, Severity
from losscheck.report.arrays import array
from losscheck.report.view import View

DIGITS = 8  # significant digits of a result; inputs are always shown exactly

# Rules are numbered by family: LC2xx is about NaN and Inf.
FAMILIES = {
    "1": "gradient",
    "2": "NaN and Inf",
    "3": "precision",
    "4": "shapes",
    "5": "modes and dtypes",
    "6": "training",
    "9": "calls",
}
KINDS = {
    "avoidable": "the truth is finite",
    "inherent": "the truth is too large for the dtype",
    "undefined": "there is no finite truth",
}
SEVERITIES = tuple(severity.value for severity in Severity)  # as reports order them
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def clean(text: str) -> str:
    """Write control characters out: what a loss raises must not steer the reader's terminal."""
    text = text.replace("\r\n", "\n").replace("\t", " ")
    return _CONTROL.sub(lambda match: f"\\x{ord(match.group()):02x}", text)


def one_line(text: str) -> str:
    """Join the lines of a text."""
    return " ".join(clean(text).split())


def plural(number: int, word: str) -> str:
    """Write a count with its word: ``1,204 cases``, ``1 loss``."""
    ending = "" if number == 1 else "es" if word.endswith("s") else "s"
    return f"{number:,} {word}{ending}"


def seconds(value: float) -> str:
    """Write a duration."""
    return f"{value:.1f} s"


def place(location: Location | None) -> str:
    """Write ``file:line``, or nothing."""
    return "" if location is None else f"{clean(location.file)}:{location.line}"


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """Errors first, then warnings, then notes; otherwise in the order found."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def severity_count(loss: LossReport, severity: str) -> int:
    """How many findings of a loss have this severity."""
    return sum(finding.severity == severity for finding in loss.findings)


def severity_counts(loss: LossReport) -> str:
    """Write ``1 error, 2 warnings``; empty where there is no finding."""
    counts = ((severity_count(loss, severity), severity) for severity in SEVERITIES)
    return ", ".join(plural(number, severity) for number, severity in counts if number)


def case(finding: Finding) -> list[str]:
    """Each input of the minimal case, exactly: ``y_pred [[0., 1.]]``."""
    return [f"{clean(name)} {array(value)}" for name, value in finding.inputs.items()]


def result(value: Any, gradient: Any) -> list[str]:
    """Write what came out, or should have: ``loss 0.0``, ``gradient [[nan, 0.]]``."""
    parts = (("loss", value), ("gradient", gradient))
    return [f"{word} {array(part, DIGITS)}" for word, part in parts if part is not None]


def expected(finding: Finding) -> list[str]:
    """Write what should have come out, where that says more than what was observed."""
    truth, seen = finding.expected, finding.observed
    parts = [
        part
        for part in result(truth.value, truth.gradient)
        if part not in result(seen.value, seen.gradient)
    ]
    return [*parts, clean(truth.text)] if truth.text else parts


def replay(finding: Finding, view: View) -> str:
    """Write the command that shows the finding again."""
    return f"losscheck replay {shlex.quote(view.report_path)} {finding.id}"


def circumstances(finding: Finding) -> str:
    """Where the finding holds: its range, what the truth is, dtype, mode, number of cases."""
    parts = [f"{finding.range} range" if finding.range else "", KINDS.get(finding.kind or "", "")]
    parts.append(f"{finding.dtype}, {finding.mode}")
    if finding.count > 1:
        parts.append(f"{finding.count:,} such cases")
    return "; ".join(part for part in parts if part)


def gradient(summary: GradientSummary) -> str:
    """How well the gradient was verified."""
    parts = [f"{summary.points:,} points"]
    if summary.digits is not None:
        parts = [f"{summary.digits:.1f} digits on {parts[0]}"]
    if summary.compute_gradient_max_error is not None:
        parts.append(f"compute_gradient within {summary.compute_gradient_max_error:.0e}")
    return "; ".join(parts)


def passed(loss: LossReport) -> list[str]:
    """Name what passed: a family as one word where all of it did, else the slugs."""
    done = [check for check in loss.checks if check.outcome == "pass"]
    mixed = {_family(check) for check in loss.checks if check.outcome not in ("pass", "skip")}
    words: dict[str, None] = {}  # a set that keeps its order
    for check in done:
        words[check.slug if _family(check) in mixed else FAMILIES[_family(check)]] = None
    return list(words)


def coverage(loss: LossReport) -> str:
    """Name the dtypes and modes that passed."""
    done = [check for check in loss.checks if check.outcome == "pass"]
    dtypes = dict.fromkeys(dtype for check in done for dtype in check.dtypes)
    modes = dict.fromkeys(mode for check in done for mode in check.modes)
    return "; ".join(", ".join(names) for names in (dtypes, modes) if names)


def by_reason(checks: Iterable[Check], outcome: str) -> dict[str, list[Check]]:
    """Gather the checks of an outcome by the reason given for it."""
    groups: dict[str, list[Check]] = {}
    for check in checks:
        if check.outcome == outcome:
            groups.setdefault(check.reason, []).append(check)
    return groups


def ignored(loss: LossReport) -> dict[str, list[str]]:
    """Gather the codes that were ignored by the reason given for it."""
    groups: dict[str, list[str]] = {}
    for entry in loss.ignored:
        codes = groups.setdefault(entry.reason, [])
        if entry.code not in codes:
            codes.append(entry.code)
    return groups


def _family(check: Check) -> str:
    return check.code[2:3]
