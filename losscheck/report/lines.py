"""Lines of styled text laid out by hand: the terminal and a plain file get the same columns."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.text import Text

from losscheck.report.verdicts import View

GAP = 2  # spaces between columns
TIED_EQUALS = "\xa0=\xa0"  # no-break spaces: a name and its value stay on one line
NARROW = 24  # columns below which a paragraph beside a label is unreadable


def printed(lines: Iterable[Text], view: View) -> str:
    """Print lines as they were laid out, styled where the view has colours; rich wraps nothing."""
    target = io.StringIO()
    console = Console(
        file=target,
        width=view.width,
        force_terminal=view.color,
        force_jupyter=False,  # or rich would show the lines in a notebook, and give none
        color_system="standard" if view.color else None,
    )
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False)
    return target.getvalue()


def spread(left: Text, right: Text, width: int) -> Iterator[Text]:
    """Put `right` at the right edge, or below where there is no room."""
    space = width - left.cell_len - right.cell_len
    if space >= GAP:
        yield Text.assemble(left, " " * space, right)
    else:
        yield left
        yield Text.assemble(" " * max(0, width - right.cell_len), right)


def hang(label: Text, body: str, width: int, style: str = "") -> Iterator[Text]:
    """Put a paragraph beside its label; its further lines hang below the first."""
    indent = label.cell_len
    if width - indent < NARROW:
        yield label
        label, indent = Text("    "), 4
    lines = wrap(body, width - indent)
    for number, line in enumerate(lines):
        yield Text.assemble(Text(" " * indent) if number else label, (line, style))


def block(body: str, indent: int, style: str = "") -> Iterator[Text]:
    """Indent code, leaving its lines as they are."""
    for line in body.rstrip().splitlines():
        yield Text.assemble(" " * indent, (line.rstrip(), style)) if line.strip() else Text()


def wrap(body: str, width: int) -> list[str]:
    """Wrap each line of a text; what is one word stays whole, so that it can be copied."""
    room = max(width, NARROW)
    lines = [
        part.replace(TIED_EQUALS, " = ")
        for line in body.strip().replace(" = ", TIED_EQUALS).splitlines()
        for part in textwrap.wrap(line, room, break_long_words=False, break_on_hyphens=False)
        or [""]
    ]
    return lines or [""]
