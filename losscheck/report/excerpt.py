"""The blamed part of a source line, cut to fit and underlined."""

from __future__ import annotations

import attrs
from rich.cells import cell_len

from losscheck.model import Location
from losscheck.report.words import clean

CUT = "... "  # stands for what was cut off, on either side
LEAD = 12  # columns kept before the blamed part of a line that is cut


@attrs.frozen
class Excerpt:
    """A source line without its indentation, and the half-open range of it that is blamed."""

    text: str
    start: int
    end: int

    @property
    def parts(self) -> tuple[str, str, str]:
        """The text before, in and after the blamed range."""
        return self.text[: self.start], self.text[self.start : self.end], self.text[self.end :]

    @property
    def underline(self) -> str:
        """Carets below the blamed range; empty where only the line is known."""
        before, blamed, _ = self.parts
        return " " * cell_len(before) + "^" * cell_len(blamed) if blamed else ""


def whole(location: Location) -> Excerpt:
    """Take the whole line; a range that goes on below it ends with it."""
    line = clean(location.source).replace("\n", " ").rstrip()
    indentation = len(line) - len(line.lstrip())
    if location.column is None:
        return Excerpt(line.strip(), 0, 0)
    start = min(max(location.column - 1, indentation), len(line))
    end = len(line) if location.end_column is None else min(location.end_column - 1, len(line))
    return Excerpt(line.strip(), start - indentation, max(start, end) - indentation)


def cut(location: Location, width: int) -> Excerpt:
    """Take as much of the line around the blamed range as fits into `width` columns."""
    excerpt = whole(location)
    if len(excerpt.text) <= width:
        return excerpt
    room = max(width - 2 * len(CUT), LEAD)
    first = max(0, min(excerpt.start - LEAD, len(excerpt.text) - room))
    first = 0 if first <= len(CUT) else first
    last = first + room
    first, last = _between_words(excerpt, first, last)
    before = CUT if first else ""
    after = CUT.rstrip().rjust(len(CUT)) if last < len(excerpt.text) else ""
    shift = len(before) - first
    return Excerpt(
        before + excerpt.text[first:last] + after,
        excerpt.start + shift,
        min(excerpt.end, last) + shift,
    )


def _between_words(excerpt: Excerpt, first: int, last: int) -> tuple[int, int]:
    """Narrow a range to whole words, where that leaves what is blamed as it is."""
    text = excerpt.text
    if first and (space := text.rfind(" ", 0, excerpt.start)) >= first:
        first = text.index(" ", first) + 1 if text[first - 1] != " " else first
        first = min(first, space + 1)
    if last < len(text) and text[last] != " ":
        # Of a range that is cut itself, a word of it or more stays.
        space = text.rfind(" ", first, last)
        least = excerpt.end if excerpt.end <= last else excerpt.start + 1
        last = space if space >= least else last
    return first, last
