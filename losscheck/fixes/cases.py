"""The cases that a change is tried on, and which of their numbers are in dispute.

A change that cures disputed numbers must give others. Where shapes are broadcast into pairs that do
not belong together every number is: what is right is known of the case that was found. Other faults
leave some of the numbers right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from losscheck.advice import wording
from losscheck.cases.blocks import CaseBlock, spread
from losscheck.evidence.desk import Desk
from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.search.sweep import Sweep
from losscheck.evidence.shape.layouts import TOLERANCE, relative_gap
from losscheck.findings.explanation import Explanation
from losscheck.findings.shrink import judging
from losscheck.model import Array, Range
from losscheck.rules import by_code
from losscheck.rules.base import Doubt

MEMBERS = 48  # of each finding
ORDINARY = 160  # of each size, and half as many of the working and of the extreme range

Key = tuple[tuple[tuple[str, tuple[int, ...]], ...], str]  # shapes by argument, and a dtype


class Tried:
    """The cases of each size and dtype.

    Parameters
    ----------
    explanations
        The findings that are to be cured.
    """

    def __init__(self, evidence: Evidence, explanations: Sequence[Explanation]) -> None:
        self._evidence = evidence
        self._blocks: dict[Key, list[CaseBlock]] = {}
        self._prints: dict[str, Array] = {}
        for each in explanations:
            if each.crowd is not None and each.case is not None:
                self._add(each)
        for sweep in evidence.swept or evidence.sweeps:
            self._blocks.setdefault(_key(sweep.cases, sweep.dtype), []).append(_some(sweep))

    def _add(self, each: Explanation) -> None:
        assert each.crowd is not None
        assert each.case is not None
        crowd, blocks = each.crowd, [each.case]
        if each.members is not None:
            blocks.append(crowd.population.cases.take(spread(each.members, MEMBERS)))
        block = CaseBlock.concat(blocks)
        self._blocks.setdefault(_key(block, crowd.dtype), []).append(block)
        self._prints[each.finding.id] = block.prints()

    def of(self, instance: Instance, dtype: str) -> CaseBlock:
        """The cases of one size."""
        shapes = tuple(instance.shapes.items())
        for blocks in (self._blocks.get((shapes, dtype)), self._blocks.get((shapes, "float32"))):
            if blocks:
                return CaseBlock.concat(blocks).distinct()
        # The loss as it is takes no such sizes: the first rows and columns of others.
        known = CaseBlock.concat(next(iter(self._blocks.values())))
        part = {n: known.inputs[n][(slice(None), *map(slice, shape))] for n, shape in shapes}
        return CaseBlock(part, known.ranges).distinct()

    def instances(self) -> list[Instance]:
        """The sizes that are looked at."""
        found: dict[str, Instance] = {}
        for blocks in self._blocks.values():
            instance = self._evidence.instance_of(blocks[0])
            found[instance.name] = instance
        return list(found.values())

    def prints(self, each: Explanation) -> Array:
        """What tells the cases of a finding from others."""
        return self._prints.get(each.finding.id, np.zeros(0, np.uint64))


def _key(block: CaseBlock, dtype: str) -> Key:
    return tuple((name, array.shape[1:]) for name, array in block.inputs.items()), dtype


def _some(sweep: Sweep) -> CaseBlock:
    """Some cases of each range, evenly spread."""
    shares = {Range.ORDINARY: ORDINARY, Range.WORKING: ORDINARY // 2, Range.EXTREME: ORDINARY // 2}
    index = [spread(np.flatnonzero(sweep.ranges == r), most) for r, most in shares.items()]
    return sweep.cases.take(np.sort(np.concatenate(index)))


def wrong_throughout(each: Explanation, evidence: Evidence) -> bool:
    """Say whether a finding is of a layout that is asked for, and of every case in it.

    Parameters
    ----------
    evidence
        Of the loss, at the sizes of every check.
    """
    suspect = each.suspect
    if by_code(suspect.code).doubt is not Doubt.ALL or suspect.value is None:
        return False
    shapes = {name: np.shape(array) for name, array in suspect.inputs.items()}
    return any(shapes == dict(instance.shapes) for instance in evidence.instances)


def still_wrong(each: Explanation, changed: Evidence) -> Iterator[str]:
    """Say in words where the changed loss does not give what is right in the case of a finding.

    What is right is a sum, or one mean where the axis of the samples fell to the broadcasting:
    Keras takes the mean of the changed loss's values, too.
    """
    suspect = each.suspect
    if suspect.expected_value is None:  # no sample says it
        return
    inputs = {name: np.asarray(array)[np.newaxis] for name, array in suspect.inputs.items()}
    block = CaseBlock(inputs, np.asarray([Range.ORDINARY], np.uint8))
    shapes = changed.instance_of(block).shapes
    given = np.asarray(changed.programs.at(shapes).run(inputs).value, np.float64)
    found = np.asarray([given.sum(), given.mean()])
    right = np.asarray(suspect.expected_value, np.float64).reshape(-1)
    if not (relative_gap(found, right) <= TOLERANCE).any():
        yield (
            f"the loss would be {wording.number(float(found[0]))} where "
            f"{wording.number(float(right[0]))} is right"
        )


def doubted(explanations: Sequence[Explanation]) -> Doubt:
    """What the findings that weigh most say is wrong with the numbers, where they agree on it."""
    worst = max(each.weight for each in explanations)
    doubts = {by_code(e.finding.code).doubt for e in explanations if e.weight == worst}
    return doubts.pop() if len(doubts) == 1 else Doubt.NOTHING


def wrong_in(explanations: Sequence[Explanation], desk: Desk) -> Callable[[CaseBlock], Array]:
    """Give the rules of some findings as a function of cases: in which they find the same."""
    crowds = [one.crowd for one in explanations if one.crowd is not None]

    def wrong(cases: CaseBlock) -> Array:
        found = np.zeros(len(cases), bool)
        for crowd in crowds:
            if _sizes(crowd.population.cases) == _sizes(cases):
                found |= judging(desk, by_code(crowd.code), crowd)(cases)
            else:  # of other sizes nothing is known
                found[:] = True
        return found

    return wrong


def _sizes(cases: CaseBlock) -> list[tuple[int, ...]]:
    return [array.shape[1:] for array in cases.inputs.values()]
