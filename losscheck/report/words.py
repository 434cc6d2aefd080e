"""Counts, cases and coverage as people read them; what every renderer shares."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np

from losscheck.changes import Changes, LossChange
from losscheck.faults import whose
from losscheck.model import (
    Argument,
    Check,
    Coverage,
    DigitCurve,
    Fault,
    Finding,
    GradientSummary,
    Location,
    LossReport,
    Report,
    Severity,
)
from losscheck.report.arrays import SHORT, apart, lone, scalar

FEW = 3  # rules that are named where more are counted
FINEST = 8  # significant digits beyond which a float32 result says nothing more

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
ORIGINS = {"declared": "declared", "known": "known", "inferred": "assumed"}
SEVERITIES = tuple(severity.value for severity in Severity)  # as reports order them
_INSTALLED = re.compile(r"^.*[\\/](site|dist)-packages[\\/]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """Write control characters and marks of direction out: no text steers the reader's terminal."""
    text = text.replace("\r\n", "\n").replace("\t", " ")
    return _CONTROL.sub(lambda match: ascii(match.group())[1:-1], text)


def one_line(text: str) -> str:
    """Join the lines of a text."""
    return " ".join(clean(text).split())


def named_role(argument: Argument) -> str:
    """Name an argument, and its role where the name is another: ``labels (y_true)``."""
    return argument.name if argument.name == argument.role else f"{argument.name} ({argument.role})"


def assumed(loss: LossReport) -> list[str]:
    """Say what the arguments are taken for: ``y_true, y_pred real (B, D), assumed``."""
    taken: dict[str, list[str]] = {}
    for argument in loss.arguments:
        dtype = "" if argument.dtype == "float32" else f" {argument.dtype}"
        kind = f"{argument.domain} {argument.shape}{dtype}, {ORIGINS[argument.origin]}"
        plain = argument.role == argument.domain  # weights are weights
        name = argument.name if plain else named_role(argument)
        taken.setdefault(kind, []).append(clean(name))
    return [f"{', '.join(names)} {clean(kind)}" for kind, names in taken.items()]


def plural(number: int, word: str) -> str:
    """Write a count with its word: ``1,204 cases``, ``1 loss``."""
    ending = "" if number == 1 else "es" if word.endswith("s") else "s"
    return f"{number:,} {word}{ending}"


def seconds(value: float) -> str:
    """Write a duration."""
    return f"{value:.1f} s"


def place(location: Location | None) -> str:
    """Write ``file:line``, or nothing; a file of an installed package from the package on."""
    if location is None:
        return ""
    return f"{_INSTALLED.sub('', clean(location.file))}:{location.line}"


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """Errors first, then warnings, then notes; otherwise in the order found."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def case(finding: Finding) -> list[str]:
    """Each input of the minimal case: ``y_pred [[0., 1.]]``; the program has every digit."""
    digits = apart(finding.inputs.values())
    return [f"{clean(name)} {lone(value, digits)}" for name, value in finding.inputs.items()]


def observed(finding: Finding) -> list[str]:
    """Write what came out: ``loss 0.0``, ``gradient [[nan, 0.]]``."""
    return [f"{word} {seen}" for word, seen, _ in _results(finding) if seen]


def expected(finding: Finding) -> list[str]:
    """Write what should have come out, where that says more than what was observed."""
    summed = np.size(finding.expected.value) < np.size(finding.observed.value)
    parts = [
        f"{'sum of the loss' if summed and word == 'loss' else word} {truth}"
        for word, seen, truth in _results(finding)
        if truth not in ("", seen)
    ]
    return [*parts, clean(finding.expected.text)] if finding.expected.text else parts


def _results(finding: Finding) -> list[tuple[str, str, str]]:
    """Loss and gradient as (word, observed, expected), with digits enough to see them differ."""
    seen, truth = finding.observed, finding.expected
    known = truth.gradient is None or not np.isnan(np.asarray(truth.gradient, float)).any()
    due = truth.gradient if known else None  # of large cases the slope is known here and there
    pairs = (("loss", seen.value, truth.value), ("gradient", seen.gradient, due))
    return [(word, *_written(given, due)) for word, given, due in pairs]


def _written(given: Any, due: Any) -> tuple[str, str]:
    for digits in (*range(SHORT, FINEST + 1), SHORT):
        left, right = ("" if part is None else lone(part, digits) for part in (given, due))
        if left != right:
            break
    return left, right


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
    if summary.largest is not None and summary.largest > 1:
        parts[0] += f" of up to {summary.largest:,} elements"
    if summary.float32_digits is not None:
        parts[0] += f", {summary.float32_digits:.1f} in float32"
    if summary.compute_gradient_max_error is not None:
        error = summary.compute_gradient_max_error
        parts.append(f"compute_gradient within {scalar(error, 1)}")
    if summary.forward_mode_max_error is not None:
        error = summary.forward_mode_max_error
        parts.append(f"forward mode {scalar(error, 1)}")
    return "; ".join(parts)


def digits(curve: DigitCurve) -> str:
    """Say how many digits are right, the median of each decade; decades alike are told once."""
    parts = [
        f"{name} {_by_decade(curve, field)}"
        for name, field in (("loss", "value_median"), ("gradient", "gradient_median"))
        if any(getattr(decade, field) is not None for decade in curve.decades)
    ]
    return f"over {curve.along}: {'; '.join(parts)}"


def _by_decade(curve: DigitCurve, field: str) -> str:
    """Write "0 below 1e-3, 2 below 0.01, 7 above", or "7 throughout"."""
    told = [(d.exponent, getattr(d, field)) for d in curve.decades]
    whole = [(exponent, int(digits + 0.5)) for exponent, digits in told if digits is not None]
    runs = [end for end, after in pairwise(whole) if end[1] != after[1]]
    if not runs:
        return f"{whole[-1][1]} throughout"
    below = [f"{count} below {scalar(10.0 ** (exponent + 1), 1)}" for exponent, count in runs]
    return ", ".join([*below, f"{whole[-1][1]} above"])


def date(report: Report) -> str:
    """Say when a report was made: ``2026-11-30 06:50 UTC``; empty where it does not tell."""
    day, _, clock = clean(report.date).partition("T")
    return f"{day} {clock[:5]} UTC" if clock else day


def kept(losses: Iterable[LossReport]) -> tuple[str, ...]:
    """Say which losses were examined by an earlier run, in a line; in none where there is none."""
    names = [clean(loss.target) for loss in losses if loss.kept]
    if not names:
        return ()
    told = f"{plural(len(names), 'loss')} not run again, as nothing has changed"
    return (f"{told} (--no-cache runs all): {', '.join(names)}",)


def unexamined(report: Report) -> str:
    """Say what an interrupted run did not come to; empty where it came to everything."""
    missed = [one_line(target) for target in report.unexamined]
    if not missed:
        return ""
    were = "was" if len(missed) == 1 else "were"
    return (
        f"The run was interrupted: {plural(len(missed), 'loss')} {were} not examined: "
        f"{', '.join(missed)}."
    )


def changed(changes: Changes) -> str:
    """Count what changed: ``1 new, 2 mended, 14 unchanged``."""
    counts = (
        (len(changes.new), "new"),
        (len(changes.worse), "worse"),
        (len(changes.mended), "mended"),
        (len(changes.unsure), "not looked at again"),
        (changes.unchanged, "unchanged"),
    )
    return (
        ", ".join(f"{number:,} {word}" for number, word in counts if number)
        or "no fault in this report"
    )


def loss_change(change: LossChange) -> str:
    """Say what differs of a loss: ``pass -> fail; gradient digits 9.0 -> 4.1; 2.0 s -> 9.1 s``."""
    digits = ["none" if each is None else f"{each:.1f}" for each in change.digits]
    pairs = (
        ("", change.verdicts),
        ("gradient digits ", digits),
        ("", [seconds(each) for each in change.seconds]),
    )
    return "; ".join(f"{what}{old} -> {new}" for what, (old, new) in pairs if old != new)


def self_test(summary: GradientSummary) -> str:
    """Say which known errors were caught; empty where none was put in."""
    parts = [f"{item.fault}, {item.caught:,} of {item.tried:,}" for item in summary.self_test]
    return f"caught: {'; '.join(parts)}" if parts else ""


def passed(loss: LossReport) -> list[str]:
    """Name what passed: a family as one word where all of it that applies did, else the slugs."""
    done = [check for check in loss.checks if check.outcome == "pass"]
    mixed = {_family(c) for c in loss.checks if c.outcome != "pass" and c.applies}
    words: dict[str, None] = {}  # a set that keeps its order
    for check in done:
        words[check.slug if _family(check) in mixed else _family(check)] = None
    return list(words)


def passed_briefly(loss: LossReport) -> str:
    """Name the families that passed as a whole, and of other rules a few, or how many did."""
    names = passed(loss)
    whole = [name for name in names if name in FAMILIES.values()]
    others = [name for name in names if name not in whole]
    if len(others) > FEW:
        others = [plural(len(others), "other rule")]
    return ", ".join([*whole, *others])


def coverage(loss: LossReport) -> str:
    """Name the dtypes and modes that passed."""
    done = [check for check in loss.checks if check.outcome == "pass"]
    dtypes = dict.fromkeys(dtype for check in done for dtype in check.dtypes)
    modes = dict.fromkeys(mode for check in done for mode in check.modes)
    return "; ".join(", ".join(names) for names in (dtypes, modes) if names)


def searched(part: Coverage) -> str:
    """Say what one stage of the search covered, on a line."""
    shape = f"({', '.join(map(str, part.shape))}{',' if len(part.shape) == 1 else ''})"
    counted = part.what
    if part.covered is not None:
        whole = "" if part.of is None else f" of {part.of:,}"
        counted = f"{part.covered:,}{whole} {part.what}"
    parts = [counted, plural(part.cases, "case") if part.cases else "", part.reason]
    return f"{part.stage} {shape}: {'; '.join(p for p in parts if p) or 'no case'}"


def by_reason(loss: LossReport, outcome: str) -> dict[str, list[Check]]:
    """Gather the checks of an outcome by the reason given for it, but for what is ignored."""
    apart = set_apart(loss)
    groups: dict[str, list[Check]] = {}
    for check in loss.checks:
        if check.outcome == outcome and check.code not in apart:
            groups.setdefault(check.reason, []).append(check)
    return groups


def fault(found: Fault) -> str:
    """Say what failed, and whose it is."""
    return f"{whose(found)} failed in {one_line(found.what)}: {one_line(found.error)}"


def made_with(report: Report) -> str:
    """Say what brings the same numbers again: the seed, and the versions."""
    env = report.environment
    return (
        f"seed {report.seed} (--seed); losscheck {report.losscheck}, Python {env.python}, "
        f"TensorFlow {env.tensorflow}, Keras {env.keras}, NumPy {env.numpy}"
    )


def to_report(report: Report) -> str:
    """Say how to report what failed of losscheck itself; empty where nothing did."""
    own = (loss for loss in report.losses if any(not fault.package for fault in loss.faults))
    failed = next(own, None)
    if failed is None:
        return ""
    env = report.environment
    command = f"losscheck {shlex.quote(clean(failed.target))} --seed {report.seed} -v"
    return (
        "losscheck itself failed in part, which is no fault of your loss. Please report it with "
        f"the traceback that `{command}` prints, the loss or a small one that fails alike, and: "
        f"losscheck {report.losscheck}, Python {env.python}, TensorFlow {env.tensorflow}, Keras "
        f"{env.keras}, NumPy {env.numpy}, {clean(env.platform)}"
    )


def ignored(loss: LossReport) -> list[str]:
    """Name what the user's settings ignore: ``LC103 at losses.py:12, 34 cases: it is meant``."""
    entries: dict[tuple[str, str, str], int] = {}
    for entry in loss.ignored:
        where = f" at {place(entry.location)}" if entry.location else ""
        key = entry.code, where, one_line(entry.reason)
        entries[key] = entries.get(key, 0) + entry.count
    return [
        f"{code}{where}, {plural(count, 'case')}: {reason}"
        for (code, where, reason), count in entries.items()
    ]


def set_apart(loss: LossReport) -> set[str]:
    """The codes of the rules whose findings are ignored."""
    return {entry.code for entry in loss.ignored}


def _family(check: Check) -> str:
    """What a rule is about, in a word; one of another package or a later version is its own."""
    known = check.code.startswith("LC")
    return FAMILIES.get(check.code[2:3], check.slug) if known else check.slug
