"""`pytest --losscheck`: items, failures, skips, and nothing at all without the flag."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from losscheck.model import Check
from losscheck.pytest_plugin.schedule import LossGroupScheduling, LossScheduling
from losscheck.rules import BUILT_IN

MSE = "losscheck::mse::LC203"


@pytest.fixture
def project(
    pytester: pytest.Pytester, fake_engine: Any, checks: tuple[Check, ...]
) -> pytest.Pytester:
    """A project whose losses are mse and mae."""
    configure(pytester)
    for target in ("mse", "mae"):
        fake_engine.reports[target] = {"checks": checks}
    return pytester


def configure(pytester: pytest.Pytester, rest: str = "") -> None:
    pytester.makepyprojecttoml(f'[tool.losscheck]\ntargets = ["mse", "mae"]\n{rest}')


def changed(engine: Any, target: str, code: str = "LC203", **changes: Any) -> None:
    """Change one check of a report."""
    checks = engine.reports[target]["checks"]
    own = {"slug": "gradient-nan", **changes}
    engine.reports[target] = {
        **engine.reports[target],
        "checks": tuple(Check(code=code, **own) if c.code == code else c for c in checks),
    }


def test_without_the_flag_nothing_happens(project: pytest.Pytester, fake_engine: Any) -> None:
    project.makepyfile("def test_own(): pass")
    project.runpytest_inprocess().assert_outcomes(passed=1)
    assert fake_engine.examined == []


def test_an_item_a_loss_and_rule_examined_once(project: pytest.Pytester, fake_engine: Any) -> None:
    project.makepyfile("def test_own(): pass")
    result = project.runpytest_inprocess("--losscheck", "-v")
    result.assert_outcomes(passed=1 + 2 * len(BUILT_IN))
    result.stdout.fnmatch_lines([f"{MSE} PASSED*"])
    result.stdout.fnmatch_lines([f"*collected {1 + 2 * len(BUILT_IN)} items"])
    assert [task.target for task in fake_engine.examined] == ["mse", "mae"]


def test_findings_fail_with_our_text_alone(
    project: pytest.Pytester, fake_engine: Any, finding: Any
) -> None:
    fake_engine.reports["mse"] = {
        **fake_engine.reports["mse"],
        "verdict": "fail",
        "findings": (finding(), finding("LC101", "warning"), finding("LC102", "note")),
    }
    result = project.runpytest_inprocess("--losscheck")
    result.assert_outcomes(failed=1, passed=2 * len(BUILT_IN) - 1)
    result.stdout.fnmatch_lines(["*mse LC203-gradient-nan*", "*LC203 gradient-nan  error*"])
    result.stdout.fnmatch_lines(["*the slope of log at 0 is infinite*"])
    result.stdout.fnmatch_lines([f"FAILED {MSE}*"])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*pytest_items.py*")


def test_warnings_fail_when_asked(project: pytest.Pytester, fake_engine: Any, finding: Any) -> None:
    configure(project, 'fail-on = "warning"')
    fake_engine.reports["mse"] = {
        **fake_engine.reports["mse"],
        "findings": (finding("LC101", "warning"), finding("LC102", "note")),
    }
    project.runpytest_inprocess("--losscheck").assert_outcomes(
        failed=1, passed=2 * len(BUILT_IN) - 1
    )


def test_what_decided_nothing_is_skipped(project: pytest.Pytester, fake_engine: Any) -> None:
    changed(fake_engine, "mse", outcome="skip", reason="no gradient to look at")
    changed(fake_engine, "mae", outcome="inconclusive", reason="too noisy")
    result = project.runpytest_inprocess("--losscheck")
    result.assert_outcomes(failed=1, skipped=1, passed=2 * len(BUILT_IN) - 2)
    result.stdout.fnmatch_lines(["*inconclusive: too noisy*"])
    configure(project, 'fail-on = "error"')
    result = project.runpytest_inprocess("--losscheck", "-rs")
    result.assert_outcomes(skipped=2, passed=2 * len(BUILT_IN) - 2)
    result.stdout.fnmatch_lines(["SKIPPED*no gradient to look at", "SKIPPED*too noisy"])


def test_a_rule_left_out_of_an_undecided_loss_fails(
    project: pytest.Pytester, fake_engine: Any
) -> None:
    raises = "the loss raises ValueError whatever it is given"
    changed(fake_engine, "mse", outcome="skip", reason=raises)
    fake_engine.reports["mse"] |= {"verdict": "inconclusive", "reason": raises}
    result = project.runpytest_inprocess("--losscheck")
    result.assert_outcomes(failed=1, passed=2 * len(BUILT_IN) - 1)
    result.stdout.fnmatch_lines([f"inconclusive: {raises}"])


def test_a_fault_of_ours_fails(project: pytest.Pytester, fake_engine: Any) -> None:
    changed(fake_engine, "mse", outcome="error", reason="planted")
    fake_engine.reports["mae"] = {"verdict": "error", "reason": "planted too"}
    result = project.runpytest_inprocess("--losscheck")
    few = len(BUILT_IN) - 1
    result.assert_outcomes(failed=2, passed=few, skipped=few)
    result.stdout.fnmatch_lines(["losscheck failed: planted", "losscheck failed: planted too"])


def test_what_leaves_a_whole_loss_open_fails_one_test(
    project: pytest.Pytester, fake_engine: Any
) -> None:
    raises = "the loss raises ValueError whatever it is given"
    for rule in BUILT_IN:
        changed(fake_engine, "mse", rule.code, outcome="skip", reason=raises)
    fake_engine.reports["mse"] |= {"verdict": "inconclusive", "reason": raises}
    result = project.runpytest_inprocess("--losscheck", "-rs")
    few = len(BUILT_IN) - 1
    result.assert_outcomes(failed=1, passed=len(BUILT_IN), skipped=few)
    result.stdout.fnmatch_lines(
        [f"SKIPPED [[]{few}] *: not run: see {BUILT_IN[0].code} of this loss"]
    )
    # A test that is run alone has no other to be left to.
    result = project.runpytest_inprocess("--losscheck", MSE)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"inconclusive: {raises}"])


def test_items_can_be_chosen(project: pytest.Pytester, fake_engine: Any) -> None:
    result = project.runpytest_inprocess("--losscheck", "-k", "mae and LC203")
    result.assert_outcomes(passed=1, deselected=2 * len(BUILT_IN) - 1)
    assert [task.target for task in fake_engine.examined] == ["mae"]


def test_a_warning_of_the_loss_is_no_failure(
    project: pytest.Pytester, fake_engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import warnings

    examine = fake_engine.examine

    def warning(task: Any) -> Any:
        warnings.warn("from the loss", DeprecationWarning, stacklevel=1)
        return examine(task)

    monkeypatch.setattr(fake_engine, "examine", warning)
    result = project.runpytest_inprocess("--losscheck", "-W", "error")
    result.assert_outcomes(passed=2 * len(BUILT_IN))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("target = []", "Did you mean 'targets'?"),
        ("targets = []", "there are no targets"),
        ('targets = ["no_such_module_here:loss"]', "no module 'no_such_module_here'"),
        ('targets = ["hollow.py"]', "no loss found in hollow.py"),
    ],
)
def test_errors_of_the_configuration(
    pytester: pytest.Pytester,
    fake_engine: Any,
    text: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    pytester.makepyprojecttoml(f"[tool.losscheck]\n{text}")
    pytester.makepyfile(hollow="number = 3")
    result = pytester.runpytest_inprocess("--losscheck")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: *{said}*"])


def test_errors_of_the_configuration_are_told_before_workers_start(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyprojecttoml("[tool.losscheck]\ntarget = []")
    result = pytester.runpytest_inprocess("--losscheck", "-n", "1")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*unknown key 'target'. Did you mean 'targets'?*"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")


@pytest.mark.parametrize("kind", [LossScheduling, LossGroupScheduling])
def test_the_tests_of_a_loss_stay_together(pytester: pytest.Pytester, kind: Any) -> None:
    scope = kind(pytester.parseconfig("--tx", "popen"))._split_scope
    assert scope(MSE) == scope("losscheck::mse::LC101") == "losscheck::mse"
    assert scope(MSE) != scope("losscheck::mae::LC203")
    file = "my_pkg/losses.py::focal"
    assert scope(f"{file}::LC203") == scope(f"{file}::LC101") == file
    for own in ("tests/test_own.py::test_one", "tests/test_own.py::TestOne::test_one"):
        assert scope(own) == own


@pytest.mark.parametrize(
    ("options", "ours"),
    [
        (("--losscheck", "--dist", "load"), True),
        (("--losscheck", "--dist", "loadgroup"), True),
        (("--losscheck", "--dist", "worksteal"), False),
        (("--losscheck-target", "mse", "--dist", "load"), True),
        (("--dist", "load"), False),
    ],
)
def test_scheduling_is_ours_unless_chosen(
    pytester: pytest.Pytester, options: tuple[str, ...], ours: bool
) -> None:
    config = pytester.parseconfigure("--tx", "popen", *options)
    made = config.hook.pytest_xdist_make_scheduler(config=config, log=None)
    assert isinstance(made, LossScheduling | LossGroupScheduling) == ours
