"""What stands below the findings of a loss in a terminal: notes, what passed, what did not run."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from losscheck.model import LossReport, Severity
from losscheck.report import words
from losscheck.report.lines import block, hang
from losscheck.report.view import View

SIDE = 10  # columns of the labels ("not run")
NAMED = 4  # rules named beside one reason; more are counted, and -v lists every rule


def lines(loss: LossReport, view: View) -> Iterator[Text]:
    """Say what is worth a line, what passed, what did not run and why, and what was ignored."""
    if view.verbosity < 1:
        yield from _notes(loss, view)
    yield from _checked(loss, view)
    for reason, codes in words.ignored(loss).items():
        yield from side("ignored", f"{', '.join(codes)}: {reason}", view)
    for note in loss.notes:
        yield from side("remark", note, view)
    yield from _faults(loss, view)
    if view.verbosity > 0 and loss.digits is not None:
        yield from side("digits", words.digits(loss.digits), view)
    if view.verbosity > 0:
        for part in loss.coverage:
            yield from side("searched", words.searched(part), view)
    if view.verbosity > 0 and loss.checks:
        yield from _checks(loss)


def _notes(loss: LossReport, view: View) -> Iterator[Text]:
    """Give the notes of a rule a line together, and each place and sentence once."""
    rules: dict[str, dict[str, None]] = {}  # dicts as sets that keep their order
    for finding in loss.findings:
        if finding.severity == Severity.NOTE:
            place = words.place(finding.location)
            sentence = f"{place}{place and ': '}{words.one_line(finding.message)}"
            rules.setdefault(finding.code, {})[sentence] = None
    for code, sentences in rules.items():
        yield from side("note", f"{code} {' '.join(sentences)}", view, "cyan")


def _faults(loss: LossReport, view: View) -> Iterator[Text]:
    """Tell of our own faults what is not told as a reason; where all is asked for, all of them."""
    reasons = {loss.reason, *(check.reason for check in loss.checks)}
    for fault in loss.faults:
        told = words.fault(fault)
        if view.verbosity > 0 or not any(told in words.one_line(reason) for reason in reasons):
            yield from side("fault", told, view)
        for line in fault.traceback if view.verbosity > 0 else ():
            yield from block(words.clean(line), 2 + SIDE, "dim")


def _checked(loss: LossReport, view: View) -> Iterator[Text]:
    verified = words.gradient(loss.gradient) if loss.gradient else ""
    passed = words.passed(loss)
    if passed:
        if verified and passed[0] == "gradient":
            passed[0], verified = f"gradient ({verified})", ""
        yield from side("passed", f"{', '.join(passed)}  [{words.coverage(loss)}]", view, "green")
    if verified:
        yield from side("gradient", verified, view)
    tested = words.self_test(loss.gradient) if loss.gradient else ""
    if tested:
        yield from side("self-test", tested, view)
    for outcome, label in (
        ("inconclusive", "undecided"),
        ("error", "fault"),
        ("skip", "not run"),
    ):
        for reason, checks in words.by_reason(loss, outcome).items():
            names = ", ".join(f"{check.code} {check.slug}" for check in checks)
            if len(checks) > NAMED and view.verbosity < 1:
                names = words.plural(len(checks), "rule")
            yield from side(label, f"{names}: {reason}", view)


def side(label: str, body: str, view: View, style: str = "dim") -> Iterator[Text]:
    """Put a paragraph beside its label."""
    head = Text.assemble("  ", (label.ljust(SIDE), style))
    yield from hang(head, words.clean(body), view.width)


def _checks(loss: LossReport) -> Iterator[Text]:
    yield Text()
    rows = [
        (
            check.code,
            check.slug,
            check.outcome,
            f"{check.cases:,}",
            words.seconds(check.seconds),
            ", ".join((*check.dtypes, *check.modes)),
        )
        for check in loss.checks
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for code, slug, outcome, cases, seconds, where in rows:
        parts = (code, slug.ljust(widths[1]), outcome.ljust(widths[2]), cases.rjust(widths[3]))
        yield from block("   ".join((*parts, seconds.rjust(widths[4]), where)), 2, "dim")
