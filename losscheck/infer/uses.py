"""What the graph of a loss says of its arguments, as a whole and column by column."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Sequence

from losscheck.domains.box import boxes
from losscheck.infer.choose import Choice, by_column
from losscheck.infer.corners import Corners, corners
from losscheck.infer.hints import Hint, hints
from losscheck.infer.moved import Moved
from losscheck.program.running.program import Program

Chooser = Callable[[Sequence[Hint]], tuple[Choice, ...]]


class Uses:
    """The uses of the arguments of a traced loss.

    Parameters
    ----------
    program
        Of the loss; None where it cannot be traced, so that nothing is known.
    columned
        The arguments whose columns may have domains of their own.
    """

    def __init__(self, program: Program | None, columned: Collection[str]) -> None:
        self._program = program
        moved = {} if program is None else {n: Moved(program, n) for n in columned}
        self._moved = {name: own for name, own in moved.items() if own.width}

    @functools.cached_property
    def _corners(self) -> dict[str, Corners]:
        assert self._program is not None
        return corners(self._program.wiring, self._moved)

    def choices(self, name: str, choose: Chooser) -> tuple[Choice, ...]:
        """Choose domains of an argument: that of boxes or of columns before one for all of it."""
        if self._program is None:
            return choose(())
        moved = self._moved.get(name)
        found = hints(self._program.wiring, name, None if moved is None else moved.columns)
        whole = choose(found)
        if moved is None:
            return whole
        own = self._corners.get(name, Corners())
        box = _box(own)
        if box is not None and len(box[1]) == moved.width:
            return (box[0], *whole)
        side = (Hint("side", "is the side of a box", own.sides),) if own.sides else ()
        if not box and not any(hint.columns for hint in (*found, *side)):
            return whole
        parts: list[Sequence[Choice]] = []
        for column in range(moved.width):
            if box is None or column not in box[1] or box[0].domain != "box":
                uses = [h for h in (*side, *found) if not h.columns or column in h.columns]
                parts.append(choose(uses))
            elif column == min(box[1]):
                parts.append((box[0],))
        apart = by_column(parts)
        if apart is None:
            return whole
        above = None if box else by_column(_above_zero(parts, found))
        kept = () if above is None or above.domain == apart.domain else (above,)
        return (apart, *kept, *whole)


def _above_zero(parts: Sequence[Sequence[Choice]], found: Sequence[Hint]) -> list[list[Choice]]:
    """The choices of columns, those of spreads beside a mean above 0: what is left of real ones."""
    spreads = {c: h for h in found if h.use == "scale" for c in h.columns}
    return [
        [Choice("positive", spreads[column].why)]
        if column in spreads and part[0].domain == "real"
        else [part[0]]
        for column, part in enumerate(parts)
    ]


def _box(found: Corners) -> tuple[Choice, range] | None:
    """Choose boxes where columns beside each other are the ends of axes, and say which."""
    columns = sorted(column for pair in found.pairs for column in pair)
    if not columns or len(found.pairs) > len("xyz"):
        return None
    own = range(columns[0], columns[0] + len(columns))
    if columns != list(own):
        return None
    lower, upper = (tuple(pair[end] - own[0] for pair in found.pairs) for end in (0, 1))
    why = "the lesser of its upper ends and the greater of its lower ones are an intersection"
    return Choice(boxes(lower, upper).name, why, ("real",)), own
