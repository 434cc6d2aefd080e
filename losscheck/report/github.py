"""Annotations for GitHub Actions: workflow commands on stdout, the worst first.

GitHub shows at most ten errors and ten warnings of a step, so that no more are written.
"""

from __future__ import annotations

from collections.abc import Iterator

from losscheck.model import Report, Severity, Verdict
from losscheck.report import words
from losscheck.report.told import Result, results
from losscheck.report.verdicts import View

MOST = 10  # of errors, and of warnings
LARGEST = (1 << 20) - 1  # bytes of a step's summary
CUT = "\n\n(The rest is longer than a summary may be.)\n"
COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning"}


def render(report: Report, view: View) -> str:
    """Write the workflow commands; `view` changes nothing here."""
    return "".join(f"{line}\n" for line in _lines(report))


def summary(report: Report) -> str:
    """Write what goes into the summary of a step: Markdown, below the size that GitHub takes."""
    from losscheck.report.markdown import render as markdown

    text = markdown(report, View())
    if len(text.encode()) <= LARGEST:
        return text
    room = LARGEST - len(CUT.encode())
    kept = text.encode()[:room].decode(errors="ignore")
    return kept[: kept.rfind("\n")] + CUT


def _lines(report: Report) -> Iterator[str]:
    found = results(report)
    for severity, command in COMMANDS.items():
        some = [result for result in found if result.severity == severity]
        room = MOST if len(some) <= MOST else MOST - 1
        for result in some[:room]:
            yield _command(command, result)
        if rest := some[room:]:
            losses = words.plural(len({result.loss.target for result in rest}), "loss")
            yield f"::{command}::{len(rest)} more of {losses} in the report of losscheck"
    for loss in report.losses:
        if loss.verdict in (Verdict.INCONCLUSIVE, Verdict.ERROR):
            text = words.one_line(f"{loss.target}: {loss.verdict}: {loss.reason}")
            yield f"::notice::{_data(text)}"


def _command(command: str, result: Result) -> str:
    properties = {"title": f"{result.lead.code} {result.lead.slug}"}
    if result.place is not None:
        file, line = result.place
        properties |= {"file": file, "line": str(line)}
        location = result.location
        if location is not None and location.column is not None:
            properties["col"] = str(location.column)
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{command} {listed}::{_data(result.message)}"


def _data(text: str) -> str:
    """Escape a message as the runner reads it."""
    return words.clean(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escape a property, in which commas and colons have a meaning as well."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
