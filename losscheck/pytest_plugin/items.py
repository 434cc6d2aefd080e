"""The tests that `pytest --losscheck` adds: an item a loss and rule, examined once a loss."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from losscheck.model import LossReport, Outcome, UsageError, Verdict
from losscheck.report import verdicts
from losscheck.report.blocks import of_finding
from losscheck.settings.file import read

if TYPE_CHECKING:
    from losscheck.engine.task import Task

ROOT = "losscheck"  # node ids begin with it


class Examined:
    """The reports of this process: each loss is examined when its first item runs."""

    def __init__(self) -> None:
        self._reports: dict[str, LossReport] = {}

    def report(self, task: Task) -> LossReport:
        """Examine a loss, unless that was done."""
        from losscheck.engine.task import examine

        if task.target not in self._reports:
            with warnings.catch_warnings():
                # What TensorFlow or the loss warns of is no finding, even under `-W error`.
                warnings.simplefilter("ignore")
                self._reports[task.target] = examine(task)
        return self._reports[task.target]


class LossNode(pytest.Collector):
    """A loss."""

    def collect(self) -> Iterable[pytest.Item]:
        """Items are made by `collect` below; pytest asks only nodes that it found itself."""
        return ()


class RuleItem(pytest.Item):
    """One rule on one loss."""

    def __init__(self, *, task: Task, code: str, examined: Examined, **rest: Any) -> None:
        super().__init__(**rest)
        self.task = task
        self.code = code
        self.examined = examined

    def runtest(self) -> None:
        """Fail with the findings of the rule, skip where it decided nothing."""
        report = self.examined.report(self.task)
        fail_on = self.task.settings.fail_on
        if report.verdict == Verdict.ERROR:
            raise FindingsError(f"losscheck failed: {report.reason}")
        found = [finding for finding in report.findings if finding.code == self.code]
        self.user_properties += [("losscheck", finding.id) for finding in found]
        text = "\n".join(map(of_finding, found))
        if any(verdicts.finding_fails(finding, fail_on) for finding in found):
            raise FindingsError(text)
        if found:  # shown with -rP, and where another check of the report is
            self.add_report_section("call", "losscheck", text)
        self._undecided(report, fail_on)

    def _undecided(self, report: LossReport, fail_on: str) -> None:
        check = next((check for check in report.checks if check.code == self.code), None)
        if check is None:
            pytest.skip(report.reason or "not run")
        if check.outcome == Outcome.ERROR:
            raise FindingsError(f"losscheck failed: {check.reason}")
        # A rule that was left out for what leaves the whole loss undecided has decided nothing.
        open_ = report.verdict == Verdict.INCONCLUSIVE and check.reason == report.reason
        open_ = check.outcome == Outcome.INCONCLUSIVE or (check.outcome == Outcome.SKIP and open_)
        if open_ and verdicts.counts("inconclusive", fail_on):
            raise FindingsError(f"inconclusive: {check.reason}")
        if check.outcome in (Outcome.SKIP, Outcome.INCONCLUSIVE):
            pytest.skip(check.reason or check.outcome)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show findings as losscheck does, without a traceback."""
        if isinstance(excinfo.value, FindingsError | UsageError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Name the item in the header of its failure."""
        return self.path, None, f"{self.task.target} {self.name}"


class FindingsError(Exception):
    """What makes an item fail; the text is what is shown."""


class WrongItem(pytest.Item):
    """What stands in a worker of pytest-xdist for a configuration that cannot be used.

    A worker that raises pytest.UsageError takes the whole run down with an internal error.
    """

    def __init__(self, *, error: UsageError, **rest: Any) -> None:
        super().__init__(**rest)
        self.error = error

    def runtest(self) -> None:
        """Fail with the error."""
        raise self.error

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show the message without a traceback."""
        return str(excinfo.value)


class Items:
    """Makes the items of a session."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    def collect(self, session: pytest.Session) -> Sequence[pytest.Item]:
        """Make an item for every loss of the configuration and every rule.

        Raises
        ------
        pytest.UsageError
            If the configuration cannot be used, or lists nothing.
        """
        root = LossNode.from_parent(session, name=ROOT, nodeid=ROOT)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # importing TensorFlow warns of its own ways
                tasks = self._tasks()
        except UsageError as error:
            if hasattr(self.config, "workerinput"):
                return [WrongItem.from_parent(root, name="configuration", error=error)]
            raise pytest.UsageError(str(error)) from error
        examined = Examined()
        items = [item for task in tasks for item in self._of_loss(root, task, examined)]
        # Tells pytest's own count of them, which it shows and subtracts what -k leaves out from.
        report = pytest.CollectReport(ROOT, "passed", longrepr=None, result=[*items])
        self.config.hook.pytest_collectreport(report=report)
        return items

    def _of_loss(self, root: LossNode, task: Task, examined: Examined) -> Iterable[pytest.Item]:
        from losscheck.rules import rules

        node = LossNode.from_parent(root, name=task.target)
        for rule in rules():
            name = f"{rule.code}-{rule.slug}"
            own = {"task": task, "code": rule.code, "examined": examined}
            item = RuleItem.from_parent(node, name=name, **own)
            if self.config.pluginmanager.hasplugin("xdist"):
                item.add_marker(pytest.mark.xdist_group(task.target))
            yield item

    def _tasks(self) -> tuple[Task, ...]:
        from losscheck.engine.plan import plan

        settings = read(self.config.invocation_params.dir)
        if not settings.targets:
            raise UsageError(
                "--losscheck: there are no targets; list them in pyproject.toml, as in "
                '[tool.losscheck] targets = ["my_pkg.losses"]'
            )
        planned = plan(settings.targets, settings)
        if not planned.tasks:
            raise UsageError(f"--losscheck: no loss found in {', '.join(settings.targets)}")
        return planned.tasks
