"""The gradient beside its numeric derivatives, drawn as SVG."""

from __future__ import annotations

from typing import Any

import numpy as np

from losscheck.model import Slopes
from losscheck.report.curves import COLORS, INK, LARGEST, NON_FINITE_COLOR, drawn, fit_scale

KINDS = {  # outcome -> its name and its colour
    "u": ("could not be decided", COLORS[4]),
    "v": ("agrees", COLORS[0]),
    "w": ("differs", NON_FINITE_COLOR),
}
SIZE = (5.6, 3.9)  # inches
SMALLEST = 1e-16  # of a difference that is drawn: float64 knows none that is smaller
SMALL = 0.1  # of the numbers are drawn on a linear part of an axis, where some are far larger
BROAD = 1e-2  # relative: a bar that is shorter cannot be seen beside the number


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
        ends = np.asarray([x.min(), x.max()])
        upper.plot(ends, ends, color=INK, linewidth=0.6)
        off, shown = (np.clip(y, SMALLEST, LARGEST) for y in (slopes.off, slopes.resolving))
        broad = np.where(slopes.resolving > BROAD, slopes.bound, np.nan)
        for kind in drawn_kinds(slopes):
            these = np.asarray([each == kind for each in slopes.outcome])
            style = {"color": KINDS[kind][1], "linewidth": 0.8, "alpha": 0.6}
            low, high = (np.clip(y + step, -LARGEST, LARGEST) for step in (-broad, broad))
            _bars(upper, x[these], low[these], high[these], style)
            _bars(lower, x[these], off[these], np.fmax(off, shown)[these], style)
            upper.plot(x[these], y[these], ".", color=KINDS[kind][1], markersize=5)
            lower.plot(x[these], off[these], ".", color=KINDS[kind][1], markersize=5)
        decades = range(int(np.log10(SMALLEST)), 1, 4)
        lower.set_yscale("log")
        lower.yaxis.set_ticks([10.0**power for power in decades], [f"1e{p}" for p in decades])
        lower.yaxis.set_ticks([], minor=True)
        upper.set_ylabel("numeric")
        lower.set_ylabel("off by")
        lower.set_xlabel("gradient")
        highest = max(1.0, float(np.fmax(off, shown).max()))
        lower.set_ylim(SMALLEST / 2, 2 * highest)
        for axes in (upper, lower):
            axes.grid(alpha=0.15, color=INK, linewidth=0.6)
        fit_scale(upper.yaxis, [y], SMALL)
        fit_scale(lower.xaxis, [x], SMALL)

    return drawn(draw, SIZE, prefix, "the gradient beside its numeric derivatives")


def _bars(axes: Any, x: Any, low: Any, high: Any, style: dict[str, Any]) -> None:
    """Draw upright bars as one line that is broken between them."""
    gaps = np.full(len(x), np.nan)
    places = np.stack([x, x, gaps], axis=1).ravel()
    axes.plot(places, np.stack([low, high, gaps], axis=1).ravel(), **style)
