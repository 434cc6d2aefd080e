"""The command that writes a pytest file of what is found."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from losscheck.cli import streams
from losscheck.cli.commands import examined
from losscheck.cli.options import settings
from losscheck.cli.single import one
from losscheck.model import UsageError
from losscheck.report.saving import save
from losscheck.report.verdicts import Exit


def export(target: str, out: Path | None, options: dict[str, Any]) -> int:
    """Check a loss and write tests that fail as long as its faults are there.

    Returns
    -------
    int
        The exit status: 0, whatever was found.
    """
    from losscheck.program.garbage import imported_to_stay

    if out is not None and not out.parent.is_dir():
        raise UsageError(f"--out {out}: there is no folder {out.parent}; make it first")
    held = settings(Path.cwd(), options)
    with streams.stdout_to_stderr(), imported_to_stay():
        if one(target, held).compiled is not None:
            raise UsageError(
                f"{target} is a compiled model: export the losses of its outputs, as in "
                f"{target}[output]"
            )
    found = examined([target], held, quiet=options["quiet"])
    if found is None:
        return Exit.NO_LOSS
    losses = found.report.losses
    with streams.stdout_to_stderr():
        from losscheck.exporting.module import exported

        made = exported(losses[0])
    for left in made.left_out:
        print(f"losscheck: left out {', '.join(left.codes)}: {left.reason}", file=sys.stderr)
    if not made.tests:
        print(f"losscheck: nothing to pin in {target}; no file is written", file=sys.stderr)
    elif out is None:
        streams.emit(made.text)
    else:
        save(made.text, out)
        if not options["quiet"]:
            from losscheck.report.words import plural

            streams.emit(f"{out}: {plural(len(made.tests), 'test')}\n")
    return Exit.CLEAN
