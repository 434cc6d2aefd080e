"""What the rules say of a loss before a change and after it: over a few cases, and over a search.

The cases that a change is tried on are those that the loss fails at as it is. What a change brings
of its own, such as a slope that is 0 below a new bound, lies elsewhere.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock, spread
from losscheck.evidence.desk import INSTEAD, Desk
from losscheck.evidence.precision.truth import beyond_use, kinds
from losscheck.faults import FailedError
from losscheck.findings import locate
from losscheck.findings.code import spelled
from losscheck.findings.explanation import Explanation
from losscheck.findings.finding import Writer
from losscheck.model import Array, Direction, Kind, Range, Severity, Suspect
from losscheck.program.running.runnable import Runnable
from losscheck.rules import by_code, policy, rules
from losscheck.rules.base import Rule
from losscheck.rules.crowd import Crowd

SWEPT_APART = ("lone", "narrowed")  # cases of their own, which are swept with the others here
TOLD = 2  # cases of a crowd that are asked what else is to blame
MEMBERS = 64  # of a crowd and a range, which are weighed
# What a few passes over the cases of a search give, and a few calls.
SEARCHED = frozenset(
    {
        *("sweeps", "lone", "narrowed", "modes", "eager_calls", "repeats"),
        *("precision", "dead", "dead_batches", "gradient_sizes"),
    }
)
# What other sizes and a call that is looked at give: where a change is more than one of numbers.
CALLED = frozenset({"layouts", "call", "graph"})
# What a rule needs that takes no more than running the cases.
QUICK = frozenset({"sweeps", "lone", "narrowed", "modes"})
NOTE, ERROR = policy.RANK[Severity.NOTE], policy.RANK[Severity.ERROR]


class Judged:
    """The suspects of some rules.

    Parameters
    ----------
    desk
        Evidence over the cases that a change is tried on.
    written
        The expressions and statements of the change.
    """

    def __init__(self, desk: Desk, written: Sequence[str] = ()) -> None:
        self._written = written
        self._desk = desk
        self._evidence = desk.evidence
        self._found: dict[str, list[Suspect | Crowd] | None] = {}

    def of(self, rule: Rule) -> list[Suspect | Crowd] | None:
        """What a rule suspects; None where its evidence cannot be gathered."""
        if rule.code not in self._found:
            try:
                given = {name: _given(self._desk, rule, name) for name in rule.needs}
                self._found[rule.code] = list(rule.judge(**given))
            except FailedError:
                self._found[rule.code] = None
        return self._found[rule.code]

    @functools.cached_property
    def unusable(self) -> Array:
        """What tells the cases whose value or gradient is not finite from others."""
        bad = [
            sweep.cases.take(
                ~sweep.forward_finite | ~np.isfinite(sweep.flat_gradient).all(axis=1)
            ).prints()
            for sweep in self._evidence.sweeps
        ]
        return np.concatenate([np.zeros(0, np.uint64), *bad])

    @functools.cached_property
    def valueless(self) -> Array:
        """What tells the cases whose value is not finite from others."""
        sweeps = self._evidence.sweeps
        bad = [sweep.cases.take(~sweep.forward_finite).prints() for sweep in sweeps]
        return np.concatenate([np.zeros(0, np.uint64), *bad])

    def clear(self, explanation: Explanation, prints: Array) -> bool:
        """Say whether what was found is gone.

        Parameters
        ----------
        prints
            Of the cases that it was found in.
        """
        rule = by_code(explanation.finding.code)
        found = self.of(rule)
        if found is None:
            return False
        suspect = explanation.suspect
        forward = suspect.form in rule.nonfinite and suspect.direction is Direction.FORWARD
        if forward and prints[0] in self.valueless:  # an infinity in place of NaN cures nothing
            return False
        left = 0
        for other in found:
            if not isinstance(other, Crowd):
                if other.form == explanation.suspect.form:
                    return False
            elif _same_run(other, explanation):
                still = np.isin(_prints(other), prints)
                if not still.any() or not self._weighs(other, still):
                    continue
                cases: CaseBlock = other.population.cases.take(other.members[still])
                # The first is the case that is reported.
                if prints[0] in cases.prints() or self._blames(other, cases, explanation):
                    return False
                left += len(cases)
        return 2 * left <= len(prints)

    def _blames(self, crowd: Crowd, cases: CaseBlock, explanation: Explanation) -> bool:
        """Say whether the same expression, or the changed one, is still to blame for a case.

        In a batch another operation may fail in another sample: that is another fault.
        """
        program = self._evidence.instance_of(cases).program
        blamed = locate.keys(self._evidence, crowd, cases)
        expression = explanation.blame.expression
        return any(self._comes_of(program, name, expression) for name in blamed)

    def _comes_of(self, program: Runnable, node: str, expression: str) -> bool:
        """Say whether an operation comes of an expression, or of what was written for it."""
        frame = None if program.traced is None else program.traced.origins.frame(node)
        told = spelled(frame)
        texts = (expression, *self._written)
        return told is None or any(told.expression in text for text in texts)

    def more_than(self, before: Judged, rule: Rule) -> Iterator[str]:
        """What a rule finds here that was not found before, in words.

        Where the numbers are those of before they show nothing new, and that they are is asked for
        elsewhere: of cases it counts alone that they are no numbers any more.
        """
        then = before.of(rule) or []
        known = [before.unusable, *(_prints(crowd) for crowd in then if isinstance(crowd, Crowd))]
        cases = np.concatenate(known)
        forms = {suspect.form for suspect in then if isinstance(suspect, Suspect)}
        # Less than there was, as of a layout that is no longer hidden by an error, is no reason.
        least = min(ERROR, max((before._weight(one) for one in then), default=NOTE - 1) + 1)
        for other in self.of(rule) or []:
            if isinstance(other, Crowd):
                fresh = ~np.isin(_prints(other), cases)
                asked = other.dtype in ("float32", *self._evidence.dtypes)
                asked &= other.form in rule.nonfinite
                new = asked and bool(fresh.any()) and self._weighs(other, fresh)
            else:
                new = other.form not in forms and self._weight(other) >= least
            if new:
                yield f"{rule.code} {rule.slug} would be found"

    def elsewhere(
        self, explanation: Explanation, prints: Array, writer: Writer
    ) -> Explanation | None:
        """What is still found as something else is now to blame for it; None where nothing is.

        Parameters
        ----------
        prints
            Of the cases that it was found in: some of these speak for all.
        """
        rule = by_code(explanation.finding.code)
        same = []
        for one in self.of(rule) or []:
            if isinstance(one, Crowd) and _same_run(one, explanation):
                still = one.members[np.isin(_prints(one), prints)]
                same += [attrs.evolve(one, members=still[:TOLD])] if len(still) else []
        texts = (explanation.blame.expression, *self._written)
        told = (one for one in writer.explanations(rule, same) if one.weight >= explanation.weight)
        return next(
            (one for one in told if not any(one.blame.expression in text for text in texts)), None
        )

    def heavier(self, rule: Rule, least: int) -> list[Suspect | Crowd]:
        """What a rule suspects, in the dtypes that are asked for, that counts more than `least`."""
        asked = ("float32", *self._evidence.dtypes)
        found = [one for one in self.of(rule) or [] if one.dtype in asked]
        return [one for one in found if self._weight(one) > least]

    def _weight(self, one: Suspect | Crowd) -> int:
        if isinstance(one, Crowd):
            return max(policy.RANK[each] for each in self._severities(one, _some(one)))
        return policy.RANK[self._severity(one, one.range, one.kind, one.scale)]

    def _weighs(self, crowd: Crowd, which: Array) -> bool:
        """Say whether some of the cases of a crowd would make more than a note."""
        return self._severities(crowd, crowd.members[which]) != {Severity.NOTE}

    def _severities(self, crowd: Crowd, members: Array) -> set[Severity]:
        """The severities that cases of a crowd would have."""
        rule, cases = by_code(crowd.code), crowd.population.cases.take(members)
        found: Sequence[Kind | None] = [Kind.AVOIDABLE] * len(cases)
        ranges = cases.ranges.astype(int)
        if crowd.form in rule.nonfinite:
            found = kinds(self._evidence, cases, crowd.dtype, crowd.direction)
            ranges[beyond_use(self._evidence, cases, crowd.dtype)] = int(Range.EXTREME)
        together = set(zip(ranges.tolist(), found, strict=True))
        return {self._severity(crowd, Range(int(reach)), kind) for reach, kind in together}

    def _severity(
        self,
        one: Suspect | Crowd,
        reach: Range | None,
        kind: Kind | None,
        scale: float | None = None,
    ) -> Severity:
        return policy.severity(
            one.code,
            one.form,
            reach=reach,
            kind=kind,
            dtype=one.dtype,
            scale=scale,
            certain=True,
            required=self._evidence.dtypes,
            chosen={},
        )


def _some(crowd: Crowd) -> Array:
    """Some members of each range, evenly spread."""
    ranges = crowd.population.cases.ranges[crowd.members]
    found: list[Array] = []
    for reach in np.unique(ranges):
        found.append(spread(crowd.members[ranges == reach], MEMBERS))
    return np.concatenate(found)


def _given(desk: Desk, rule: Rule, name: str) -> Any:
    if name in SWEPT_APART or (name == "modes" and not rule.by_mode):
        return INSTEAD[name]
    return desk.given(name)


def _same_run(crowd: Crowd, explanation: Explanation) -> bool:
    of = explanation.crowd
    return of is not None and (crowd.dtype, crowd.mode) == (of.dtype, of.mode)


def _prints(crowd: Crowd) -> Array:
    cases: CaseBlock = crowd.population.cases
    return cases.take(crowd.members).prints()


def left_or_new(
    after: Judged,
    writer: Writer,
    said: Iterable[Explanation],
    clears: Sequence[str],
    asked: frozenset[str],
) -> list[Explanation]:
    """What a changed loss would be told that counts more than what is left anyway, once a rule.

    Where that is an error, as much of it as refuses the change.

    Parameters
    ----------
    after
        The rules' judgments of the changed loss, over cases of its own.
    writer
        Writes what they suspect, as a check would.
    said
        All findings of the loss as it is.
    clears
        The ids of those that the change cures.
    asked
        The evidence that is gathered: rules that need more are not judged.
    """
    left = _weights(one for one in said if one.finding.id not in clears)
    told: list[Explanation] = []
    # What a sweep alone shows comes first: an error among it says enough against the change.
    for rule in sorted(rules(), key=lambda rule: not QUICK.issuperset(rule.needs)):
        if not QUICK.issuperset(rule.needs) and any(one.weight == ERROR for one in told):
            break
        most = left.get(rule.code, NOTE)
        if asked.issuperset(rule.needs) and (heavier := after.heavier(rule, most)):
            worst = max(
                writer.explanations(rule, heavier), key=lambda one: one.weight, default=None
            )
            if worst is not None and worst.weight > most:
                told.append(worst)
    return told


def _weights(told: Iterable[Explanation]) -> Mapping[str, int]:
    """The heaviest finding of each code."""
    found: dict[str, int] = {}
    for one in told:
        found[one.finding.code] = max(found.get(one.finding.code, NOTE), one.weight)
    return found
