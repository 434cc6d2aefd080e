"""The pictures of a loss, each with its legend and with sentences that say what is to be seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
import numpy as np
from markupsafe import Markup

from losscheck.model import Array, Curve, Landscape, LossReport
from losscheck.report import words
from losscheck.report.arrays import scalar
from losscheck.report.landscape import COLORS, MEANING, map_svg, met
from losscheck.report.templating import plain

FEW = 4  # places that are named
LONGEST = 40  # characters of a label in a sentence; the legend has all of it
DEAD = 5  # neighbouring points at which a gradient of 0 is no accident


@attrs.frozen(kw_only=True, eq=False)
class Picture:
    """An SVG, its legend (colour and text) and what it shows."""

    svg: Markup
    legend: tuple[tuple[str, str], ...]
    says: tuple[str, ...]
    marks: tuple[tuple[str, str], ...] = ()  # signs of what has no place in it, and their meaning


def pictures(loss: LossReport, prefix: str) -> tuple[Picture, ...]:
    """Draw what a report holds to be drawn; nothing where matplotlib is missing."""
    from losscheck.report import curves

    try:
        return tuple(_drawn(loss, prefix))
    except curves.NoPicturesError:
        return ()


def _drawn(loss: LossReport, prefix: str) -> Iterator[Picture]:
    # What is marked safe comes from `lean`, which escapes every text.
    from losscheck.report import curves

    if loss.curves:
        names = [argument.name for argument in loss.arguments if argument.role == "y_pred"]
        name = _brief((names or ["y_pred"])[0])
        colors = [curves.COLORS[n % len(curves.COLORS)] for n in range(len(loss.curves))]
        yield Picture(
            svg=Markup(curves.svg(loss.curves, name, f"{prefix}c")),
            legend=tuple(zip(colors, (curve.label for curve in loss.curves), strict=True)),
            says=tuple(sentence(curve, name) for curve in loss.curves),
            marks=_marks(loss.curves),
        )
    if loss.landscape is not None:
        yield Picture(
            svg=Markup(map_svg(loss.landscape, f"{prefix}m")),
            legend=tuple((COLORS[mark], MEANING[mark]) for mark in met(loss.landscape)),
            says=(over_both(loss.landscape),),
        )
    if loss.digits is not None:
        yield Picture(
            svg=Markup(curves.digits_svg(loss.digits, f"{prefix}d")),
            legend=tuple(zip(curves.COLORS, ("loss", "gradient"), strict=False)),
            says=(
                f"Digits right in float32 {words.digits(loss.digits)}. Lines are medians, dots the "
                "worst of each decade.",
            ),
        )


def _marks(drawn: Sequence[Curve]) -> tuple[tuple[str, str], ...]:
    numbers = np.concatenate([part for curve in drawn for part in (curve.value, curve.gradient)])
    kinds = (("\N{MULTIPLICATION SIGN}", "NaN", np.isnan), ("▲▼", "infinite", np.isinf))
    return tuple((sign, kind) for sign, kind, is_so in kinds if is_so(numbers).any())


def sentence(curve: Curve, name: str) -> str:
    """Say what a curve does: where it is not finite, where its gradient is 0, else its least."""
    head = f"{_brief(curve.label)}: " if curve.label else ""
    if not len(curve.x):
        return f"{head}there is nothing to draw."
    said = [
        f"the {what} is {kind} {places}"
        for what, y in (("loss", curve.value), ("gradient", curve.gradient))
        for kind, bad in (("NaN", np.isnan(y)), ("infinite", np.isinf(y)))
        if (places := _places(curve.x, bad, name))
    ]
    dead = _dead(curve)
    if places := _places(curve.x, dead, name):
        said.append(f"the gradient is 0 {places}, though the loss is lower elsewhere")
    if not said:
        low, high = scalar(curve.x[0], 3), scalar(curve.x[-1], 3)
        least = scalar(curve.x[int(np.argmin(curve.value))], 3)
        said = [f"finite from {low} to {high}, least at {name} = {least}"]
    return f"{head}{'; '.join(said)}."


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


def _brief(text: str) -> str:
    text = plain(words.one_line(text))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _dead(curve: Curve) -> Array:
    """(N,) bool: stretches, and ends, at which the gradient is 0 and the loss above its least."""
    from losscheck.report.curves import stretches

    finite = curve.value[np.isfinite(curve.value)]
    flat = (curve.gradient == 0) & (curve.value > (finite.min() if finite.size else np.inf))
    for first, last in stretches(flat):
        at_end = first == 0 or last == len(flat) - 1
        flat[first : last + 1] = at_end or last - first + 1 >= DEAD
    return np.asarray(flat)


def _places(x: Array, marked: Array, name: str) -> str:
    """Name where something holds: ``at y_pred = 0 and 1``, ``from y_pred = 0 to 0.5``."""
    from losscheck.report.curves import stretches

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
