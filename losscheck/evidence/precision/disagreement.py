"""Where two modes give different finite results, beyond what rounding of the inputs explains."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.search.sweep import Sweep
from losscheck.model import Array, Range
from losscheck.numerics.ulps import EXPLAINED, conditioning, ulp

TWO_DIGITS = 1e-2  # relative: fewer than two digits agree (LC301)
NEGLIGIBLE = 2.0**-20  # of the ordinary scale: below it a lost digit matters to nobody (LC301)
ULPS = 16  # float32 steps that a kink may be away (the factor of design.md's conditioning)
EVALUATIONS = 1 << 14  # of value and gradient in float64, to measure conditioning with
THROUGHOUT = 0.9  # of the cases that differ: the one mode is right and the other is not
FEW = 8_192  # cases: a sweep of fewer was cut short for being slow
WIDE = 192  # numbers of a case that are moved one at a time
TRIALS = 12  # in which all of a wider one are moved together
ELEMENTS = 1 << 20  # of predictions in them


def disagreement(
    graph: Sweep, other: Sweep, rounded: Callable[[CaseBlock], Array]
) -> tuple[Array, Array]:
    """Compare value and gradient of the same cases in two modes.

    Parameters
    ----------
    rounded
        (N,) what the rounding of every number inside adds to the value of N cases. What cancels
        whatever the inputs are is not moved by these.

    Returns
    -------
    tuple
        (N,) bool each: value and gradient differ in the first two digits, by more than the
        inputs' own rounding explains (design.md, LC301 to LC302).
    """
    n = len(graph)
    finite = graph.forward_finite & other.forward_finite & (graph.ranges <= Range.WORKING)
    values = (graph.totals[:, None], other.totals[:, None])
    slopes = (graph.flat_gradient.astype(float), other.flat_gradient.astype(float))
    both = finite & np.isfinite(slopes[0]).all(axis=1) & np.isfinite(slopes[1]).all(axis=1)
    found = []
    for (left, right), usable, scale, part in (
        (values, finite, graph.scale.value, 0),
        (slopes, both, graph.scale.gradient, 1),
    ):
        with np.errstate(invalid="ignore", over="ignore"):
            gap = np.abs(left - right).max(axis=1, initial=0.0)
            size = np.fmax(np.abs(left), np.abs(right)).max(axis=1, initial=0.0)
        apart = usable & (gap > TWO_DIGITS * size) & (gap > NEGLIGIBLE * scale)
        index = np.flatnonzero(apart)[: _affordable(graph)]
        kept = np.zeros(n, bool)
        if len(index):
            room = explained(graph.double, graph.cases.take(index), part)
            kept[index] = gap[index] > room
        if part == 0 and kept.any():
            index = np.flatnonzero(kept)
            kept[index] = gap[index] > rounded(graph.cases.take(index))
        if not _one_is_right(graph, np.flatnonzero(kept), left, right, part):
            kept[:] = False
        found.append(kept)
    return found[0], found[1]


def _one_is_right(sweep: Sweep, index: Array, left: Array, right: Array, part: int) -> bool:
    """Say whether one mode is right and the other wrong, and the same ones throughout.

    Where both are wrong now and then the loss has lost its digits in float32, whatever the mode.
    """
    if not len(index):
        return False
    truth = sweep.double(sweep.cases.take(index))[part].reshape(len(index), -1)
    left, right = left[index], right[index]
    size = np.fmax(np.abs(left), np.abs(right)).max(axis=1, initial=0.0)
    shares = [
        float((np.abs(side - truth).max(axis=1, initial=0.0) <= TWO_DIGITS * size).mean())
        for side in (left, right)
    ]
    return max(shares) >= THROUGHOUT and min(shares) <= 1 - THROUGHOUT


def explained(
    double: Callable[[CaseBlock], tuple[Array, Array]], cases: CaseBlock, part: int
) -> Array:
    """(N,) the change that one ulp of every input explains, of value (part 0) or gradient (1).

    Parameters
    ----------
    double
        Gives (value, gradient) of a block in float64.
    cases
        N of them.
    """
    names = list(cases.inputs)
    flat = {n: np.asarray(a, np.float64).reshape(len(cases), -1) for n, a in cases.inputs.items()}
    edges = np.cumsum([flat[n].shape[1] for n in names])
    rows = np.concatenate([flat[n] for n in names], axis=1)

    def run(case: Array, moved: Array) -> Array:
        pieces = np.split(moved, edges[:-1], axis=1)
        inputs = {
            n: piece.reshape(len(case), *cases.inputs[n].shape[1:])
            for n, piece in zip(names, pieces, strict=True)
        }
        block = type(cases)(inputs, cases.ranges[case])
        result = double(block)[part]
        return result.reshape(len(case), -1)

    def evaluate(case: Array, coordinate: Array, value: Array) -> Array:
        moved = rows[case]
        moved[np.arange(len(case)), coordinate] = value
        return run(case, moved)

    if rows.shape[1] > WIDE:
        return jointly(run, rows)
    by_slope = conditioning(evaluate, rows)
    # A kink close by is no matter of slopes: the whole change within those ulps counts, twice, for
    # beyond the kink the slope goes on changing.
    return np.fmax(by_slope, 2.0 * _within(evaluate, rows))


def _within(evaluate: Callable[[Array, Array, Array], Array], rows: Array) -> Array:
    """(K,) the largest change when one input moves by up to 16 ulps either way."""
    count, width = rows.shape
    first = np.zeros(count, int)
    base = evaluate(np.arange(count), first, rows[:, 0]).reshape(count, 1, -1)
    case, coordinate = np.divmod(np.arange(count * width), width)
    result = np.zeros(count)
    for sign in (-1.0, 1.0):
        # Subnormal differences are flushed to zero by some kernels and not by others.
        step = np.fmax(ULPS * ulp(rows), np.finfo(np.float32).tiny)
        moved = (rows + sign * step).ravel()
        there = evaluate(case, coordinate, moved).reshape(count, width, -1)
        with np.errstate(invalid="ignore"):
            change = np.abs(there - base).max(axis=(1, 2))
        result = np.fmax(result, np.where(np.isfinite(change), change, np.inf))
    return result


def jointly(run: Callable[[Array, Array], Array], rows: Array) -> Array:
    """(K,) what `explained` gives, for rows too wide to move every number by itself.

    All numbers move together, at random signs, again and again. The mean square of the changes is
    the sum of the squares of what each number by itself would change, and the sum of these is at
    most the square root of their number times as much: it explains too much and never too little.

    Parameters
    ----------
    run
        run(case (M,), rows (M, width)) -> (M, n).
    rows
        (K, width) float64.
    """
    count, width = rows.shape
    rng = np.random.default_rng(0)
    base = run(np.arange(count), rows)
    squares, largest = np.zeros(base.shape), np.zeros(base.shape)
    with np.errstate(invalid="ignore", over="ignore"):
        for _ in range(TRIALS):
            signs = rng.choice([-1.0, 1.0], rows.shape)
            near = run(np.arange(count), rows + signs * ulp(rows)) - base
            step = np.fmax(ULPS * ulp(rows), np.finfo(np.float32).tiny)
            far = run(np.arange(count), rows + signs * step) - base
            squares, largest = squares + near**2, np.maximum(largest, np.abs(far))
        summed = EXPLAINED * np.sqrt(width * squares / TRIALS)
        change = np.maximum(summed, 2.0 * largest).max(axis=1)
    return np.where(np.isfinite(change), change, np.inf)


def evaluations(width: int) -> int:
    """How many runs `explained` takes for a case of so many input numbers."""
    return 3 * width if width <= WIDE else 2 * TRIALS + 1


def _affordable(sweep: Sweep) -> int:
    """How many cases the budget of evaluations allows."""
    width = sum(int(np.prod(a.shape[1:])) for a in sweep.cases.inputs.values())
    outputs = int(np.prod(sweep.gradient.shape[1:]))
    each = evaluations(width)
    if len(sweep) < FEW:  # a loss that does not run in blocks
        return max(1, len(sweep) // each)
    return max(2, min(EVALUATIONS // each, ELEMENTS // (each * max(1, outputs))))


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
