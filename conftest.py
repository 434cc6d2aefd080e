"""What every test may use."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

import attrs
import pytest

pytest_plugins = ["pytester"]

# Where fixes are tried, as everywhere in a command of its own. They take as long as the check of
# a small loss, and other tests ask nothing of them.
ABOUT_FIXES = ("diagnoses", "fixes", "cli", "exporting", "report", "benchmarks", "replaying")

ALIKE = ("test_fixes.py", "test_workers.py")  # and where a process of its own gives the same


@pytest.fixture(autouse=True, scope="module")
def fixes_where_they_are_asked_for(request: pytest.FixtureRequest) -> Iterator[None]:
    """Try fixes in the tests that are about them alone."""
    place = request.path.relative_to(request.config.rootpath)
    if {*ABOUT_FIXES} & {*place.parts} or place.name in ALIKE:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("losscheck.diagnoses.cures", lambda *asked, **named: [])
        yield


@pytest.fixture(autouse=True)
def losses_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Examine several losses in this process, too, unless they are to have some of their own."""
    monkeypatch.setattr("losscheck.cli.commands.several", lambda targets: False)


@pytest.fixture(autouse=True, scope="module")
def nothing_is_kept(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run losses anew in all tests but those about what is kept from run to run."""
    if "keeping" in request.path.relative_to(request.config.rootpath).parts:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        for name, given in (("whole", None), ("losses", {}), ("keep", True)):
            patch.setattr(f"losscheck.keeping.Kept.{name}", lambda *a, given=given: given)
        yield


@pytest.fixture
def fake_engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """Put an engine in place that runs nothing and finds what the test says."""
    engine = FakeEngine("losscheck.engine")
    for name in ("run", "task"):
        monkeypatch.setitem(sys.modules, f"losscheck.engine.{name}", engine)
    return engine


class FakeEngine(ModuleType):
    """Stands in for `losscheck.engine.run` and `losscheck.engine.task`.

    `reports` holds, by target, changes to a report that passes; `examined` is what it was asked.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.reports: dict[str, Mapping[str, Any]] = {}
        self.examined: list[Any] = []
        self.Task = Task

    def examine(self, task: Task, loss: Any = None) -> Any:
        """Report what `reports` says of the loss."""
        from losscheck.model import LossReport

        self.examined.append(task)
        print(f"the loss {task.target} prints")
        changes = self.reports.get(task.target, {})
        passing = {"verdict": "pass", "seconds": 0.5, "cases": 100, "source": None}
        return LossReport(target=task.target, **{**passing, **changes})

    def run(self, tasks: Sequence[Task], settings: Any, hear: Any = None) -> Iterator[Any]:
        """Examine every task, and tell of it as the engine does."""
        from losscheck import model
        from losscheck.engine import events

        losses = []
        for index, task in enumerate(tasks):
            yield events.Started(target=task.target, index=index, total=len(tasks))
            yield events.Stage(target=task.target, name="sweep")
            losses.append(self.examine(task))
            yield events.Finished(target=task.target, report=losses[-1])
        count = [loss.verdict for loss in losses].count
        summary = model.Summary(
            losses=len(losses),
            passed=count("pass"),
            fail=count("fail"),
            inconclusive=count("inconclusive"),
            error=count("error"),
            cases=100 * len(losses),
        )
        environment = model.Environment(
            python="3", tensorflow="2", keras="3", numpy="2", hypothesis="6", platform="here"
        )
        yield events.Done(
            report=model.Report(
                losscheck="0",
                environment=environment,
                seed=settings.seed,
                seconds=0.5,
                summary=summary,
                losses=tuple(losses),
            )
        )


@attrs.frozen(kw_only=True)
class Task:
    """As the engine's."""

    target: str
    settings: Any
    source: Any = None
    died: Any = None


def finding(code: str = "LC203", severity: str = "error", **changes: Any) -> Any:
    """Make a finding."""
    from losscheck.model import Expected, Finding, Observed

    given: dict[str, Any] = {
        "id": f"{code}-00000000",
        "slug": "gradient-nan",
        "kind": "avoidable",
        "range": "working",
        "message": "the gradient is NaN",
        "dtype": "float32",
        "mode": "graph",
        "count": 1,
        "inputs": {},
        "observed": Observed(),
        "expected": Expected(),
        "location": None,
        "cause": "the slope of log at 0 is infinite",
        "fix": "safe = 1",
        "reproduce": "",
    }
    return Finding(code=code, severity=severity, **{**given, **changes})


@pytest.fixture(name="finding")
def finding_fixture() -> Any:
    """Give the function that makes a finding."""
    return finding
