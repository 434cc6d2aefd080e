"""The steps of an explanation, each of which may fail and leave the finding standing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import attrs
import numpy as np

from losscheck.advice.blamed import RUNNING, Blame
from losscheck.cases.blocks import CaseBlock
from losscheck.cases.problem import Problem
from losscheck.evidence.desk import Desk
from losscheck.evidence.precision.truth import CaseTruth, beyond_use, kinds, of_case
from losscheck.evidence.search.refusals import NARROWED, widened
from losscheck.faults import Faults
from losscheck.findings import locate
from losscheck.findings.code import known, printable
from losscheck.findings.confirm import confirmed
from losscheck.findings.inside import is_subnormal
from losscheck.findings.observe import Seen, observe
from losscheck.findings.reproduce import reproduce
from losscheck.findings.shrink import judging, shrink
from losscheck.findings.sizes import smallest
from losscheck.model import (
    Argument,
    Array,
    Expected,
    Finding,
    Kind,
    Location,
    Observed,
    Range,
    Severity,
    Suspect,
)
from losscheck.rules import by_code
from losscheck.rules.base import Rule
from losscheck.rules.crowd import Crowd
from losscheck.targets import Loss

Result = TypeVar("Result")
UNCONFIRMED = "losscheck could not run this case alone: its numbers are from a run of many cases."


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


class Steps:
    """Takes the steps for one loss; where one fails, its fault is kept and something plainer given.

    Parameters
    ----------
    desk
        The evidence; None for a loss that could not be run at all.
    """

    def __init__(self, faults: Faults, desk: Desk | None) -> None:
        self._faults = faults
        self._desk = desk

    @property
    def desk(self) -> Desk:
        """The evidence, which whoever explains a case has."""
        assert self._desk is not None
        return self._desk

    def _try(
        self, what: str, crowd: Crowd, do: Callable[[], Result], plainer: Result, rule: str = ""
    ) -> Result:
        """Take a step; where it fails and decides a rule, that rule is named."""
        return self._faults.attempt(f"{what} of {crowd.code}", do, plainer, rule)

    def groups(self, crowd: Crowd) -> list[locate.Group]:
        """Split a crowd by who is to blame; else one group that nobody is."""
        some, _ = locate.of_each_range(crowd)
        whole = [locate.Group(node="", members=some, count=len(crowd.members))]
        return self._try(
            "the blame for the cases",
            crowd,
            lambda: locate.groups(self.desk.evidence, crowd),
            whole,
        )

    def kinds(self, crowd: Crowd, cases: CaseBlock) -> Sequence[Kind | None]:
        """Give the kinds of cases; else none is known."""
        return self._try(
            "the truth of the cases",
            crowd,
            lambda: kinds(self.desk.evidence, cases, crowd.dtype, crowd.direction),
            [None] * len(cases),
        )

    def blame(self, crowd: Crowd, case: CaseBlock) -> tuple[str, Blame]:
        """Blame one case; else nothing in particular."""
        return self._try(
            "the blame for a case",
            crowd,
            lambda: locate.blame(self.desk.evidence, crowd, case),
            ("", locate.of_location(None, crowd.direction)),
        )

    def smaller(self, rule: Rule, crowd: Crowd, case: CaseBlock, key: str) -> CaseBlock:
        """Simplify a case as far as the same is to blame; else it stays as it is."""
        return self._try(
            "the simplification of a case",
            crowd,
            lambda: self._smaller(rule, crowd, case, key),
            case,
        )

    def smallest(
        self, rule: Rule, crowd: Crowd, case: CaseBlock, key: str
    ) -> tuple[Crowd, CaseBlock]:
        """Give a case that is not finite the smallest sizes at which the same is to blame."""
        if crowd.form not in rule.nonfinite or rule.by_mode:
            return crowd, case

        def cut() -> tuple[Crowd, CaseBlock]:
            small, least = smallest(self.desk, rule, crowd, case, key)
            if least is case:
                return crowd, case
            weigh = [
                (list(self.kinds(*one)), self.reaches(*one).tolist())
                for one in ((crowd, case), (small, least))
            ]
            return (small, least) if weigh[0] == weigh[1] else (crowd, case)

        return self._try("the sizes of a case", crowd, cut, (crowd, case))

    def _smaller(self, rule: Rule, crowd: Crowd, case: CaseBlock, key: str) -> CaseBlock:
        evidence = self.desk.evidence
        instance = evidence.instance_of(case)
        arguments = widened(evidence) if crowd.form == NARROWED else evidence.spec.arguments
        problem = Problem.of(arguments, instance.shapes, crowd.dtype, evidence.classes(instance))
        judge = self._judging(rule, crowd, case)
        small, cut = shrink(case, judge, problem)
        if cut:
            evidence.shortened.append(f"the case of {crowd.code} is less simple than it could be")
        if cut or locate.blame(evidence, crowd, small)[0] == key:
            return small

        def same(cases: CaseBlock) -> Array:  # what is simpler had another fault
            kept = np.flatnonzero(judge(cases))
            blamed = locate.keys(evidence, crowd, cases.take(kept)) if len(kept) else []
            result = np.zeros(len(cases), bool)
            result[kept] = [other == key for other in blamed]
            return result

        return shrink(case, same, problem)[0]

    def _judging(self, rule: Rule, crowd: Crowd, case: CaseBlock) -> Callable[[CaseBlock], Array]:
        """What tells whether simpler cases show the same; none leaves the range that it has."""
        judge = judging(self.desk, rule, crowd)
        if crowd.form not in rule.nonfinite or self._beyond_use(crowd, case)[0]:
            return judge

        def usable(cases: CaseBlock) -> Array:
            kept = judge(cases)
            kept[kept] = ~self._beyond_use(crowd, cases.take(np.flatnonzero(kept)))
            return kept

        return usable

    def confirmed(self, crowd: Crowd, case: CaseBlock) -> bool | None:
        """Say whether a case shows alone what is suspected; None where that cannot be told."""
        run: Callable[[], bool | None] = lambda: confirmed(  # noqa: E731
            self.desk.evidence, crowd, case
        )
        return self._try("the confirmation of a case", crowd, run, None, crowd.code)

    def reach(self, crowd: Crowd, case: CaseBlock) -> Range:
        """Give the range of a case: modes that differ by what they take for 0 do so at the ends."""
        rule, reach = by_code(crowd.code), Range(int(case.ranges[0]))
        if crowd.form in rule.nonfinite:
            return Range(int(self.reaches(crowd, case)[0]))
        if not rule.by_mode:
            return reach
        small = self._try(
            "the range of a case", crowd, lambda: is_subnormal(self.desk.evidence, case), False
        )
        return Range.EXTREME if small else reach

    def reaches(self, crowd: Crowd, cases: CaseBlock) -> Array:
        """(N,) the ranges of cases whose loss or slope is not finite, by what is right there."""
        return np.where(
            self._beyond_use(crowd, cases), int(Range.EXTREME), cases.ranges.astype(int)
        )

    def _beyond_use(self, crowd: Crowd, cases: CaseBlock) -> Array:
        return self._try(
            "the size of what is right",
            crowd,
            lambda: beyond_use(self.desk.evidence, cases, crowd.dtype),
            np.zeros(len(cases), bool),
        )

    def observed(self, crowd: Crowd, case: CaseBlock) -> Seen:
        """Give the numbers of a case; else none."""
        return self._try(
            "the numbers of a case",
            crowd,
            lambda: observe(self.desk.evidence, crowd, case),
            Seen(),
        )

    def truth(self, crowd: Crowd, case: CaseBlock) -> CaseTruth:
        """Find the truth of a case; else it is not known."""
        return self._try(
            "the truth of a case",
            crowd,
            lambda: of_case(self.desk.evidence, case, crowd.dtype, crowd.direction),
            CaseTruth(kind=None),
            crowd.code,
        )

    def words(
        self,
        rule: Rule,
        suspect: Suspect,
        blame: Blame,
        arguments: tuple[Argument, ...],
        loss: Loss,
    ) -> Remedy:
        """Put a suspect into words; else into those of its rule."""

        def said() -> Remedy:
            found = remedy(rule, suspect, blame, arguments)
            names = known(blame, loss.python, [a.name for a in arguments])
            return attrs.evolve(found, fix=printable(found.fix, names))

        return self._faults.attempt(
            f"the words of {suspect.code}",
            said,
            plain(rule),
            rule=rule.code,
        )

    def program(self, suspect: Suspect, loss: Loss) -> str:
        """Write the program that shows a suspect; else none."""
        if self._desk is None:
            return ""
        return self._faults.attempt(
            f"the program of {suspect.code}",
            lambda: reproduce(
                suspect,
                loss.target,
                loss.form,
                self.desk.evidence.programs.call,
                loss.placed,
                loss.written,
            ),
            "",
        )


def stated(
    rule: Rule,
    suspect: Suspect,
    words: Remedy,
    severity: Severity,
    location: Location | None,
    **further: Any,
) -> Finding:
    """Put a suspect with its words and its place into a finding.

    Parameters
    ----------
    further
        Its id, the program that shows it, and what of it is not that of the suspect.
    """
    numbers = {
        "inputs": suspect.inputs,
        "observed": Observed(value=suspect.value, gradient=suspect.gradient),
    }
    return Finding(
        code=suspect.code,
        slug=rule.slug,
        severity=severity.value,
        kind=None if suspect.kind is None else suspect.kind.value,
        range=None if suspect.range is None else suspect.range.label,
        message=words.message,
        dtype=suspect.dtype,
        mode=suspect.mode,
        count=suspect.count,
        expected=Expected(
            value=suspect.expected_value,
            gradient=suspect.expected_gradient,
            text=suspect.expected_text,
        ),
        location=location,
        cause=words.cause,
        fix=words.fix,
        **{**numbers, **further},
    )


def plain(rule: Rule) -> Remedy:
    """Say what a rule finds, whatever it found."""
    return Remedy(
        message=" ".join((rule.__doc__ or rule.slug).partition("\n\n")[0].split()),
        cause=f"`losscheck explain {rule.code}` says why it matters.",
        fix=f"# `losscheck explain {rule.code}` says what to use instead",
    )
