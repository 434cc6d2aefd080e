"""Whether a gradient is right but for choices between numbers that rounding has made equal.

The absolute value of a difference, a maximum of two: where float32 takes the difference for 0, or
for one of the other sign, its slope is that of a tie or of the other side. That is nobody's fault
where the two are equal at a point close by; where they never are, as with sqrt(x + 1) - sqrt(x),
the difference has lost its digits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gather import Evidence
from losscheck.evidence.gradient.deciders import Decider, deciders_of
from losscheck.model import Array
from losscheck.program.running.program import Program

# Two numbers that are flat where they meet, as squares are at 0, are equal in float32 this far off.
NEAR = 2.0**-12  # the square root of a step of float32
DECIDERS = 32  # that are asked for at once


def right_but_for_rounded_choices(
    evidence: Evidence, case: CaseBlock, gradient: Array, points: CaseBlock, room: float
) -> bool:
    """Say whether float64 has the gradient, too, where it chooses as float32 does.

    Parameters
    ----------
    case
        A block of one case.
    gradient
        What float32 gave.
    points
        Points close by; a choice counts that falls both ways at them.
    room
        By how much a number of the gradient may differ.
    """
    shapes = evidence.instance_of(case).shapes
    single, double = evidence.programs.at(shapes).graphed, evidence.programs.double(shapes).graphed
    if single is None or double is None:
        return False
    if double.traced.gradient is None:
        return False
    held: dict[str, Array] = {}
    one = {name: array[0] for name, array in case.inputs.items()}
    for decider in _between_two(double, single):
        names = _operands(decider)
        ours = dict(zip(names, double.once(names, one), strict=True))
        theirs = dict(zip(names, single.once(names, one), strict=True))
        moved = _as_chosen(decider, ours, theirs)
        if moved is None:
            continue
        name, numbers, otherwise = moved
        found = double.fetch(names, points.inputs)
        signs = np.sign(decider.quantity(dict(zip(names, found, strict=True))))
        ways = (signs.min(axis=0) < 0.0) & (signs.max(axis=0) > 0.0)
        if not ways[otherwise].all():
            return False
        held[name] = numbers
    if not held:
        return False
    there = double.once([double.traced.gradient.name], one, held)[0]
    return bool((np.abs(there.ravel() - np.asarray(gradient).ravel()) <= room).all())


def _between_two(double: Program, single: Program) -> list[Decider]:
    """The choices between two numbers, or a number and a bound, that both programs have."""
    found = [d for d in deciders_of(double.wiring) if not d.axes and not d.ranks]
    return [d for d in found if all(single.has(t) and double.has(t) for t in _operands(d))][
        :DECIDERS
    ]


def _operands(decider: Decider) -> Sequence[str]:
    return [t for t in (decider.left, decider.right) if t is not None]


def _as_chosen(
    decider: Decider, ours: dict[str, Array], theirs: dict[str, Array]
) -> tuple[str, Array, Array] | None:
    """Name an operand, what it would have to be for another choice, and where it is that.

    None where float32 chooses alike, or where the numbers of no operand are those compared.
    """
    gap, chosen = (decider.quantity({t: a[None] for t, a in o.items()})[0] for o in (ours, theirs))
    if gap.shape != chosen.shape or not (np.isfinite(gap) & np.isfinite(chosen)).all():
        return None
    otherwise = np.sign(gap) != np.sign(chosen)
    change = np.sign(chosen) * np.abs(gap) - gap
    if not otherwise.any():
        return None
    for name, sign in zip(_operands(decider), (1.0, -1.0), strict=False):
        if ours[name].size == gap.size:
            moved = ours[name].astype(np.float64) + sign * change.reshape(ours[name].shape)
            return name, np.where(otherwise.reshape(moved.shape), moved, ours[name]), otherwise
    return None
