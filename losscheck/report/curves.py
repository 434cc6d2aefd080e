"""Loss and gradient along a prediction, drawn as SVG: the only file that needs matplotlib."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from losscheck.model import Array, Curve, DigitCurve, UsageError
from losscheck.report.arrays import scalar
from losscheck.report.lean import lean

# Mid-tones: a contrast of at least 3 to 1 (WCAG 2.1, 1.4.11) on the page's white and its dark.
COLORS = ("#2e86d1", "#c97a00", "#1f9d72", "#b565c0", "#8a7f3d")
NON_FINITE_COLOR = "#e5483b"
INK = "#010203"  # replaced by the page's own text colour
SIZE = (5.6, 3.9)  # inches; narrow enough that labels stay readable on a phone
LOW = (5.6, 2.1)  # inches; of a drawing of one panel
MOST_DIGITS = 7.6  # on the axis: float32 has 7.2
HUGE = 1e3  # largest over median size from which a linear axis hides most of the curve
DENSITY = 96  # pixels an inch, as CSS has it
LARGEST = 1e250  # beyond it, and below its inverse, matplotlib's margins overflow
MARKS = 8  # of a stretch where nothing is finite
TICKS = 3  # on either side of 0 on a symlog axis
STYLE = {
    "svg.hashsalt": "losscheck",  # the same bytes from run to run
    "svg.fonttype": "none",  # text stays text
    "font.family": "sans-serif",
    "font.size": 9.0,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
}
FAINT, CLEAR = 0.12, 0.6  # where nothing is finite: a stretch is tinted, a single place is a line
PALE, BROAD = 0.35, 5.0  # of the line in float64, under that in float32
HEAVY = 3.5  # points: the line of a gradient that is 0
DEAD = 5  # neighbouring points at which a gradient of 0 is no accident
SIGNS = {"kink": "D", "jump": "s"}  # matplotlib's names
SEEN = 1e-4  # relative: what is closer is the same line


class NoPicturesError(UsageError):
    """Matplotlib is not installed."""


def svg(curves: Sequence[Curve], name: str, prefix: str) -> str:
    """Draw curves into two panels over one axis: loss above, gradient below.

    Parameters
    ----------
    curves
        What to draw, with `x`, `value` and `gradient` of shape (N,) float64. Curves take the
        colours of `COLORS` in turn; naming them is left to the page.
    name
        The prediction, which labels the horizontal axis.
    prefix
        Begins every id in the drawing, so that several fit into one page.

    Returns
    -------
    str
        An ``<svg>`` element, the same bytes for the same curves.

    Raises
    ------
    NoPicturesError
        If matplotlib is not installed.

    Notes
    -----
    Under the line in float32 lies a broad pale one in float64. NaN is marked by crosses at the foot
    of a panel, infinities by triangles at its edges, and where they are the panel is tinted from
    foot to top. Kinks and jumps are marked on the loss, and a gradient that is 0 away from the
    least loss is a heavy line. An axis is linear near 0 and logarithmic beyond (symlog) where the
    sizes span more than `HUGE`.
    """

    def draw(figure: Any) -> None:
        upper, lower = figure.subplots(2, 1, sharex=True)
        _panel(upper, [(c.x, c.value, c.value_double) for c in curves], "loss")
        _panel(lower, [(c.x, c.gradient, c.gradient_double) for c in curves], "gradient")
        for curve in curves:
            _breaks(upper, curve)
            flat = np.where(dead(curve), 0.0, np.nan)
            lower.plot(curve.x, flat, color=INK, linewidth=HEAVY, solid_capstyle="butt")
            alone = [first for first, last in stretches(dead(curve)) if first == last]
            lower.plot(curve.x[alone], flat[alone], "_", color=INK, mew=HEAVY, markersize=6)
        lower.set_xlabel(name, parse_math=False)
        fit_scale(lower.xaxis, [curve.x for curve in curves])

    return drawn(draw, SIZE, prefix, "loss and gradient along the prediction")


def digits_svg(curve: DigitCurve, prefix: str) -> str:
    """Draw the digits that are right: medians as lines, the worst of each decade dotted.

    The loss takes the first of `COLORS`, the gradient the second; see `svg`. What the rounding of
    the inputs leaves is a broad pale line over its decade.
    """

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        x = [decade.exponent + 0.5 for decade in curve.decades]
        whole = np.asarray([[each - 0.5, each + 0.5, np.nan] for each in x]).ravel()
        for color, part in zip(COLORS, ("value", "gradient"), strict=False):
            median, worst, left = (
                np.asarray([getattr(each, f"{part}_{name}") for each in curve.decades], np.float64)
                for name in ("median", "worst", "left")
            )
            axes.plot(whole, np.repeat(left, 3), color=color, alpha=PALE, linewidth=BROAD)
            axes.plot(x, median, ".-", color=color)
            axes.plot(x, worst, ":", color=color)
        axes.grid(alpha=0.15, color=INK, linewidth=0.6)
        axes.set_ylim(-0.3, MOST_DIGITS)
        axes.set_ylabel("digits right")
        axes.set_xlabel(curve.along, parse_math=False)
        ends = range(curve.decades[0].exponent, curve.decades[-1].exponent + 2, 2)
        axes.set_xticks(list(ends), [f"1e{exponent}" for exponent in ends])

    return drawn(draw, LOW, prefix, "digits right by distance")


def drawn(draw: Callable[[Any], None], size: tuple[float, float], prefix: str, label: str) -> str:
    """Have a figure drawn, and give it as an ``<svg>`` element; see `svg`."""
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise NoPicturesError(
            "drawing the curves of a stability report needs matplotlib, which is not installed; "
            "run: pip install 'losscheck[report]'"
        ) from error
    target = io.StringIO()
    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a missing glyph in a name is no fault of the reader's
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        figure.savefig(target, format="svg", dpi=DENSITY, transparent=True, metadata={"Date": None})
    return lean(target.getvalue().replace(INK, "currentColor"), prefix, label)


def dead(curve: Curve) -> Array:
    """(N,) bool: stretches, and ends, at which the gradient is 0 and the loss above its least."""
    finite = curve.value[np.isfinite(curve.value)]
    flat = (curve.gradient == 0) & (curve.value > (finite.min() if finite.size else np.inf))
    for first, last in stretches(flat):
        at_end = first == 0 or last == len(flat) - 1
        flat[first : last + 1] = at_end or last - first + 1 >= DEAD
    return np.asarray(flat)


def _breaks(axes: Any, curve: Curve) -> None:
    """Mark kinks and jumps on the loss."""
    finite = np.isfinite(curve.value)
    for each in curve.breaks:
        height = np.interp(each.at, curve.x[finite], _drawable(curve.value[finite]))
        axes.plot(each.at, height, SIGNS[each.kind], color=INK, markersize=5, fillstyle="none")


def _drawable(y: Array) -> Array:
    return np.asarray(np.where(np.isfinite(y), np.clip(y, -LARGEST, LARGEST), np.nan))


def _panel(axes: Any, curves: Sequence[tuple[Array, Array, Array]], label: str) -> None:
    axes.set_ylabel(label)
    axes.grid(alpha=0.15, color=INK, linewidth=0.6)
    for number, (x, y, double) in enumerate(curves):
        color = COLORS[number % len(COLORS)]
        if len(double):
            alike = np.allclose(y, double, rtol=SEEN, atol=0.0, equal_nan=True)
            under = _drawable(y if alike else double)
            axes.plot(x, under, color=color, alpha=PALE, linewidth=BROAD)
        axes.plot(x, _drawable(y), color=color)
        for first, last in stretches(~np.isfinite(y)):
            if first == last:
                axes.axvline(x[first], color=NON_FINITE_COLOR, alpha=CLEAR, linewidth=0.8)
            else:
                axes.axvspan(x[first], x[last], color=NON_FINITE_COLOR, alpha=FAINT, linewidth=0)
        for bad, height, marker in (
            (np.isnan(y), 0.04, "x"),
            (np.isposinf(y), 0.96, "^"),
            (np.isneginf(y), 0.04, "v"),
        ):
            # Heights are of the panel, not of the data, which has no place for these.
            marked = _apart(bad)
            axes.plot(
                x[marked],
                np.full(len(marked), height),
                marker,
                color=NON_FINITE_COLOR,
                markersize=5,
                transform=axes.get_xaxis_transform(),
            )
    fit_scale(axes.yaxis, [part for _, *both in curves for part in both])


def stretches(marked: Array) -> list[tuple[int, int]]:
    """Give the first and last index of each run of true values."""
    ends = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]]).astype(np.int8)))
    return [(int(first), int(after) - 1) for first, after in ends.reshape(-1, 2)]


def _apart(bad: Array) -> Array:
    """Choose of each run of true values both ends, and some between that stand apart."""
    chosen = [
        index
        for first, last in stretches(bad)
        for index in np.unique(np.linspace(first, last, min(last - first + 1, MARKS)).astype(int))
    ]
    return np.asarray(chosen, int)


def fit_scale(axis: Any, arrays: Iterable[Array], small: float = 0.5) -> None:
    """Make an axis symlog where a few large numbers would flatten the rest.

    It is linear up to the size that the part `small` of all numbers but 0 is below.
    """
    numbers = np.concatenate([np.ravel(part) for part in arrays] or [np.zeros(0)])
    numbers = np.clip(numbers[np.isfinite(numbers)], -LARGEST, LARGEST)
    sizes = np.abs(numbers[numbers != 0])
    if sizes.size == 0 or sizes.max() < HUGE * np.median(sizes):
        return
    threshold = max(float(np.quantile(sizes, small)), 1 / LARGEST)
    set_scale = axis.axes.set_xscale if axis.axis_name == "x" else axis.axes.set_yscale
    set_scale("symlog", linthresh=threshold)
    first, last = math.ceil(math.log10(threshold)) + 1, math.floor(math.log10(sizes.max()))
    step = max(1, math.ceil((last - first + 1) / TICKS))
    decades = [10.0**power for power in range(first, last + 1) if power % step == 0]
    above = [tick for tick in decades if tick <= numbers.max()]
    below = [-tick for tick in decades if -tick >= numbers.min()]
    told = [*reversed(below), 0.0, *above]
    axis.set_ticks(told, [scalar(tick, 3) for tick in told])
    axis.set_ticks([], minor=True)
    axis.axes.autoscale_view()
