"""Whether a changed loss is the same function on ordinary cases, and right where it was wrong."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import numpy as np

from losscheck import domains
from losscheck.advice import wording
from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gather import Evidence
from losscheck.evidence.precision.disagreement import explained
from losscheck.evidence.search.sweep import Sweep
from losscheck.model import Array, Range
from losscheck.numerics.ulps import LARGEST, ulp

ULPS = 4.0  # that a changed loss may be further off than it was, of the size of its numbers
CORNER = 2.0**-22  # of 1, or of a number: two steps of float32 there
MOVED = 16  # elements of an argument that are moved to look for a corner
MEASURED = 64  # cases at most whose conditioning is measured, where this alone does not do
VALUE, GRADIENT = 0, 1  # the parts of what `Evidence.double` gives
NAMES = ("the loss", "its gradient")


@attrs.frozen(eq=False)
class _Pair:
    """The same cases before and after a change, beside the loss in float64."""

    cases: CaseBlock
    before: Array  # (N, n)
    after: Array
    truth: Array
    scale: float  # what is ordinary


def disagreement(before: Evidence, after: Evidence, whole: Evidence) -> Iterator[str]:
    """Say in words where a changed loss is another function.

    What it gave in float64 is the truth, where that is finite. On ordinary and working cases the
    changed loss may be as far from it as the loss was, and four ulps more; where the loss was not
    finite and its truth is, four ulps alone. What the rounding of the input explains comes on top.

    Parameters
    ----------
    before, after
        Evidence over the cases that the change is tried on.
    whole
        All the evidence about the loss as it is, which knows what is ordinary.
    """
    for old in before.sweeps:
        new = next((s for s in after.sweeps if _alike(s, old)), None)
        if old.dtype != "float32":
            continue
        if new is None or len(old) != len(new):
            yield "it refuses cases that the loss takes"
            continue
        scale = next(s.scale for s in whole.swept if _alike(s, old))
        truths = before.double(old.cases)
        parts = (
            (old.totals[:, None], new.totals[:, None], truths[VALUE][:, None], scale.value),
            (old.flat_gradient, new.flat_gradient, truths[GRADIENT], scale.gradient),
        )
        for part, (was, now, truth, ordinary) in enumerate(parts):
            pair = _Pair(old.cases, _flat(was), _flat(now), _flat(truth), ordinary)
            yield from _told(before, pair, part)


def _flat(numbers: Array) -> Array:
    return np.asarray(numbers, np.float64).reshape(len(numbers), -1)


def _alike(one: Sweep, other: Sweep) -> bool:
    shapes = [{n: a.shape[1:] for n, a in s.cases.inputs.items()} for s in (one, other)]
    return one.dtype == other.dtype and shapes[0] == shapes[1]


def _told(before: Evidence, pair: _Pair, part: int) -> Iterator[str]:
    """Name the worst case, if there is any."""
    with np.errstate(invalid="ignore", over="ignore"):
        was = np.abs(pair.before - pair.truth).max(axis=1, initial=0.0)
        now = np.abs(pair.after - pair.truth).max(axis=1, initial=0.0)
    size = np.abs(pair.truth).max(axis=1, initial=0.0)
    known = np.isfinite(size) & (size <= LARGEST["float32"])
    wrong = ~np.isfinite(was)
    allowed = ULPS * ulp(np.fmax(np.where(known, size, 0.0), pair.scale))
    allowed = allowed + np.where(wrong, 0.0, was)
    # Where it is as wrong as it was the rules say so, and may say it of something else.
    apart = known & (pair.cases.ranges <= Range.WORKING) & ~(now <= allowed)
    apart &= ~wrong | np.isfinite(now)
    index = np.flatnonzero(apart)
    if not len(index):
        return
    index = index[np.argsort(-now[index], kind="stable")][:MEASURED]
    cases = pair.cases.take(index)
    allowed = allowed[index] + explained(before.double, cases, part)
    allowed = np.fmax(allowed, _around(before, cases, part))
    apart_still = index[~(now[index] <= allowed)]
    if len(apart_still):
        worst = int(apart_still[0])
        inputs = {name: array[worst] for name, array in pair.cases.inputs.items()}
        right, given = wording.worst_pair(pair.after[worst], pair.truth[worst])[::-1]
        yield f"{NAMES[part]} would change{wording.at(inputs)}: from {right} to {given}"


def _around(before: Evidence, cases: CaseBlock, part: int) -> Array:
    """(N,) how much it changes between points that rounding cannot tell from a case.

    At a kink no slope is the right one, and next to 0 an input of 1e-30 is 0 beside a label of 1.
    """
    moved: list[CaseBlock] = [cases]
    integral = {a.name: domains.parse(a.domain).integral for a in before.spec.arguments}
    for name, array in cases.inputs.items():
        numbers = np.asarray(array, np.float64).reshape(len(cases), -1)
        step = CORNER * np.fmax(np.abs(numbers), 1.0)
        for element in range(0 if integral[name] else min(numbers.shape[1], MOVED)):
            for sign in (-1.0, 1.0):
                there = numbers.copy()
                there[:, element] += sign * step[:, element]
                inputs = {**cases.inputs, name: there.reshape(array.shape)}
                moved.append(CaseBlock(inputs, cases.ranges))
    found = before.double(CaseBlock.concat(moved))[part].reshape(len(moved), len(cases), -1)
    with np.errstate(invalid="ignore"):
        change = np.abs(found[1:] - found[:1])
    change = np.where(np.isfinite(change), change, 0.0)
    either_way = change.reshape(-1, 2, *change.shape[1:]).max(axis=1)
    return np.asarray(either_way.sum(axis=0).max(axis=1, initial=0.0))
