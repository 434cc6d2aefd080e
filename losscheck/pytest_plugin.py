"""`pytest --losscheck`: the losses of the configuration as tests, one a loss and rule.

Every pytest run imports this file, so that it imports nothing but pytest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from losscheck.pytest_items import Items

ROOT = "losscheck"  # node ids begin with it


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


def _items(config: pytest.Config) -> Items:
    from losscheck.pytest_items import Items

    return Items(config)
