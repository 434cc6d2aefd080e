"""The cases of a sweep in another mode, beside what the graph gave of them."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.precision.disagreement import disagreement
from losscheck.evidence.search.sweep import Sweep
from losscheck.model import Array


@attrs.frozen(kw_only=True, eq=False)
class ModeSweep:
    """The cases of a sweep, run in another mode."""

    mode: str
    graph: Sweep
    other: Sweep
    value_apart: Array  # (N,) bool: finite in both, and different beyond what conditioning explains
    gradient_apart: Array
    rounded: Callable[[CaseBlock], Array]

    def rerun(self, graph: Sweep) -> ModeSweep:
        """Run other cases, which the graph has run already."""
        return compared(self.mode, graph, self.other.rerun(graph.cases), self.rounded)


def compared(
    mode: str, graph: Sweep, other: Sweep, rounded: Callable[[CaseBlock], Array]
) -> ModeSweep:
    """Put a sweep in another mode beside the graph's and see where they differ.

    Parameters
    ----------
    rounded
        (N,) what the rounding of every number inside adds to the value of N cases.
    """
    value, gradient = disagreement(graph, other, rounded)
    return ModeSweep(
        mode=mode,
        graph=graph,
        other=other,
        value_apart=value,
        gradient_apart=gradient,
        rounded=rounded,
    )
