"""What rounding inside a loss, and inside its gradient, may explain of a gradient that looks wrong.

Both cost more than a look at every coordinate may, and are asked for where something is at stake.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock, spread
from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.precision.truth import exact_numbers
from losscheck.model import Array, Direction
from losscheck.numerics.ladder import Derivatives, derivatives
from losscheck.numerics.verdict import SAFETY, Agreement, Comparison, compare
from losscheck.program.inner import rounding
from losscheck.program.programs import along
from losscheck.program.running.program import Program
from losscheck.settings.shapes import parse

WRONG: Final = (Agreement.MISMATCH, Agreement.OUTSIDE)

UNCOUPLED: Final = 1e-9
"""Relative: the gradient of a sample or an element is the same beside others."""

WITHIN: Final = 2.0**-14
"""Of the larger of a gradient and the ordinary one: quotients of short steps agree with it."""

ULPS: Final = 2.0**10
"""Of x, in the shortest step: x + step itself rounds."""

CLOSE: Final = (1.0, 2.0, 4.0)
"""Steps that have to agree, of the shortest."""

NEIGHBOURS: Final = 4
"""Numbers next to x, on either side, at which the gradient is taken again: its rounding is another
one at each, and a kink at x does not come between those of one side."""

EXACT: Final = 4
"""Cases whose gradient is evaluated with exact numbers."""

PART: Final = 0.25
"""Of a difference between gradient and derivative that rounding makes up, where it matters."""


def second_look(
    evidence: Evidence,
    instance: Instance,
    block: CaseBlock,
    gradient: Array,
    comparison: Comparison,
    scale: float,
    among: Array | None = None,
) -> Comparison:
    """Take back what rounding explains.

    Parameters
    ----------
    block
        N cases.
    gradient
        (N, n) float64, as it was judged.
    comparison
        Of its N·n coordinates.
    scale
        The ordinary size of the gradient.
    among
        (N·n,) bool: the coordinates to look at, those that are wrong where it is None.

    Returns
    -------
    Comparison
        Coordinates that were wrong are inconclusive, or verified within a larger bound, where the
        rounding of the loss or that of the gradient itself explains the difference.
    """
    index = np.flatnonzero(np.isin(comparison.outcome, WRONG) if among is None else among)
    program = evidence.programs.double(instance.shapes).graphed
    if not len(index) or program is None:
        return comparison
    case, coordinate = np.divmod(index, gradient.shape[1])
    picked = block.take(case)
    found = _with_rounding(evidence, program, picked, coordinate)
    floor = evidence.programs.floor(instance.shapes)
    judged = compare(gradient.ravel()[index], found, floor, scale)
    noise = _scatter(evidence, picked, coordinate)
    explained = comparison.difference[index] <= comparison.bound[index] + SAFETY * noise
    outcome = comparison.outcome.copy()
    # A staircase of rounding hides a slope that the larger error of the second look allows for.
    right = ~np.isin(judged.outcome, WRONG)
    outcome[index[right]] = judged.outcome[right]
    outcome[index[explained & ~right]] = Agreement.INCONCLUSIVE
    left = index[np.isin(outcome[index], WRONG)]
    drowned = _drowned(evidence, instance, block, gradient, left, scale)
    outcome[left[drowned]] = Agreement.INCONCLUSIVE
    if len(left := left[~drowned]):
        size = np.fmax(np.abs(gradient.ravel()[left]), scale)
        room = np.fmin(WITHIN * size, 0.25 * comparison.difference[left])
        close = _close_by(evidence, instance, block, gradient, left, room)
        outcome[left[close]] = Agreement.INCONCLUSIVE
        left = left[~close]
    if len(left):
        rounded = _rounded(evidence, program, block, left, comparison.difference[left])
        outcome[left[rounded]] = Agreement.INCONCLUSIVE
    return attrs.evolve(comparison, outcome=outcome)


def _rounded(
    evidence: Evidence, program: Program, block: CaseBlock, index: Array, difference: Array
) -> Array:
    """(K,) bool: with as many digits as it takes the gradient is another number.

    It may have lost its digits in float64 as well, as a difference of exponentials over the small
    number that sets them apart, and the same ones at every number near by. A few cases are
    evaluated so; where that explains all of them, it does the others.
    """
    case, coordinate = np.divmod(index, _size(program))
    cases = np.unique(case)
    tried = spread(cases, EXACT)
    given = np.asarray(program.run(block.take(tried).inputs, "graph").gradient, np.float64)
    found, looked = np.zeros(len(index), bool), np.isin(case, tried)
    for one, rounded in zip(tried, given, strict=True):
        picked = block.take(np.array([one]))
        numbers = exact_numbers(evidence, picked, Direction.BACKWARD, first=True)
        if numbers:
            own = np.flatnonzero(case == one)
            off = np.abs(numbers[0].ravel() - rounded.ravel())[coordinate[own]]
            found[own] = off > PART * difference[own]
    return found if not found[looked].all() else np.ones(len(index), bool)


def _size(program: Program) -> int:
    return int(np.prod(program.shapes[program.prediction]))


def _with_rounding(
    evidence: Evidence, program: Program, cases: CaseBlock, coordinate: Array
) -> Derivatives:
    """Derivatives of a coordinate of each case, and what rounding inside may do to them."""
    rows = np.arange(len(cases))
    x = np.asarray(cases.inputs[program.prediction], np.float64)
    x = x.reshape(len(cases), -1)[rows, coordinate]
    low, high = evidence.edges(coordinate)
    return derivatives(
        along(program, cases.inputs),
        rows,
        coordinate,
        x,
        np.fmin(low, x),
        np.fmax(high, x),
        rounding=rounding(program, cases.inputs),
    )


def _close_by(
    evidence: Evidence,
    instance: Instance,
    block: CaseBlock,
    gradient: Array,
    index: Array,
    room: Array,
) -> Array:
    """(K,) bool: the shortest steps that rounding leaves anything of agree with the gradient.

    `room` is how closely, (K,): much less than by what the gradient is called wrong.

    Where several numbers are equal, a choice among them changes within less than the steps that an
    extrapolation goes by, and the loss may go on as if there had been none.
    """
    program = evidence.programs.double(instance.shapes).graphed
    assert program is not None
    case, coordinate = np.divmod(index, gradient.shape[1])
    picked, rows = block.take(case), np.arange(len(case))
    flat = np.asarray(picked.inputs[program.prediction], np.float64).reshape(len(case), -1)
    x, slope = flat[rows, coordinate], gradient.ravel()[index]
    evaluate = along(program, picked.inputs)
    here, noise = evaluate(rows, coordinate, x), rounding(program, picked.inputs)
    step = np.fmax(2.0 * noise / room, ULPS * np.spacing(np.abs(x)))
    low, high = evidence.edges(coordinate)
    found = np.ones(len(case), bool)
    for factor in CLOSE:
        ends = (np.fmax(x - factor * step, low), np.fmin(x + factor * step, high))
        with np.errstate(invalid="ignore", divide="ignore"):
            quotients = [(evaluate(rows, coordinate, end) - here) / (end - x) for end in ends]
            found &= np.fmin(*quotients) - room <= slope
            found &= np.fmax(*quotients) + room >= slope
    return found


def _drowned(
    evidence: Evidence,
    instance: Instance,
    block: CaseBlock,
    gradient: Array,
    index: Array,
    scale: float,
) -> Array:
    """(K,) bool: other numbers drown what happens near a coordinate; among its like it is right.

    The noise of the whole loss bounds the steps from below. Beside a loss of 3e8 they are too long
    for an element whose loss turns within 6e-8. Where the batch holds that sample alone, or that
    element, again and again, and the gradient is the same, their own noise is what counts.
    """
    found = np.zeros(len(index), bool)
    shape = instance.shapes[evidence.spec.prediction.name]
    if not len(index) or not evidence.spec.batch or np.prod(shape) < 2:
        return found
    case, coordinate = np.divmod(index, gradient.shape[1])
    for alike in _alike(evidence, shape, block, case, coordinate):
        found |= _right_among(evidence, instance, alike, gradient.ravel()[index], coordinate, scale)
    return found


def _alike(
    evidence: Evidence, shape: tuple[int, ...], block: CaseBlock, case: Array, coordinate: Array
) -> Iterator[CaseBlock]:
    """Batches of one sample again and again, and of one element."""
    sample = coordinate // int(np.prod(shape[1:]))
    samples, elements = {}, {}
    for argument in evidence.spec.arguments:
        array = block.inputs[argument.name][case]
        if parse(argument.shape).dims[:1] == (evidence.spec.batch,):
            own = array[np.arange(len(case)), sample]
            array = np.repeat(own[:, None], array.shape[1], axis=1)
        samples[argument.name] = elements[argument.name] = array
        if array.shape[1:] == shape:
            flat = block.inputs[argument.name][case].reshape(len(case), -1)
            own = flat[np.arange(len(case)), coordinate]
            elements[argument.name] = np.broadcast_to(
                own.reshape(-1, *(1,) * len(shape)), array.shape
            ).copy()
    yield CaseBlock(samples, block.ranges[case])
    yield CaseBlock(elements, block.ranges[case])


def _right_among(
    evidence: Evidence,
    instance: Instance,
    alike: CaseBlock,
    before: Array,
    coordinate: Array,
    scale: float,
) -> Array:
    """(K,) bool: the gradient is the same in such a batch, and is not wrong there."""
    rows = np.arange(len(alike))
    own = evidence.double(alike)[1].reshape(len(alike), -1)[rows, coordinate]
    x = np.asarray(alike.inputs[evidence.spec.prediction.name], np.float64)
    x = x.reshape(len(alike), -1)[rows, coordinate]
    low, high = evidence.edges(coordinate)
    program = evidence.programs.double(instance.shapes)
    ladder = derivatives(
        along(program, alike.inputs), rows, coordinate, x, np.fmin(low, x), np.fmax(high, x)
    )
    judged = compare(own, ladder, evidence.programs.floor(instance.shapes), scale)
    same = np.abs(own - before) <= UNCOUPLED * np.abs(before)
    return np.asarray(same & ~np.isin(judged.outcome, WRONG))


def _scatter(evidence: Evidence, block: CaseBlock, coordinate: Array) -> Array:
    """(N,) by how much the gradient in a coordinate of each case differs between neighbours."""
    name, rows = evidence.spec.prediction.name, np.arange(len(block))
    flat = np.array(block.inputs[name], np.float64).reshape(len(block), -1)
    most = np.zeros(len(block))
    for end in (-np.inf, np.inf):
        moved, slopes = flat.copy(), []
        for _ in range(NEIGHBOURS):
            moved[rows, coordinate] = np.nextafter(moved[rows, coordinate], end)
            inputs = {**block.inputs, name: moved.reshape(block.inputs[name].shape)}
            slopes.append(evidence.double(CaseBlock(inputs, block.ranges))[1].reshape(flat.shape))
        most = np.fmax(most, np.ptp([slope[rows, coordinate] for slope in slopes], axis=0))
    return most
