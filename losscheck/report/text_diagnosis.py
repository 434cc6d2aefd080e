"""One diagnosis in a terminal, within its budget of lines: an error in 14, a warning in 3."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len
from rich.text import Text

from losscheck.model import Severity
from losscheck.report import told as tell
from losscheck.report import words
from losscheck.report.lines import block, hang, spread, wrap
from losscheck.report.text_finding import COLORS, COMMENT, INDENT, fitted, source
from losscheck.report.told import Told
from losscheck.report.view import View

ERROR_LINES = 14
WARNING_LINES = 3
CODE_LINES = 6  # of what to write
MARGIN = " " * INDENT
GLANCE = "-v shows it"  # what is longer than a glance
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9])")


def lines(told: Told, view: View) -> Iterator[Text]:
    """Say a diagnosis: what, where, the case, why, what else it shows by, what to write."""
    yield from _title(told, view.width)
    if told.severity == Severity.ERROR:
        yield from _error(told, view.width)
    else:
        yield from _warning(told, view.width)


def _title(told: Told, width: int) -> Iterator[Text]:
    root, color = told.root, COLORS[told.severity]
    left = Text.assemble(
        "  ", (told.severity, f"bold {color}"), "  ", (f"{root.code} {root.slug}", "bold")
    )
    if where := tell.where(root):
        left.append(f" {where}")
    if told.severity == Severity.ERROR and root.count > 1:
        left.append(f"  {root.count:,} cases", "dim")
    place = Text(words.place(told.diagnosis.location), "blue")
    yield from spread(left, place, width) if place else [left]


def _error(told: Told, width: int) -> list[Text]:
    """Leave out what is the easiest to do without, until the rest keeps the budget."""
    room = ERROR_LINES - len([*_title(told, width)])
    found: list[Text] = []
    for less in range(4):
        found = [
            *_excerpt(told, width),
            *_case(told, width, short=less > 1),
            *hang(Text(MARGIN), _cause(told, short=less > 2), width),
            *_symptoms(told, width),
            *_write(told, width, comments=less == 0),
        ]
        if len(found) <= room:
            break
    return found


def _warning(told: Told, width: int) -> Iterator[Text]:
    """A sentence, and what to write where there is room for both."""
    room = WARNING_LINES - 1
    sentence = wrap(words.one_line(told.root.message), width - INDENT)
    write = Text.assemble(MARGIN, ("Write:  ", "green"), words.clean(told.diagnosis.fix).strip())
    if len(sentence) < room and "\n" not in write.plain and write.cell_len <= width:
        yield Text(MARGIN + sentence[0])
        yield from [write] if told.diagnosis.fix else []
        return
    if len(sentence) > room:
        sentence[room - 1 :] = [f"{sentence[room - 1]} ..."]
    yield from (Text(MARGIN + line) for line in sentence)


def _excerpt(told: Told, width: int) -> Iterator[Text]:
    location = told.diagnosis.location
    if location is not None and location.source.strip():
        yield from source(location, width, COLORS[told.severity])


def _case(told: Told, width: int, *, short: bool) -> Iterator[Text]:
    """Put the case, what it gives and what is right on one line where they fit."""
    inputs, result = words.case(told.root), "   ".join(words.observed(told.root))
    truth = "   ".join(words.expected(told.root))
    given = f"  ->  {result}" if result else ""
    right = f"  (right: {truth})" if truth else ""
    case, room = "  ".join(inputs), width - INDENT
    parts = [case] if cell_len(case) <= room else [*inputs]
    if short and len(parts) > 1:
        parts = [f"a case of {words.plural(len(inputs), 'array')}: {GLANCE}"]
    for more in (given, right):
        fits = len(parts) == 1 and cell_len(parts[-1] + more) <= room
        parts = [*parts[:-1], parts[-1] + more] if fits or not parts else [*parts, more]
    for part in parts:
        if part.strip():
            yield from hang(Text(MARGIN), part.strip(), width, "bold")


def _cause(told: Told, *, short: bool) -> str:
    cause = words.clean(told.diagnosis.cause)
    return _SENTENCE.split(cause)[0] if short else cause


def _symptoms(told: Told, width: int) -> Iterator[Text]:
    if told.symptoms:
        yield from hang(Text.assemble(MARGIN, ("also: ", "dim")), ", ".join(told.symptoms), width)


def _write(told: Told, width: int, *, comments: bool) -> Iterator[Text]:
    """Show what to write; code keeps its lines, whatever the width."""
    if told.changes:
        yield from tried(told, width)
        return
    given = words.clean(told.diagnosis.fix).strip().splitlines()
    code = [line for line in given if comments or not line.startswith(COMMENT)]
    if not code:
        return
    if len(code) > CODE_LINES:
        code = [f"# {len(code)} lines: {GLANCE}"]
    yield Text.assemble(MARGIN, ("Write (advice, not verified):", "green"))
    yield from block(fitted("\n".join(code), width - INDENT - 2), INDENT + 2)


def tried(told: Told, width: int) -> Iterator[Text]:
    """Show a fix that was tried, and what it clears."""
    changes = told.changes
    shown = changes[:CODE_LINES] if len(changes) > CODE_LINES else changes
    for line in shown:
        yield Text.assemble(MARGIN, (line, "red" if line.startswith("-") else "green"))
    if len(changes) > len(shown):
        yield Text(f"{MARGIN}... {len(changes) - len(shown)} lines more: {GLANCE}")
    color = "green" if told.diagnosis.verified else "yellow"
    yield from hang(Text(MARGIN), told.cleared, width, color)
