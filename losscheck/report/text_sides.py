"""What stands below the findings of a loss in a terminal: notes, what passed, what did not run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from losscheck.model import LossReport
from losscheck.report import words
from losscheck.report.lines import block, hang
from losscheck.report.view import View

SIDE = 10  # columns of the labels ("not run")
LABELS = {"inconclusive": "undecided", "error": "fault", "skip": "not run"}
NAMED = 4  # rules named beside one reason; more are counted, and -v lists every rule


def brief(loss: LossReport, view: View) -> Iterator[Text]:
    """Say on a few lines what passed, what is undecided, and what was ignored."""
    passed = words.passed_briefly(loss)
    left_out = sum(check.outcome == "skip" and check.applies for check in loss.checks)
    left_out -= len(words.set_apart(loss))
    not_run = f"{words.plural(left_out, 'rule')} not run" if left_out > 0 else ""
    if passed:
        yield from side(
            "passed", "; ".join(part for part in (passed, not_run) if part), view, "green"
        )
    elif not_run:
        yield from side("not run", words.plural(left_out, "rule"), view)
    yield from _open(loss, view, ("inconclusive", "error"))
    yield from _ignored(loss, view)
    yield from _faults(loss, view)


def lines(loss: LossReport, view: View) -> Iterator[Text]:
    """Say what passed, what did not run and why, and what was ignored."""
    yield from _checked(loss, view)
    yield from _ignored(loss, view)
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


def _ignored(loss: LossReport, view: View) -> Iterator[Text]:
    for told in words.ignored(loss):
        yield from side("ignored", told, view)
    for told in loss.reminders:
        yield from side("remember", told, view, "yellow")


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
    yield from _open(loss, view, ("inconclusive", "error", "skip"))


def _open(loss: LossReport, view: View, outcomes: Sequence[str]) -> Iterator[Text]:
    """Name the rules that say nothing of the loss, by the reason."""
    for outcome in outcomes:
        for reason, checks in words.by_reason(loss, outcome).items():
            names = ", ".join(f"{check.code} {check.slug}" for check in checks)
            if len(checks) > NAMED and view.verbosity < 1:
                names = words.plural(len(checks), "rule")
            yield from side(LABELS[outcome], f"{names}: {reason}", view)


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
        left = (
            text.ljust(width) for text, width in zip((code, slug, outcome), widths, strict=False)
        )
        numbers = (cases.rjust(widths[3]), seconds.rjust(widths[4]))
        yield from block("   ".join((*left, *numbers, where)), 2, "dim")
