"""The pictures of a loss, each with its legend and with sentences that say what is to be seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
import numpy as np
from markupsafe import Markup

from losscheck.model import Array, Curve, DigitCurve, Landscape, LossReport, Slopes
from losscheck.report import curves, words
from losscheck.report.arrays import scalar
from losscheck.report.curves import dead, stretches
from losscheck.report.maps import KINDS, MARKED, MEANING, drawn_kinds, map_svg, met, slopes_svg
from losscheck.report.templating import plain

FEW = 4  # places that are named
PLACE = 7  # digits of where a curve steps: next to 1 is not at 1
LONGEST = 40  # characters of a label in a sentence; the legend has all of it
OFF = 1e-2  # relative: two digits are left
NEGLIGIBLE = 2.0**-20  # of the median size: below it a lost digit matters to nobody (LC301)


@attrs.frozen(kw_only=True, eq=False)
class Picture:
    """An SVG, its legend (colour and text) and what it shows."""

    svg: Markup
    legend: tuple[tuple[str, str], ...]
    says: tuple[str, ...]
    marks: tuple[tuple[str, str], ...] = ()  # signs of what has no place in it, and their meaning
    signs: tuple[tuple[str, str], ...] = ()  # other signs


def pictures(loss: LossReport, prefix: str) -> tuple[Picture, ...]:
    """Draw what a report holds to be drawn; nothing where matplotlib is missing."""
    try:
        return tuple(_drawn(loss, prefix))
    except curves.NoPicturesError:
        return ()


def _drawn(loss: LossReport, prefix: str) -> Iterator[Picture]:
    # What is marked safe comes from `lean`, which escapes every text.
    if loss.curves:
        names = [argument.name for argument in loss.arguments if argument.role == "y_pred"]
        name = _brief((names or ["y_pred"])[0])
        colors = [curves.COLORS[n % len(curves.COLORS)] for n in range(len(loss.curves))]
        yield Picture(
            svg=Markup(curves.svg(loss.curves, name, f"{prefix}c")),
            legend=tuple(zip(colors, (curve.label for curve in loss.curves), strict=True)),
            says=tuple(sentence(curve, name) for curve in loss.curves),
            marks=_marks(loss.curves),
            signs=_signs(loss.curves),
        )
    if loss.landscape is not None:
        yield Picture(
            svg=Markup(map_svg(loss.landscape, f"{prefix}m")),
            legend=tuple((MARKED[mark], MEANING[mark]) for mark in met(loss.landscape)),
            says=(over_both(loss.landscape),),
        )
    if loss.slopes is not None:
        yield Picture(
            svg=Markup(slopes_svg(loss.slopes, f"{prefix}g")),
            legend=tuple((KINDS[kind][1], KINDS[kind][0]) for kind in drawn_kinds(loss.slopes)),
            says=(beside_differences(loss.slopes),),
            signs=(("┃", "what would have been taken for right"),),
        )
    if loss.digits is not None:
        yield Picture(
            svg=Markup(curves.digits_svg(loss.digits, f"{prefix}d")),
            legend=tuple(zip(curves.COLORS, ("loss", "gradient"), strict=False)),
            says=(
                f"Digits right in float32 {words.digits(loss.digits)}. Lines are medians, dots the "
                "worst of each decade.",
                *_left(loss.digits),
            ),
        )


def _left(digits: DigitCurve) -> Iterator[str]:
    """Say how many digits the rounding of the inputs leaves, where that was measured."""
    for what, name in (("loss", "value_left"), ("gradient", "gradient_left")):
        told = [getattr(each, name) for each in digits.decades]
        known = [each for each in told if each is not None]
        if known:
            ends = list(dict.fromkeys(scalar(each, 2) for each in (min(known), max(known))))
            yield (
                f"Where fewer than two digits of the {what} are right, the rounding of the inputs "
                f"alone leaves {' to '.join(ends)} (pale)."
            )


def _marks(drawn: Sequence[Curve]) -> tuple[tuple[str, str], ...]:
    numbers = np.concatenate([part for curve in drawn for part in (curve.value, curve.gradient)])
    kinds = (("\N{MULTIPLICATION SIGN}", "NaN", np.isnan), ("▲▼", "infinite", np.isinf))
    return tuple((sign, kind) for sign, kind, is_so in kinds if is_so(numbers).any())


def _signs(drawn: Sequence[Curve]) -> tuple[tuple[str, str], ...]:
    breaks = {each.kind for curve in drawn for each in curve.breaks}
    signs = (
        ("◇", "kink", "kink" in breaks),
        ("□", "jump", "jump" in breaks),
        ("━", "gradient 0 away from the least loss", any(dead(curve).any() for curve in drawn)),
        ("▒", "in float64 (pale)", any(len(curve.value_double) for curve in drawn)),
    )
    return tuple((sign, meaning) for sign, meaning, is_so in signs if is_so)


def sentence(curve: Curve, name: str) -> str:
    """Say what a curve does: where it is not finite, where its gradient is 0, else its least."""
    head = f"{_brief(curve.label)}: " if curve.label else ""
    if not len(curve.x):
        return f"{head}there is nothing to draw."
    said = [told for part in _parts(curve) for told in _not_finite(curve, *part, name)]
    if places := _places(curve.x, dead(curve), name):
        said.append(f"the gradient is 0 {places}, though the loss is lower elsewhere")
    if not said and (curve.value == curve.value[0]).all():
        said = [f"the loss is {scalar(curve.value[0], 3)} throughout"]
    elif not said:
        low, high = scalar(curve.x[0], 3), scalar(curve.x[-1], 3)
        right = len(curve.value_double) and np.isfinite(curve.value_double).all()
        lowest = np.argmin(curve.value_double if right else curve.value)
        least = scalar(curve.x[int(lowest)], 3)
        said = [f"finite from {low} to {high}, least at {name} = {least}"]
    said += [*_steps(curve, name), *_off(curve, name)]
    return f"{head}{'; '.join(said)}."


def _parts(curve: Curve) -> tuple[tuple[str, Array, Array], ...]:
    return (
        ("loss", curve.value, curve.value_double),
        ("gradient", curve.gradient, curve.gradient_double),
    )


def _not_finite(curve: Curve, what: str, y: Array, double: Array, name: str) -> Iterator[str]:
    """Say where loss or gradient is not finite, and whether it is in float64."""
    for kind, bad in (("NaN", np.isnan(y)), ("infinite", np.isinf(y))):
        if not (places := _places(curve.x, bad, name)):
            continue
        finite = np.isfinite(double[bad]) if len(double) else np.zeros(0, bool)
        beside = ", where float64 is finite" if finite.size and finite.all() else ""
        yield f"the {what} is {kind} {places}{beside}"


def _steps(curve: Curve, name: str) -> Iterator[str]:
    """Say what steps where: ``the gradient steps from -1 to 1 at y_pred = 0``."""
    for kind, what in (("jump", "loss"), ("kink", "gradient")):
        found = [each for each in curve.breaks if each.kind == kind]
        told = [
            f"from {scalar(each.before, 3)} to {scalar(each.after, 3)} at {name} = "
            f"{scalar(each.at, PLACE)}"
            for each in found
        ]
        if told:
            yield f"the {what} steps {_listed(told)}"


def _off(curve: Curve, name: str) -> Iterator[str]:
    """Say where float32 has fewer than two digits of what float64 gives, or that it is close."""
    if not len(curve.value_double):
        return
    found, size = [], 0.0
    for what, y, double in _parts(curve):
        with np.errstate(all="ignore"):
            sizes = np.abs(double[np.isfinite(double) & (double != 0)])
            # A gradient that is smaller than what rounding of the loss makes of it says nothing.
            size = max(float(np.median(sizes)) if sizes.size else 0.0, size / np.ptp(curve.x))
            least = NEGLIGIBLE * size
            off = np.abs(y - double) > np.fmax(OFF * np.abs(double), least)
        if places := _places(curve.x, off & np.isfinite(y) & np.isfinite(double), name):
            found.append(f"the {what} is more than 1% off what float64 gives {places}")
    yield from found or [
        "float32 is within 1% of float64, or a millionth of the usual size, where both are finite"
    ]


def over_both(land: Landscape) -> str:
    """Say how much of a map is what."""
    every = "".join(land.marks)
    parts = [
        f"{MEANING[mark]} at {every.count(mark):,} ({every.count(mark) / len(every):.0%})"
        for mark in met(land)
    ]
    told = "; ".join(parts) or "finite everywhere, and the gradient 0 at the least loss alone"
    return (
        f"Over the working ranges of {_brief(land.prediction)} and {_brief(land.label)}, at "
        f"{len(every):,} pairs of decades (framed: the ordinary ranges): {told}."
    )


def beside_differences(slopes: Slopes) -> str:
    """Say what numeric derivatives say of the gradient, and what they would have shown."""
    right = np.asarray([kind == "v" for kind in slopes.outcome])
    counts = (
        f"{slopes.verified:,} agree with numeric derivatives",
        f"{slopes.wrong:,} do not" if slopes.wrong else "",
        f"{slopes.undecided:,} could not be decided" if slopes.undecided else "",
    )
    total = slopes.verified + slopes.wrong + slopes.undecided
    told = f"Of {total:,} elements of the gradient {', '.join(filter(None, counts))}."
    if not right.any():
        return told
    off, shown = slopes.off[right].max(), slopes.resolving[right]
    return (
        f"{told} Of the {right.sum()} of them that are drawn and agree, none is off by more than "
        f"{scalar(off, 2)} of its size; more than {scalar(np.median(shown), 2)} would have shown "
        f"at half of them, and more than {scalar(shown.max(), 2)} at all of them."
    )


def _brief(text: str) -> str:
    text = plain(words.one_line(text))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _places(x: Array, marked: Array, name: str) -> str:
    """Name where something holds: ``at y_pred = 0 and 1``, ``from y_pred = 0 to 0.5``."""
    found = stretches(marked)
    if not found:
        return ""
    if found == [(0, len(x) - 1)]:
        return "throughout"
    points = [scalar(x[first], 3) for first, last in found if first == last]
    ranges = [f"{scalar(x[a], 3)} to {scalar(x[b], 3)}" for a, b in found if a != b]
    parts = [f"at {name} = {_listed(points)}"] if points else []
    parts += [f"from {name} = {_listed(ranges)}"] if ranges else []
    return " and ".join(parts)


def _listed(names: Sequence[str]) -> str:
    if len(names) > FEW:
        return f"{', '.join(names[:FEW])} and {words.plural(len(names) - FEW, 'place')} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
