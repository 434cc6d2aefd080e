"""The map of a loss over prediction and label, drawn as SVG."""

from __future__ import annotations

from typing import Any

import numpy as np

from losscheck.model import Array, Landscape
from losscheck.report.arrays import scalar
from losscheck.report.curves import INK, NON_FINITE_COLOR, drawn, stretches
from losscheck.report.templating import plain
from losscheck.report.words import one_line

COLORS = {
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
SIZE = (5.6, 3.4)  # inches
TICKS = 7  # on an axis, besides those that are always told
ROOM = 3  # cells between two of them
BRIEF = 5  # characters of a label


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
                axes.broken_barh(spans, (height - 0.5, 1), facecolor=COLORS[mark], linewidth=0)
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

    return drawn(draw, SIZE, prefix, "where the loss and its gradient are finite")


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
