"""The stability report as Markdown: an overview, then the findings of every loss."""

from __future__ import annotations

import re
from collections.abc import Iterator

from losscheck.changes import Changes
from losscheck.model import Finding, LossReport, Report
from losscheck.report import words
from losscheck.report.excerpt import whole
from losscheck.report.told import Told, count, told
from losscheck.report.verdicts import View

# An underscore within a word (y_pred) is no markup; anywhere else it may be.
_MARKUP = re.compile(r"[\\`*\[\]|#~$]|(?<!\w)_|_(?!\w)")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def render(report: Report, view: View) -> str:
    """Write the report as Markdown, with what changed since an earlier one."""
    lines = ["# losscheck: stability report", ""]
    if view.changes is not None:
        lines += [*_changes(view.changes), ""]
    lines += [escape(missed), ""] if (missed := words.unexamined(report)) else []
    lines += _overview(report)
    for loss in report.losses:
        lines += ["", *_loss(loss)]
    if report.left_out:
        lines += ["", "## Left out", ""]
        lines += [f"- {code(left.target)}: {escape(left.reason)}" for left in report.left_out]
    if how := words.to_report(report):
        lines += ["", escape(how)]
    return "\n".join([*lines, "", *_environment(report), ""])


def escape(text: str) -> str:
    """Make a text mean itself, on one line."""
    text = re.sub(r"[&<>]", lambda match: _HTML[match.group()], words.one_line(text))
    return _MARKUP.sub(r"\\\g<0>", text)


def code(text: str) -> str:
    """Write a text as code within a line (a table cell too)."""
    text = words.one_line(text).replace("|", "\\|")
    marks = "`" * (_longest_run(text) + 1)
    space = " " if "`" in text else ""
    return f"{marks}{space}{text}{space}{marks}"


def fence(text: str, language: str = "") -> list[str]:
    """Write a text as a block of code, in a fence longer than any within."""
    marks = "`" * max(3, _longest_run(text) + 1)
    return [f"{marks}{language}", *words.clean(text).rstrip().split("\n"), marks]


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _overview(report: Report) -> Iterator[str]:
    summary = report.summary
    yield (
        f"{words.plural(summary.losses, 'loss')}: {summary.passed} pass, {summary.fail} fail, "
        f"{summary.inconclusive} inconclusive, {summary.error} error; "
        f"{words.plural(summary.cases, 'case')} in {words.seconds(report.seconds)}."
    )
    yield ""
    yield _row("loss", "verdict", "errors", "warnings", "notes", "gradient", "cases", "time")
    yield _row("---", "---", "--:", "--:", "--:", "---", "--:", "--:")
    for loss in report.losses:
        counts = [str(count(loss, severity)) for severity in words.SEVERITIES]
        verified = words.gradient(loss.gradient) if loss.gradient else "not verified"
        effort = (f"{loss.cases:,}", words.seconds(loss.seconds))
        yield _row(code(loss.target), f"**{loss.verdict}**", *counts, verified, *effort)


def _changes(changes: Changes) -> Iterator[str]:
    """What is new, mended or else since an earlier report."""
    yield "## Changes"
    yield from ("", f"{escape(words.changed(changes))}.", "")
    for label, found in (
        ("new", changes.new),
        ("worse", changes.worse),
        ("mended", changes.mended),
        ("not looked at again", changes.unsure),
    ):
        for each in found:
            where = f" at {code(words.place(each.location))}" if each.location else ""
            was = f", was {each.was}" if each.was else ""
            why = f" ({escape(each.reason)})" if each.reason else ""
            yield (
                f"- **{label}** {each.severity}{was}: {each.code} {escape(each.slug)} in "
                f"{code(each.target)}{where}: {escape(each.message)}{why}"
            )
    for label, targets in (("added", changes.added), ("not in this report", changes.missing)):
        if targets:
            yield f"- {label}: {', '.join(map(code, targets))}"
    for loss in changes.losses:
        yield f"- {code(loss.target)}: {escape(words.loss_change(loss))}"


def _loss(loss: LossReport) -> Iterator[str]:
    yield f"## {code(loss.target)}: {loss.verdict}"
    for text in (loss.reason, *loss.notes):
        if text:
            yield from ("", escape(text))
    if loss.arguments:
        yield from ("", _row("argument", "domain", "shape", "dtype", "origin"))
        yield _row(*["---"] * 5)
    for argument in loss.arguments:
        why = f"{argument.origin}: {argument.why}" if argument.why else argument.origin
        cells = (words.named_role(argument), argument.domain, argument.shape, argument.dtype)
        yield _row(*map(code, cells), escape(why))
    for each in told(loss):
        yield from _diagnosis(each)
        for finding in each.findings:
            yield from ("", *_finding(finding, each))
    if loss.gradient and loss.gradient.self_test:
        yield from ("", f"Self-test: {escape(words.self_test(loss.gradient))}.")
    if loss.digits is not None:
        yield from ("", f"Digits right in float32 {escape(words.digits(loss.digits))}.")
    yield from ("", *_coverage(loss))


def _diagnosis(each: Told) -> Iterator[str]:
    """What several findings have in common, and a fix that was tried."""
    if len(each.findings) > 1:
        shown = ", ".join((f"{each.root.code} {each.root.slug}", *each.symptoms))
        yield from (
            "",
            f"**One fault:** {escape(each.diagnosis.cause)} It shows as {escape(shown)}.",
        )
    if each.changes:
        yield from ("", f"Write ({escape(each.cleared)}):", "")
        yield from fence("\n".join(each.changes), "diff")


def _finding(finding: Finding, each: Told) -> Iterator[str]:
    where = f" at {code(words.place(finding.location))}" if finding.location else ""
    yield f"### {finding.code} {finding.slug} ({finding.severity}){where}"
    yield ""
    if finding.location is not None and finding.location.source.strip():
        excerpt = whole(finding.location)
        yield from fence(f"{excerpt.text}\n{excerpt.underline}", "python")
        yield ""
    yield escape(finding.message)
    if finding.cause and finding.cause != finding.message:
        yield from ("", escape(finding.cause))
    case = [*words.case(finding), *(f"-> {part}" for part in words.observed(finding))]
    truth = words.expected(finding)
    case += [f"expected {', '.join(truth)}"] if truth else []
    if case:
        yield from ("", *fence("\n".join(case)))
    yield from ("", f"{escape(words.circumstances(finding))}.")
    if finding.fix and not each.changes:
        yield from ("", "Write (advice, not verified):", "", *fence(finding.fix))
    if finding.reproduce:
        yield from ("", "<details><summary>A program that shows it</summary>", "")
        yield from (*fence(finding.reproduce, "python"), "", "</details>")


def _coverage(loss: LossReport) -> Iterator[str]:
    passed = words.passed(loss)
    if passed:
        yield f"- passed: {', '.join(passed)} ({words.coverage(loss)})"
    yield from (f"- searched: {escape(words.searched(part))}" for part in loss.coverage)
    for outcome, label in (("inconclusive", "undecided"), ("error", "fault"), ("skip", "not run")):
        for reason, checks in words.by_reason(loss, outcome).items():
            names = ", ".join(f"{check.code} {check.slug}" for check in checks)
            yield f"- {label}: {names}: {escape(reason)}"
    for fault in loss.faults:
        yield f"- fault: {escape(words.fault(fault))}"
        if fault.traceback:
            yield from ("", "<details><summary>Traceback</summary>", "")
            yield from (*fence("\n".join(fault.traceback)), "", "</details>", "")
    yield from (f"- ignored: {escape(told)}" for told in words.ignored(loss))
    yield from (f"- remember: {escape(told)}" for told in loss.reminders)


def _environment(report: Report) -> Iterator[str]:
    env = report.environment
    made = f"{escape(words.date(report))}; " if report.date else ""
    yield (
        f"{made}losscheck {report.losscheck}, seed {report.seed}; Python {env.python}, "
        f"TensorFlow {env.tensorflow}, Keras {env.keras}, NumPy {env.numpy}, "
        f"Hypothesis {env.hypothesis}; {escape(env.platform)}; {escape(', '.join(env.devices))}"
    )
