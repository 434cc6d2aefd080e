"""The report in a terminal: who, what was assumed, the line, the case, why, what to write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text

from losscheck.model import LossReport, Report, Severity
from losscheck.report import concise, text_diagnosis, words
from losscheck.report.lines import GAP, block, hang, printed, spread
from losscheck.report.told import counts, told
from losscheck.report.verdicts import View

VERDICTS = {
    "pass": "bold green",
    "fail": "bold red",
    "inconclusive": "bold yellow",
    "error": "bold magenta",
}
MORE = "-v shows every finding with a program that shows it, what passed and what did not run."
HINT = "   (declare others with --arg or @losscheck.spec)"
WHY_WIDTH = 40  # columns that the reason for a domain needs to stand beside it
SIDE = 10  # columns of the labels ("not run")
LABELS = {"inconclusive": "undecided", "error": "fault", "skip": "not run"}
NAMED = 4  # rules named beside one reason; more are counted, and -v lists every rule


def render(report: Report, view: View) -> str:
    """Write the report as text, with escape codes only where `view.color` asks for them."""
    return "".join(loss_text(loss, view) for loss in report.losses) + closing(report, view)


def loss_text(loss: LossReport, view: View) -> str:
    """Write all of one loss."""
    if view.verbosity < 0:
        return concise.errors(loss)
    return printed(loss_lines(loss, view), view)


def closing(report: Report, view: View) -> str:
    """Write what is said of all losses at the end: their verdicts counted, and where to go on."""
    return printed(_closing(report, view), view)


def _closing(report: Report, view: View) -> Iterator[Text]:
    if view.verbosity >= 0:
        yield from summary_lines(report, view)
    if view.verbosity > 0:
        yield from hang(Text(), words.made_with(report), view.width, "dim")
    if view.verbosity == 0 and any(loss.findings for loss in report.losses):
        yield from hang(Text(), MORE, view.width, "dim")
    if how := words.to_report(report):
        yield from hang(Text(), how, view.width)


def loss_lines(loss: LossReport, view: View) -> Iterator[Text]:
    """Say all of one loss: at a glance, or in full."""
    yield from _header(loss, view.width)
    if loss.reason:
        yield from hang(Text("  "), words.clean(loss.reason), view.width)
    if view.verbosity > 0:
        yield from _arguments(loss, view)
        yield from _in_full(loss, view)
    else:
        yield from _assumed(loss, view)
        yield from _at_a_glance(loss, view)
    yield Text()


def _at_a_glance(loss: LossReport, view: View) -> Iterator[Text]:
    """Give errors room around them, warnings none, and notes no more than their count."""
    found = told(loss)
    errors = [each for each in found if each.severity == Severity.ERROR]
    for each in errors:
        yield Text()
        yield from text_diagnosis.diagnosis_lines(each, view)
    rest = [
        line
        for each in found
        if each.severity == Severity.WARNING
        for line in text_diagnosis.diagnosis_lines(each, view)
    ]
    rest += brief(loss, view)
    if errors and rest:
        yield Text()
    yield from rest


def _in_full(loss: LossReport, view: View) -> Iterator[Text]:
    """Give every diagnosis, with each of its findings in full."""
    for each in told(loss):
        if len(each.findings) > 1 or each.changes:
            yield Text()
            yield from text_diagnosis.diagnosis_lines(each, view)
        for finding in each.findings:
            yield Text()
            yield from text_diagnosis.finding_lines(finding, view)
    if loss.findings:
        yield Text()
    yield from lines(loss, view)


def summary_lines(report: Report, view: View) -> Iterator[Text]:
    """Count the verdicts; a single loss has said so in its header already."""
    if len(report.losses) != 1:
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
    if missed := words.unexamined(report):
        yield from hang(Text(), missed, view.width, "yellow")
    if report.left_out:
        yield from _left_out(report, view)


def _header(loss: LossReport, width: int) -> Iterator[Text]:
    left = Text.assemble(
        (words.clean(loss.target), "bold"), "   ", (loss.verdict.upper(), VERDICTS[loss.verdict])
    )
    if loss.findings:
        left.append(f"   {counts(loss)}")
    yield from spread(left, _effort(loss.cases, loss.seconds), width)


def _effort(cases: int, seconds: float) -> Text:
    return Text(f"{words.plural(cases, 'case')}   {words.seconds(seconds)}", "dim")


def _assumed(loss: LossReport, view: View) -> Iterator[Text]:
    """Name on a line what the arguments are taken for, and whether that was declared."""
    parts = words.assumed(loss)
    if parts:
        hint = HINT if any(a.origin == "inferred" for a in loss.arguments) else ""
        line = "; ".join(parts)
        if cell_len(line) + cell_len(hint) + GAP <= view.width:
            line += hint
        yield from hang(Text("  "), line, view.width, "cyan")


def _arguments(loss: LossReport, view: View) -> Iterator[Text]:
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
    for line in words.ignored(loss):
        yield from side("ignored", line, view)
    for line in loss.reminders:
        yield from side("remember", line, view, "yellow")


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
