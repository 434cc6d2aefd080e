"""Findings run again, in a terminal: one line each, and the case that was run."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from losscheck.replayed import Replay, Replayed, State
from losscheck.report import words
from losscheck.report.arrays import SHORT, apart, array
from losscheck.report.lines import hang, printed, spread
from losscheck.report.verdicts import View

COLORS = {State.THERE.value: "red", State.GONE.value: "green", State.UNKNOWN.value: "yellow"}
INDENT = 5


def render(replay: Replay, view: View) -> str:
    """Write what became of findings as text; only the last line where the view is quiet."""
    return printed(_lines(replay, view), view)


def _lines(replay: Replay, view: View) -> Iterator[Text]:
    before = ""
    for finding in replay.findings if view.verbosity >= 0 else ():
        if finding.target != before:
            yield Text(words.clean(finding.target), "bold")
            before = finding.target
        yield from _finding(finding, view.width)
    counts = [
        f"{replay.count(state):,} {state.value}" for state in State if replay.count(state)
    ] or ["nothing to run"]
    whole = Text(words.plural(len(replay.findings), "finding"), "bold")
    whole.append(f":  {', '.join(counts)}")
    yield from spread(whole, Text(words.seconds(replay.seconds), "dim"), view.width)


def _finding(finding: Replayed, width: int) -> Iterator[Text]:
    left = Text.assemble(
        "  ",
        (finding.state, f"bold {COLORS[finding.state]}"),
        "  ",
        (f"{finding.code} {finding.slug}", "bold"),
        (f"  {finding.id}", "dim"),
    )
    where = words.place(finding.location)
    yield from spread(left, Text(where, "blue"), width) if where else iter([left])
    if not finding.inputs:
        yield from hang(Text(" " * INDENT), words.clean(finding.message), width)
        return
    digits = apart(finding.inputs.values())
    given = "  ".join(f"{words.clean(n)} {array(v, digits)}" for n, v in finding.inputs.items())
    gradient = "none" if finding.gradient is None else array(finding.gradient, SHORT)
    now = f"loss {array(finding.value, SHORT)}   gradient {gradient}"
    yield from hang(Text(" " * INDENT), f"{given}   ->   {now}", width)
