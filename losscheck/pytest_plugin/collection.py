"""What `pytest --losscheck` does in a run: losses collected, reported and handed to workers."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

import pytest

from losscheck.model import UsageError
from losscheck.pytest_plugin.items import REMINDER, Asked, LossFile, LossGroup, RuleItem
from losscheck.pytest_plugin.losses import ELSEWHERE, Chosen, Losses, Place, settings_of


class LossCollection:
    """The hooks of a run that checks losses.

    Parameters
    ----------
    config
        Of the run.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._losses: Losses | None = None
        self._chosen = Chosen(every=True)

    @pytest.hookimpl(tryfirst=True)  # before the workers of pytest-xdist are started
    def pytest_sessionstart(self) -> None:
        """Complain of what cannot be used; neither losses nor TensorFlow are imported yet."""
        try:
            self._losses = Losses(settings_of(self._config), self._config.rootpath)
        except UsageError as error:
            raise pytest.UsageError(str(error)) from error

    @pytest.hookimpl(tryfirst=True)  # before pytest looks for what the arguments name
    def pytest_collection(self) -> None:
        """Take out the arguments that name losses."""
        assert self._losses is not None
        place = Place(
            directory=self._config.invocation_params.dir,
            root=self._config.rootpath,
            files=self._losses.files,
            listing=self._losses.listing,
            codes=[rule.code for rule in self._losses.rules()],
            patterns=self._config.getini("python_files"),
        )
        self._chosen, self._config.args[:] = place.sort(self._config.args)

    @pytest.hookimpl(tryfirst=True)  # before -k, -m and the like choose among the tests
    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> None:
        """Add the losses to what was collected."""
        failed = session.testsfailed
        found = list(self._collected(session))
        items += found
        if session.testsfailed == failed:
            assert self._losses is not None
            missing = self._chosen.missing([item.nodeid for item in found])
            self._complain(self._losses.none_found or "\n".join(f"not found: {i}" for i in missing))

    def _collected(self, session: pytest.Session) -> Iterator[pytest.Item]:
        assert self._losses is not None
        asked = Asked(losses=self._losses, chosen=self._chosen)
        for file in self._losses.files:
            if self._chosen.holds(file):
                node = (
                    LossGroup.from_parent(
                        session, name=file, nodeid=file, path=self._losses.listing, asked=asked
                    )
                    if file == ELSEWHERE
                    else LossFile.from_parent(
                        session, path=self._config.rootpath / file, asked=asked
                    )
                )
                yield from session.genitems(node)

    def _complain(self, what: str) -> None:
        """Fail with what was found too late to end the run, as a worker is to be told of it."""
        if not what:
            return
        if not hasattr(self._config, "workerinput"):
            raise pytest.UsageError(what)
        # A worker of pytest-xdist that raises it takes the run down with an internal error.
        report = pytest.CollectReport(ELSEWHERE, "failed", longrepr=what, result=[])
        self._config.hook.pytest_collectreport(report=report)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let a skip stand where the loss is written, and not in this package."""
        report = yield
        if isinstance(item, RuleItem) and report.skipped and isinstance(report.longrepr, tuple):
            path, line, _ = item.reportinfo()
            report.longrepr = (str(path), (line or 0) + 1, report.longrepr[2])
        return report

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell of what is mended, of what has expired, and of comments that match nothing."""
        reports = (report for kind in terminalreporter.stats.values() for report in kind)
        told = {
            text: None
            for report in reports
            for name, text in getattr(report, "user_properties", ())
            if name == REMINDER
        }
        if told:
            terminalreporter.section("losscheck")
            for text in sorted(told):
                terminalreporter.line(text)

    @pytest.hookimpl(optionalhook=True)  # of pytest-xdist, which may be missing
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Keep the tests of a loss on one worker, so that it is examined once."""
        from losscheck.pytest_plugin.schedule import scheduling

        return scheduling(config, log)
