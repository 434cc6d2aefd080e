"""Renderers: a report as text, JSON, Markdown or a page. They compute nothing."""

from __future__ import annotations

import functools
import importlib
from importlib import resources
from json import loads  # the package's own attribute `json` is the renderer
from pathlib import Path
from typing import Any

from losscheck.model import Report, UsageError
from losscheck.report.saving import save, writable
from losscheck.report.verdicts import View

# Each module has `render(report, view) -> str` and is imported when its format is asked for.
FORMATS = {
    "text": "losscheck.report.text",
    "concise": "losscheck.report.concise",
    "json": "losscheck.report.json",
    "markdown": "losscheck.report.markdown",
    "html": "losscheck.report.html",
    "sarif": "losscheck.report.sarif",
    "junit": "losscheck.report.junit",
    "github": "losscheck.report.github",
    "gitlab": "losscheck.report.gitlab",
}
ENDINGS = {  # the longer ones first
    ".sarif.json": "sarif",
    ".sarif": "sarif",
    ".json": "json",
    ".html": "html",
    ".htm": "html",
    ".md": "markdown",
    ".txt": "text",
    ".xml": "junit",
}
ELSEWHERE = "name another folder with --out"
STABILITY = {"stability.html": "html", "stability.json": "json", "stability.md": "markdown"}


def render(report: Report, format: str, view: View | None = None) -> str:  # noqa: A002
    """Write a report in one of `FORMATS`.

    Parameters
    ----------
    report
        What was found.
    format
        A key of `FORMATS`.
    view
        How to show it; the default is plain text of 100 columns.

    Returns
    -------
    str
        The text, ending in a newline (empty where the format has nothing to say).

    Raises
    ------
    UsageError
        For an unknown format, or where drawing the page needs a package that is missing.
    """
    if format not in FORMATS:
        raise UsageError(f"unknown format {format!r}; choose one of {', '.join(FORMATS)}")
    text: str = importlib.import_module(FORMATS[format]).render(report, view or View())
    return text


def of_file(file: Path) -> str:
    """Tell the format of a file by its ending.

    Raises
    ------
    UsageError
        If it tells none.
    """
    for ending, format in ENDINGS.items():  # noqa: A001
        if file.name.lower().endswith(ending):
            return format
    raise UsageError(
        f"{file}: its ending tells no format; end it with one of {', '.join(ENDINGS)}, or name the "
        f"format, one of {', '.join(FORMATS)}"
    )


def write_stability(report: Report, out: Path, view: View | None = None) -> list[Path]:
    """Write the stability report: a page, JSON and Markdown.

    Parameters
    ----------
    report
        What was found.
    out
        The folder, made where it is missing.
    view
        How to show it: with what changed since an earlier report, where that is known.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    UsageError
        If the folder cannot be written.
    """
    writable(out, ELSEWHERE)
    for name, kind in STABILITY.items():
        save(render(report, kind, view), out / name, ELSEWHERE)
    return [out / name for name in STABILITY]


@functools.cache
def schema() -> dict[str, Any]:
    """Read the JSON Schema (draft 2020-12) of the JSON report."""
    text = resources.files(__name__).joinpath("schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = loads(text)
    return loaded
