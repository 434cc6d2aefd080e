"""What the rules about NaN and Inf share, whatever the dtype."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscheck.rules.base import Pin, Rule

if TYPE_CHECKING:
    from losscheck.advice.base import Change
    from losscheck.advice.blamed import Blame
    from losscheck.model import Suspect
    from losscheck.rules.base import Arguments, Words


class NonfiniteRule(Rule):
    """Says which operation went wrong at which number, and what to write there."""

    pinned = Pin.FINITE

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        # Its tables are large: `losscheck rules` does without.
        from losscheck.advice import nonfinite

        cause, fix = nonfinite.cause_and_fix(suspect, blame)
        return nonfinite.message(suspect), f"{blame.vanished} {cause}".strip(), fix

    def changes(self, suspect: Suspect, blame: Blame) -> tuple[Change, ...]:
        """Give what keeps the operation finite."""
        from losscheck.advice import nonfinite

        return nonfinite.changes(suspect, blame)
