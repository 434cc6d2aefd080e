"""The fixture `losscheck` and its mark: what fails a test, and what is expected to."""

from __future__ import annotations

from typing import Any

import pytest

CODE = """
import pytest

def loss(y_true, y_pred):
    return y_pred

{mark}
def test_it(losscheck):
    assert losscheck(loss{options}).target == "test_it:loss"
"""


@pytest.fixture
def finds(fake_engine: Any, finding: Any) -> Any:
    """Give a function that sets what is found of the loss."""

    def found(*codes: str, severity: str = "error", **changes: Any) -> None:
        verdict = "fail" if codes and severity == "error" else "pass"
        findings = tuple(finding(code, severity, id=f"{code}-1") for code in codes)
        changes = {"verdict": verdict, "findings": findings, **changes}
        fake_engine.reports["test_it:loss"] = changes

    return found


def run(pytester: pytest.Pytester, mark: str = "", options: str = "", *more: str) -> Any:
    mark = mark and f"@pytest.mark.losscheck({mark})"
    pytester.makepyfile(test_it=CODE.format(mark=mark, options=options))
    return pytester.runpytest_inprocess("-rA", "--strict-markers", *more)


def test_a_loss_that_passes_gives_its_report(pytester: pytest.Pytester, finds: Any) -> None:
    finds("LC301", severity="warning")
    run(pytester).assert_outcomes(passed=1)


def test_a_loss_that_fails_fails_the_test_without_a_stack(
    pytester: pytest.Pytester, finds: Any
) -> None:
    finds("LC203")
    result = run(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["the gradient is NaN", "test_it:loss   FAIL *", "*LC203*"])
    result.stdout.no_fnmatch_line("*fixture.py*")
    result.stdout.no_fnmatch_line("*assert losscheck(loss)*")


def test_the_configuration_holds(pytester: pytest.Pytester, finds: Any, fake_engine: Any) -> None:
    pytester.makepyprojecttoml(
        '[tool.losscheck]\nfail-on = "warning"\nbudget = 3\nignore = { LC103 = "meant" }'
    )
    finds("LC301", severity="warning")
    run(pytester, "select='LC3'", ", seed=7, ignore={'LC104': 'a corner'}").assert_outcomes(
        failed=1
    )
    run(pytester, "", ", fail_on='error'").assert_outcomes(passed=1)
    first = fake_engine.examined[0].settings
    assert (first.budget, first.seed, first.select) == (3, 7, ("LC3",))
    assert first.ignore == {"LC103": "meant", "LC104": "a corner"}


@pytest.mark.parametrize(
    ("mark", "codes", "outcome"),
    [
        ("xfail='LC203', reason='known'", ("LC203",), "xfailed"),
        ("xfail='LC2'", ("LC203", "LC204"), "xfailed"),
        ("xfail='gradient-nan, LC101'", ("LC203",), "xfailed"),
        ("xfail=['LC203', 'LC101'], strict=True", ("LC203",), "failed"),
        ("xfail='LC203'", ("LC203", "LC101"), "failed"),
        ("xfail='LC203'", (), "xpassed"),
        ("xfail='LC203', strict=False", (), "xpassed"),
        ("xfail='LC203', strict=True", (), "failed"),
    ],
)
def test_findings_may_be_expected(
    pytester: pytest.Pytester, finds: Any, mark: str, codes: tuple[str, ...], outcome: str
) -> None:
    finds(*codes)
    result = run(pytester, mark)
    result.assert_outcomes(**{outcome: 1})
    if outcome == "xfailed" and "known" in mark:
        result.stdout.fnmatch_lines(["XFAIL test_it.py::test_it - LC203: known"])
    result.stdout.no_fnmatch_line("*fixture.py*")


@pytest.mark.parametrize("verdict", ["inconclusive", "error"])
def test_what_decides_nothing_is_never_expected(
    pytester: pytest.Pytester, finds: Any, verdict: str
) -> None:
    finds(verdict=verdict, reason="too noisy")
    result = run(pytester, "xfail='LC203'")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"{verdict}: too noisy"])


def test_another_failure_is_not_expected(pytester: pytest.Pytester, finds: Any) -> None:
    finds()
    run(pytester, "xfail='LC203'", ").target == 'another' and (0").assert_outcomes(failed=1)


def test_a_run_that_expects_nothing_shows_what_fails(pytester: pytest.Pytester, finds: Any) -> None:
    finds("LC203")
    result = run(pytester, "xfail='LC203'", "", "--runxfail")
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*fixture.py*")


def test_a_class_may_be_marked(pytester: pytest.Pytester, finds: Any, fake_engine: Any) -> None:
    finds("LC203")
    pytester.makepyfile(
        test_it="""
        import pytest

        def loss(y_true, y_pred):
            return y_pred

        @pytest.mark.losscheck(xfail="LC203", select="LC2", budget=2)
        class TestLoss:
            @pytest.mark.losscheck(budget=5)
            def test_it(self, losscheck):
                losscheck(loss)
        """
    )
    pytester.runpytest_inprocess().assert_outcomes(xfailed=1)
    (task,) = fake_engine.examined
    assert (task.settings.select, task.settings.budget) == (("LC2",), 5)


@pytest.mark.parametrize(
    ("mark", "options", "said"),
    [
        ("xfai='LC203'", "", "unknown key 'xfai'. Did you mean 'xfail'?"),
        ("xfail='LC999'", "", "There is no rule 'LC999'"),
        ("'LC203'", "", "takes keywords alone"),
        ("", ", selct='LC2'", "the fixture losscheck: unknown key 'selct'. Did you mean 'select'?"),
        ("", ", arguments={'y_pred': 'numbers'}", "arguments*'y_pred'*numbers*"),
    ],
)
def test_wrong_usage_is_told_without_a_stack(
    pytester: pytest.Pytester, finds: Any, mark: str, options: str, said: str
) -> None:
    finds()
    result = run(pytester, mark, options)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"*{said}*"])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*fixture.py*")
