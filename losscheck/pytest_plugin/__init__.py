"""`pytest --losscheck`: the losses of the configuration as tests, one a loss and rule.

Every pytest run imports this file, so that it imports nothing but pytest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from losscheck.pytest_plugin.items import Items


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--losscheck`."""
    group = parser.getgroup("losscheck", "losses")
    group.addoption(
        "--losscheck",
        action="store_true",
        default=False,
        help="check the losses that [tool.losscheck] lists, one test a loss and rule",
    )


@pytest.hookimpl(tryfirst=True)  # before -k, -m and the like choose among the items
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the losses to what was collected."""
    if config.getoption("--losscheck"):
        items.extend(_items(config).collect(session))


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist, which may be missing
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a loss on one worker, so that it is examined once."""
    if not config.getoption("--losscheck"):
        return None
    from losscheck.pytest_plugin.schedule import scheduling

    return scheduling(config, log)


def _items(config: pytest.Config) -> Items:
    from losscheck.pytest_plugin.items import Items

    return Items(config)
