"""The map of a loss over prediction and label, and the gradient beside its derivatives, as SVG."""

from __future__ import annotations

from typing import Any

import numpy as np

from losscheck.model import Array, Landscape, Slopes
from losscheck.report.arrays import scalar
from losscheck.report.curves import (
    COLORS,
    INK,
    LARGEST,
    NON_FINITE_COLOR,
    drawn,
    fit_scale,
    stretches,
)
from losscheck.report.templating import plain
from losscheck.report.words import one_line

MARKED = {
    "N": NON_FINITE_COLOR,
    "I": "#c97a00",
    "n": "#b565c0",
    "i": "#8a7f3d",
    "d": "#1f9d72",
    "0": "#2e86d1",
    "o": "#808a99",
}
MEANING = {
    "N": "the loss is NaN",
    "I": "the loss is infinite",
    "n": "the gradient is NaN",
    "i": "the gradient is infinite",
    "d": "the loss has lost its digits",
    "0": "the gradient is 0",
    "o": "the loss is too large for float32",
}
LANDSCAPE = (5.6, 3.4)  # inches
TICKS = 7  # on an axis, besides those that are always told
ROOM = 3  # cells between two of them
BRIEF = 5  # characters of a label
KINDS = {  # outcome -> its name and its colour
    "u": ("could not be decided", COLORS[4]),
    "v": ("agrees", COLORS[0]),
    "w": ("differs", NON_FINITE_COLOR),
}
SLOPES = (5.6, 3.9)  # inches
SMALLEST = 1e-16  # of a difference that is drawn: float64 knows none that is smaller
SMALL = 0.1  # of the numbers are drawn on a linear part of an axis, where some are far larger
BROAD = 1e-2  # relative: a bar that is shorter cannot be seen beside the number


def met(land: Landscape) -> list[str]:
    """Give the marks that a map has, the worst first."""
    return [mark for mark in MEANING if any(mark in row for row in land.marks)]


def map_svg(land: Landscape, prefix: str) -> str:
    """Draw a map: a cell for each pair, numbers evenly spaced whatever their size."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for height, row in enumerate(land.marks):
            for mark in met(land):
                runs = stretches(np.asarray([each == mark for each in row]))
                spans = [(first - 0.5, last - first + 1) for first, last in runs]
                axes.broken_barh(spans, (height - 0.5, 1), facecolor=MARKED[mark], linewidth=0)
        _frame(axes, land)
        axes.set_xlim(-0.5, len(land.x) - 0.5)
        axes.set_ylim(-0.5, len(land.y) - 0.5)
        for axis, numbers, name in (
            (axes.xaxis, land.x, land.prediction),
            (axes.yaxis, land.y, land.label),
        ):
            axis.set_ticks(*_ticks(numbers))
            axis.get_ticklabels()[-1].set_horizontalalignment("right")  # it would be cut
            axis.set_label_text(plain(one_line(name))[:40], parse_math=False)

    return drawn(draw, LANDSCAPE, prefix, "where the loss and its gradient are finite")


def _frame(axes: Any, land: Landscape) -> None:
    """Frame the ordinary ranges."""
    across, up = (stretches(np.asarray([each == "o" for each in axis])) for axis in land.ordinary)
    for left, right in across:
        for foot, top in up:
            x = [left - 0.5, right + 0.5, right + 0.5, left - 0.5, left - 0.5]
            y = [foot - 0.5, foot - 0.5, top + 0.5, top + 0.5, foot - 0.5]
            axes.plot(x, y, color=INK, linewidth=0.8)


def _ticks(numbers: Array) -> tuple[list[int], list[str]]:
    """Choose places on an axis: its ends, 0 and 1, and decades between where there is room."""
    last = len(numbers) - 1
    told = [
        0,
        last,
        *(int(at) for number in (0, 1, -1) for at in np.flatnonzero(numbers == number)),
    ]
    places: list[int] = []
    for at in (*told, *range(0, last, max(1, last // TICKS))):
        label = scalar(numbers[at], 3)
        true = len(label) <= BRIEF and np.float32(label) == np.float32(numbers[at])
        if true and all(abs(at - other) >= min(ROOM, last) for other in places):
            places.append(at)
    return sorted(places), [scalar(numbers[at], 3) for at in sorted(places)]


def drawn_kinds(slopes: Slopes) -> list[str]:
    """Give the outcomes that are drawn, the last on top."""
    return [kind for kind in KINDS if kind in slopes.outcome]


def slopes_svg(slopes: Slopes, prefix: str) -> str:
    """Draw the numeric derivative, and how far off the gradient is, against the gradient.

    Bars reach as far as the two may be apart before it shows: in the upper panel around the
    numeric derivative, in the lower one, which is logarithmic, from the difference on.
    """

    def draw(figure: Any) -> None:
        upper, lower = figure.subplots(2, 1, sharex=True)
        x, y = (np.clip(each, -LARGEST, LARGEST) for each in (slopes.gradient, slopes.numeric))
        off, shown = (np.clip(y, SMALLEST, LARGEST) for y in (slopes.off, slopes.resolving))
        kinds = np.asarray(list(slopes.outcome))
        # What could not be decided may be far off: it is cut at the ends of what could.
        decided = kinds != "u"
        told = np.concatenate([x, y[decided]])
        highest = max(1.0, float(off[decided].max(initial=0)), float(shown[decided].max(initial=0)))
        broad = np.where(slopes.resolving > BROAD, slopes.bound, np.nan)
        upper.plot([x.min(), x.max()], [x.min(), x.max()], color=INK, linewidth=0.6)
        for kind in drawn_kinds(slopes):
            these, color = kinds == kind, KINDS[kind][1]
            ends = [np.clip(y + step, told.min(), told.max()) for step in (-broad, 0, broad)]
            high = np.clip([off, np.fmax(off, shown)], None, highest)
            _bars(upper, x[these], ends[0][these], ends[2][these], color)
            _bars(lower, x[these], high[0][these], high[1][these], color)
            upper.plot(x[these], ends[1][these], ".", color=color, markersize=5)
            lower.plot(x[these], high[0][these], ".", color=color, markersize=5)
        lower.set_yscale("log")
        lower.set_ylim(SMALLEST / 2, 2 * highest)
        decades = range(int(np.log10(SMALLEST)), 1, 4)
        lower.yaxis.set_ticks([10.0**power for power in decades], [f"1e{p}" for p in decades])
        lower.yaxis.set_ticks([], minor=True)
        for axis, name in (
            (upper.yaxis, "numeric"),
            (lower.yaxis, "off by"),
            (lower.xaxis, "gradient"),
        ):
            axis.set_label_text(name)
            axis.axes.grid(alpha=0.15, color=INK, linewidth=0.6)
        fit_scale(upper.yaxis, [told], SMALL)
        fit_scale(lower.xaxis, [x], SMALL)

    return drawn(draw, SLOPES, prefix, "the gradient beside its numeric derivatives")


def _bars(axes: Any, x: Any, low: Any, high: Any, color: str) -> None:
    """Draw upright bars as one line that is broken between them."""
    gaps = np.full(len(x), np.nan)
    places = np.stack([x, x, gaps], axis=1).ravel()
    heights = np.stack([low, high, gaps], axis=1).ravel()
    axes.plot(places, heights, color=color, linewidth=0.8, alpha=0.6)
