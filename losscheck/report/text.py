"""The report in a terminal: who, what was assumed, the line, the case, why, what to write."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from losscheck.model import LossReport, Report, Verdict
from losscheck.report import text_finding, words
from losscheck.report.lines import block, hang, spread
from losscheck.report.view import View

VERDICTS = {
    "pass": "bold green",
    "fail": "bold red",
    "inconclusive": "bold yellow",
    "error": "bold magenta",
}
SIDE = 10  # columns of the labels below the findings ("not run")
WHY_WIDTH = 40  # columns that the reason for a domain needs to stand beside it


def render(report: Report, view: View) -> str:
    """Write the report as text, with escape codes only where `view.color` asks for them."""
    target = io.StringIO()
    console = Console(
        file=target,
        width=view.width,
        force_terminal=view.color,
        color_system="standard" if view.color else None,
    )
    print_report(report, console, view)
    return target.getvalue()


def print_report(report: Report, console: Console, view: View) -> None:
    """Print every loss and, where there are several, the summary."""
    for loss in report.losses:
        print_lines(loss_lines(loss, view), console)
    print_lines(summary_lines(report, view), console)


def print_lines(lines: Iterable[Text], console: Console) -> None:
    """Print lines as they were laid out; rich neither wraps nor pads them."""
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False)


def loss_lines(loss: LossReport, view: View) -> Iterator[Text]:
    """Say all of one loss; nothing of a passing one where the view is quiet."""
    if view.verbosity >= 0:
        yield from _header(loss, view.width)
        if loss.reason:
            yield from hang(Text("  "), words.clean(loss.reason), view.width)
        yield from _assumptions(loss, view)
        for finding in words.by_severity(loss.findings):
            yield Text()
            yield from text_finding.lines(finding, view)
        if loss.findings:
            yield Text()
        yield from _coverage(loss, view)
        yield Text()
    elif loss.verdict != Verdict.PASS:
        yield from _header(loss, view.width)


def summary_lines(report: Report, view: View) -> Iterator[Text]:
    """Count the verdicts; a single loss has said so in its header already."""
    if view.verbosity < 0 or len(report.losses) != 1:
        summary = report.summary
        numbers = (summary.passed, summary.fail, summary.inconclusive, summary.error)
        counts = [
            (f"{number} {word}", VERDICTS[word])
            for number, word in zip(numbers, VERDICTS, strict=True)
            if number
        ]
        line = Text(words.plural(summary.losses, "loss"), "bold")
        for number, count in enumerate(counts):
            line.append(", " if number else ":  ").append(*count)
        yield from spread(line, _effort(summary.cases, report.seconds), view.width)
    if report.left_out and view.verbosity >= 0:
        yield from _left_out(report, view)


def _header(loss: LossReport, width: int) -> Iterator[Text]:
    left = Text.assemble(
        (words.clean(loss.target), "bold"), "   ", (loss.verdict.upper(), VERDICTS[loss.verdict])
    )
    if loss.findings:
        left.append(f"   {words.severity_counts(loss)}")
    yield from spread(left, _effort(loss.cases, loss.seconds), width)


def _effort(cases: int, seconds: float) -> Text:
    return Text(f"{words.plural(cases, 'case')}   {words.seconds(seconds)}", "dim")


def _assumptions(loss: LossReport, view: View) -> Iterator[Text]:
    """Align the arguments: name, domain and shape, who says so and why."""
    rows = []
    for argument in loss.arguments:
        dtype = "" if argument.dtype == "float32" else f" {argument.dtype}"
        why = f"{argument.origin}: {argument.why}" if argument.why else argument.origin
        if argument.plausible and view.verbosity > 0:
            why += f" (also plausible: {', '.join(argument.plausible)})"
        rows.append((argument.name, f"{argument.domain} {argument.shape}{dtype}", why))
    names = max((cell_len(name) for name, _, _ in rows), default=0)
    kinds = max((cell_len(kind) for _, kind, _ in rows), default=0)
    for name, kind, why in rows:
        label = Text.assemble("  ", (name.ljust(names), "cyan"), "   ", kind)
        if label.cell_len + WHY_WIDTH <= view.width:
            label.append(" " * (5 + names + kinds + 3 - label.cell_len))
        else:
            yield label
            label = Text(" " * (5 + names))
        yield from hang(label, words.clean(why), view.width, "dim")


def _coverage(loss: LossReport, view: View) -> Iterator[Text]:
    """Say what passed, what did not run and why, and what the reader chose to ignore."""
    verified = words.gradient(loss.gradient) if loss.gradient else ""
    passed = words.passed(loss)
    if passed:
        if verified and passed[0] == "gradient":
            passed[0], verified = f"gradient ({verified})", ""
        yield from _side("passed", f"{', '.join(passed)}  [{words.coverage(loss)}]", view, "green")
    if verified:
        yield from _side("gradient", verified, view)
    for outcome, label in (
        ("inconclusive", "undecided"),
        ("error", "fault"),
        ("skip", "not run"),
    ):
        for reason, checks in words.by_reason(loss.checks, outcome).items():
            names = ", ".join(f"{check.code} {check.slug}" for check in checks)
            yield from _side(label, f"{names}: {reason}", view)
    for reason, codes in words.ignored(loss).items():
        yield from _side("ignored", f"{', '.join(codes)}: {reason}", view)
    for note in loss.notes:
        yield from _side("remark", note, view)
    if view.verbosity > 0 and loss.checks:
        yield from _checks(loss)


def _side(label: str, body: str, view: View, style: str = "dim") -> Iterator[Text]:
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


def _left_out(report: Report, view: View) -> Iterator[Text]:
    if view.verbosity > 0:
        for left in report.left_out:
            yield from _side("left out", f"{left.target}: {left.reason}", view)
    else:
        names = ", ".join(left.target for left in report.left_out)
        yield from _side("left out", f"{names} (no losses; -v says why)", view)
