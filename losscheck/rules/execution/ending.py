"""How the examination of a loss in a process of its own ended."""

from __future__ import annotations

import enum

import attrs

from losscheck.model import Inputs, Location


class End(enum.StrEnum):
    """What became of the process."""

    FINISHED = "finished"
    TIMEOUT = "timeout"  # ended by us
    MEMORY = "memory"  # ended by us
    CRASH = "crash"  # ended of itself
    UNSTARTED = "unstarted"  # the same, before it came to the loss


@attrs.frozen(kw_only=True, eq=False)
class Ending:
    """The end of an examination, and where it was then."""

    end: End = End.FINISHED
    stage: str = ""  # the last that began: "spec" or the slug of a rule
    seconds: float = 0.0  # that it took or was given
    status: str = ""  # of the process, in words: "the signal SIGSEGV", "the exit status 3"
    memory: float = 0.0  # bytes that it was given
    lines: tuple[tuple[str, int], ...] = ()  # files and lines of Python then, innermost first
    case: Inputs = attrs.field(factory=dict)  # that was being run; empty where none is known
    printed: str = ""  # the last that it printed
    calls: tuple[Location, ...] = ()  # of `lines` the user's

    @property
    def signalled(self) -> bool:
        """Whether a signal ended it."""
        return self.status.startswith("the signal ")
