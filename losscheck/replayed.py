"""What `losscheck replay` gives, as frozen data: which findings of a report are still there."""

from __future__ import annotations

import enum
from typing import Any

import attrs

from losscheck.model import Inputs, Location


class State(enum.StrEnum):
    """What has become of a finding."""

    THERE = "still there"
    GONE = "gone"
    UNKNOWN = "cannot be run"


@attrs.frozen(kw_only=True, eq=False)
class Replayed:
    """One finding, run again."""

    id: str
    code: str
    slug: str
    target: str
    state: str  # State
    message: str  # what was run, and what came of it; why it cannot be run
    location: Location | None  # as the report has it
    inputs: Inputs = attrs.field(factory=dict)  # where the recorded case was run
    value: Any = None  # what it gives now
    gradient: Any = None


@attrs.frozen(kw_only=True, eq=False)
class Replay:
    """The findings of a report, run again."""

    report: str  # the file
    findings: tuple[Replayed, ...]
    seconds: float
    schema: int = 1

    def count(self, state: State) -> int:
        """How many findings have come to this."""
        return sum(finding.state == state for finding in self.findings)

    @property
    def fails(self) -> bool:
        """Whether any finding is not known to be gone."""
        return self.count(State.GONE) < len(self.findings)
