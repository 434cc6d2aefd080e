"""A lattice of numbers run through a loss: what is not finite is kept, the rest is counted."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.cases.lattice import Lattice
from losscheck.model import Array, Range
from losscheck.program.running.program import Program

KEPT = 1_024  # failing cases of each range, evenly spread


@attrs.frozen(kw_only=True, eq=False)
class Scan:
    """What came of a lattice.

    Attributes
    ----------
    cases
        That were run.
    failing
        Some of those whose loss or gradient is not finite; None where there are none.
    what
        The cases, in words.
    """

    cases: int
    failing: CaseBlock | None
    what: str

    @property
    def passed(self) -> int:
        """Cases that were run and not kept."""
        return self.cases - (0 if self.failing is None else len(self.failing))


def scan(program: Program, points: Lattice, inside: Callable[[CaseBlock], Array]) -> Scan:
    """Run the cases of a lattice.

    Parameters
    ----------
    inside
        Tells which cases a loss can be called with at all.
    """
    cases, parts = 0, []
    for inputs in points.parts():
        block = CaseBlock(inputs, np.zeros(len(next(iter(inputs.values()))), np.uint8))
        able = inside(block)
        if not able.all():
            block = block.take(able)
        if not len(block):
            continue
        cases += len(block)
        outcome = program.run(block.inputs, "graph")
        flat = outcome.gradient.reshape(len(block), -1)
        bad = ~(np.isfinite(outcome.total) & np.isfinite(flat).all(axis=1))
        if bad.any():
            parts.append(block.take(bad))
    failing = _some(points.problem.judge(CaseBlock.concat(parts).inputs)) if parts else None
    return Scan(cases=cases, failing=failing, what=points.what)


def _some(block: CaseBlock) -> CaseBlock:
    """Keep some of each range, evenly spread over the numbers."""
    chosen = []
    for reach in Range:
        index = np.flatnonzero(block.ranges == reach)
        chosen.append(index[np.linspace(0, len(index) - 1, min(len(index), KEPT)).astype(int)])
    return block.take(np.sort(np.concatenate(chosen)))
