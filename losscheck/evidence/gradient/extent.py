"""How far a prediction can move before a dead gradient comes alive: by doubling steps, to a bit."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import numpy as np

from losscheck import domains
from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gather import Evidence
from losscheck.evidence.search.sweep import Sweep
from losscheck.model import Array

FAR = 1e9  # where the search ends in a domain without an end: the working range of reals
SMALLEST = 2.0**-30  # first step from 0, relative to 1: below any guard that is written by hand
GRID = 65  # further points, evenly spread over +-3: what lives between two doubled steps
NEAR = 3.0  # the ordinary range of reals
PARTS = 64  # that a gap is cut into at a time: six times, for the 2^31 floats of one sign


@attrs.frozen(kw_only=True)
class Extent:
    """Values of one element of the prediction, the rest held, with a gradient of 0 throughout."""

    element: tuple[int, ...]  # its index; empty where the prediction has no other
    # The ends; None where there is none before the end of the working range.
    low: float | None
    high: float | None


def extent(evidence: Evidence, sweep: Sweep, case: CaseBlock) -> Extent:
    """Move the first element of the prediction down and up from a dead case.

    Parameters
    ----------
    case
        A block of one case, of the sweep's shapes.
    """
    base = np.asarray(case.inputs[sweep.prediction], np.float32)

    def dead(places: Array) -> Array:
        moved = np.repeat(base.reshape(1, -1), len(places), axis=0)
        moved[:, 0] = _number(places)
        inputs = {name: np.repeat(a, len(places), axis=0) for name, a in case.inputs.items()}
        inputs[sweep.prediction] = moved.reshape(len(places), *base.shape[1:])
        block = CaseBlock(inputs, np.repeat(case.ranges, len(places)))
        return np.asarray(~np.any(sweep.rerun(block).flat_gradient, axis=1))

    start = float(base.reshape(-1)[0])
    low, high = (float(end[0]) for end in evidence.edges(np.zeros(1, int)))
    open_low, open_high = domains.parse(evidence.spec.prediction.domain).open_ends
    down = _furthest(dead, start, max(low, -FAR), inside=open_low)
    up = _furthest(dead, start, min(high, FAR), inside=open_high)
    several = base[0].size > 1
    return Extent(
        element=(0,) * (base.ndim - 1) if several else (),
        low=None if down <= -FAR else down,
        high=None if up >= FAR else up,
    )


def _furthest(dead: Callable[[Array], Array], start: float, end: float, *, inside: bool) -> float:
    """The last number on the way from `start` to `end` up to which all that was tried is dead."""
    sign = 1 if end > start else -1
    here, last = (int(_place(np.asarray([x]))[0]) for x in (start, end))
    if inside and np.isfinite(end) and abs(end) < FAR:
        last -= sign  # the end of an open domain is outside
    places = _on_the_way(start, here, last, sign)
    alive = here + sign  # replaced where something lives
    while len(places):
        lives = np.flatnonzero(~dead(places))
        if not len(lives):
            if places[-1] == last:
                return float(_number(np.asarray([last]))[0])
            here = int(places[-1])
        else:
            alive = int(places[lives[0]])
            here = int(places[lives[0] - 1]) if lives[0] else here
        places = np.unique(np.linspace(here, alive, PARTS + 1).astype(np.int64)[1:-1])
        places = places[(places != here) & (places != alive)][::sign]
    return float(_number(np.asarray([here]))[0])


def _on_the_way(start: float, here: int, last: int, sign: int) -> Array:
    """Places of numbers between, in their order: doubled steps, and a grid of ordinary numbers."""
    doubled = start + sign * max(abs(start), 1.0) * SMALLEST * 2.0 ** np.arange(62)
    places = [
        _place(doubled),
        _place(np.linspace(-NEAR, NEAR, GRID)),
        here + sign * 2 ** np.arange(32, dtype=np.int64),
        np.asarray([last]),
    ]
    found = np.unique(np.concatenate(places))
    between = (sign * (found - here) > 0) & (sign * (last - found) >= 0)
    return found[between][::sign]


def _place(numbers: Array) -> Array:
    """Number float32 values in their order: neighbours have neighbouring places, both zeros 0."""
    bits = np.asarray(numbers, np.float32).view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)


def _number(places: Array) -> Array:
    bits = np.abs(places).astype(np.uint32) | np.where(places < 0, 1 << 31, 0).astype(np.uint32)
    return bits.view(np.float32)
