"""How pytest-xdist hands out the tests of `pytest --losscheck`: those of one loss to one worker."""

from __future__ import annotations

from typing import Any

from xdist.scheduler import LoadScopeScheduling

from losscheck.pytest_plugin.items import ROOT


class LossScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Tests of one loss together, so that it is examined once; all others one by one."""

    def _split_scope(self, nodeid: str) -> str:
        # "losscheck::module:loss::LC203-gradient-nan" belongs to "losscheck::module:loss".
        ours = nodeid.startswith(f"{ROOT}::")
        return nodeid.rpartition("::")[0] if ours else nodeid


def scheduling(config: Any, log: Any) -> LossScheduling | None:
    """Make the scheduler, unless the user chose another way than xdist's own first choice."""
    return LossScheduling(config, log) if config.getoption("dist") == "load" else None
