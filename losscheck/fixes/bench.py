"""A change tried: the loss run with it in memory, judged by the rules that found the fault."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Sequence
from itertools import islice

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock, spread
from losscheck.evidence.desk import Desk
from losscheck.evidence.gather import Evidence, Given
from losscheck.faults import Faults
from losscheck.findings.explanation import Explanation
from losscheck.findings.finding import Writer
from losscheck.fixes.agreement import Pair, departures, disagreement, is_slight, pairs_of
from losscheck.fixes.candidates import candidates
from losscheck.fixes.cases import Tried, doubted, still_wrong, wrong_in, wrong_throughout
from losscheck.fixes.judged import CALLED, QUICK, SEARCHED, Judged, left_or_new
from losscheck.fixes.patch import Edit, PatchError, patched, unified
from losscheck.fixes.transplant import TransplantError, transplanted
from losscheck.model import Array, Severity
from losscheck.program.programs import Programs
from losscheck.program.tracing.trace import CallError, OutputError
from losscheck.rules import by_code, rules
from losscheck.rules.base import Doubt, Rule
from losscheck.settings.budget import CutError

KEPT = 4  # changes that stay traced: one that holds is searched once others have been tried
BESIDES = 2  # changes of another place that are tried beside the first
SEARCHED_CASES = 16_000  # of one size that a changed loss is looked at, beside those it leads to
FEW = 0.01  # of the cases: those next to a point that the loss has no value at


@attrs.frozen(kw_only=True)
class Verified:
    """What came of a change."""

    clears: tuple[str, ...] = ()  # the ids of the findings that it cures
    # Why it must not be made: values that change, new findings, a loss that does not run. A change
    # is verified where there are none and it clears something.
    complaints: tuple[str, ...] = ()
    diff: str = ""  # of the user's files, unified; "" where the change cannot be made
    adds: tuple[str, ...] = ()  # codes of warnings that the changed loss has, and the loss has not
    # What might be written besides, in the file as it was changed: another place does the same.
    further: tuple[Edit, ...] = ()
    # In how many cases a loss that was right is another function, of how many it was tried on.
    departs: int = 0
    tried: int = 0
    # Whether the complaints are that value or gradient change, and a little or in few cases only.
    slight: bool = False
    cut: bool = False

    @property
    def holds(self) -> bool:
        """Whether it cures something and spoils nothing."""
        return bool(self.clears) and not self.complaints

    @property
    def bounds(self) -> bool:
        """Whether it makes another function of the loss where that was right, in many cases."""
        return self.departs > FEW * self.tried


_AsItIs = tuple[Tried, Evidence, Judged, Callable[[CaseBlock], Array]]


class Bench:
    """Tries changes of one loss.

    Parameters
    ----------
    desk
        The evidence of the loss as it is.
    base
        The folder that files are named relative to.
    writer
        Gives who writes findings of some evidence, as a check of the loss does.
    """

    def __init__(
        self,
        desk: Desk,
        base: str,
        said: Sequence[Explanation],
        writer: Callable[[Desk], Writer],
    ) -> None:
        self._writer = writer
        self._desk, self._evidence = desk, desk.evidence
        self._said = said
        self._shown: list[Explanation] = []  # what a search found in a changed loss
        self._brought: list[Explanation] = []  # the same of what is no error
        self._base = base
        call = desk.evidence.programs.call
        self._traced: dict[tuple[Edit, ...], Programs] = {}  # of the last changes
        self._before: tuple[tuple[tuple[str, ...], int], _AsItIs] | None = (
            None  # by what was asked for
        )
        self._roots = (call.function, call.handed)

    def places(self, weight: int) -> int:
        """How many expressions are to blame for what weighs so much."""
        return len({one.blame.expression for one in self._said if one.weight == weight})

    def verify(self, edits: Sequence[Edit], explanations: Sequence[Explanation]) -> Verified:
        """Say which findings a change cures, and what speaks against it."""
        return self._attempted(edits, lambda: self._tried(edits, explanations))

    def cleared(
        self, edits: Sequence[Edit], verified: Verified, explanations: Sequence[Explanation]
    ) -> Verified:
        """Say what a change cures that makes another function of the loss."""
        return self._attempted(edits, lambda: self._left(edits, verified, explanations))

    def searched(
        self, edits: Sequence[Edit], verified: Verified, explanations: Sequence[Explanation]
    ) -> Verified:
        """Look for what a change brings that the cases it was tried on do not show."""
        asked = SEARCHED if doubted(explanations) is Doubt.NOTHING else SEARCHED | CALLED
        return self._attempted(edits, lambda: self._looked_at_anew(edits, verified, asked))

    def brings(self, edits: Sequence[Edit], verified: Verified) -> Verified:
        """Say which warnings that searches have found of other changes a change brings as well."""
        return self._attempted(edits, lambda: self._warned(edits, verified))

    def _warned(self, edits: Sequence[Edit], verified: Verified) -> Verified:
        tried = Tried(self._evidence, self._brought)
        modes = tuple({e.crowd.mode for e in self._brought if e.crowd is not None})
        now = Judged(Desk(self._anew(modes, tried.of, self._programs(edits))), _written(edits))
        left = [e for e in self._brought if not now.clear(e, tried.prints(e))]
        return attrs.evolve(verified, adds=tuple(e.finding.code for e in left))

    def _attempted(self, edits: Sequence[Edit], trial: Callable[[], Verified]) -> Verified:
        """Run a trial with a change made; what keeps it from running speaks against the change."""
        try:
            changed, diff = self._changed(edits)
        except PatchError as error:
            return Verified(complaints=(str(error),))
        try:
            with transplanted(changed, self._roots):
                return attrs.evolve(trial(), diff=diff)
        except (TransplantError, CallError, OutputError) as error:
            said = f"the changed loss does not run: {error}"
        except CutError:
            return Verified(complaints=("there was no time to try it",), diff=diff, cut=True)
        except Exception as error:  # of a kernel, or of Python in the loss
            said = f"it could not be tried: {type(error).__name__}: {error}".partition("\n")[0]
            return Verified(complaints=(said,), diff=diff, cut=True)
        return Verified(complaints=(said,), diff=diff)

    def _changed(self, edits: Sequence[Edit]) -> tuple[dict[str, str], str]:
        """The new text of each file, and the difference."""
        changed, pieces = {}, []
        for file in dict.fromkeys(edit.file for edit in edits):
            old = "".join(linecache.getlines(file))
            changed[file] = patched(old, [edit for edit in edits if edit.file == file])
            pieces.append(unified(file, old, changed[file], self._base))
        return changed, "".join(pieces)

    def _tried(self, edits: Sequence[Edit], explanations: Sequence[Explanation]) -> Verified:
        tried, before, was, wrong = self._as_it_is(explanations)
        after = self._anew(before.modes_wanted, tried.of, self._programs(edits))
        for instance in before.instances:  # raises where the changed loss does
            way = before.programs.tracing(instance.shapes).how
            if after.programs.tracing(instance.shapes).how != way:
                return Verified(complaints=("it can no longer be traced as it was",))
        pairs: list[Pair | None] = []  # none where no number of the loss is right
        now = Judged(Desk(after), _written(edits))
        disputed = [each for each in explanations if wrong_throughout(each, before)]
        if disputed:
            complaints = tuple(told for each in disputed for told in still_wrong(each, after))
        else:
            pairs = pairs_of(before, after, self._evidence, doubted(explanations), wrong)
            complaints = tuple(disagreement(before, after, pairs))
        if complaints:
            return Verified(complaints=complaints, slight=bool(pairs) and is_slight(before, pairs))
        clears: list[str] = []
        further: tuple[Edit, ...] = ()
        # What is quickly said and weighs most comes first: where it is not gone, no more is asked.
        for rule, own in _concerned(explanations):
            if complaints := tuple(now.more_than(was, rule)):
                return Verified(clears=tuple(clears), complaints=complaints)
            gone = [each.finding.id for each in own if now.clear(each, tried.prints(each))]
            clears += gone
            errors = (one for one in own if one.finding.severity == Severity.ERROR)
            left = next((one for one in errors if one.finding.id not in gone), None)
            if left is not None:
                other = now.elsewhere(left, tried.prints(left), self._writer(Desk(after)))
                further = _besides(other, after)
                break
        for each in self._shown:
            if not now.clear(each, tried.prints(each)):
                other = now.elsewhere(each, tried.prints(each), self._writer(Desk(after)))
                return Verified(
                    clears=tuple(clears), complaints=(_found(each),), further=_besides(other, after)
                )
        count = sum(len(sweep) for sweep in before.sweeps)
        return Verified(
            clears=tuple(clears), further=further, departs=departures(pairs), tried=count
        )

    def _as_it_is(self, explanations: Sequence[Explanation]) -> _AsItIs:
        """The loss as it is on the cases that changes are tried on: the same for all of them."""
        key = tuple(each.finding.id for each in explanations), len(self._shown)
        if self._before is None or self._before[0] != key:
            tried = Tried(self._evidence, [*explanations, *self._shown])
            modes = tuple({e.crowd.mode for e in explanations if e.crowd is not None})
            before = self._anew(modes, tried.of)
            wrong = wrong_in(explanations, self._desk)
            self._before = key, (tried, before, Judged(Desk(before)), wrong)
        return self._before[1]

    def _left(
        self, edits: Sequence[Edit], verified: Verified, explanations: Sequence[Explanation]
    ) -> Verified:
        tried = Tried(self._evidence, explanations)
        modes = tuple({e.crowd.mode for e in explanations if e.crowd is not None})
        now = Judged(Desk(self._anew(modes, tried.of, self._programs(edits))), _written(edits))
        gone = [e.finding.id for e in explanations if now.clear(e, tried.prints(e))]
        return attrs.evolve(verified, clears=tuple(gone))

    def _looked_at_anew(
        self, edits: Sequence[Edit], verified: Verified, asked: frozenset[str]
    ) -> Verified:
        after = self._anew(self._evidence.modes_wanted, None, self._programs(edits))
        for name, search in self._evidence.searches.items():  # the domains are the same
            some = search.cases.take(spread(np.arange(len(search.cases)), SEARCHED_CASES))
            after.searches[name] = attrs.evolve(search, cases=some)
        desk = Desk(after)
        judged = Judged(desk, _written(edits))
        found = left_or_new(judged, self._writer(desk), self._said, verified.clears, asked)
        errors = [one for one in found if one.finding.severity == Severity.ERROR]
        # Another change may fail there too, which is seen without a search.
        self._shown += [e for e in errors if QUICK.issuperset(by_code(e.finding.code).needs)]
        warned = [e for e in found if e not in errors and e.crowd is not None]
        self._brought = warned or self._brought  # of the last change that brought any
        places = len({one.blame.expression for one in errors})
        if failed := after.faults.all:
            return attrs.evolve(verified, complaints=(f"{failed[0].what} failed",))
        return attrs.evolve(
            verified,
            complaints=tuple(map(_found, errors)),
            adds=tuple(one.finding.code for one in found),
            further=_besides(errors[0] if places == 1 else None, after),
        )

    def _anew(
        self, modes: tuple[str, ...], given: Given | None, changed: Programs | None = None
    ) -> Evidence:
        """The evidence about the loss once more, as it is or as it was changed."""
        inferred = self._evidence.inferred
        return Evidence(
            inferred=inferred if changed is None else attrs.evolve(inferred, programs=changed),
            dtypes=self._evidence.dtypes,
            modes_wanted=modes,
            seed=self._evidence.seed,
            faults=Faults(),
            given=given,
        )

    def _programs(self, edits: Sequence[Edit]) -> Programs:
        """The changed loss as it runs, traced once for all that is asked of it."""
        key = tuple(edits)
        found = self._traced.pop(key, None) or Programs(self._evidence.programs.call)
        self._traced[key] = found
        while len(self._traced) > KEPT:
            del self._traced[next(iter(self._traced))]
        return found


def _found(explanation: Explanation) -> str:
    return f"{explanation.finding.code} {explanation.finding.slug} would be found"


def _written(edits: Sequence[Edit]) -> list[str]:
    """The expressions and statements of a change."""
    steps = (step for edit in edits for step in edit.steps)
    return [text for step in steps for text in (step.new, *step.before)]


def _besides(other: Explanation | None, evidence: Evidence) -> tuple[Edit, ...]:
    """What might be written where a changed loss fails next."""
    return () if other is None else tuple(islice(candidates(other, Desk(evidence)), BESIDES))


def _concerned(explanations: Sequence[Explanation]) -> list[tuple[Rule, list[Explanation]]]:
    """The rules that spoke, and those without which nothing is known of value and gradient.

    Each with what it said: those that need no more than the cases first, then those of errors.
    """
    spoke: dict[str, list[Explanation]] = {}
    for each in explanations:
        spoke.setdefault(each.finding.code, []).append(each)

    def key(rule: Rule) -> tuple[bool, int]:
        weight = max((each.weight for each in spoke.get(rule.code, ())), default=0)
        return not QUICK.issuperset(rule.needs), -weight

    asked = [r for r in rules() if r.code in spoke or (r.essential and "sweeps" in r.needs)]
    return [(rule, spoke.get(rule.code, [])) for rule in sorted(asked, key=key)]
