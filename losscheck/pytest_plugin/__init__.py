"""The pytest plugin: `pytest --losscheck`, and the fixture and the mark `losscheck`.

Every pytest run imports this file, so that it imports nothing but pytest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from losscheck.pytest_plugin.fixture import LossCheck

MARK = (
    "losscheck(xfail=None, reason='', strict=None, **options): what the fixture `losscheck` is "
    "told of this test: codes that it is expected to find, and options of losscheck.check; tests "
    "of `pytest --losscheck` have this mark, too"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that begin with `--losscheck`."""
    group = parser.getgroup("losscheck", "losses")
    group.addoption(
        "--losscheck",
        action="store_true",
        default=False,
        help="check the losses that [tool.losscheck] lists, one test a loss and rule",
    )
    group.addoption(
        "--losscheck-target",
        action="append",
        default=[],
        metavar="TARGET",
        help="check this loss, module or file instead of those that are listed; repeatable",
    )
    group.addoption(
        "--losscheck-select",
        action="append",
        default=[],
        metavar="CODES",
        help="with these rules alone: codes, their beginnings or slugs, with commas or repeated",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark, and where losses are to be checked what collects them."""
    config.addinivalue_line("markers", MARK)
    if config.getoption("--losscheck") or config.getoption("--losscheck-target"):
        from losscheck.pytest_plugin.collection import LossCollection

        config.pluginmanager.register(LossCollection(config), "losscheck-collection")


@pytest.fixture
def losscheck(request: pytest.FixtureRequest) -> LossCheck:
    """Check a loss within a test: `losscheck(my_loss, arguments={"y_pred": "probability"})`.

    The test fails where the loss does, by the settings of [tool.losscheck]; the report is returned.
    Options are those of `losscheck.check`, and `fail_on`.
    """
    from losscheck.pytest_plugin.fixture import of_test

    return of_test(request)
