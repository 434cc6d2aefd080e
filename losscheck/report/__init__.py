"""Renderers: a report as text, JSON, Markdown or a page. They compute nothing."""

from __future__ import annotations

import functools
import importlib
from importlib import resources
from json import loads  # the package's own attribute `json` is the renderer
from pathlib import Path
from typing import Any

from losscheck.model import Report, UsageError
from losscheck.report.view import View

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


def write_stability(report: Report, out: Path) -> list[Path]:
    """Write the stability report: a page, JSON and Markdown.

    Parameters
    ----------
    report
        What was found.
    out
        The folder, made where it is missing.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    UsageError
        If the folder cannot be written, or drawing the curves needs a package that is missing.
    """
    texts = {name: render(report, kind) for name, kind in STABILITY.items()}
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (out / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"cannot write the report to {out}: {error.strerror}; name another folder with --out"
        ) from error
    return [out / name for name in texts]


@functools.cache
def schema() -> dict[str, Any]:
    """Read the JSON Schema (draft 2020-12) of the JSON report."""
    text = resources.files(__name__).joinpath("schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = loads(text)
    return loaded
