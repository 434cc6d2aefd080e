"""Descents land on roots that are known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from losscheck.model import Array
from losscheck.numerics.descent import bounded, newton


def _square(rows: Array, points: Array) -> tuple[Array, Array]:
    """x^2 + y^2 - 25: the circle of radius 5."""
    return (points**2).sum(axis=1) - 25.0, 2.0 * points


def _double(rows: Array, points: Array) -> tuple[Array, Array]:
    """(x - 0.3)^2, whose root is a double one."""
    return ((points - 0.3) ** 2)[:, 0], 2.0 * (points - 0.3)


def _flat(rows: Array, points: Array) -> tuple[Array, Array]:
    """exp(-x): no root, and lower and lower towards the end of the box."""
    return np.exp(-points)[:, 0], -np.exp(-points)


START = np.array([[1.0, 1.0], [3.0, -4.1], [0.2, 8.0]])
BOX = np.full((3, 2), 10.0)
EITHER = np.zeros(3, bool)


@pytest.mark.parametrize("method", [newton, bounded])
def test_every_row_lands_on_the_circle(method):
    found = method(_square, START, -BOX, BOX, EITHER)
    np.testing.assert_allclose((found.points**2).sum(axis=1), 25.0, rtol=1e-3)


def test_newton_halves_the_distance_to_a_double_root_each_time():
    one = np.ones((1, 1))
    found = newton(_double, one, -one, one, np.zeros(1, bool))
    assert abs(found.points[0, 0] - 0.3) <= 0.7 * 2.0**-24 * 1.01  # 24 halvings from 0.7 away


@pytest.mark.parametrize("method", [newton, bounded])
def test_no_row_leaves_the_box(method):
    one = np.ones((1, 1))
    found = method(_flat, one, -one, 3.0 * one, np.ones(1, bool))
    assert found.points[0, 0] == 3.0
    assert found.gaps[0] == pytest.approx(np.exp(-3.0))


def test_a_row_without_numbers_leaves_the_others_alone():
    def gap(rows: Array, points: Array) -> tuple[Array, Array]:
        gaps, slopes = _square(rows, points)
        return np.where(rows == 0, np.nan, gaps), slopes

    for method in (newton, bounded):
        found = method(gap, START, -BOX, BOX, EITHER)
        assert np.isinf(found.gaps[0])
        np.testing.assert_allclose((found.points[1:] ** 2).sum(axis=1), 25.0, rtol=1e-3)
