"""What `losscheck diff` gives, as frozen data: how two losses differ, and whose numbers are right.

Everything here survives pickling, and JSON through `losscheck.report.json`.
"""

from __future__ import annotations

import enum
from typing import Any

import attrs

from losscheck.model import Argument, Environment, Inputs, Location, Source


class Answer(enum.StrEnum):
    """Whether two losses are the same function."""

    SAME = "same"
    REPAIRS = "repairs"  # they differ only where the old one has no right number, and the new has
    DIFFER = "differ"


class Weight(enum.StrEnum):
    """What a difference means for the answer."""

    DIFFERENCE = "difference"
    REPAIR = "repair"
    NOTE = "note"  # at the ends of the dtype alone, or a choice at a corner of the loss


class Right(enum.StrEnum):
    """Whose number is right."""

    OLD = "old"
    NEW = "new"
    EACH = "each"  # of its own formula: they are different functions
    NEITHER = "neither"
    UNKNOWN = "unknown"


@attrs.frozen(kw_only=True)
class Compared:
    """One of two losses that were compared."""

    target: str
    source: Source | None
    arguments: tuple[str, ...]  # their names, in the order in which they were handed over


@attrs.frozen(kw_only=True, eq=False)
class Difference:
    """One way in which two losses differ, shown at its simplest case."""

    what: str  # value, gradient, shape, dtype or call
    weight: str  # Weight
    right: str  # Right
    message: str
    modes: tuple[str, ...] = ()
    dtype: str = "float32"
    range: str | None = None  # the narrowest range in which it shows
    count: int = 0  # cases that were seen to differ so
    more: bool = False  # some others were not looked at closely
    inputs: Inputs = attrs.field(factory=dict)  # by the names that the old loss has for them
    old: Any = None  # what the old loss gives: its value or its gradient
    new: Any = None
    truth: Any = None  # what is right, where that is known
    side: str = ""  # the loss that `location` belongs to: "old" or "new"
    location: Location | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Comparison:
    """Whether two losses are the same function, over which cases, and where they part."""

    losscheck: str
    environment: Environment
    answer: str  # Answer
    old: Compared
    new: Compared
    arguments: tuple[Argument, ...]  # of the old loss: the domain that both were compared over
    differences: tuple[Difference, ...]
    cases: int
    dtypes: tuple[str, ...]
    modes: tuple[str, ...]
    shapes: tuple[str, ...]  # of what was handed over when their outputs were compared
    notes: tuple[str, ...]
    seed: int
    seconds: float
    schema: int = 1

    def __repr__(self) -> str:
        count = len(self.differences)
        told = f", {count} {'difference' if count == 1 else 'differences'}" if count else ""
        return f"<losscheck {self.old.target} -> {self.new.target}: {self.answer}{told}>"

    @property
    def repairs(self) -> tuple[Difference, ...]:
        """The differences in which the new loss is right and the old one is not."""
        return tuple(d for d in self.differences if d.weight == Weight.REPAIR)

    def fails(self, *, strict: bool = False) -> bool:
        """Say whether they count as different; with `strict`, repairs and notes do so too."""
        return bool(self.differences) if strict else self.answer == Answer.DIFFER
