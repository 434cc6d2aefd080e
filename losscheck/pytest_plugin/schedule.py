"""How pytest-xdist hands out the tests of `pytest --losscheck`: those of one loss to one worker."""

from __future__ import annotations

from typing import Any

from xdist.scheduler import LoadGroupScheduling, LoadScopeScheduling

from losscheck.rules import rules


class LossScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Tests of one loss together, so that it is examined once; all others one by one."""

    def _split_scope(self, nodeid: str) -> str:
        return _loss(nodeid)


class LossGroupScheduling(LoadGroupScheduling):  # type: ignore[misc]  # xdist has no types
    """The same beside the groups that tests are marked to be in."""

    def _split_scope(self, nodeid: str) -> str:
        # Tests of a loss are marked so, too, but not every release of pytest lets their ids say so.
        group = super()._split_scope(nodeid)
        return _loss(nodeid) if group == nodeid else group


def _loss(nodeid: str) -> str:
    """The loss of a test of ours; for any other its own id."""
    # "my_pkg/losses.py::focal::LC203" belongs to "my_pkg/losses.py::focal".
    loss, _, name = nodeid.rpartition("::")
    ours = "::" in loss and any(name == rule.code for rule in rules())
    return loss if ours else nodeid


def scheduling(config: Any, log: Any) -> LoadScopeScheduling | None:
    """Make the scheduler, unless the user chose one that goes by files, scopes or speed."""
    kinds = {"load": LossScheduling, "loadgroup": LossGroupScheduling}
    kind = kinds.get(config.getoption("dist"))
    return kind and kind(config, log)
