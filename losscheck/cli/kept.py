"""What `losscheck baseline` and `losscheck cache` do: what is known or kept, shown and dropped."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

from losscheck.cli import streams
from losscheck.cli.commands import examined
from losscheck.cli.options import settings
from losscheck.keeping.folder import Folder, KeptFile
from losscheck.model import Report, UsageError
from losscheck.report import verdicts
from losscheck.report.saving import save
from losscheck.report.verdicts import Exit
from losscheck.report.words import clean, plural
from losscheck.settings import baseline
from losscheck.settings.baseline import Entry
from losscheck.settings.file import read

ELSEWHERE = "name another file with --baseline"


def write(targets: Sequence[str], options: dict[str, Any], *, reason: str, expires: str) -> int:
    """Add what is found to the baseline.

    Returns
    -------
    int
        The exit status: 0, whatever is found.
    """
    file = _file(options)
    given = {"reason": reason.strip() or baseline.REASON}
    if expires:
        given["expires"] = baseline.a_date(expires, "--expires")
    known = baseline.read(file) if file.exists() else ()
    report = _report(targets, options)
    if report is None:
        return verdicts.Exit.NO_LOSS
    today = datetime.datetime.now(tz=datetime.UTC).date()
    entries = baseline.entries_of(report.losses, known, today, **given)
    save(baseline.written(entries), file, ELSEWHERE)
    new = len(entries) - len(known)
    streams.emit(f"{_shown(file)}: {plural(len(entries), 'finding')}, {new} of them new\n")
    for loss in report.losses:
        if loss.verdict in ("inconclusive", "error"):
            streams.emit(f"{loss.target} is {loss.verdict}, which no baseline sets apart\n")
    return verdicts.Exit.CLEAN


def prune(targets: Sequence[str], options: dict[str, Any]) -> int:
    """Take out what was examined and is not found any more."""
    file = _file(options)
    known = baseline.read(file)
    report = _report(targets, options)
    if report is None:
        return verdicts.Exit.NO_LOSS
    gone = baseline.mended(report.losses, known)
    left = [entry for entry in known if entry not in gone]
    if gone:
        save(baseline.written(left), file, ELSEWHERE)
    for entry in gone:
        streams.emit(f"{clean(f'mended: {entry.target}: {entry.told}')}\n")
    streams.emit(f"{_shown(file)}: {plural(len(left), 'finding')}, {len(gone)} taken out\n")
    return verdicts.Exit.CLEAN


def show_baseline(config: Path | None, named: Path | None) -> int:
    """List what the baseline holds, by loss."""
    file = _file({"config": config, "baseline": named})
    entries = baseline.read(file)
    today = datetime.datetime.now(tz=datetime.UTC).date()
    for target in dict.fromkeys(entry.target for entry in entries):
        streams.emit(f"{clean(target)}\n")
        for entry in entries:
            if entry.target == target:
                streams.emit(f"  {clean(_line(entry, today))}\n")
    streams.emit(f"{_shown(file)}: {plural(len(entries), 'finding')}\n")
    return verdicts.Exit.CLEAN


def _line(entry: Entry, today: datetime.date) -> str:
    until = ""
    if entry.expires:
        until = f", {'expired on' if entry.expired(today) else 'until'} {entry.expires}"
    return f"{entry.told}, since {entry.first_seen}{until}: {entry.reason}"


def _file(options: dict[str, Any]) -> Path:
    """The file that the command line names, else the configuration, else the usual one."""
    directory = Path.cwd()
    if options["baseline"] is not None:
        named: Path = options["baseline"]
        return directory / named
    configured = read(directory, options["config"]).baseline
    return Path(configured) if configured else directory / baseline.FILE


def _report(targets: Sequence[str], options: dict[str, Any]) -> Report | None:
    """Examine the losses as if there were no baseline."""
    held = attrs.evolve(settings(Path.cwd(), options), baseline="")
    done = examined(targets, held, quiet=options["quiet"])
    if done is not None and done.interrupted:
        raise UsageError("interrupted: the baseline is as it was")
    return None if done is None else done.report


def _shown(file: Path) -> str:
    """The file as the user would name it here."""
    return str(file.relative_to(Path.cwd())) if file.is_relative_to(Path.cwd()) else str(file)


def show_cache(config: Path | None) -> int:
    """List the losses of which reports are kept, those used last first."""
    folder = _folder(config)
    kept = sorted(folder.files(), key=lambda each: -each.used)
    for each in kept:
        for line in _lines(each, folder):
            streams.emit(f"{line}\n")
    size = sum(each.size for each in kept) / 1e6
    streams.emit(f"{folder.path}: {plural(len(kept), 'file')}, {size:.1f} MB\n")
    return Exit.CLEAN


def clear(config: Path | None) -> int:
    """Let go of all that is kept."""
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
