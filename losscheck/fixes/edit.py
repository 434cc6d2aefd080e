"""One change of the user's source, with its place."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Edit:
    """An expression of the user's file, and what stands there instead.

    Attributes
    ----------
    file
        Absolute.
    line, end_line
        Counted from 1.
    column, end_column
        Counted from 0, in characters; the end is exclusive. Parentheses around the expression are
        no part of it. A whole `x /= y` stands for "x / y".
    new
        One expression.
    before
        Statements that are put before the one that holds the expression.
    why
        A remark.
    further
        Edits of the file as this one leaves it, made after it in their order.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    new: str
    before: tuple[str, ...] = ()
    why: str = ""
    further: tuple[Edit, ...] = ()

    @property
    def steps(self) -> tuple[Edit, ...]:
        """Itself, and the edits that follow it."""
        return (self, *self.further)

    @property
    def begin(self) -> tuple[int, int]:
        """Where the expression begins."""
        return self.line, self.column

    @property
    def end(self) -> tuple[int, int]:
        """Where it ends."""
        return self.end_line, self.end_column

    def overlaps(self, other: Edit) -> bool:
        """Say whether two edits change the same text."""
        return self.file == other.file and self.begin < other.end and other.begin < self.end
