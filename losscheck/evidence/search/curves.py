"""Loss and gradient along one prediction with its kinks and jumps: what the page draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np

from losscheck import domains
from losscheck.domains.layout import flat
from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.search.sweep import Sweep
from losscheck.model import Array, Break, Curve, Inputs, Range
from losscheck.program.running.runnable import Runnable
from losscheck.program.running.ways import Way

POINTS = 161  # along the curve, besides those at which a loss may break
LABELS = 2  # curves
BROKEN = 16  # places where cases were not finite, at the most
PARTS = 32  # of an interval
ROUNDS = 5  # of cutting: an interval is 2^25 times as narrow in the end
STAYS = 0.5  # of a step at least, and twice that at most, from the first cut to the last
NOTABLE = 1e-3  # of the median size: a smaller step is not worth a mark
ROUNDING = 1e-9  # of the values, over the length of the line: smaller slopes may be rounding
MOST = 16  # that are told
DIGITS = 17  # that tell any two float64 apart

Run = Callable[[Array], tuple[Array, Array]]


def curves(evidence: Evidence) -> tuple[Curve, ...]:
    """Follow the first element of the prediction over its ordinary range, for two labels.

    A row that sums to 1 is followed from its first class to its second. A fault at a single point
    lies between any two of a grid: the curve goes through 0, through the label, and through places
    where cases of the sweep were not finite. Where a single sample of a single element always
    gives the same, as the softmax of one class does, a batch is followed. There are no curves where
    no case was run: drawing is no reason to.
    """
    if not evidence.swept:
        return ()
    found: tuple[Curve, ...] = ()
    for instance, sweep in zip(evidence.instances, evidence.sweeps, strict=False):
        found = _of_instance(evidence, instance, sweep)
        if any(len(np.unique(curve.value)) > 1 for curve in found):
            break
    return found


def _of_instance(evidence: Evidence, instance: Instance, sweep: Sweep) -> tuple[Curve, ...]:
    ordinary = np.flatnonzero(sweep.ranges == 0)
    if not len(ordinary) or not sweep.has_gradient:
        return ()
    label = evidence.spec.named("y_true")
    broken = _broken(sweep)
    found: list[Curve] = []
    seen: set[bytes] = set()
    for index in ordinary[:64]:
        base = sweep.cases.take(np.asarray([index])).inputs
        own = np.zeros(0) if label is None else base[label.name][0]
        key = own[:1].tobytes()  # of the sample that is followed
        if key in seen or len(found) == LABELS:
            continue
        seen.add(key)
        line = _Line(evidence, instance, base)
        places = np.asarray([0.0, *np.ravel(own)[:1], *broken], np.float64)
        name = "" if label is None else _named(label.name, own)
        found.append(line.curve(name, line.places(places)))
    return tuple(found)


class _Line:
    """The cases in which the first element of one prediction moves, and all else is held."""

    def __init__(self, evidence: Evidence, instance: Instance, base: Inputs) -> None:
        self._instance = instance
        self._programs = evidence.programs
        self._prediction = evidence.spec.prediction
        self._domain = domains.parse(self._prediction.domain)
        self._base = base

    def curve(self, label: str, x: Array) -> Curve:
        """Run the loss along the line, and in float64 beside it where that takes no time."""
        value, gradient = self._run(self._instance.program, x)
        curve = Curve(label=label, x=x, value=value, gradient=gradient)
        shapes = self._instance.shapes
        double = self._programs.double(shapes)
        quick = double.settle() is Way.VECTORIZED and not self._instance.program.draws
        if not quick or not self._programs.has_double(shapes):
            return curve
        # The same numbers as in float32, or they would differ by what these were rounded.
        value, gradient = self._run(double, x.astype(np.float32).astype(np.float64))
        return attrs.evolve(
            curve,
            value_double=_rounded(value),
            gradient_double=_rounded(gradient),
            breaks=breaks(lambda at: self._run(double, at), x),
        )

    def places(self, wanted: Array) -> Array:
        """(N,) positions along the line, those of `wanted` that lie within its ends among them."""
        if not self._domain.movable:
            return np.linspace(0.0, 1.0, POINTS)
        width = (self._domain.width or 1,)
        sample = np.asarray(self._domain.ordinary(256, width, seed=0, classes=2))[:, 0]
        low, high = (float(end.flat[0]) for end in self._domain.limits(width))
        x = np.linspace(max(low, sample.min()), min(high, sample.max()), POINTS)
        if np.isfinite([low, high]).all():  # to the very ends, where losses break
            x = np.linspace(low, high, POINTS)
        return np.union1d(x, wanted[(wanted >= x[0]) & (wanted <= x[-1])])

    def _run(self, program: Runnable, x: Array) -> tuple[Array, Array]:
        """(N,) value and gradient at positions."""
        inputs = {name: np.repeat(array, len(x), axis=0) for name, array in self._base.items()}
        outcome = program.run({**inputs, self._prediction.name: self._rows(x)})
        gradient = np.asarray(outcome.gradient, np.float64).reshape(len(x), -1)[:, 0]
        return outcome.total, gradient

    def _rows(self, x: Array) -> Array:
        """(N, *shape) predictions."""
        base = np.asarray(self._base[self._prediction.name], np.float64)
        rows = np.repeat(base, len(x), axis=0)
        cells = rows.reshape(len(x), -1)
        if not self._domain.movable:  # a row that sums to 1
            rest = cells[:, 1:].sum(axis=1)
            cells[:, 1:] *= ((1 - x) / np.where(rest > 0, rest, 1.0))[:, None]
        cells[:, 0] = x
        return rows


def _rounded(numbers: Array) -> Array:
    """Keep as many digits as tell float32 apart: more cannot be seen, and take room."""
    return np.asarray([float(f"{number:.9g}") for number in numbers])


def _broken(sweep: Sweep) -> Array:
    """(N,) float64, where the first element of the prediction lay in cases that were not finite."""
    finite = sweep.forward_finite & np.isfinite(sweep.flat_gradient).all(axis=1)
    bad = ~finite & (sweep.ranges <= Range.WORKING)
    first = flat(np.asarray(sweep.cases.inputs[sweep.prediction]))[:, :1]
    places, counts = np.unique(first[bad], return_counts=True)
    return np.asarray(places[np.argsort(-counts, kind="stable")][:BROKEN], np.float64)


def _named(name: str, label: Array) -> str:
    """Name a label: ``y_true = 1``; of a batch that of its first sample."""
    if label.size == 1:
        return f"{name} = {float(label.ravel()[0]):.3g}"
    if len(label) > 1:
        name, label = f"{name}[0]", label[0]
    short: Any = {"all": lambda number: f"{float(number):.3g}"}
    return f"{name} = {np.array2string(np.asarray(label), separator=', ', formatter=short)}"


def breaks(run: Run, x: Array) -> tuple[Break, ...]:
    """Find where a function, or its slope, steps.

    Parameters
    ----------
    run
        Gives the value and the slope (N,) of N places, in float64.
    x
        (N,) float64, ascending: the ends of the intervals that are looked into.

    Notes
    -----
    In an interval in which a function is smooth its slope changes less and less the narrower it
    gets; over a kink it does not. A slope that grows without limit is neither: it steps by more in
    a narrower interval.
    """
    if len(x) < 2:
        return ()
    ends = np.stack([x[:-1], x[1:]], axis=1)
    first = _steps(*_at(run, ends))
    value, slope = (_median(part) for part in run(x))
    least = np.asarray([NOTABLE * value, max(NOTABLE * slope, ROUNDING * value / np.ptp(x))])
    kept = (first > least).any(axis=1)
    ends, first = ends[kept], first[kept]
    for _ in range(ROUNDS):
        if not len(ends):
            return ()
        ends = _widest_step(run, ends, first)
        stays = (_steps(*_at(run, ends)) >= STAYS * first) & (first > 0)
        ends, first = ends[stays.any(axis=1)], first[stays.any(axis=1)]
    if not len(ends):
        return ()
    return tuple(_told(ends, first, *_at(run, ends), least)[:MOST])


def _at(run: Run, places: Array) -> tuple[Array, Array]:
    """Value and slope at places of any shape."""
    value, slope = run(places.ravel())
    return value.reshape(places.shape), slope.reshape(places.shape)


def _steps(value: Array, slope: Array) -> Array:
    """(K, 2) the steps of value and slope from one end of K intervals to the other."""
    with np.errstate(invalid="ignore", over="ignore"):
        found = np.stack([np.abs(part[:, -1] - part[:, 0]) for part in (value, slope)], axis=1)
    return np.asarray(np.where(np.isfinite(found), found, 0.0))


def _median(part: Array) -> float:
    sizes = np.abs(part[np.isfinite(part) & (part != 0)])
    return float(np.median(sizes)) if len(sizes) else 0.0


def _widest_step(run: Run, ends: Array, first: Array) -> Array:
    """(K, 2) of each interval the part in which value or slope steps most, by what stepped."""
    cuts = ends[:, :1] + (ends[:, 1:] - ends[:, :1]) * np.linspace(0, 1, PARTS + 1)
    value, slope = _at(run, cuts)
    with np.errstate(invalid="ignore", over="ignore"):
        shares = np.stack(
            [
                np.abs(np.diff(part, axis=1)) / np.where(step > 0, step, np.inf)[:, None]
                for part, step in ((value, first[:, 0]), (slope, first[:, 1]))
            ]
        )
    most = np.where(np.isfinite(shares), shares, 0.0).max(axis=0).argmax(axis=1)
    rows = np.arange(len(ends))
    return np.stack([cuts[rows, most], cuts[rows, most + 1]], axis=1)


def _told(ends: Array, first: Array, value: Array, slope: Array, least: Array) -> list[Break]:
    """Name what steps, and join what was found in the intervals on both sides of a place."""
    steps = _steps(value, slope)
    real = (steps >= STAYS * first) & (steps <= first / STAYS) & (steps > least)
    groups: list[list[int]] = []
    for row in np.flatnonzero(real.any(axis=1)).tolist():
        near = groups and ends[row, 0] - ends[groups[-1][-1], 1] <= np.ptp(ends[row])
        groups = [*groups[:-1], [*groups[-1], row]] if near else [*groups, [row]]
    found = []
    for rows in groups:
        jumps = [row for row in rows if real[row, 0]]
        part, rows = (value, jumps) if jumps else (slope, rows)
        low, high = (float(end) + 0.0 for end in (part[rows[0], 0], part[rows[-1], 1]))
        at = shortest(float(ends[rows[0], 0]), float(ends[rows[-1], 1]))
        found.append(Break(at=at, kind="jump" if jumps else "kink", before=low, after=high))
    return found


def shortest(low: float, high: float) -> float:
    """Choose the number of fewest digits in an interval: 0.5 of 0.49999999 to 0.50000001."""
    if low <= 0 <= high:
        return 0.0
    middle = low + (high - low) / 2
    rounded = (float(f"{middle:.{digits}g}") for digits in range(1, DIGITS + 1))
    return next((number for number in rounded if low <= number <= high), middle)
