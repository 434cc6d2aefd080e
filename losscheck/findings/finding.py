"""From a rule's suspects to findings: grouped by blame, shrunk, confirmed, put in words."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from losscheck import domains
from losscheck.advice.blamed import Blame
from losscheck.cases.blocks import CaseBlock, spread
from losscheck.evidence.desk import Desk
from losscheck.evidence.precision.truth import CaseTruth, vanishes
from losscheck.evidence.search.refusals import NARROWED
from losscheck.faults import Faults
from losscheck.findings import locate
from losscheck.findings.explanation import Explanation, Spot, noted, spot
from losscheck.findings.shrink import cost
from losscheck.findings.steps import UNCONFIRMED, Steps, stated
from losscheck.model import (
    Argument,
    Array,
    Direction,
    Finding,
    Kind,
    Location,
    Range,
    Severity,
    Suspect,
)
from losscheck.program.tracing.origin import Frame
from losscheck.program.tracing.origin import locate as place
from losscheck.rules import by_code, policy
from losscheck.rules.base import Rule, Trail
from losscheck.rules.crowd import Crowd
from losscheck.settings.settings import Settings
from losscheck.targets import Loss

GROUPS = 8  # expressions at fault that one rule reports of one crowd
FEW_GROUPS = 3  # the same of lost digits: an operation loses them, and others lose what is left
TRIES = 5  # representatives of a group that are tried before it is given up as unconfirmed
# Told apart among the cases of a group; None is decided once a case is looked at closely.
SAME_SUM = 1e-5  # relative gap of two sums of float32 that are told as one number
_KINDS = (Kind.AVOIDABLE, None, Kind.INHERENT)


class Writer:
    """Writes the findings of one loss.

    Parameters
    ----------
    desk
        The evidence; None for a loss that could not be run at all.
    faults
        Where it is kept what of our own failed.
    """

    def __init__(
        self,
        loss: Loss,
        settings: Settings,
        desk: Desk | None,
        base: str,
        faults: Faults | None = None,
    ) -> None:
        self._loss = loss
        self._settings = settings
        self._desk = desk
        self._base = base
        self._faults = faults or Faults()
        self._steps = Steps(self._faults, desk)

    def findings(self, rule: Rule, suspects: Iterable[Suspect | Crowd]) -> list[Finding]:
        """Turn what a rule suspects into findings: one a rule and blamed expression."""
        return [explanation.finding for explanation in self.explanations(rule, suspects)]

    def explanations(self, rule: Rule, suspects: Iterable[Suspect | Crowd]) -> list[Explanation]:
        """Give the findings with what they were made from."""
        written: dict[Spot, Explanation] = {}
        what = f"the explanation of {rule.code}"
        for suspect in suspects:
            write = functools.partial(self._add, rule, suspect, written)
            self._faults.attempt(what, write, None, rule.code)
        return list(written.values())

    def _add(self, rule: Rule, suspect: Suspect | Crowd, written: dict[Spot, Explanation]) -> None:
        """Write what a rule suspects, beside what is written or counted with it."""
        made = (
            self._of_crowd(rule, suspect, written)
            if isinstance(suspect, Crowd)
            else [self._single(rule, suspect)]
        )
        for key, explanation in made:
            before = written.get(key)
            written[key] = explanation if before is None else before.merged(explanation)

    def _single(self, rule: Rule, suspect: Suspect) -> tuple[Spot, Explanation]:
        if not suspect.inputs and "shapes" not in suspect.facts:
            inputs = self._faults.attempt("an ordinary case", self._ordinary, {})
            suspect = attrs.evolve(suspect, inputs=inputs)
        where = suspect.location or self._home()
        blame = locate.of_location(where, suspect.direction)
        return self._finding(rule, suspect, blame, suspect.form)

    def _ordinary(self) -> dict[str, Array]:
        """An ordinary case, to show what every case shows; nothing for a loss that never runs."""
        if self._desk is None or self._desk.evidence.inferred.error is not None:
            return {}
        block = self._desk.evidence.main_sweep.cases
        return {name: array[0].round(3) for name, array in block.inputs.items()}

    def _of_crowd(
        self, rule: Rule, crowd: Crowd, written: Mapping[Spot, Explanation]
    ) -> Iterator[tuple[Spot, Explanation]]:
        """Write the findings of a crowd; what is excused throughout is written once and counted."""
        assert self._desk is not None
        if _of_one_mode(rule, crowd.form):
            chosen, _, excused = self._representatives(crowd, locate.of_each_range(crowd)[0])
            if excused:  # told once, so that it need not be told apart who is to blame
                yield from self._excused(rule, crowd, chosen, written)
                return
        ranges = crowd.population.cases.ranges
        groups = self._steps.groups(crowd)
        # What training meets goes before what only the ends of the dtype show.
        groups.sort(key=lambda group: (ranges[group.members].min(), -group.count))
        slight = _of_one_mode(rule, crowd.form) and self._most(crowd) is Severity.NOTE
        for group in groups[: FEW_GROUPS if rule.trail is Trail.DIGITS else GROUPS]:
            if slight and (once := noted(crowd)) in written:  # no other would weigh more
                yield once, written[once].counting(group.count)
                continue
            chosen, spare, excused = self._representatives(crowd, group.members)
            if excused and (once := noted(crowd)) in written:
                yield once, written[once].counting(group.count)
                continue
            here = self._spot(crowd, group)
            if here in written and written[here].weight >= policy.RANK[self._most(crowd)]:
                # Nothing about these would weigh more: NaN beside infinity, slope beside value.
                yield here, written[here].counting(group.count)
                continue
            best: tuple[Spot, Explanation] | None = None
            for member in (*chosen, *spare):
                if best is not None and member in spare:
                    break
                made = self._of_case(rule, crowd, member, group.count, group.members)
                if made is not None and (best is None or made[1].weight > best[1].weight):
                    best = made
                settled = excused or crowd.form == "slight"  # no other case would weigh more
                if best is not None and (settled or best[1].finding.severity == self._most(crowd)):
                    break
            if best is not None:
                yield best

    def _spot(self, crowd: Crowd, group: locate.Group) -> Spot:
        """The key of a finding whose operation lies where that of a group does."""
        assert self._desk is not None
        case = crowd.population.cases.take(group.members[:1])
        traced = self._desk.evidence.instance_of(case).program.traced
        location = None
        if group.node and traced is not None:
            location = traced.origins.location(group.node)
        return spot(crowd, (group.node,), location)

    def _excused(
        self,
        rule: Rule,
        crowd: Crowd,
        chosen: Sequence[int],
        written: Mapping[Spot, Explanation],
    ) -> Iterator[tuple[Spot, Explanation]]:
        """Write one finding of a crowd that range or kind excuses, and count the others."""
        count = len(crowd.members)
        if (once := noted(crowd)) in written:
            yield once, written[once].counting(count)
            return
        alone = np.asarray(chosen)
        made = (self._of_case(rule, crowd, member, count, alone) for member in chosen)
        if (first := next((one for one in made if one is not None), None)) is not None:
            yield first

    def _most(self, crowd: Crowd) -> Severity:
        """The severity of a crowd's weightiest case."""
        return policy.severity(
            crowd.code,
            crowd.form,
            reach=Range.ORDINARY,
            kind=Kind.AVOIDABLE,
            dtype=crowd.dtype,
            scale=None,
            certain=True,
            required=self._settings.dtypes,
            chosen=self._settings.severity,
        )

    def _representatives(self, crowd: Crowd, members: Array) -> tuple[list[int], list[int], bool]:
        """Order the cases of a group: what counts most first, then what is easiest to read.

        Returns
        -------
        tuple
            Some of the members, some more for where none of them shows what is suspected, and
            whether range or kind excuses every one of them: then one that is confirmed is enough.
        """
        assert self._desk is not None
        cases = crowd.population.cases.take(members)
        found: Sequence[Kind | None] = [Kind.AVOIDABLE] * len(members)
        ranges = cases.ranges.astype(int)
        if _not_finite(crowd):
            found, ranges = self._steps.kinds(crowd, cases), self._steps.reaches(crowd, cases)
        kind = np.asarray([_KINDS.index(k) for k in found])
        excused = (kind == _KINDS.index(Kind.INHERENT)) | (ranges == Range.EXTREME)
        order = np.lexsort((cost(cases), excused))
        sure = _certain(self._desk.evidence.spec.arguments, cases)
        combination = ((kind * 4 + ranges) * 2 + ~sure)[order]
        # The simplest case of each kind and range, and of those in every plausible domain: the
        # first may turn out to be excused.
        firsts = [int(np.flatnonzero(combination == code)[0]) for code in np.unique(combination)]
        chosen = dict.fromkeys([0, *sorted(firsts)])
        # Should none of these show alone what is suspected, some of the others may.
        others = spread(np.arange(len(members)), TRIES)
        spare = [int(i) for i in others if i not in chosen]
        tried = [[int(members[order[i]]) for i in some] for some in (chosen, spare)]
        return tried[0][:TRIES], tried[1][: max(0, TRIES - len(chosen))], bool(excused.all())

    def _of_case(
        self, rule: Rule, crowd: Crowd, member: int, count: int, members: Array
    ) -> tuple[Spot, Explanation] | None:
        case = crowd.population.cases.take(np.asarray([member]))
        key, _ = self._steps.blame(crowd, case)
        case = self._steps.smaller(rule, crowd, case, key)
        small, least = self._steps.smallest(rule, crowd, case, key)
        key, blamed = self._steps.blame(small, least)
        sure = self._steps.confirmed(small, least)
        if sure is False:
            return None
        suspect = self._suspect(small, least, count)
        if blamed.location is None:
            blamed = attrs.evolve(blamed, location=self._home())
        here, made = self._finding(rule, suspect, blamed, key or crowd.form, sure=bool(sure))
        return here, attrs.evolve(made, node=key, crowd=crowd, case=case, members=members)

    def _suspect(self, crowd: Crowd, case: CaseBlock, count: int) -> Suspect:
        assert self._desk is not None
        evidence = self._desk.evidence
        truth = CaseTruth(kind=None)
        if _not_finite(crowd):
            truth = self._steps.truth(crowd, case)
        if by_code(crowd.code).inherent_where_small and vanishes(evidence, case, crowd.dtype):
            truth = CaseTruth(kind=Kind.INHERENT)
        seen = self._steps.observed(crowd, case)
        return Suspect(
            code=crowd.code,
            form=crowd.form,
            facts={**crowd.facts, **seen.facts},
            inputs={name: array[0] for name, array in case.inputs.items()},
            range=self._steps.reach(crowd, case),
            kind=truth.kind,
            dtype=crowd.dtype,
            mode=crowd.mode,
            direction=crowd.direction,
            count=count,
            scale=seen.scale,
            value=seen.value,
            gradient=seen.gradient,
            expected_value=_like(seen.value, seen.expected_value, truth.value),
            expected_gradient=(
                seen.expected_gradient if seen.expected_gradient is not None else truth.gradient
            ),
            expected_text=truth.text or seen.text,
            certain=bool(_certain(evidence.spec.arguments, case).all()),
        )

    def _finding(
        self, rule: Rule, suspect: Suspect, blame: Blame, key: str, *, sure: bool = True
    ) -> tuple[Spot, Explanation]:
        severity = policy.of_suspect(
            suspect, self._settings.dtypes, self._settings.severity, sure=sure
        )
        arguments = () if self._desk is None else self._desk.evidence.spec.arguments
        words = self._steps.words(rule, suspect, blame, arguments, self._loss)
        cause = words.cause + _needs(suspect, arguments) + ("" if sure else f" {UNCONFIRMED}")
        message = words.message + _outside(suspect, arguments)
        location = blame.location
        here = spot(suspect, (key,), location)
        if severity is Severity.NOTE and _of_one_mode(rule, suspect.form):
            here = spot(suspect, (), None)  # overflow at a dtype's ends is no fault of any one line
        finding = stated(
            rule,
            suspect,
            attrs.evolve(words, message=message, cause=cause),
            severity,
            location,
            id=f"{suspect.code}-{_hash(self._loss.target, key, suspect)}",
            reproduce=self._steps.program(suspect, self._loss),
        )
        return here, Explanation(finding=finding, suspect=suspect, blame=blame)

    def _home(self) -> Location | None:
        """The line where the loss begins: blamed where nothing better is known."""
        code = getattr(self._loss.python, "__code__", None)
        if code is None:
            return None
        return place(
            Frame(code.co_filename, code.co_firstlineno), "", Direction.FORWARD, self._base
        )


def _not_finite(crowd: Crowd) -> bool:
    """Say whether value or gradient are not finite, so that their truth is asked for."""
    return crowd.form in by_code(crowd.code).nonfinite


def _of_one_mode(rule: Rule, form: str) -> bool:
    """Say whether value or gradient are not finite, whatever another mode gives."""
    return form in rule.nonfinite and not rule.by_mode


def _like(observed: Any, *candidates: Any) -> Any:
    """The first number that is known, in the shape of what was observed where that has one too.

    Of a loss of several numbers the sum is known: where that is as it should be, they are.
    """
    known = next((c for c in candidates if c is not None), None)
    if known is None or observed is None or np.size(known) != 1:
        return known
    if np.size(observed) == 1:
        return np.reshape(known, np.shape(observed))
    right = np.isclose(np.sum(observed, dtype=np.float64), np.sum(known), rtol=SAME_SUM, atol=0.0)
    return observed if right else known


def _certain(arguments: tuple[Argument, ...], cases: CaseBlock) -> Array:
    """(N,) bool: the cases that lie in every domain that stays plausible."""
    sure = [_is_certain(a, cases.inputs[a.name], cases.ranges) for a in arguments]
    return np.asarray(np.logical_and.reduce([np.ones(len(cases), bool), *sure]))


def _is_certain(argument: Argument, numbers: Array, ranges: Array) -> Array:
    """(N,) bool: where an argument lies in every domain that stays plausible of it.

    What only extreme numbers of one of them do is no error there.
    """
    within = np.where(ranges <= Range.WORKING, Range.WORKING, Range.EXTREME)
    inside = [domains.parse(other).classify(numbers) <= within for other in argument.plausible]
    return np.asarray(np.logical_and.reduce([np.ones(len(numbers), bool), *inside]))


def _outside(suspect: Suspect, arguments: tuple[Argument, ...]) -> str:
    """Say of a case outside a domain that was assumed that it is."""
    if suspect.form != NARROWED:
        return ""
    prediction = next(a for a in arguments if a.role == "y_pred")
    return f" {prediction.name} is outside {prediction.domain}, the domain that was assumed of it."


def _needs(suspect: Suspect, arguments: tuple[Argument, ...]) -> str:
    if suspect.form == NARROWED:
        return f" Declare the domain of {next(a.name for a in arguments if a.role == 'y_pred')}."
    if suspect.certain or suspect.form == "structure":
        return ""
    inputs = {name: np.asarray(array)[None] for name, array in suspect.inputs.items()}
    reach = np.asarray([Range.EXTREME if suspect.range is None else suspect.range])
    named = [
        f"{a.name} in {a.domain}"
        for a in arguments
        if a.name in inputs and not _is_certain(a, inputs[a.name], reach).all()
    ]
    if not named:  # it is the shapes that nobody knows
        return ""
    return f" This needs {' and '.join(named)}; declare the domain if it is so."


def _hash(target: str, key: str, suspect: Suspect) -> str:
    parts = (target, key, suspect.direction, suspect.kind or "", suspect.dtype, suspect.mode)
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:8]
