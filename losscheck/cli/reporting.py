"""The command that writes the stability report, of losses or of a report that was made before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from losscheck.changes import Changes, changes
from losscheck.cli import streams
from losscheck.cli.commands import examined, status, stored
from losscheck.cli.options import settings
from losscheck.model import UsageError
from losscheck.report import ELSEWHERE, verdicts, write_stability
from losscheck.report.saving import writable
from losscheck.report.view import View
from losscheck.report.words import changed

NEW = "new"  # of --fail-on: errors that an earlier report has not


def report(
    targets: Sequence[str],
    out: Path,
    options: dict[str, Any],
    *,
    against: Path | None,
    given: Path | None,
) -> int:
    """Write the stability report.

    Parameters
    ----------
    targets
        The losses; those of the configuration where none is named.
    out
        The folder.
    options
        As click gives them.
    against
        An earlier report, to compare with.
    given
        A report that was made before, in place of checking losses.

    Returns
    -------
    int
        The exit status.
    """
    only_new = options.get("fail_on") == NEW
    if only_new and against is None:
        raise UsageError(
            "--fail-on new: new is what an earlier report has not; name it with --against OLD.json"
        )
    if given is not None and targets:
        raise UsageError(f"--from {given}: nothing is checked then; leave {targets[0]} away")
    held = settings(Path.cwd(), {**options, "fail_on": None} if only_new else options)
    old = None if against is None else stored(against)
    # What fails in the end fails at the start: the folder is tried before hours of work.
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: this is no folder; name another one")
    writable(out, ELSEWHERE)
    if given is not None:
        made = stored(given)
        ended: int = verdicts.status(made, held.fail_on)
    else:
        done = examined(targets, held, quiet=options["quiet"])
        if done is None:
            return verdicts.Exit.NO_LOSS
        made, ended = done.report, status(done, held)
    found = None if old is None else changes(old, made)
    written = write_stability(made, out, View(changes=found))
    if not options["quiet"]:
        streams.emit("".join(f"{line}\n" for line in _told(written, found)))
    return _of_new(found, ended) if only_new and found is not None else ended


def _told(written: Sequence[Path], found: Changes | None) -> list[str]:
    return [*map(str, written), *([] if found is None else [changed(found)])]


def _of_new(found: Changes, ended: int) -> int:
    """Give the exit status that new errors alone decide; what stopped the run comes first."""
    if ended in (verdicts.Exit.FAULT, verdicts.INTERRUPTED):
        return ended
    return verdicts.Exit.FINDINGS if found.new_errors else verdicts.Exit.CLEAN
