"""The order in which rules are judged: the cheapest and most telling first."""

from __future__ import annotations

import graphlib
from collections.abc import Collection, Sequence

from losscheck.rules.base import Rule
from losscheck.rules.evidence import EVIDENCE

_PLACES = {name: place for place, name in enumerate(EVIDENCE)}


def schedule(rules: Sequence[Rule]) -> list[Rule]:
    """Order rules by the evidence that they need, each behind those whose findings mask it."""
    known = {rule.code: rule for rule in rules}
    order = graphlib.TopologicalSorter(
        {code: [mask for mask in rule.masked_by if mask in known] for code, rule in known.items()}
    )
    order.prepare()
    waiting: list[Rule] = []
    found: list[Rule] = []
    while order.is_active():
        waiting += [known[code] for code in order.get_ready()]
        waiting.sort(key=lambda rule: (_dearness(rule), rule.code))
        found.append(waiting.pop(0))
        order.done(found[-1].code)
    return found


def with_masks(codes: Collection[str], rules: Sequence[Rule]) -> frozenset[str]:
    """Add to codes of rules those of the rules whose findings mask theirs, and so on.

    Judged with these, a rule says the same as judged with all.
    """
    found: set[str] = set()
    waiting = set(codes)
    while waiting:
        found |= waiting
        masks = {mask for rule in rules if rule.code in waiting for mask in rule.masked_by}
        waiting = masks - found
    return frozenset(found)


def _dearness(rule: Rule) -> int:
    """The place of the dearest evidence that a rule needs."""
    return max((_PLACES[name] for name in rule.needs), default=0)
