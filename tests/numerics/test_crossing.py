"""Sign changes whose places are known exactly."""

from __future__ import annotations

import numpy as np
import pytest

from losscheck.numerics.crossing import Crossing, cross


def find(function, low, high) -> Crossing:
    low, high = np.atleast_1d(np.float64(low)), np.atleast_1d(np.float64(high))
    zero = np.zeros(low.shape, dtype=np.int64)
    return cross(lambda case, coordinate, v: function(v), zero, zero, low, high)


def test_a_comparison_is_found_to_the_last_bit() -> None:
    found = find(lambda v: v - 0.3, -3.0, 3.0)
    assert found.after[0] == 0.3
    assert found.before[0] == np.nextafter(0.3, 0)
    assert found.zero[0]


def test_an_irrational_root_lies_between_neighbours() -> None:
    found = find(lambda v: v * v - 2, 0.0, 2.0)
    assert found.after[0] == np.nextafter(found.before[0], 2)
    assert found.before[0] ** 2 < 2 <= found.after[0] ** 2
    assert not found.zero[0]


@pytest.mark.parametrize("where", [0.0, 5e-324, -1e-300, 1e-40, 1e300, -7.25])
def test_every_scale_takes_as_many_steps(where: float) -> None:
    found = find(lambda v: np.where(v >= where, 1.0, -1.0), -1.7e308, 1.7e308)
    assert found.after[0] == where
    assert found.before[0] == np.nextafter(where, -np.inf)


def test_brackets_may_be_upside_down() -> None:
    found = find(lambda v: v - 0.3, 3.0, -3.0)
    assert found.after[0] == 0.3
    assert found.before[0] == np.nextafter(0.3, 1)


def test_no_sign_change_is_not_found() -> None:
    found = find(lambda v: v - 0.3, [1.0, 0.3, -1.0], [2.0, 2.0, 0.0])
    assert not found.found.any()
    assert np.isnan(found.before).all()


def test_a_nan_at_the_start_is_not_found() -> None:
    found = find(lambda v: np.where(v < 1, np.nan, 1.0), 0.0, 2.0)
    assert not found.found[0]


def test_many_cases_at_once() -> None:
    thresholds = np.linspace(-5, 5, 1001)
    case = np.arange(1001)
    calls = []

    def margin(number, coordinate, value):
        calls.append(len(value))
        return value - thresholds[number]

    found = cross(margin, case, case * 0, np.full(1001, -6.0), np.full(1001, 6.0))
    np.testing.assert_array_equal(found.after, thresholds)
    assert found.zero.all()
    assert len(calls) <= 67


def test_each_coordinate_of_each_case_is_asked_for() -> None:
    case, coordinate = np.repeat([0, 1], 2), np.tile([0, 1], 2)

    def margin(number, place, value):
        return value - (number + 0.5 * place)

    found = cross(margin, case, coordinate, [-6, -6, -6, -6], [6, 6, 6, 6])  # whole numbers
    np.testing.assert_array_equal(found.after, [0.0, 0.5, 1.0, 1.5])
    assert found.zero.all()
