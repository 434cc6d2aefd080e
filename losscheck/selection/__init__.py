"""Which of the targets are examined: all but those that a pattern leaves out.

Decided by texts alone, as far as these tell, before anything of the user's is imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from losscheck.selection.excluding import Exclusion
from losscheck.settings.settings import Settings

__all__ = ["Selection"]


class Selection:
    """Chooses among targets, and among the losses that they turn out to name.

    Parameters
    ----------
    targets
        As the user gave them.
    settings
        What steers the run: the patterns.

    Attributes
    ----------
    targets
        Those that may name a loss to examine.
    """

    def __init__(self, targets: Sequence[str], settings: Settings) -> None:
        directory = Path(settings.directory).resolve()
        home = Path(settings.home).resolve() if settings.home else None
        self._exclusion = Exclusion(settings.exclude, directory, home)
        self.targets = tuple(t for t in targets if not self._exclusion.leaves_out(t))

    def takes(self, target: str) -> bool:
        """Say whether a loss is to be examined."""
        return not self._exclusion.leaves_out(target)

    def said(self) -> tuple[str, ...]:
        """What the user is told of it, once every loss was asked for: lines."""
        return self._exclusion.said()
