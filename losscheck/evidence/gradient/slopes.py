"""Elements of the gradient beside their numeric derivatives: some of each kind, to be drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from losscheck.evidence.gradient.check import GradientCheck
from losscheck.model import Array, Slopes
from losscheck.numerics.verdict import Agreement, Point

DRAWN = {"v": 40, "w": 20, "u": 12}  # elements of each kind: verified, wrong, undecided
DIGITS = 6  # significant: what can be seen


def slopes(checks: Sequence[GradientCheck]) -> Slopes | None:
    """Choose what is drawn; None where no element has a numeric derivative of its own.

    Of each kind the elements are spread evenly by size, and the one that is furthest off and the
    one that the least can be said of are among them. What a reason excuses, such as a tie, is left
    out.
    """
    parts = [_columns(check) for check in checks]
    if not parts:
        return None
    kind = np.concatenate([part[0] for part in parts])
    numbers = np.concatenate([part[1] for part in parts], axis=1)
    drawable = np.isfinite(numbers).all(axis=0)
    chosen: list[int] = []
    for letter, most in DRAWN.items():
        chosen += _spread(np.flatnonzero(drawable & (kind == letter)), numbers, most)
    if not chosen:
        return None
    chosen.sort(key=lambda index: (numbers[0, index], index))
    gradient, numeric, bound, off, resolving = (_rounded(row[chosen]) for row in numbers)
    return Slopes(
        verified=int((kind == "v").sum()),
        wrong=int((kind == "w").sum()),
        undecided=int((kind == "u").sum()),
        gradient=gradient,
        numeric=numeric,
        bound=bound,
        off=off,
        resolving=resolving,
        outcome="".join(kind[chosen]),
    )


def _columns(check: GradientCheck) -> tuple[Array, Array]:
    """(K,) kinds, "" for what is excused, and (5, K) the numbers of `Slopes`, of one size."""
    wrong = (check.wrong & ~(check.frozen | check.mirrored | check.tie)).ravel()
    outcome = check.comparison.outcome
    kind = np.select(
        [wrong, outcome == Agreement.VERIFIED, outcome == Agreement.INCONCLUSIVE],
        ["w", "v", "u"],
        "",
    )
    gradient, found = check.gradient.ravel(), check.found
    kink = check.comparison.point == Point.KINK
    size = np.fmax(np.abs(gradient), max(check.scale, np.finfo(float).tiny))
    with np.errstate(invalid="ignore", over="ignore"):
        low, high = np.fmin(found.left, found.right), np.fmax(found.left, found.right)
        numeric = np.where(kink, np.clip(gradient, low, high), found.value)
        bound = check.comparison.bound
        off, resolving = np.abs(gradient - numeric) / size, bound / size
    return kind, np.stack([gradient, numeric, bound, off, resolving])


def _spread(index: Array, numbers: Array, most: int) -> list[int]:
    """Choose some of the elements, evenly by the size of the gradient, and the extreme ones."""
    if not len(index):
        return []
    ordered = index[np.argsort(numbers[0, index], kind="stable")]
    places = np.linspace(0, len(ordered) - 1, min(most, len(ordered))).astype(int)
    extreme = (index[np.argmax(numbers[row, index])] for row in (3, 4))
    return sorted({*(int(each) for each in ordered[places]), *(int(each) for each in extreme)})


def _rounded(numbers: Array) -> Array:
    return np.asarray([float(f"{number:.{DIGITS}g}") for number in numbers])
