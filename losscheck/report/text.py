"""The report in a terminal: who, what was assumed, the line, the case, why, what to write."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from losscheck.model import Finding, LossReport, Report, Severity, Verdict
from losscheck.report import text_finding, text_sides, words
from losscheck.report.lines import hang, spread
from losscheck.report.text_sides import side
from losscheck.report.view import View

VERDICTS = {
    "pass": "bold green",
    "fail": "bold red",
    "inconclusive": "bold yellow",
    "error": "bold magenta",
}
PROGRAMS = "Run again with -v for programs that show the findings."
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
    if view.verbosity == 0 and any(map(_has_program, report.losses)):
        print_lines([Text(PROGRAMS, "dim")], console)
    if how := words.to_report(report):
        print_lines(hang(Text(), how, view.width), console)


def _has_program(loss: LossReport) -> bool:
    return any(f.reproduce and f.severity != Severity.NOTE for f in loss.findings)


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
        findings = [finding for finding in loss.findings if _in_full(finding, view)]
        for finding in words.by_severity(findings):
            yield Text()
            yield from text_finding.lines(finding, view)
        if findings:
            yield Text()
        yield from text_sides.lines(loss, view)
        yield Text()
    elif loss.verdict != Verdict.PASS:
        yield from _header(loss, view.width)


def _in_full(finding: Finding, view: View) -> bool:
    return finding.severity != Severity.NOTE or view.verbosity > 0


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
    """Align the arguments: name and role, domain and shape, who says so and why."""
    rows = []
    for argument in loss.arguments:
        dtype = "" if argument.dtype == "float32" else f" {argument.dtype}"
        why = f"{argument.origin}: {argument.why}" if argument.why else argument.origin
        if argument.plausible and view.verbosity > 0:
            why += f" (also plausible: {', '.join(argument.plausible)})"
        rows.append((words.named_role(argument), f"{argument.domain} {argument.shape}{dtype}", why))
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


def _left_out(report: Report, view: View) -> Iterator[Text]:
    if view.verbosity > 0:
        for left in report.left_out:
            yield from side("left out", f"{left.target}: {left.reason}", view)
    else:
        names = ", ".join(left.target for left in report.left_out)
        yield from side("left out", f"{names} (no losses; -v says why)", view)
