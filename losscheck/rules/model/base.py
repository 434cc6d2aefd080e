"""What the rules about the weights of a compiled model share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscheck.model import Suspect
from losscheck.rules.base import Rule

if TYPE_CHECKING:
    from losscheck.advice.blamed import Blame
    from losscheck.rules.base import Words


class WeightRule(Rule):
    """A rule about weights: its words name them, and the output that it is about."""

    def told(self, suspect: Suspect, blame: Blame, names: str, output: str) -> Words:
        """Say what is wrong, why, and what to write instead.

        Parameters
        ----------
        suspect
            What this rule says of the weights.
        blame
            The operation at fault.
        names
            Of the weights, as a sentence lists them.
        output
            The target of the loss whose output it is about; "" where it is about none.
        """
        raise NotImplementedError
