"""Gradients that differ at a single point: a choice at a corner, or a gradient that is wrong there.

Where two losses have the same value at a point, and the same value and gradient all around it, they
are one function, and what they differ in is what they say at that point. A slope that lies between
those around it is one that a corner allows; another one is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losscheck import domains
from losscheck.cases.blocks import CaseBlock
from losscheck.comparing.sorts import Numbers, Sort, distance, size
from losscheck.model import Array

if TYPE_CHECKING:
    from losscheck.comparing.pair import Pair

NEIGHBOURS = 8
FAR = 2.0**-14  # of a number, or of 1: far beyond what float32 rounds, near enough for slopes
NEAR = 2.0**-40  # of a number, or of LEAST: a whole stretch that differs, however short, shows
LEAST = 2.0**-30
ALIKE = 1e-3  # relative: gradients around the point that are the same
FARTHER = 10.0  # times that: how much more they differ at a point that stands alone
BETWEEN = 1e-2  # of the largest slope around: how far outside a slope counts as between them


def sort_points(pair: Pair, numbers: Numbers, cases: CaseBlock, members: Array) -> Array:
    """Sort cases whose gradients differ in exact arithmetic.

    Parameters
    ----------
    numbers
        Of the gradients of all cases.
    members
        (M,) indices of those that are sorted.

    Returns
    -------
    Array
        (M,) Sort: OTHER where they differ around the point, too.
    """
    some = cases.take(members)
    points = around(pair, some)
    slopes = [pair.truth(side, 1, points) for side in (pair.old, pair.new)]
    shape = (len(members), NEIGHBOURS, -1)
    finite = np.asarray(np.isfinite(slopes[0]).all(axis=1) & np.isfinite(slopes[1]).all(axis=1))
    same = distance(*slopes) <= ALIKE * np.fmax(size(*slopes), numbers.scale * 1e-6)
    alone = (same | ~finite).reshape(shape[:2]).all(axis=1) & finite.reshape(shape[:2]).any(axis=1)
    here = [numbers.old[members], numbers.new[members]]
    alone &= distance(*here) > FARTHER * ALIKE * size(*here)
    near = np.where(finite[:, None], slopes[1], np.nan).reshape(shape)
    result = np.full(len(members), Sort.OTHER)
    if not alone.any():
        return result
    near = near[alone]
    low, high = np.nanmin(near, axis=1), np.nanmax(near, axis=1)
    room = BETWEEN * np.fmax(np.abs(low), np.abs(high)).max(axis=1, keepdims=True)
    within = [
        ((part[members][alone] >= low - room) & (part[members][alone] <= high + room)).all(axis=1)
        for part in (numbers.old, numbers.new)
    ]
    sorts = np.full(len(near), Sort.TIE)
    sorts[within[0] & ~within[1]] = Sort.POINT_NEW
    sorts[within[1] & ~within[0]] = Sort.POINT_OLD
    result[alone] = sorts
    return result


def jumps(pair: Pair, case: CaseBlock, value: Array) -> bool:
    """Say whether the new loss has another value at a point than all around it.

    Parameters
    ----------
    case
        A block of one case.
    value
        What it gives there.
    """
    near = pair.truth(pair.new, 0, around(pair, case))[1::2]  # those that are nearest
    near = near[np.isfinite(near).all(axis=1)]
    if not len(near):
        return False
    low, high = near.min(axis=0), near.max(axis=0)
    room = BETWEEN * np.abs(near).max(initial=pair.scale.value)
    given = np.asarray(value, np.float64).ravel()
    return bool(((given < low - room) | (given > high + room)).any())


def around(pair: Pair, cases: CaseBlock) -> CaseBlock:
    """Points around each case, in turn far and near: the prediction moved, within its domain."""
    argument = pair.old.evidence.spec.prediction
    domain = domains.parse(argument.domain)
    rng = np.random.default_rng(NEIGHBOURS)
    inputs = {
        name: np.repeat(np.asarray(array, np.float64), NEIGHBOURS, axis=0)
        for name, array in cases.inputs.items()
    }
    x = inputs[argument.name]
    far, near = FAR * np.fmax(np.abs(x), 1.0), NEAR * np.fmax(np.abs(x), LEAST)
    place = (np.arange(len(x)) % NEIGHBOURS).reshape(-1, *(1,) * (x.ndim - 1))
    way = rng.uniform(0.5, 1.0, x.shape) * rng.choice([-1.0, 1.0], x.shape)
    way[2::4], way[3::4] = -way[::4], -way[1::4]  # and those opposite
    moved = x + way * np.where(place % 2 == 1, near, far)
    if domain.movable:
        clipped = np.asarray(domain.clip(moved), np.float64)
        moved = np.where(clipped == x, 2 * x - moved, clipped)  # at an edge: inwards
        moved = np.asarray(domain.clip(moved), np.float64)
    inputs[argument.name] = moved
    return CaseBlock(inputs, np.repeat(cases.ranges, NEIGHBOURS))
