"""The one loss that a target names, for commands that take no more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from losscheck.model import UsageError
from losscheck.settings.settings import Settings

if TYPE_CHECKING:
    from losscheck.targets import Loss


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
