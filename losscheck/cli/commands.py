"""What the commands do that run or show reports."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

from losscheck.cli import outputs, streams
from losscheck.cli.options import settings
from losscheck.model import LeftOut, Report, UsageError
from losscheck.report import verdicts
from losscheck.settings.settings import Settings, did_you_mean

COMMANDS = ("check", "report", "diff", "replay", "rules", "explain", "render")


def check(targets: Sequence[str], formats: Sequence[str], options: dict[str, Any]) -> int:
    """Check losses and write what was found in the formats asked for.

    Returns
    -------
    int
        The exit status.
    """
    wanted = outputs.parse(formats)
    held = settings(Path.cwd(), options)
    found = _examine(targets, held, quiet=options["quiet"])
    if found is None:
        return verdicts.Exit.NO_LOSS
    outputs.write(found, wanted, options["verbose"] - options["quiet"])
    return verdicts.status(found, held.fail_on)


def report(targets: Sequence[str], out: Path, options: dict[str, Any]) -> int:
    """Check losses and write the stability report.

    Returns
    -------
    int
        The exit status.
    """
    from losscheck.report import write_stability

    held = settings(Path.cwd(), options)
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: this is no folder; name another one")
    found = _examine(targets, held, quiet=options["quiet"])
    if found is None:
        return verdicts.Exit.NO_LOSS
    written = write_stability(found, out)
    if not options["quiet"]:
        streams.emit("".join(f"{path}\n" for path in written))
    return verdicts.status(found, held.fail_on)


def render(file: Path, formats: Sequence[str], verbosity: int) -> int:
    """Show a JSON report in another format.

    Returns
    -------
    int
        The exit status: 0, whatever the report says.
    """
    wanted = outputs.parse(formats)
    outputs.write(stored(file), wanted, verbosity)
    return verdicts.Exit.CLEAN


def stored(file: Path) -> Report:
    """Read a JSON report.

    Raises
    ------
    UsageError
        If the file cannot be read, or is no report.
    """
    from losscheck.report.json import from_json

    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read the report {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is no JSON report: {error}") from error
    return from_json(text)


def _examine(targets: Sequence[str], held: Settings, *, quiet: bool) -> Report | None:
    """Run the engine; None where the targets hold no loss, which is said on stderr."""
    given = tuple(targets) or held.targets
    if not given:
        raise UsageError(
            "no target: name a loss, as in `losscheck my_module:my_loss`, or list targets in "
            "[tool.losscheck] of pyproject.toml. `losscheck --help` shows more."
        )
    with streams.stdout_to_stderr():
        from losscheck.cli.progress import follow
        from losscheck.engine import workers
        from losscheck.engine.plan import plan
        from losscheck.engine.run import run
        from losscheck.program.garbage import imported_to_stay

        if held.apart:  # their TensorFlow is imported beside that of the targets
            workers.prepare()
        try:
            with imported_to_stay():
                planned = plan(given, held)
        except UsageError as error:
            raise UsageError(f"{error}{_command_hint(given)}") from error
        if not planned.tasks:
            _say_no_loss(given, planned.left_out)
            return None
        events = run(planned.tasks, held)
        done = follow(events, losses=len(planned.tasks), quiet=quiet)
    return attrs.evolve(done, left_out=planned.left_out)


def _command_hint(targets: Sequence[str]) -> str:
    """Suggest a command where the first target looks like a mistyped one."""
    given = targets[0]
    near = did_you_mean(given, COMMANDS) if given.isidentifier() else ""
    return f"{near[:-1]}, the command?" if near and given not in COMMANDS else ""


def _say_no_loss(targets: Sequence[str], left_out: Sequence[LeftOut]) -> None:
    print(f"losscheck: no loss found in {', '.join(targets)}", file=sys.stderr)
    for item in left_out:
        print(f"  {item.target}: {item.reason}", file=sys.stderr)
