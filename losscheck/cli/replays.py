"""The command that runs the findings of a stored report again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from losscheck.cli import outputs, streams
from losscheck.cli.commands import stored
from losscheck.cli.progress import watch
from losscheck.engine.events import Stage
from losscheck.replayed import Replay
from losscheck.report.verdicts import Exit
from losscheck.report.view import View

FORMATS = ("text", "json")


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
    from losscheck.report.replay import render

    return render(found, view)
