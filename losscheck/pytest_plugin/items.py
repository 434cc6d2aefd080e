"""The tests of `pytest --losscheck`, as a tree: a file, its losses, and a test a rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import attrs
import pytest

from losscheck.model import Check, LossReport, Outcome, UsageError, Verdict
from losscheck.pytest_plugin.losses import Chosen, Losses
from losscheck.report import verdicts
from losscheck.report.blocks import of_finding

if TYPE_CHECKING:
    from losscheck.engine.task import Task
    from losscheck.rules.base import Rule

REMINDER = "losscheck-reminder"  # the name of a property of a test's report
# A bracket in the id of a test begins its parameters, and two colons begin a part of it.
_PLAIN = str.maketrans({"[": "(", "]": ")"})


@attrs.frozen(kw_only=True, eq=False)
class Asked:
    """What is asked of the losses in this run."""

    losses: Losses
    chosen: Chosen


def _collected(node: LossFile | LossGroup) -> Iterable[LossNode]:
    """The losses of a file."""
    try:
        tasks = node.asked.losses.tasks(node.nodeid)
    except UsageError as error:
        raise node.CollectError(str(error)) from error
    taken: set[str] = set()
    for task in tasks:
        name = task.target if isinstance(node, LossGroup) else task.target.partition(":")[2]
        # One that is listed as a module and as a file, too, is two losses with settings of its own.
        name = (task.target if name in taken else name).translate(_PLAIN).replace("::", ":")
        taken.add(name)
        found = LossNode.from_parent(node, name=name, task=task, asked=node.asked)
        if node.asked.chosen.holds(found.nodeid):
            yield found


class LossFile(pytest.File):
    """A file with losses."""

    def __init__(self, *, asked: Asked, **rest: Any) -> None:
        super().__init__(**rest)
        self.asked = asked

    def collect(self) -> Iterable[LossNode]:
        """Find its losses."""
        return _collected(self)


class LossGroup(pytest.Collector):
    """Losses that are in no file of the project: those of Keras and of installed packages."""

    def __init__(self, *, asked: Asked, **rest: Any) -> None:
        super().__init__(**rest)
        self.asked = asked

    def collect(self) -> Iterable[LossNode]:
        """Find these losses."""
        return _collected(self)


class LossNode(pytest.Class):
    """A loss, which is examined before the first of its tests that is run.

    It is no class, but editors nest tests in what pytest takes for one, and in nothing else.
    """

    obj = None

    def __init__(self, *, task: Task, asked: Asked, **rest: Any) -> None:
        super().__init__(**rest)
        self.task = task
        self.asked = asked
        self.report: LossReport | None = None
        self.refused = ""  # why it could not be examined at all
        self._told = False
        self._failed: dict[str, str] = {}  # what leaves it open, and the test that failed by it

    def collect(self) -> Iterable[RuleItem]:
        """Give a test for each rule."""
        for rule in self.asked.losses.rules():
            found = RuleItem.from_parent(self, name=rule.code, rule=rule)
            if self.asked.chosen.holds(found.nodeid):
                yield found

    def setup(self) -> None:
        """Examine it by the rules whose tests are to be run."""
        codes = [
            item.rule.code
            for item in self.session.items
            if isinstance(item, RuleItem) and item.parent is self
        ]
        try:
            self.report = self.asked.losses.report(self.task, codes)
        except UsageError as error:
            self.refused = str(error)

    def failing(self, why: str, name: str) -> str:
        """Give the test that fails by a reason: the first of those that it leaves open."""
        return self._failed.setdefault(why, name)

    def untold(self) -> Sequence[str]:
        """Give what is to be remembered of it, once."""
        assert self.report is not None
        told = () if self._told else self.report.reminders
        self._told = True
        return told


class RuleItem(pytest.Item):
    """One rule on one loss."""

    parent: LossNode

    def __init__(self, *, rule: Rule, **rest: Any) -> None:
        super().__init__(**rest)
        self.rule = rule
        self.add_marker(pytest.mark.losscheck)
        self.extra_keyword_matches |= {rule.slug, f"{rule.code}-{rule.slug}", self._task.target}
        if self.config.pluginmanager.hasplugin("xdist"):
            self.add_marker(pytest.mark.xdist_group(self._task.target.translate(_PLAIN)))

    @property
    def _task(self) -> Task:
        return self.parent.task

    def setup(self) -> None:
        """Refuse what cannot be used."""
        if why := self.parent.refused:
            self._leave_to_the_first(why)
            raise pytest.fail.Exception(why, pytrace=False)

    def runtest(self) -> None:
        """Fail with the findings of the rule, skip where it decided nothing."""
        report, fail_on = self.parent.report, self._task.settings.fail_on
        assert report is not None
        if report.verdict == Verdict.ERROR:
            self._fail_once(f"losscheck failed: {report.reason}")
        found = [finding for finding in report.findings if finding.code == self.rule.code]
        self.user_properties += [("losscheck", finding.id) for finding in found]
        self.user_properties += [(REMINDER, told) for told in self.parent.untold()]
        text = "\n".join(of_finding(finding, report) for finding in found)
        if any(verdicts.finding_fails(finding, fail_on) for finding in found):
            raise FindingsError(text)
        if found:  # shown with -rP, and where another check of the report is
            self.add_report_section("call", "losscheck", text)
        check = next((check for check in report.checks if check.code == self.rule.code), None)
        if check is None:
            pytest.skip(report.reason or "not run")
        if check.outcome == Outcome.ERROR:
            self._fail_once(f"losscheck failed: {check.reason}")
        reason = _open(check, report, self.rule)
        if reason and verdicts.counts("inconclusive", fail_on):
            self._fail_once(f"inconclusive: {reason}")
        if check.outcome in (Outcome.SKIP, Outcome.INCONCLUSIVE):
            pytest.skip(check.reason or check.outcome)

    def _fail_once(self, why: str) -> NoReturn:
        """Fail by what leaves other rules of the loss open, too: one test of them does."""
        self._leave_to_the_first(why)
        raise FindingsError(why)

    def _leave_to_the_first(self, why: str) -> None:
        if (first := self.parent.failing(why, self.name)) != self.name:
            pytest.skip(f"not run: see {first} of this loss")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show findings as losscheck does, without a traceback."""
        if isinstance(excinfo.value, FindingsError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Say where the loss is written, and name the test in the header of its failure."""
        source = self.parent.asked.losses.source(self._task)
        title = f"{self._task.target} {self.rule.code}-{self.rule.slug}"
        if source is None:
            return self.path, None, title
        return Path(self._task.settings.directory, source.file), source.line - 1, title


def _open(check: Check, report: LossReport, rule: Rule) -> str:
    """Say why a rule leaves open what comes of its loss; "" where it does not."""
    undecided = report.verdict == Verdict.INCONCLUSIVE
    if check.outcome == Outcome.INCONCLUSIVE:
        return check.reason if undecided or rule.decisive else ""
    # What leaves the whole loss undecided is the reason of the rules that it leaves out, too; the
    # loss says it at more length.
    same = undecided and check.reason and report.reason.startswith(check.reason)
    return report.reason if same and check.outcome == Outcome.SKIP else ""


class FindingsError(Exception):
    """What makes a test fail; the text is what is shown."""
