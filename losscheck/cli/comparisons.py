"""The command that compares two losses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from losscheck.cli import outputs, streams
from losscheck.cli.options import settings
from losscheck.cli.progress import watch
from losscheck.cli.single import one
from losscheck.comparison import Comparison
from losscheck.engine.events import Stage
from losscheck.report.verdicts import Exit
from losscheck.report.view import View

FORMATS = ("text", "json")


def diff(
    old: str, new: str, formats: Sequence[str], options: dict[str, Any], *, strict: bool
) -> int:
    """Compare two losses and write in what they differ.

    Returns
    -------
    int
        The exit status: 0 the same, or repaired; 1 different.
    """
    wanted = outputs.parse(formats, FORMATS)
    held = settings(Path.cwd(), options)
    with streams.stdout_to_stderr(), watch(quiet=options["quiet"]) as shown:
        from losscheck.comparing.compare import compare
        from losscheck.program.garbage import imported_to_stay

        with imported_to_stay():
            losses = one(old, held), one(new, held)
        pair = f"{old} -> {new}"
        found = compare(*losses, held, lambda stage: shown.hear(Stage(target=pair, name=stage)))
    verbosity = options["verbose"] - options["quiet"]
    outputs.write_with(lambda name, view: _written(found, name, view), wanted, verbosity)
    return Exit.FINDINGS if found.fails(strict=strict) else Exit.CLEAN


def _written(comparison: Comparison, name: str, view: View) -> str:
    if name == "json":
        from losscheck.report.json import comparison_to_json

        return comparison_to_json(comparison)
    from losscheck.report.comparison import render

    return render(comparison, view)
