"""Kinks and jumps along a line; where they are is known from the formulas."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from losscheck.evidence.search.curves import Run, breaks, shortest
from losscheck.model import Array

X = np.linspace(-2.9, 3.1, 161)


def run(value: Callable[[Array], Array], slope: Callable[[Array], Array]) -> Run:
    def both(x: Array) -> tuple[Array, Array]:
        with np.errstate(all="ignore"):
            return np.asarray(value(x)), np.asarray(slope(x))

    return both


@pytest.mark.parametrize("places", [X, np.union1d(X, [0.0])])
def test_a_kink_between_places_and_at_one(places: Array) -> None:
    (found,) = breaks(run(np.abs, np.sign), places)
    assert (found.at, found.kind, found.before, found.after) == (0, "kink", -1, 1)


def test_a_jump_is_one_whether_its_slope_steps_or_not() -> None:
    (found,) = breaks(run(lambda x: x + (x > 0.3), np.ones_like), X)
    assert (found.at, found.kind) == (0.3, "jump")
    assert (found.before, found.after) == pytest.approx((0.3, 1.3), abs=1e-6)
    (found,) = breaks(run(lambda x: np.where(x > 0.3, 2 * x, 0), lambda x: 2.0 * (x > 0.3)), X)
    assert (found.at, found.kind) == (0.3, "jump")


def test_each_of_several_is_found() -> None:
    def clipped(x: Array) -> Array:
        return np.clip(x, -0.7, 1.25) ** 2

    found = breaks(run(clipped, lambda x: 2 * x * ((x > -0.7) & (x < 1.25))), X)
    assert [each.at for each in found] == [-0.7, 1.25]
    assert [each.before for each in found] == pytest.approx([0, 2.5])
    assert [each.after for each in found] == pytest.approx([-1.4, 0])


@pytest.mark.parametrize(
    ("value", "slope"),
    [
        (np.square, lambda x: 2 * x),
        (lambda x: np.tanh(50 * x), lambda x: 50 / np.cosh(50 * x) ** 2),
        # Two parabolas that meet in value and slope, as in Huber's loss.
        (lambda x: np.where(x < 1, x * x, 2 * x - 1), lambda x: np.where(x < 1, 2 * x, 2)),
        (lambda x: np.sqrt(np.abs(x)), lambda x: np.sign(x) / np.sqrt(np.abs(x)) / 2),
        (np.log, lambda x: 1 / x),
        (lambda x: 1 / x, lambda x: -1 / x**2),
        (lambda x: np.full_like(x, np.nan), lambda x: np.full_like(x, np.nan)),
        (np.zeros_like, np.zeros_like),
        (np.ones_like, lambda x: 1e-17 * np.sign(np.sin(1e3 * x))),  # rounding
    ],
)
def test_what_is_smooth_or_grows_without_limit_is_neither(
    value: Callable[[Array], Array], slope: Callable[[Array], Array]
) -> None:
    assert breaks(run(value, slope), X) == ()


def test_a_place_is_told_in_few_digits() -> None:
    assert shortest(0.49999999, 0.50000001) == 0.5
    assert shortest(-1e-12, 1e-13) == 0
    assert shortest(1 / 3, 1 / 3) == 1 / 3


def test_nothing_is_found_along_a_point() -> None:
    assert breaks(run(np.abs, np.sign), np.asarray([0.0])) == ()
