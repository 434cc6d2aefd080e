"""The first change that cures a fault."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

import attrs

from losscheck.evidence.desk import Desk
from losscheck.findings.explanation import Explanation
from losscheck.fixes.bench import Bench, Verified
from losscheck.fixes.candidates import candidates, held_off
from losscheck.fixes.patch import Edit
from losscheck.fixes.rewritten import rewritten
from losscheck.settings.budget import is_spent

TRIED = 10  # changes of one fault that are tried
FURTHER = 3  # changes that are tried after one that holds, for one that keeps every right number
SEARCHES = 3  # changes of one fault that a search is made for
MANY = 4  # places that fail, from which on what they have in common is changed first
TOGETHER = 3  # places that one change may be made of
COMPOUND = 6  # changes of several places that are tried
COMPROMISES = 2  # changes that are asked what they clear though they spoil right numbers
REWRITTEN = 2  # findings of one fault whose expressions are rewritten


@attrs.frozen(kw_only=True)
class Cure:
    """A change that was tried, and what came of it."""

    edit: Edit
    verified: Verified


def cures(bench: Bench, desk: Desk, explanations: Sequence[Explanation]) -> list[Cure]:
    """Try the changes that the advice of some findings knows, until one cures the worst of them.

    One that leaves every number as it is where the loss was right comes before one that holds the
    loss away from a singular point by a bound, and that before one which brings a warning. Where
    none cures, the expression at fault is rewritten by identities, and then the arguments are
    bounded; where much fails, the prediction is so first.

    Returns
    -------
    list of Cure
        Those that were tried, the best one last.
    """
    trial = _Trial(bench, explanations)
    worst = trial.weighty
    many = bench.places(worst[0].weight) >= MANY  # one change is less than one of each
    listed = (
        held_off(worst[0], desk, alone=True) if many else (),
        islice(_new(chain.from_iterable(candidates(each, desk) for each in worst)), TRIED),
        _rewritten(worst, desk),
        (edit for each in worst for edit in held_off(each, desk) if not trial.bounded),
    )
    for edit in _new(chain.from_iterable(listed)):
        if trial.cured_by(edit):
            return trial.tried
        if trial.over:
            break
    return trial.settled()


def compromise(
    bench: Bench, tried: Sequence[Cure], explanations: Sequence[Explanation]
) -> Cure | None:
    """Give the least of the changes that cure the worst of a fault and spoil right numbers.

    Parameters
    ----------
    tried
        Changes of which none holds.

    Returns
    -------
    Cure or None
        Its complaints say what it spoils.
    """
    wanted = {each.finding.id for each in _weighty(explanations)}
    apart = [cure for cure in reversed(tried) if cure.verified.slight]
    for cure in apart[:COMPROMISES]:
        verified = bench.cleared([cure.edit], cure.verified, explanations)
        if wanted <= {*verified.clears}:
            return attrs.evolve(cure, verified=verified)
    return None


def _weighty(explanations: Sequence[Explanation]) -> list[Explanation]:
    worst = max(each.weight for each in explanations)
    return [each for each in explanations if each.weight == worst]


class _Trial:
    """The changes of one fault, tried one after the other."""

    def __init__(self, bench: Bench, explanations: Sequence[Explanation]) -> None:
        self.weighty = _weighty(explanations)
        self.tried: list[Cure] = []
        self._bench = bench
        self._explanations = explanations
        self._wanted = {each.finding.id for each in self.weighty}
        self._bounds: list[Cure] = []  # they hold, but are another function by a singular point
        self._searches = SEARCHES
        self._compound = COMPOUND

    def cured_by(self, edit: Edit) -> bool:
        """Try a change, and say whether it cures and leaves all that was right as it was."""
        cure = Cure(edit=edit, verified=self._bench.verify([edit], self._explanations))
        verified = cure.verified
        if verified.holds and self._wanted <= {*verified.clears}:
            if not verified.bounds:
                return self._stands(cure)
            self._bounds.append(cure)
            return False
        self.tried.append(cure)
        return self._cured_besides(cure)

    def _cured_besides(self, cure: Cure) -> bool:
        """Try a change together with one of the place that fails next."""
        if len(cure.edit.steps) == TOGETHER:
            return False
        for other in cure.verified.further:
            if self._compound and not self.over:
                self._compound -= 1
                edit = attrs.evolve(cure.edit, further=(*cure.edit.further, other))
                if self.cured_by(edit):
                    return True
        return False

    @property
    def bounded(self) -> bool:
        """Whether a change cures that holds the loss away from a singular point."""
        return bool(self._bounds)

    @property
    def over(self) -> bool:
        """Whether no more need be tried."""
        return len(self._bounds) > FURTHER or not self._searches or is_spent()

    def settled(self) -> list[Cure]:
        """What was tried, the best last: a bound, else what brings a warning."""
        for cure in sorted(self._bounds, key=lambda one: one.verified.departs):
            if self._searches and self._stands(cure):
                return self.tried

        def key(place: int) -> tuple[bool, int, int, int]:
            verified = self.tried[place].verified
            # Of those alike, the first that was tried.
            return verified.holds, len(verified.clears), -len(verified.adds), -place

        return [self.tried[place] for place in sorted(range(len(self.tried)), key=key)]

    def _stands(self, cure: Cure) -> bool:
        """Say whether a search finds nothing that a change brings with it."""
        self._searches -= 1
        if self._no_better(cure):
            return False
        verified = self._bench.searched([cure.edit], cure.verified, self.weighty)
        self.tried.append(attrs.evolve(cure, verified=verified))
        return (verified.holds and not verified.adds) or self._cured_besides(self.tried[-1])

    def _no_better(self, cure: Cure) -> bool:
        """Say whether a change brings all warnings of one that held before, and clears no more.

        That one comes before it whatever a search finds.
        """
        clears = {*cure.verified.clears}
        held = [c.verified for c in self.tried if c.verified.holds and c.verified.adds]
        held = [one for one in held if clears <= {*one.clears}]
        if not held:
            return False
        brought = self._bench.brings([cure.edit], cure.verified)
        return any({*one.adds} <= {*brought.adds} for one in held)


def _new(edits: Iterable[Edit]) -> Iterator[Edit]:
    """The edits that write something else than those before, whatever they say of it."""
    told: set[Edit] = set()
    for edit in edits:
        bare = attrs.evolve(edit, why="")
        if bare not in told:
            told.add(bare)
            yield edit


def _rewritten(explanations: Sequence[Explanation], desk: Desk) -> Iterator[Edit]:
    """What advice does not know, worked out when it is asked for."""
    for each in explanations[:REWRITTEN]:
        yield from rewritten(each, desk)
