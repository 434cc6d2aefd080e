"""Message, cause and fix of a finding, in plain sentences and Python."""

from __future__ import annotations

import attrs

from losscheck.advice.blamed import RUNNING, Blame
from losscheck.model import Argument, Suspect
from losscheck.rules.base import Rule


@attrs.frozen
class Remedy:
    """What a finding says: what is wrong, why, and what to write instead."""

    message: str  # one sentence
    cause: str  # one or two sentences, with the numbers
    fix: str  # Python; advice that is no code stands in comments


def remedy(rule: Rule, suspect: Suspect, blame: Blame, arguments: tuple[Argument, ...]) -> Remedy:
    """Put what a rule suspects into its words: see `Rule.words`."""
    if blame.op in RUNNING:  # a condition or a function is nothing to be written otherwise
        blame = attrs.evolve(blame, operands=())
    return Remedy(*rule.words(suspect, blame, arguments))
