"""The commands that take one loss: its comparison with another, and a pytest file of its faults."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from losscheck.cli import outputs, streams
from losscheck.cli.commands import examined
from losscheck.cli.options import settings
from losscheck.cli.progress import watch
from losscheck.comparison import Comparison
from losscheck.engine.events import Stage
from losscheck.model import UsageError
from losscheck.report.saving import save
from losscheck.report.verdicts import Exit, View
from losscheck.settings.settings import Settings

if TYPE_CHECKING:
    from losscheck.targets import Loss

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
        from losscheck.comparing import compare
        from losscheck.program.quiet import imported_to_stay

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
    from losscheck.report.answers import render_comparison

    return render_comparison(comparison, view)


def export(target: str, out: Path | None, options: dict[str, Any]) -> int:
    """Check a loss and write tests that fail as long as its faults are there.

    Returns
    -------
    int
        The exit status: 0, whatever was found.
    """
    from losscheck.program.quiet import imported_to_stay

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
        from losscheck.exporting import exported

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


def one(target: str, held: Settings) -> Loss:
    """Find the loss that a target names; of a compiled model what it is trained on.

    Modules are looked for beside the configuration, too.

    Raises
    ------
    UsageError
        If it names several losses, or none.
    """
    from losscheck.targets import resolve
    from losscheck.targets.importing import put_on_path

    if held.home:
        put_on_path(Path(held.home))
    losses, left_out = resolve(target, Path.cwd())
    if len(losses) == 1 or (losses and losses[0].compiled is not None):
        return losses[0]
    if losses:
        names = ", ".join(loss.target for loss in losses)
        raise UsageError(f"{target!r} holds {len(losses)} losses; name one of them: {names}")
    reasons = "".join(f"\n  {item.target}: {item.reason}" for item in left_out)
    raise UsageError(f"there is no loss in {target!r}.{reasons}")
