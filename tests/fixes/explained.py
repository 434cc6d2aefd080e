"""A loss examined, with what its findings were made from."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from losscheck.evidence.desk import Desk
from losscheck.findings.explanation import Explanation
from losscheck.findings.finding import Writer
from losscheck.fixes.bench import Bench
from losscheck.rules import by_code
from losscheck.settings.settings import Settings
from losscheck.targets import from_callable
from tests.desks import desk


@attrs.frozen(eq=False)
class Explained:
    """The evidence and the findings of some rules."""

    function: Callable[..., Any]
    desk: Desk
    explanations: list[Explanation]

    @property
    def bench(self) -> Bench:
        """Where changes of the loss are tried."""
        writer = functools.partial(
            Writer, from_callable(self.function), Settings(), base=os.getcwd()
        )
        return Bench(self.desk, os.getcwd(), self.explanations, writer)

    def of(self, *codes: str) -> list[Explanation]:
        """The findings of these codes."""
        return [each for each in self.explanations if each.finding.code in codes]


def explained(function: Callable[..., Any], codes: Sequence[str], **arguments: Any) -> Explained:
    """Judge some rules of a loss."""
    laid = desk(function, **arguments)
    writer = Writer(from_callable(function), Settings(), laid, os.getcwd())
    found: list[Explanation] = []
    for code in codes:
        rule = by_code(code)
        evidence = {name: laid.get(name) for name in rule.needs}
        found += writer.explanations(rule, list(rule.judge(**evidence)))
    return Explained(function, laid, found)
