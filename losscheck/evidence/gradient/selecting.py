"""Whether a gradient, or a value, is one of those that a choice among equal operands leaves open.

A maximum, a sort, a nearest neighbour: which of several equal numbers is taken, or how the gradient
is split between them, is nobody's fault. In float32 numbers are equal that are not in float64.

The absolute value of a difference, a maximum of two: where float32 takes the difference for 0, or
for one of the other sign, its slope is that of a tie or of the other side. That is nobody's fault
where the two are equal at a point close by; where they never are, as with sqrt(x + 1) - sqrt(x),
the difference has lost its digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from losscheck import domains
from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gather import Evidence
from losscheck.evidence.gradient.deciders import Decider, deciders_of
from losscheck.evidence.precision.disagreement import TWO_DIGITS
from losscheck.model import Array, Direction
from losscheck.program.running.program import Program

ROUNDING = (
    2.0**-22
)  # of the largest number that a prediction or a label meets: two steps of float32
POOLS = frozenset({"MaxPool", "MaxPool3D"})
POINTS = 64  # that rounding does not tell from a case, at each of the scales
SMALLER = (1.0, 2.0**-3)  # scales, of that
CLOSE = (1.0, 2.0**-4, 2.0**-8)  # the same of what is close by
# Two numbers that are flat where they meet, as squares are at 0, are equal in float32 this far off.
NEAR = 2.0**-12  # the square root of a step of float32
DECIDERS = 32  # that are asked for at once


def open_to_choice(
    evidence: Evidence,
    case: CaseBlock,
    numbers: Any,
    direction: Direction,
    *,
    in_a_row: bool = False,
) -> bool:
    """Say whether a result lies among those of points that rounding cannot tell from one case.

    Parameters
    ----------
    case
        A block of one case.
    numbers, direction
        The value (which is summed up) or the gradient, as it came out.
    in_a_row
        Whether only operations count that choose among the numbers of a row.

    Returns
    -------
    bool
        Whether some operation chooses otherwise at such points, and every number lies within what
        it is at them.
    """
    program = evidence.programs.double(evidence.instance_of(case).shapes).graphed
    if numbers is None or program is None:
        return False
    if direction is Direction.BACKWARD and not in_a_row:
        close = _nearby(evidence, case, NEAR, CLOSE)
        room = TWO_DIGITS * float(np.abs(numbers).max(initial=0.0))
        if right_but_for_rounded_choices(evidence, case, numbers, close, room):
            return True
    points = _nearby(evidence, case)
    if not _chooses(program, points, in_a_row):
        return False
    totals, gradient = evidence.double(points)
    forward = direction is Direction.FORWARD
    around = totals[:, None] if forward else gradient.reshape(len(points), -1)
    around = around[np.isfinite(around).all(axis=1)]
    mine = np.asarray(numbers, np.float64).ravel()
    mine = mine.sum(keepdims=True) if forward else mine
    if not len(around) or around.shape[1] != len(mine):
        return False
    room = TWO_DIGITS * np.abs(mine).max(initial=0.0)
    inside = (around.min(axis=0) - room <= mine) & (mine <= around.max(axis=0) + room)
    return bool(inside.all())


def _nearby(
    evidence: Evidence,
    case: CaseBlock,
    far: float = ROUNDING,
    scales: Sequence[float] = SMALLER,
) -> CaseBlock:
    """The case itself, and points around it: all numbers moved at once, as several may be equal.

    They are up to `far` away, relative to the largest number, and to 1.
    """
    rng = np.random.default_rng(evidence.seed)
    known = {a.name: domains.parse(a.domain) for a in evidence.spec.arguments}
    moving = [
        argument.name
        for argument in evidence.spec.arguments
        if argument.role in ("y_pred", "y_true") and not known[argument.name].integral
    ]
    largest = max((np.abs(case.inputs[name]).max(initial=0.0) for name in moving), default=0.0)
    reach = far * max(1.0, float(largest))
    count = 1 + len(scales) * POINTS
    inputs = {name: np.repeat(array, count, axis=0) for name, array in case.inputs.items()}
    for name in moving:
        moved = inputs[name].astype(np.float64)
        for i, scale in enumerate(scales):
            part = slice(1 + i * POINTS, 1 + (i + 1) * POINTS)
            moved[part] += scale * reach * rng.uniform(-1.0, 1.0, moved[part].shape)
        inputs[name] = known[name].clip(moved)
    return CaseBlock(inputs, np.repeat(case.ranges, count))


def _chooses(program: Program, points: CaseBlock, in_a_row: bool) -> bool:
    """Say whether what some operation takes, or where it changes over, differs between points."""
    deciders = [d for d in deciders_of(program.wiring) if d.axes or d.ranks or not in_a_row]
    names = list(dict.fromkeys(t for d in deciders for t in (d.left, d.right) if t is not None))
    if not in_a_row and _orders_differ(program, points):
        return True
    if not names:
        return False
    arrays = dict(zip(names, program.fetch(names, points.inputs), strict=True))
    for decider in deciders:
        signs = np.sign(decider.quantity(arrays))
        if (signs != signs[:1]).any():
            return True
    return False


def _orders_differ(program: Program, points: CaseBlock) -> bool:
    """Say whether the order of the numbers that a pool takes the greatest of differs."""
    graph = program.wiring
    depends = graph.depends(graph.prediction)
    pooled = [n.inputs[0] for n in graph.forward if n.type in POOLS and n.inputs[0] in depends]
    for array in program.fetch(pooled, points.inputs) if pooled else ():
        order = np.argsort(array.reshape(len(array), -1), axis=1, kind="stable")
        if (order != order[:1]).any():
            return True
    return False


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
