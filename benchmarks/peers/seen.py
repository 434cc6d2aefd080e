"""What losscheck says of a loss, beside what others have published of it."""

from __future__ import annotations

import time
from dataclasses import dataclass

import losscheck
from benchmarks.peers import Published
from losscheck.model import Finding, LossReport

GRAVITY = ("error", "warning", "note")


@dataclass(frozen=True)
class Seen:
    """A loss, and what is said of it.

    Parameters
    ----------
    findings
        The gravest first.
    seconds
        Of processor time.
    """

    problem: Published
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def name(self) -> str:
        """The name of the loss."""
        return str(self.problem.loss.__name__)

    @property
    def told(self) -> tuple[Finding, ...]:
        """Findings that tell the fault; none of a sound loss."""
        return tuple(f for f in self.findings if f.code in self.problem.codes.split())

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings that are errors."""
        return tuple(f for f in self.findings if f.severity == "error")

    @property
    def severity(self) -> str:
        """The gravest severity at which the fault is told; nothing where it is not."""
        return str(self.told[0].severity) if self.told else ""


def look(problem: Published) -> Seen:
    """Check a loss, its arguments declared as its program has them."""
    begin = time.process_time()
    report = losscheck.check(
        problem.loss,
        arguments={
            name: {"domain": domain, "shape": shape}
            for name, (domain, shape) in problem.arguments.items()
        },
        order=problem.order,
    )
    return seen(problem, report, time.process_time() - begin)


def seen(problem: Published, report: LossReport, seconds: float) -> Seen:
    """Put a report beside the truth."""
    findings = sorted(report.findings, key=lambda f: GRAVITY.index(f.severity))
    return Seen(problem, tuple(findings), seconds)
