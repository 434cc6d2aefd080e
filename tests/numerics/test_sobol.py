"""Sobol's points are SciPy's, drawn without `scipy.stats`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import qmc

from losscheck.numerics import sobol


@pytest.mark.parametrize("dimensions", [1, 2, 3, 17, 256])
@pytest.mark.parametrize("exponent", [0, 1, 6, 11])
def test_the_points_are_those_of_scipy(dimensions: int, exponent: int) -> None:
    own, theirs = np.random.default_rng(7), np.random.default_rng(7)
    for _ in range(2):  # each time with another scrambling
        expected = qmc.Sobol(dimensions, seed=theirs).random_base2(exponent)
        np.testing.assert_array_equal(sobol.points(exponent, dimensions, own), expected)


def test_without_the_file_of_direction_numbers_scipy_draws_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = sobol.points(6, 3, np.random.default_rng(1))
    monkeypatch.setattr(sobol, "_NUMBERS", Path("stats", "nowhere.npz"))
    sobol._direction_numbers.cache_clear()
    try:
        np.testing.assert_array_equal(sobol.points(6, 3, np.random.default_rng(1)), expected)
    finally:
        sobol._direction_numbers.cache_clear()
