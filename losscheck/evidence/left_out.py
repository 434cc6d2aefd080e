"""Why evidence was not gathered of a loss, where the reason differs from loss to loss."""

from __future__ import annotations

from typing import Literal

import attrs


@attrs.frozen
class LeftOut:
    """In place of evidence: false, and it says why there is none."""

    reason: str

    def __bool__(self) -> Literal[False]:
        return False


@attrs.frozen
class Refused(LeftOut):
    """The loss does not take what it would have been gathered with."""
