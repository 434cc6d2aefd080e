"""The templates of the page and of a notebook's card, in which every text is escaped."""

from __future__ import annotations

import functools
import re

from jinja2 import Environment, PackageLoader, StrictUndefined

from losscheck.model import Diagnosis, LossReport
from losscheck.report import told, words
from losscheck.report.excerpt import whole
from losscheck.report.matrix import tables

# Marks by which a text would be shown in another order than it is written (Trojan source).
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@functools.cache
def templates() -> Environment:
    """Give the templates, with what they may call."""
    environment = Environment(
        loader=PackageLoader("losscheck.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: plain(value) if type(value) is str else value,
    )
    environment.filters.update(clean=words.clean, excerpt=whole, seconds=words.seconds)
    environment.globals.update(
        words=words,
        tables=tables,
        told=told.told,
        counts=told.counts,
        count=told.count,
        where=told.where,
        diff_lines=diff_lines,
    )
    return environment


def diff_lines(diff: str) -> list[tuple[str, str]]:
    """Give each line of a diff after what it is: head, gone, come or kept."""
    kinds = {"+": "come", "-": "gone", "@": "head"}
    heads = ("---", "+++", "diff ")
    return [
        ("head" if line.startswith(heads) else kinds.get(line[:1], "kept"), line)
        for line in words.clean(diff).splitlines()
    ]


def plain(text: str) -> str:
    """Write out what would steer the browser: marks of direction, and characters of no text."""
    text = _DIRECTION.sub(lambda mark: f"\\u{ord(mark.group()):04x}", words.clean(text))
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def fragment(loss: LossReport) -> str:
    """Write a loss as a piece of HTML that stands alone: no id, no script, nothing loaded."""
    return _card(loss)


def of_diagnosis(diagnosis: Diagnosis, loss: LossReport) -> str:
    """Write one diagnosis of a loss as such a piece."""
    return _card(loss, next(each for each in told.told(loss) if each.diagnosis.id == diagnosis.id))


def _card(loss: LossReport, alone: told.Told | None = None) -> str:
    return templates().get_template("fragment.html.j2").render(loss=loss, alone=alone)
