"""Faults of losscheck itself, or of installed rules: kept, so that none takes the rest down."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import attrs

from losscheck.model import Fault, UsageError

MOST = 300  # characters of what an exception says
Result = TypeVar("Result")
Other = TypeVar("Other")


class FailedError(Exception):
    """Evidence that was asked for could not be gathered; its fault is known already."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(told(fault))
        self.fault = fault


def told(fault: Fault) -> str:
    """Say of a fault what a reason says: whose it is, and where."""
    return f"{whose(fault)} failed in {fault.what}: {fault.error}"


def whose(fault: Fault) -> str:
    """Say who failed."""
    return f"the package {fault.package}" if fault.package else "losscheck itself"


@attrs.frozen(eq=False)
class _Entry:
    fault: Fault
    error: BaseException
    evidence: str  # the piece that lacks something for it; "" where none does


class Faults:
    """Collects the faults of one examination; each exception counts once.

    Parameters
    ----------
    packages
        Those whose rules are installed, by code and by module: what is raised in one is theirs.
    """

    def __init__(self, packages: Mapping[str, str] | None = None) -> None:
        self._packages = packages or {}
        self._entries: list[_Entry] = []

    def add(self, what: str, error: Exception, evidence: str = "", rule: str = "") -> Fault:
        """Keep a fault.

        Parameters
        ----------
        what
            What failed, such as "the guided search".
        error
            What it raised.
        evidence
            The name of the evidence that lacks something for it, which rules may need.
        rule
            The code of the rule that was at work, where one was.

        Returns
        -------
        Fault
            The one kept, which may be that of an earlier step that raised the same.
        """
        known = error.fault if isinstance(error, FailedError) else None
        known = known or next((e.fault for e in self._entries if e.error is error), None)
        fault = known or Fault(
            what=what,
            error=_said(error),
            traceback=_lines(error),
            package=self._package(error, rule or evidence),
        )
        if known is None or evidence:
            self._entries.append(_Entry(fault, error, evidence))
        return fault

    def _package(self, error: Exception, rule: str) -> str:
        """The package whose rule was at work when it was raised; "" where none was."""
        frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
        names = (rule, *(frame.f_globals.get("__name__", "") for frame in frames))
        return next((self._packages[name] for name in names if name in self._packages), "")

    def attempt(
        self,
        what: str,
        do: Callable[[], Result],
        otherwise: Other,
        evidence: str = "",
        rule: str = "",
    ) -> Result | Other:
        """Do something that may fail, and go on with something else where it does.

        Raises
        ------
        UsageError
            What the user gave cannot be used, which is no fault of ours.
        """
        try:
            return do()
        except UsageError:
            raise
        except Exception as error:
            self.add(what, error, evidence, rule)
            return otherwise

    def within(self, evidence: Iterable[str]) -> Fault | None:
        """Give the first fault for which one of these pieces of evidence lacks something."""
        names = set(evidence)
        return next((e.fault for e in self._entries if e.evidence in names), None)

    @property
    def all(self) -> tuple[Fault, ...]:
        """Every fault, in the order in which they came."""
        return tuple({id(entry.fault): entry.fault for entry in self._entries}.values())


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")[:MOST]


def _lines(error: BaseException) -> tuple[str, ...]:
    whole = "".join(traceback.format_exception(error))
    return tuple(line[:MOST] for line in whole.splitlines())
