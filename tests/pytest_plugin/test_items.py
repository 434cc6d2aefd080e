"""The tests of `pytest --losscheck`: their ids, how they are chosen, where they stand."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import attrs
import pytest

from losscheck.model import Check, Source
from losscheck.report import verdicts
from tests.pytest_plugin.conftest import FEW, FILE

RULES = len(FEW)
FOCAL = f"{FILE}::focal"


def examined(engine: Any) -> dict[str, tuple[str, ...]]:
    """What was examined, by the names of losses, and by which rules."""
    return {task.target.partition(":")[2]: task.settings.select for task in engine.examined}


def test_the_tree_has_the_file_its_losses_and_a_test_a_rule(package: pytest.Pytester) -> None:
    result = package.runpytest_inprocess("--losscheck", "--collect-only", "-k", "LC203")
    result.stdout.fnmatch_lines(
        [
            f"<LossFile {FILE}>",
            "  <LossNode focal>",
            "    <RuleItem LC203>",
            "  <LossNode hinge>",
            "    <RuleItem LC203>",
        ]
    )
    result = package.runpytest_inprocess("--losscheck", "--collect-only", "-q")
    assert f"{FOCAL}::LC203" in result.outlines
    assert f"{FILE}::hinge::LC101" in result.outlines


@pytest.mark.parametrize(
    ("options", "passed", "rules"),
    [
        ((), 1 + 2 * RULES, {"focal": (), "hinge": ()}),
        (("-k", "focal"), RULES, {"focal": ()}),
        (("-k", "focal and gradient-nan"), 1, {"focal": ("LC102", "LC203")}),
        (("-m", "losscheck"), 2 * RULES, {"focal": (), "hinge": ()}),
        (("-m", "not losscheck"), 1, {}),
        (("--deselect", FOCAL), 1 + RULES, {"hinge": ()}),
        ((FILE,), 2 * RULES, {"focal": (), "hinge": ()}),
        ((FOCAL,), RULES, {"focal": ()}),
        ((f"{FOCAL}::LC201", f"{FILE}::hinge::LC204"), 2, None),
        (("test_own.py::test_own",), 1, {}),
        (("test_own.py::test_own", f"{FOCAL}::LC201"), 2, {"focal": ("LC201",)}),
        ((".",), 1 + 2 * RULES, {"focal": (), "hinge": ()}),
        (("--losscheck-select", "LC203,value-jump"), 5, {"focal": None, "hinge": None}),
    ],
)
def test_the_arguments_choose(
    package: pytest.Pytester,
    fake_engine: Any,
    options: tuple[str, ...],
    passed: int,
    rules: dict[str, tuple[str, ...] | None] | None,
) -> None:
    result = package.runpytest_inprocess("--losscheck", *options)
    assert result.parseoutcomes()["passed"] == passed, result.stdout.str()
    if rules is not None:
        found = examined(fake_engine)
        assert found == {name: found[name] if r is None else r for name, r in rules.items()}


def test_selected_rules_are_what_the_command_line_selects(
    package: pytest.Pytester, fake_engine: Any
) -> None:
    package.runpytest_inprocess("--losscheck", "--losscheck-select", "LC203", "-m", "losscheck")
    # Not LC102, which would mask LC203: `losscheck --select LC203` does not ask it either.
    assert examined(fake_engine) == {"focal": ("LC203",), "hinge": ("LC203",)}


def test_what_failed_last_is_run_first_and_alone(
    package: pytest.Pytester, fake_engine: Any, finding: Any
) -> None:
    fake_engine.reports["my_pkg.losses:hinge"] |= {"verdict": "fail", "findings": (finding(),)}
    package.runpytest_inprocess("--losscheck").assert_outcomes(failed=1, passed=2 * RULES)
    fake_engine.examined.clear()
    result = package.runpytest_inprocess("--losscheck", "--lf")
    result.assert_outcomes(failed=1, deselected=2 * RULES)
    assert examined(fake_engine) == {"hinge": ("LC102", "LC203")}
    result = package.runpytest_inprocess("--losscheck", "--ff", "-x", "-v")
    result.assert_outcomes(failed=1)


def test_targets_may_be_named(package: pytest.Pytester, fake_engine: Any) -> None:
    package.makepyprojecttoml("")
    result = package.runpytest_inprocess("--losscheck-target", "my_pkg.losses:hinge")
    result.assert_outcomes(passed=1 + RULES)
    assert examined(fake_engine) == {"hinge": ()}


@pytest.mark.parametrize(
    ("target", "file", "name"),
    [
        ("mse", "losscheck", "mse"),
        ("keras.losses:Huber(delta=2.0)", "losscheck", "keras.losses:Huber(delta=2.0)"),
        ("my_pkg.losses:weighted(alpha=[1, 2])", FILE, "weighted(alpha=(1, 2))"),
        (f"{FILE}:focal", FILE, "focal"),
    ],
)
def test_every_loss_has_an_id_that_names_it(
    package: pytest.Pytester,
    fake_engine: Any,
    checks: tuple[Check, ...],
    target: str,
    file: str,
    name: str,
) -> None:
    fake_engine.reports[target] = {"checks": checks}
    ident = f"{file}::{name}::LC203"
    result = package.runpytest_inprocess("--losscheck-target", target, ident, "-v")
    result.assert_outcomes(passed=1)
    assert any(line.startswith(f"{ident} PASSED") for line in result.outlines)
    assert [task.target for task in fake_engine.examined] == [target]


def test_a_loss_that_is_listed_twice_is_two(
    package: pytest.Pytester, fake_engine: Any, checks: tuple[Check, ...]
) -> None:
    fake_engine.reports[f"{FILE}:focal"] = {"checks": checks}
    result = package.runpytest_inprocess(
        *("--losscheck-target", "my_pkg.losses:focal", "--losscheck-target", f"{FILE}:focal"),
        *("-k", "LC203", "--collect-only", "-q"),
    )
    assert result.outlines[:2] == [f"{FOCAL}::LC203", f"{FILE}::{FILE}:focal::LC203"]


@pytest.mark.parametrize("argument", [f"{FILE}::none", f"{FOCAL}::LC203::more"])
def test_an_id_that_names_nothing_is_refused(package: pytest.Pytester, argument: str) -> None:
    result = package.runpytest_inprocess("--losscheck", argument)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: not found: {argument}"])


def test_a_file_of_tests_may_hold_losses(
    package: pytest.Pytester, fake_engine: Any, checks: tuple[Check, ...]
) -> None:
    file = package.makepyfile(
        test_both="def both(y_true, y_pred): return y_pred\ndef test_it(): pass"
    ).name
    fake_engine.reports[f"{file}:both"] = {"checks": checks}
    named = ("--losscheck-target", file)
    package.runpytest_inprocess(*named, file).assert_outcomes(passed=1 + RULES)
    package.runpytest_inprocess(*named, f"{file}::test_it").assert_outcomes(passed=1)
    package.runpytest_inprocess(*named, f"{file}::both::LC203").assert_outcomes(passed=1)


def test_a_module_that_cannot_be_imported_fails_alone(
    package: pytest.Pytester, fake_engine: Any
) -> None:
    package.makepyfile(broken="limit = 1 / 0")
    package.makepyprojecttoml('[tool.losscheck]\ntargets = ["my_pkg.losses", "broken"]')
    result = package.runpytest_inprocess("--losscheck")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(
        [
            "* ERROR collecting broken.py *",
            "broken cannot be imported: ZeroDivisionError: * (at broken.py:1: limit = 1 / 0)",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    assert fake_engine.examined == []
    result = package.runpytest_inprocess("--losscheck", "--continue-on-collection-errors")
    result.assert_outcomes(passed=1 + 2 * RULES, errors=1)


def test_a_test_stands_where_its_loss_is_written(
    package: pytest.Pytester, fake_engine: Any
) -> None:
    fake_engine.reports["my_pkg.losses:hinge"] = {
        "checks": (Check(code="LC203", slug="gradient-nan", outcome="skip", reason="not now"),)
    }
    result = package.runpytest_inprocess(
        *("--losscheck", "-k", "LC203", "-rs", "--durations=0", "-vv", "--junitxml=out.xml")
    )
    result.stdout.fnmatch_lines([f"SKIPPED * {FILE}:8: not now"])
    result.stdout.fnmatch_lines([f"* setup * {FOCAL}::LC203"])
    cases = ElementTree.parse(package.path / "out.xml").findall(".//testcase")
    assert {(case.get("classname"), case.get("name")) for case in cases} == {
        ("src.my_pkg.losses.focal", "LC203"),
        ("src.my_pkg.losses.hinge", "LC203"),
    }
    items, _ = package.inline_genitems("--losscheck")
    places = {item.nodeid: item.location[:2] for item in items}
    assert places[f"{FOCAL}::LC203"] == (str(Path(FILE)), 3)
    assert places[f"{FILE}::hinge::LC101"] == (str(Path(FILE)), 7)


def test_editors_nest_the_tests_of_a_loss(package: pytest.Pytester) -> None:
    # They make folders of the path of a file, and in it nest what is in a class of pytest's.
    named = ("--losscheck-target", "mse", "--losscheck-target", "my_pkg.losses")
    items, _ = package.inline_genitems(*named, FILE, "losscheck::mse")
    parents = {item.nodeid.rpartition("::")[0]: item.parent for item in items}
    assert all(isinstance(loss, pytest.Class) for loss in parents.values())
    files = {name: loss.parent.path for name, loss in parents.items() if loss and loss.parent}
    assert files["losscheck::mse"] == package.path / "pyproject.toml"
    assert files[FOCAL] == package.path / FILE
    # And run a test by the path of its file and the rest of its id.
    for argument in (f"{package.path / FILE}::focal::LC203", f"{package.path}/pyproject.toml::mse"):
        items, _ = package.inline_genitems(*named, argument)
        assert items
        assert {item.parent.name for item in items if item.parent} <= {"focal", "mse"}


def test_tests_may_be_expected_to_fail(
    package: pytest.Pytester, fake_engine: Any, finding: Any
) -> None:
    fake_engine.reports["my_pkg.losses:hinge"] |= {"verdict": "fail", "findings": (finding(),)}
    package.makeconftest(
        """
        import pytest
        def pytest_collection_modifyitems(items):
            for item in items:
                if item.nodeid.endswith("::LC203"):
                    item.add_marker(pytest.mark.xfail(reason="known", strict=False))
        """
    )
    result = package.runpytest_inprocess("--losscheck")
    result.assert_outcomes(xfailed=1, xpassed=1, passed=1 + 2 * (RULES - 1))


def test_the_fix_that_was_tried_is_shown(
    package: pytest.Pytester, fake_engine: Any, finding: Any
) -> None:
    from losscheck.model import Diagnosis

    found = finding()
    told = Diagnosis(
        id="D1",
        severity="error",
        findings=(found.id,),
        location=None,
        cause="",
        fix="x",
        diff="--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n",
        verified=True,
        clears=(found.id,),
    )
    fake_engine.reports["my_pkg.losses:hinge"] |= {
        "verdict": "fail",
        "findings": (found,),
        "diagnoses": (told,),
    }
    result = package.runpytest_inprocess("--losscheck", "-k", "hinge")
    result.stdout.fnmatch_lines(
        ["     -  old", "     +  new", "     verified: clears *, adds none*"]
    )


CASES: dict[str, tuple[dict[str, dict[str, str]], dict[str, Any]]] = {
    "pass": ({}, {}),
    "a decisive rule is open": (
        {"LC203": {"outcome": "inconclusive", "reason": "noise"}},
        {"verdict": "inconclusive", "reason": "gradient-nan: noise"},
    ),
    "another rule is open": ({"LC301": {"outcome": "inconclusive", "reason": "noise"}}, {}),
    "it never runs": (
        {"LC203": {"outcome": "skip", "reason": "the loss raises"}},
        {"verdict": "inconclusive", "reason": "the loss raises; declare what it takes"},
    ),
    "a rule is left out": ({"LC106": {"outcome": "skip", "reason": "ask with --order 2"}}, {}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_run_fails_where_the_command_line_fails(
    package: pytest.Pytester, fake_engine: Any, checks: tuple[Check, ...], case: str
) -> None:
    changes, rest = CASES[case]
    fake_engine.reports["my_pkg.losses:focal"] = {
        "checks": tuple(attrs.evolve(c, **changes.get(c.code, {})) for c in checks),
        "source": Source(file=FILE, line=4),
        **rest,
    }
    result = package.runpytest_inprocess("--losscheck", FOCAL)
    report = fake_engine.examine(fake_engine.examined[0])
    assert bool(result.parseoutcomes().get("failed", 0)) == verdicts.fails(report, "inconclusive")


def test_what_declares_badly_fails_one_test_of_its_loss(
    package: pytest.Pytester, fake_engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from losscheck.model import UsageError

    calls = []

    def refusing(task: Any) -> Any:
        calls.append(task.target)
        raise UsageError("y_pred: no domain 'real number'")

    monkeypatch.setattr(fake_engine, "examine", refusing)
    result = package.runpytest_inprocess("--losscheck", "-k", "focal and (LC201 or LC202)")
    result.assert_outcomes(errors=1, skipped=1)
    result.stdout.fnmatch_lines(["y_pred: no domain 'real number'"])
    result.stdout.no_fnmatch_line("*losses.py:[0-9]*")
    assert calls == ["my_pkg.losses:focal"]


def test_what_is_to_be_remembered_is_told_once(package: pytest.Pytester, fake_engine: Any) -> None:
    told = "losses.py:4: ignore[LC103] matches no finding"
    fake_engine.reports["my_pkg.losses:focal"] |= {"reminders": (told,)}
    result = package.runpytest_inprocess("--losscheck")
    result.stdout.fnmatch_lines(["=* losscheck =*", told])
    assert result.outlines.count(told) == 1


@pytest.mark.parametrize(
    ("pattern", "passed"), [("my_pkg.losses:hinge", 1 + RULES), ("my_pkg.losses", 1)]
)
def test_what_is_excluded_has_no_tests(package: pytest.Pytester, pattern: str, passed: int) -> None:
    package.makepyprojecttoml(
        f'[tool.losscheck]\ntargets = ["my_pkg.losses"]\nexclude = ["{pattern}"]'
    )
    package.runpytest_inprocess("--losscheck").assert_outcomes(passed=passed)
