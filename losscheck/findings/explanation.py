"""A finding together with what it was made from, which diagnoses and fixes go back to."""

from __future__ import annotations

from typing import Any

import attrs

from losscheck.advice.blamed import Blame
from losscheck.cases.blocks import CaseBlock
from losscheck.model import Array, Finding, Location, Severity, Suspect
from losscheck.rules import by_code, policy
from losscheck.rules.crowd import Crowd

Spot = tuple[Any, ...]  # what findings that are told as one share


@attrs.frozen(kw_only=True, eq=False)
class Explanation:
    """One finding, and how it was come by."""

    finding: Finding
    # The rule's claim about the case that is reported, with the numbers of the run.
    suspect: Suspect
    blame: Blame  # the operation at fault, its expression and the numbers that went through it
    node: str = ""  # the forward operation of the graph, by name; "" where none is known
    # The cases that the rule suspects, and the one that is reported, made small; None where the
    # rule spoke of one case alone.
    crowd: Crowd | None = None
    case: CaseBlock | None = None
    # Those of the crowd's cases that the same operation is to blame for, as far as they were looked
    # at: indices into its population.
    members: Array | None = None

    @property
    def weight(self) -> int:
        """The rank of its severity."""
        return policy.RANK[Severity(self.finding.severity)]

    def counting(self, count: int) -> Explanation:
        """Tell of as many cases."""
        return attrs.evolve(self, finding=attrs.evolve(self.finding, count=count))

    def merged(self, after: Explanation) -> Explanation:
        """Count the cases of a second one at the same place with the weightier one."""
        heavier = after if after.weight > self.weight else self
        return heavier.counting(self.finding.count + after.finding.count)


def spot(found: Suspect | Crowd, otherwise: tuple[str, ...], location: Location | None) -> Spot:
    """What findings that are told as one share: the rule, the place and the dtype."""
    place = (location.file, location.line, location.column) if location else otherwise
    mode = (found.mode,) if by_code(found.code).by_mode else ()
    return (found.code, *place, found.dtype, *mode)


def noted(crowd: Crowd) -> Spot:
    """The spot of what is told once, wherever it lies: overflow at a dtype's ends."""
    return crowd.code, crowd.dtype
