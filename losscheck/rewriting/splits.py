"""Two expressions for two regions, where no single one does: the last resort.

`tf.where` differentiates both sides, so each is kept away from where the other one holds: in its
operand, what lies outside is replaced by a number at which it is finite.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from losscheck.rewriting.expressions import ONE, Expression, Leaf, number, op, substitute
from losscheck.rewriting.power_series import NoSeriesError, Series
from losscheck.rewriting.series import PLACE, Part, parts, series, shifted

CENTRES = (0, 1, -1)
THRESHOLDS = (
    Fraction(2),
    Fraction(1),
    Fraction(1, 2),
    Fraction(1, 4),
    Fraction(1, 10),
    Fraction(1, 50),
)
MOST_TERMS = 7
ROUNDED = 2.0**-25  # what is left out may be half an ulp
GROUPS = 5  # parts of an expression that are tried, the largest first


@dataclass(frozen=True)
class Split:
    """An expression of two branches, and names for what both of them use."""

    root: Expression
    near: Expression  # the condition
    names: tuple[tuple[str, Expression], ...]  # in the order in which they are to be assigned


def by_series(root: Expression) -> Iterator[Split]:
    """Put a series in the place of a part of an expression, next to where it is 0/0 or cancels."""
    for part in parts(root)[:GROUPS]:
        for centre in CENTRES:
            try:
                expanded = series(substitute(part.inner, {part.variable: PLACE}), PLACE, centre)
            except NoSeriesError:
                continue
            whole, expanded = shifted(part, expanded) if centre == 0 else (part, expanded)
            for threshold in THRESHOLDS:
                yield from _with_series(root, whole, centre, threshold, expanded)


def by_regions(root: Expression, other: Expression, variable: Leaf, threshold: Fraction) -> Split:
    """One expression where |variable| is below a threshold, another one beyond it."""
    near = op("less", op("abs", variable), number(threshold))
    inside = op("where", near, variable, number(threshold))
    outside = op("where", near, number(threshold), variable)
    branches = (substitute(root, {variable: inside}), substitute(other, {variable: outside}))
    names = (("near", near), ("small", inside), ("large", outside))
    return Split(op("where", near, *branches), near, names)


def by_sign(root: Expression, other: Expression, variable: Leaf) -> Split:
    """One expression where a variable is negative, another one where it is not."""
    negative = op("less", variable, number(0))
    below = op("where", negative, variable, number(-1))
    above = op("where", negative, number(1), variable)
    branches = (substitute(root, {variable: below}), substitute(other, {variable: above}))
    names = (("negative", negative), ("below", below), ("above", above))
    return Split(op("where", negative, *branches), negative, names)


def _with_series(
    root: Expression,
    part: Part,
    centre: int,
    threshold: Fraction,
    expanded: Series,
) -> Iterator[Split]:
    last = _last(expanded, float(threshold))
    if last is None:
        return
    variable = part.variable
    away = op("sub", variable, number(centre)) if centre else variable
    near = op("less", op("abs", away), number(threshold))
    small = op("where", near, away, number(0))
    safe = op("where", near, number(centre + threshold), variable)
    far = substitute(part.inner, {variable: safe})
    split = op("where", near, _horner(expanded, last, small), far)
    names = (("near", near), ("small", small), ("safe", safe))
    yield Split(substitute(root, {part.node: part.replaced(split)}), near, names)


def _last(expanded: Series, threshold: float) -> int | None:
    """The last power that is needed up to a threshold; None where there would be too many."""
    if expanded.lowest < 0:
        return None
    powers = range(expanded.lowest, expanded.end)
    sizes = np.array([abs(float(expanded.at(k))) for k in powers]) * threshold ** np.arange(
        len(powers)
    )
    slopes = sizes * np.maximum(np.array(powers), 1)
    lead = slopes[np.array(powers) > 0]
    if not lead.size or not np.isfinite(slopes).all():
        return None
    first = lead[lead > 0][0] if (lead > 0).any() else 0.0
    wanted = (sizes > ROUNDED * sizes[0]) | ((slopes > ROUNDED * first) & (np.array(powers) > 0))
    last = int(np.flatnonzero(wanted)[-1])
    if np.count_nonzero(sizes[: last + 1]) > MOST_TERMS or last >= len(powers) - 2:
        return None
    return expanded.lowest + last


def _horner(expanded: Series, last: int, z: Expression) -> Expression:
    """Write a polynomial; in the square where every other power is missing."""
    powers = [k for k in range(expanded.lowest, last + 1) if expanded.at(k) != 0]
    step = 2 if all((k - powers[0]) % 2 == 0 for k in powers) else 1
    by = op("square", z) if step == 2 else z
    result: Expression | None = None
    for k in range(powers[-1], powers[0] - 1, -step):
        coefficient = number(_short(float(expanded.at(k))))
        if result is None:
            result = coefficient
        else:
            product_ = by if result == ONE else op("mul", by, result)
            result = op("add", coefficient, product_) if expanded.at(k) else product_
    assert result is not None
    for _ in range(powers[0]):
        result = z if result == ONE else op("mul", z, result)
    return result


def _short(value: float) -> Fraction:
    """The fraction of small numbers that this is, or what float32 makes of it."""
    near = Fraction(value).limit_denominator(1000)
    return (
        near if abs(float(near) - value) < 1e-15 * abs(value) else Fraction(str(np.float32(value)))
    )
