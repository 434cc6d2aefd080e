"""Kinks and jumps along a line, found by cutting intervals into parts until they stay or vanish."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from losscheck.model import Array, Break

PARTS = 32  # of an interval
ROUNDS = 5  # of cutting: an interval is 2^25 times as narrow in the end
STAYS = 0.5  # of a step at least, and twice that at most, from the first cut to the last
NOTABLE = 1e-3  # of the median size: a smaller step is not worth a mark
ROUNDING = 1e-9  # of the values, over the length of the line: smaller slopes may be rounding
MOST = 16  # that are told
DIGITS = 17  # that tell any two float64 apart

Run = Callable[[Array], tuple[Array, Array]]


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
