"""How pytest-xdist hands out the tests of `pytest --losscheck`: those of one loss to one worker."""

from __future__ import annotations

from typing import Any

from xdist.scheduler import LoadScopeScheduling

from losscheck.rules import rules


class LossScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Tests of one loss together, so that it is examined once; all others one by one."""

    def _split_scope(self, nodeid: str) -> str:
        # "my_pkg/losses.py::focal::LC203" belongs to "my_pkg/losses.py::focal".
        loss, _, name = nodeid.rpartition("::")
        ours = "::" in loss and any(name == rule.code for rule in rules())
        return loss if ours else nodeid


def scheduling(config: Any, log: Any) -> LossScheduling | None:
    """Make the scheduler, unless the user chose another way than xdist's own first choice."""
    return LossScheduling(config, log) if config.getoption("dist") == "load" else None
