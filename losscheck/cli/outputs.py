"""Where reports go: `--format FORMAT` to stdout, `--format FORMAT=PATH` into a file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs

from losscheck.cli import streams
from losscheck.model import Report, UsageError
from losscheck.report import FORMATS, render
from losscheck.report.saving import save
from losscheck.report.verdicts import View
from losscheck.settings.settings import one_of

WIDEST = 120  # columns beyond which what stands at the right edge is too far from its line


@attrs.frozen(kw_only=True)
class Outputs:
    """The formats that were asked for."""

    stdout: str  # the format on stdout
    files: tuple[tuple[str, Path], ...]  # format and path


def parse(given: Sequence[str], formats: Sequence[str] = tuple(FORMATS)) -> Outputs:
    """Read the values of `--format`; text goes to stdout where no format for it was given.

    Parameters
    ----------
    given
        FORMAT or FORMAT=PATH each.

    Raises
    ------
    UsageError
        For an unknown format, two formats on stdout, or a folder that does not exist.
    """
    stdout, files = [], []
    for text in given:
        name, equals, path = text.partition("=")
        one_of(name, tuple(formats), "--format")
        if not equals:
            stdout.append(name)
            continue
        if not path or Path(path).is_dir() or not Path(path).parent.is_dir():
            raise UsageError(
                f"--format {text}: {path!r} names no file in an existing folder; "
                f"write --format {name}=report.{name}, or make the folder first"
            )
        files.append((name, Path(path)))
    if len(set(stdout)) > 1:
        raise UsageError(
            f"--format: {' and '.join(stdout)} cannot both go to stdout; "
            f"write one into a file: --format {stdout[0]}=PATH"
        )
    return Outputs(stdout=stdout[0] if stdout else "text", files=tuple(files))


def write(report: Report, outputs: Outputs, verbosity: int, *, streamed: bool = False) -> None:
    """Write a report to the files and to stdout.

    Parameters
    ----------
    streamed
        The losses stand on stdout already: there what remains to be said of all of them is written.

    Raises
    ------
    UsageError
        If a file cannot be written.
    """
    from losscheck.report.text import closing

    def text(name: str, view: View) -> str:
        return closing(report, view) if streamed and name == "text" else render(report, name, view)

    for name, file in outputs.files:
        save(render(report, name, View(verbosity=verbosity)), file)
    streams.emit(text(outputs.stdout, screen(verbosity)))
    if "github" in (outputs.stdout, *(name for name, _ in outputs.files)):
        _summarize(report)


def _summarize(report: Report) -> None:
    """Add the report to the summary of a step of GitHub Actions, where this runs in one."""
    if not (path := os.environ.get("GITHUB_STEP_SUMMARY", "")):
        return
    from losscheck.report.github import summary

    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(summary(report))
    except OSError as error:
        raise UsageError(
            f"cannot write GITHUB_STEP_SUMMARY={path}: {error.strerror}; unset it to do without"
        ) from error


def write_with(write: Callable[[str, View], str], outputs: Outputs, verbosity: int) -> None:
    """Write anything that comes in formats to the files and to stdout.

    Parameters
    ----------
    write
        Gives the text of a format, as it is to be shown.

    Raises
    ------
    UsageError
        If a file cannot be written.
    """
    for name, file in outputs.files:
        save(write(name, View(verbosity=verbosity)), file)
    streams.emit(write(outputs.stdout, screen(verbosity)))


def screen(verbosity: int) -> View:
    """Show a report as the terminal has room and colours for it."""
    view = View(verbosity=verbosity)
    columns = shutil.get_terminal_size((view.width, 24)).columns
    return attrs.evolve(view, width=min(columns, WIDEST), color=streams.colorful())
