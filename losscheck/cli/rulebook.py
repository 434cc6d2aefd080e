"""`losscheck rules` and `losscheck explain`: what the rules say of themselves."""

from __future__ import annotations

import inspect
import re
import shutil
import textwrap

import click

from losscheck.cli import streams
from losscheck.rules import find, rules
from losscheck.rules.base import Rule

WIDTH = 100  # columns, where the terminal does not say


def listing() -> int:
    """Print a line a rule: code, slug and the first sentence of its docstring."""
    width = max(shutil.get_terminal_size((WIDTH, 24)).columns, 60)  # 60: below that, lines run over
    codes = max(len(rule.code) for rule in rules())
    slugs = max(len(rule.slug) for rule in rules())
    for rule in rules():
        start = f"{rule.code:<{codes}}  {rule.slug:<{slugs}}  "
        lines = textwrap.wrap(_first_sentence(rule), width - len(start))
        streams.emit(start + f"\n{' ' * len(start)}".join(lines) + "\n")
    return 0


def explain(code: str) -> int:
    """Print the docstring of a rule, its sections set off.

    Raises
    ------
    UsageError
        If there is no such rule.
    """
    rule = find(code)
    text = _sections(f"{rule.code} {rule.slug}\n\n{_docstring(rule)}\n")
    streams.emit(text if streams.colorful() else click.unstyle(text))
    return 0


def _docstring(rule: Rule) -> str:
    return inspect.getdoc(type(rule)) or ""


def _first_sentence(rule: Rule) -> str:
    summary = _docstring(rule).partition("\n\n")[0].replace("\n", " ")
    return re.split(r"(?<=\.)\s", summary)[0]


def _sections(text: str) -> str:
    """Print titles bold, without the rule below them."""
    first, _, rest = text.partition("\n")
    titled = re.sub(
        r"^(\S.*)\n-{3,}$", lambda title: click.style(title[1], bold=True), rest, flags=re.MULTILINE
    )
    return f"{click.style(first, bold=True)}\n{titled}"
