"""`losscheck cache`: what is kept of earlier runs, shown and let go of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from losscheck.cli import streams
from losscheck.keeping.folder import Folder, KeptFile
from losscheck.report.verdicts import Exit
from losscheck.report.words import clean, plural
from losscheck.settings.file import read


def show(config: Path | None) -> int:
    """List the losses of which reports are kept, those used last first.

    Returns
    -------
    int
        The exit status: 0.
    """
    folder = _folder(config)
    kept = sorted(folder.files(), key=lambda each: -each.used)
    for each in kept:
        for line in _lines(each, folder):
            streams.emit(f"{line}\n")
    size = sum(each.size for each in kept) / 1e6
    streams.emit(f"{folder.path}: {plural(len(kept), 'file')}, {size:.1f} MB\n")
    return Exit.CLEAN


def clear(config: Path | None) -> int:
    """Let go of all that is kept.

    Returns
    -------
    int
        The exit status: 0.
    """
    folder = _folder(config)
    kept = list(folder.files())
    for each in kept:
        folder.drop(each.path.stem)
    streams.emit(f"{folder.path}: {plural(len(kept), 'file')} removed\n")
    return Exit.CLEAN


def _folder(config: Path | None) -> Folder:
    held = read(Path.cwd(), config)
    return Folder(Path(held.home or held.directory))


def _lines(each: KeptFile, folder: Folder) -> Iterator[str]:
    """Name the losses of a file; a list of the losses of targets names none."""
    try:
        tree = json.loads(folder.read(each.path.stem) or "")
        found = [(loss["target"], loss["verdict"]) for loss in tree["losses"]]
        date = tree["date"]
    except (ValueError, TypeError, KeyError):
        return
    for target, verdict in found:
        yield f"{clean(str(target))}  {clean(str(verdict))}  {clean(str(date))}"
