"""One finding in a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len
from rich.text import Text

from losscheck.model import Finding, Location
from losscheck.report import words
from losscheck.report.excerpt import cut
from losscheck.report.lines import GAP, block, hang, spread, wrap
from losscheck.report.view import View

COLORS = {"error": "red", "warning": "yellow", "note": "cyan"}
INDENT = 5  # columns before everything that belongs to a finding
COMMENT = "# "
ENDS = ".:!?"  # of a line of a comment that the next one does not go on with
LABEL = 9  # columns of "Write:" and its like


def lines(finding: Finding, view: View) -> Iterator[Text]:
    """Say a finding in full; with the program that shows it where the view is verbose."""
    yield from _title(finding, view.width)
    if finding.location is not None and finding.location.source.strip():
        yield from source(finding.location, view.width, COLORS[finding.severity])
    yield from hang(Text(" " * INDENT), words.clean(finding.cause or finding.message), view.width)
    yield from _case(finding, view.width)
    if finding.fix:
        yield from _write(words.clean(finding.fix), view.width)
    if view.verbosity > 0:
        yield from _program(finding)


def _title(finding: Finding, width: int) -> Iterator[Text]:
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


def _case(finding: Finding, width: int) -> Iterator[Text]:
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


def _write(fix: str, width: int) -> Iterator[Text]:
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
