"""The evidence that rules may ask for: what is gathered, and the page that tells of it."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from losscheck.evidence import desk
from losscheck.evidence.gather import Evidence
from losscheck.rules.evidence import EVIDENCE

PAGE = Path(__file__).parents[2] / "docs" / "rules-of-your-own.md"
HEAD = "| name | type | what it is |\n|---|---|---|\n"
ENDING = "Ending"  # what a lambda gives that does not ask the evidence


def row(name: str) -> str:
    """Write what the page says of a piece of evidence."""
    function = desk.FURTHER[name][0] if name in desk.FURTHER else desk.GATHER[name]
    module = inspect.getmodule(function)
    kind = function.__annotations__.get("return")
    if kind is None:
        kind = Evidence.__annotations__.get(name, ENDING)
        module = desk if kind == ENDING else inspect.getmodule(Evidence)
    (word,) = {*re.findall(r"\w+", kind)} - {"tuple", "None", "LeftOut"}
    home = getattr(module, word).__module__.removeprefix("losscheck.")
    shown = kind.replace("|", "\\|").replace(word, f"{home}.{word}")
    return f"| `{name}` | `{shown}` | {EVIDENCE[name]} |\n"


def test_what_is_gathered_is_told_of() -> None:
    assert {*desk.GATHER, *desk.FURTHER} == set(EVIDENCE)


def test_the_page_lists_it() -> None:
    assert HEAD + "".join(map(row, EVIDENCE)) in PAGE.read_text(encoding="utf-8")
