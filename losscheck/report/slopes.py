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

    return drawn(draw, SIZE, prefix, "the gradient beside its numeric derivatives")


def _bars(axes: Any, x: Any, low: Any, high: Any, color: str) -> None:
    """Draw upright bars as one line that is broken between them."""
    gaps = np.full(len(x), np.nan)
    places = np.stack([x, x, gaps], axis=1).ravel()
    heights = np.stack([low, high, gaps], axis=1).ravel()
    axes.plot(places, heights, color=color, linewidth=0.8, alpha=0.6)
