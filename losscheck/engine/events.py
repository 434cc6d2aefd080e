"""What happens during a run, as it happens: progress bars, the plugin and renderers listen."""

from __future__ import annotations

import attrs

from losscheck.model import LossReport, Report


@attrs.frozen(kw_only=True)
class Started:
    """The examination of a loss begins."""

    target: str
    index: int  # counts from 0
    total: int


@attrs.frozen(kw_only=True)
class Stage:
    """A part of the examination of a loss, told as it begins.

    Where the loss is examined in this very process, all are told once it is done.
    """

    target: str
    name: str


@attrs.frozen(kw_only=True, eq=False)
class Finished:
    """A loss has been examined."""

    target: str
    report: LossReport


@attrs.frozen(kw_only=True, eq=False)
class Done:
    """All losses have been examined."""

    report: Report


Event = Started | Stage | Finished | Done
