"""The commands that go by a report: the stability report, and its findings run again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from losscheck.changes import Changes, changes
from losscheck.cli import outputs, streams
from losscheck.cli.commands import examined, status, stored
from losscheck.cli.options import settings
from losscheck.cli.progress import watch
from losscheck.engine.events import Stage
from losscheck.model import UsageError
from losscheck.replayed import Replay
from losscheck.report import ELSEWHERE, verdicts, write_stability
from losscheck.report.saving import writable
from losscheck.report.verdicts import Exit, View
from losscheck.report.words import changed

NEW = "new"  # of --fail-on: errors that an earlier report has not
FORMATS = ("text", "json")


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
    against
        An earlier report, to compare with.
    given
        A report that was made before, in place of checking losses.
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


def replay(file: Path, wanted: str, formats: Sequence[str], verbosity: int) -> int:
    """Run findings again and say which are still there.

    Returns
    -------
    int
        The exit status: 0 where all are gone.
    """
    chosen = outputs.parse(formats, FORMATS)
    report = stored(file)
    with streams.stdout_to_stderr(), watch(quiet=verbosity < 0) as shown:
        from losscheck.replaying import replay as run

        def listen(target: str) -> None:
            shown.hear(Stage(target=target, name="is run again"))

        found = run(report, str(file), wanted, str(Path.cwd()), listen)
    outputs.write_with(lambda name, view: _written(found, name, view), chosen, verbosity)
    return Exit.FINDINGS if found.fails else Exit.CLEAN


def _written(found: Replay, name: str, view: View) -> str:
    if name == "json":
        from losscheck.report.json import replay_to_json

        return replay_to_json(found)
    from losscheck.report.answers import render_replay

    return render_replay(found, view)
