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


def _own(rows: Array, points: Array) -> tuple[Array, Array]:
    """x^2 - (row + 1): each row has a root of its own."""
    assert len(rows) == len(points)
    return (points**2)[:, 0] - (rows + 1.0), 2.0 * points


@pytest.mark.parametrize("method", [newton, bounded])
def test_each_row_is_asked_for_by_its_number(method):
    start = np.array([[1.0], [3.0], [1.5], [3.0]])  # the first has its root already
    found = method(_own, start, 0.0 * start, start + 9.0, np.zeros(4, bool))
    np.testing.assert_allclose(found.points[:, 0] ** 2, [1.0, 2.0, 3.0, 4.0], rtol=1e-12)


@pytest.mark.parametrize("method", [newton, bounded])
def test_below_zero_is_reached_by_a_row_that_asks_for_no_more(method):
    start = np.array([[1.0, 1.0], [1.0, 1.0], [3.0, 4.0], [6.0, 8.0]])
    box = np.full((4, 2), 10.0)
    one_sided = np.array([True, False, True, True])
    found = method(_square, start, -box, box, one_sided)
    np.testing.assert_array_equal(found.points[[0, 2]], start[[0, 2]])
    assert (found.points[1] ** 2).sum() == pytest.approx(25.0, rel=1e-3)
    assert (found.points[3] ** 2).sum() <= 25.001
    assert found.gaps[0] == -23.0


@pytest.mark.parametrize("method", [newton, bounded])
def test_a_row_rests_where_nothing_leads_on(method):
    def gap(rows: Array, points: Array) -> tuple[Array, Array]:
        """Rows without a slope, with one of NaN, and with one that points the wrong way."""
        slopes = np.array([0.0, np.nan, -1.0])[rows][:, None] * np.ones_like(points)
        return 1.0 + points[:, 0] ** 2, slopes

    start, far = np.full((3, 1), 0.5), np.full((3, 1), 9.0)
    found = method(gap, start, -far, far, np.zeros(3, bool))
    np.testing.assert_array_equal(found.points, start)
    np.testing.assert_array_equal(found.gaps, [1.25, 1.25, 1.25])


def test_no_row_leaves_the_box_downwards():
    one = np.ones((1, 1))
    rising = lambda rows, points: (np.exp(points)[:, 0], np.exp(points))  # noqa: E731
    for method in (newton, bounded):
        found = method(rising, one, -3.0 * one, one, np.ones(1, bool))
        assert found.points[0, 0] == -3.0


def _valley(rows: Array, points: Array) -> tuple[Array, Array]:
    """x^2 + 1000 y^2, times a unit of each row: Newton's steps cross it and rest."""
    unit = np.array([1.0, 1e6, 1e-6])[rows]
    steep = np.array([1.0, 1000.0])
    return unit * (steep * points**2).sum(axis=1), unit[:, None] * 2.0 * steep * points


def test_a_quasi_newton_descent_follows_a_valley_whatever_its_units():
    start = np.tile([-3.0, 0.5], (3, 1))
    box = np.full((3, 2), 4.0)
    by_steps, by_valley = (
        method(_valley, start, -box, box, np.zeros(3, bool)).gaps / [1.0, 1e6, 1e-6]
        for method in (newton, bounded)
    )
    np.testing.assert_allclose(by_valley, by_valley[0], rtol=1e-3)
    assert (by_valley < by_steps).all()
