"""Many cases that one rule suspects for one reason: still to be grouped, blamed and shrunk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from losscheck.model import Array, Direction

if TYPE_CHECKING:
    from collections.abc import Mapping


@attrs.frozen(kw_only=True, eq=False)
class Crowd:
    """Cases of one population that a rule suspects.

    Parameters
    ----------
    code, form, facts
        As in `model.Suspect`.
    population
        Where the cases come from: `cases`, and `rerun` observes the same of others.
    members
        Indices into it, at least one.
    """

    code: str
    form: str
    population: Any
    members: Array
    direction: Direction = Direction.FORWARD
    facts: Mapping[str, Any] = attrs.field(factory=dict)
    mode: str = "graph"
    dtype: str = "float32"
