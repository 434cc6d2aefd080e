"""One diagnosis in a terminal, an error in 14 lines and a warning in 3, and one finding in full."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rich.cells import cell_len
from rich.text import Text

from losscheck.model import Finding, Location, Severity
from losscheck.report import told as tell
from losscheck.report import words
from losscheck.report.excerpt import cut
from losscheck.report.lines import GAP, block, hang, spread, wrap
from losscheck.report.told import Told
from losscheck.report.verdicts import View

ERROR_LINES = 14
WARNING_LINES = 3
CODE_LINES = 6  # of what to write
GLANCE = "-v shows it"  # what is longer than a glance
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9])")
COLORS = {"error": "red", "warning": "yellow", "note": "cyan"}
INDENT = 5  # columns before everything that belongs to a finding
MARGIN = " " * INDENT
COMMENT = "# "
ENDS = ".:!?"  # of a line of a comment that the next one does not go on with
LABEL = 9  # columns of "Write:" and its like


def diagnosis_lines(told: Told, view: View) -> Iterator[Text]:
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
    inputs, observed, expected = (
        of(told.root) for of in (words.case, words.observed, words.expected)
    )
    if short:
        observed, expected = (_brief(parts, width - INDENT) for parts in (observed, expected))
    result, truth = "   ".join(observed), "   ".join(expected)
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


def _brief(parts: Iterable[str], room: int) -> list[str]:
    """Name a loss or a gradient of which the numbers do not fit on a line."""
    return [
        f"{part.partition(' ')[0]}: {GLANCE}"
        if part.startswith(("loss ", "gradient ")) and cell_len(part) > room
        else part
        for part in parts
    ]


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


def finding_lines(finding: Finding, view: View) -> Iterator[Text]:
    """Say a finding in full; with the program that shows it where the view is verbose."""
    yield from _finding_title(finding, view.width)
    if finding.location is not None and finding.location.source.strip():
        yield from source(finding.location, view.width, COLORS[finding.severity])
    yield from hang(Text(" " * INDENT), words.clean(finding.cause or finding.message), view.width)
    yield from _finding_case(finding, view.width)
    if finding.fix:
        yield from _finding_fix(words.clean(finding.fix), view.width)
    if view.verbosity > 0:
        yield from _program(finding)


def _finding_title(finding: Finding, width: int) -> Iterator[Text]:
    color = COLORS[finding.severity]
    left = Text.assemble(
        "  ", (f"{finding.code} {finding.slug}", "bold"), "  ", (finding.severity, f"bold {color}")
    )
    right = Text(words.place(finding.location), "blue")
    if right:
        yield from spread(left, right, width)
    else:
        yield left


def source(location: Location, width: int, color: str) -> Iterator[Text]:
    """Show the line, with carets below what is blamed."""
    margin = f"{' ' * INDENT}{location.line:>4} |  "
    excerpt = cut(location, width - len(margin))
    before, blamed, after = excerpt.parts
    yield Text.assemble((margin, "dim"), before, (blamed, f"bold {color}"), after)
    if excerpt.underline:
        yield Text.assemble(" " * len(margin), (excerpt.underline, color))


def _finding_case(finding: Finding, width: int) -> Iterator[Text]:
    """Put the case and its result on one line where they fit, else an input a line."""
    inputs, result = words.case(finding), "   ".join(words.observed(finding))
    line = "  ".join(inputs) + (f"   ->   {result}" if result else "")
    if cell_len(line) <= width - INDENT:
        case = [line] if line else []
    else:
        case = [*inputs, f"-> {result}"] if result else inputs
    for part in case:
        name, _, rest = part.partition(" ")
        yield from hang(Text.assemble(" " * INDENT, (f"{name} ", "bold")), rest, width, "bold")
    truth = "   ".join(words.expected(finding))
    if truth:
        yield from hang(Text(f"{' ' * INDENT}expected "), truth, width)
    yield from hang(Text(" " * INDENT), words.circumstances(finding), width, "dim")


def _finding_fix(fix: str, width: int) -> Iterator[Text]:
    """Show what to write; code of several lines keeps its lines, but comments are wrapped."""
    label = Text.assemble(" " * INDENT, ("Write:".ljust(LABEL), "green"))
    if "\n" in fix.strip():
        code = fitted(fix, width - INDENT - LABEL)
        for number, line in enumerate(block(code, INDENT + LABEL)):
            yield Text.assemble(label, line[INDENT + LABEL :]) if number == 0 else line
    elif cell_len(fix) + INDENT + LABEL + GAP > width:
        yield from hang(label, fix, width)
    else:
        yield Text.assemble(label, fix)


def fitted(code: str, room: int) -> str:
    """Wrap the comments of code anew, a sentence a paragraph; its other lines stay as they are."""
    lines: list[str] = []
    for line in code.splitlines():
        said = line.removeprefix(COMMENT)
        goes_on = lines and lines[-1].startswith(COMMENT) and lines[-1][-1] not in ENDS
        if line.startswith(COMMENT) and goes_on and not said[:1].isupper():
            lines[-1] += f" {said}"
        else:
            lines.append(line)
    return "\n".join(part for line in lines for part in _wrapped(line, room))


def _wrapped(line: str, room: int) -> list[str]:
    if not line.startswith(COMMENT):
        return [line]
    return [f"{COMMENT}{part}" for part in wrap(line.removeprefix(COMMENT), room - len(COMMENT))]


def _program(finding: Finding) -> Iterator[Text]:
    if finding.reproduce:
        yield Text.assemble(" " * INDENT, ("Run:", "dim"))
        yield from block(words.clean(finding.reproduce), INDENT + GAP, "dim")
