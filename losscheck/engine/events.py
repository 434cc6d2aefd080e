"""What happens during a run, as it happens: progress bars, the plugin and renderers listen."""

from __future__ import annotations

import attrs

from losscheck.model import Environment, Finding, LossReport, Report


@attrs.frozen(kw_only=True)
class Started:
    """The examination of a loss begins."""

    target: str
    index: int  # counts from 0
    total: int


@attrs.frozen(kw_only=True)
class Stage:
    """A part of the examination of a loss, told as it begins."""

    target: str
    name: str


@attrs.frozen(kw_only=True, eq=False)
class Found:
    """A finding, told as soon as it is written; what it belongs to is known at the end."""

    target: str
    finding: Finding


@attrs.frozen(kw_only=True)
class Printed:
    """What a loss printed while it was examined in a process of its own: the end of it."""

    target: str
    text: str


@attrs.frozen(kw_only=True, eq=False)
class Finished:
    """A loss has been examined."""

    target: str
    report: LossReport
    environment: Environment | None = None  # where, if in a process of its own


@attrs.frozen(kw_only=True, eq=False)
class Interrupted:
    """The user has interrupted the run: no further loss is examined."""


@attrs.frozen(kw_only=True, eq=False)
class Done:
    """All losses have been examined, or those that there was time for."""

    report: Report
    interrupted: bool = False
    refused: bool = False  # whether a target could not be imported, beside others that were


Event = Started | Stage | Found | Printed | Finished | Interrupted | Done
