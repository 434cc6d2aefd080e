"""The cases that a change is tried on: those of the findings, and what else a loss is known by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.search.sweep import Sweep
from losscheck.findings.explanation import Explanation
from losscheck.model import Array, Range

MEMBERS = 48  # of each finding
ORDINARY = 160  # of each size, and half as many of the working and of the extreme range

Key = tuple[tuple[tuple[str, tuple[int, ...]], ...], str]  # shapes by argument, and a dtype


class Tried:
    """The cases of each size and dtype.

    Parameters
    ----------
    evidence
        Of the loss as it is.
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


def spread(members: Array, most: int) -> Array:
    """Take some of the members, evenly."""
    index: Array = np.linspace(0, len(members) - 1, min(most, len(members))).astype(int)
    found: Array = members[index]
    return found
