"""The registry of rules: codes, slugs, and docstrings that `losscheck explain` can print."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap

import pytest

from losscheck.model import UsageError
from losscheck.rules import BUILT_IN, find
from losscheck.rules.base import Rule

SECTIONS = ["What it does", "Why it matters", "Example", "Use instead", "References"]


def sections(rule: Rule) -> dict[str, str]:
    text = inspect.getdoc(type(rule)) or ""
    parts = re.split(r"^(.+)\n-+$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def code_of(text: str) -> str:
    lines = [line for line in text.splitlines() if line.startswith("    ") or not line.strip()]
    return textwrap.dedent("\n".join(lines))


def test_codes_and_slugs_are_unique_and_in_order() -> None:
    codes = [rule.code for rule in BUILT_IN]
    assert codes == sorted(set(codes))
    assert len({rule.slug for rule in BUILT_IN}) == len(BUILT_IN)


@pytest.mark.parametrize("rule", BUILT_IN, ids=lambda rule: rule.code)
class TestDocstring:
    def test_has_the_sections_in_order(self, rule: Rule) -> None:
        assert list(sections(rule)) == SECTIONS
        assert all(text.strip() for text in sections(rule).values())

    def test_underlines_are_as_long_as_their_titles(self, rule: Rule) -> None:
        doc = inspect.getdoc(type(rule)) or ""
        for title in SECTIONS:
            assert f"{title}\n{'-' * len(title)}\n" in doc

    def test_starts_with_one_short_sentence(self, rule: Rule) -> None:
        first, blank = (inspect.getdoc(type(rule)) or "").splitlines()[:2]
        assert first.endswith(".")
        assert len(first) <= 90
        assert blank == ""

    @pytest.mark.parametrize("section", ["Example", "Use instead"])
    def test_code_defines_a_loss(self, rule: Rule, section: str) -> None:
        tree = ast.parse(code_of(sections(rule)[section]))
        names = {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
        assert names & {"loss", "call"}

    def test_references_are_a_list(self, rule: Rule) -> None:
        assert sections(rule)["References"].strip().startswith("- ")


@pytest.mark.parametrize("name", ["LC203", "lc203", "gradient-nan", " Gradient-NaN "])
def test_find_takes_codes_and_slugs(name: str) -> None:
    assert find(name).code == "LC203"


def test_an_unknown_rule_is_answered_with_close_ones() -> None:
    with pytest.raises(UsageError, match=r"gradient-nam.*LC203 gradient-nan"):
        find("gradient-nam")
