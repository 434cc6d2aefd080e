"""Every rule finds its own example, and what its page says to write instead passes."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

import losscheck
from losscheck.result import CheckResult
from losscheck.rules import BUILT_IN
from losscheck.rules.base import Rule
from tests.rules.test_registry import code_of, sections

HEAD = "import keras\nimport numpy as np\nimport tensorflow as tf\n\n"
# What the page says of the arguments in words.
DECLARED = {
    "LC108": {"y_true": "binary", "y_pred": "probability"},
    "LC201": {"y_true": "probability", "y_pred": "probability"},
}
SHOWN = [rule for rule in BUILT_IN if rule.code not in ("LC902", "LC903")]  # they end their process


def check(rule: Rule, section: str, folder: Path, select: list[str]) -> CheckResult:
    """Check the loss of a section of a rule's page, which stands at its end."""
    name = f"{rule.slug}_{section}".replace("-", "_").replace(" ", "_").lower()
    (folder / f"{name}.py").write_text(HEAD + code_of(sections(rule)[section]), encoding="utf-8")
    module = importlib.import_module(name)
    own = [n for n, v in vars(module).items() if getattr(v, "__module__", "") == name]
    return losscheck.check(
        f"{name}:{own[-1]}",
        select=select,
        arguments=DECLARED.get(rule.code),
        order=2 if rule.code == "LC106" else 1,
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(
            sys.modules[name].__file__
        ):
            del sys.modules[name]


@pytest.mark.parametrize("rule", SHOWN, ids=lambda rule: rule.code)
def test_a_rule_finds_its_example(rule: Rule, folder: Path) -> None:
    report = check(rule, "Example", folder, [rule.code])
    assert {finding.code for finding in report.findings} == {rule.code}


@pytest.mark.parametrize("rule", SHOWN, ids=lambda rule: rule.code)
def test_a_rule_passes_what_it_says_to_write(rule: Rule, folder: Path) -> None:
    report = check(rule, "Use instead", folder, [rule.code])
    assert {finding.severity for finding in report.findings} <= {"note"}


@pytest.mark.slow
@pytest.mark.parametrize("rule", SHOWN, ids=lambda rule: rule.code)
def test_no_rule_has_an_error_for_what_another_one_says_to_write(rule: Rule, folder: Path) -> None:
    report = check(rule, "Use instead", folder, [])
    assert [finding.message for finding in report.findings if finding.severity == "error"] == []
