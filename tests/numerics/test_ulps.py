"""Spacings against NumPy's own, and conditioning against hand-made sums."""

from __future__ import annotations

import numpy as np
import pytest

from losscheck.numerics.ulps import LARGEST, conditioning, moved, ulp


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_ulp_is_numpys_spacing(dtype: type) -> None:
    limits = np.finfo(dtype)
    ordinary = np.random.default_rng(4).normal(0, 100, 200)
    special = [0.0, 1.0, 2.0, float(limits.tiny), float(limits.smallest_subnormal) * 3, 0.1]
    x = np.concatenate([ordinary, special]).astype(dtype)
    name = np.dtype(dtype).name
    np.testing.assert_array_equal(ulp(x.astype(np.float64), name), np.spacing(np.abs(x)))
    assert LARGEST[name] == float(limits.max)


def test_ulp_of_bfloat16_is_that_of_float32_without_16_bits() -> None:
    x = np.array([1.0, 3.0, 1e-3, -200.0])
    np.testing.assert_array_equal(ulp(x, "bfloat16"), ulp(x, "float32") * 2**16)
    # 0x7F7F, the largest bfloat16, read as the upper half of a float32.
    assert LARGEST["bfloat16"] == np.array([0x7F7F0000], np.uint32).view(np.float32)[0]


def test_ulp_of_nothing_is_nothing() -> None:
    assert np.isnan(ulp(np.array([np.nan, np.inf, -np.inf]))).all()


def test_moved_is_the_next_float32() -> None:
    x = np.array([0.1, -0.1, 1.0, 0.0, 5e4], dtype=np.float32)
    away = np.nextafter(x, np.where(x < 0, -np.inf, np.inf).astype(np.float32))
    np.testing.assert_array_equal(moved(x.astype(np.float64)), away.astype(np.float64))


def test_moved_stays_in_the_domain_and_the_dtype() -> None:
    largest = LARGEST["float32"]
    x = np.array([1.0, 0.0, -0.0, largest, -largest])
    result = moved(
        x, "float32", np.array([0, 0, -1, -np.inf, -np.inf]), np.array([1, 1, 0, np.inf, np.inf])
    )
    assert (np.abs(result) <= largest).all()
    assert (result != x).all()
    assert ((result[:2] >= 0) & (result[:2] <= 1)).all()
    assert -1 <= result[2] <= 0


def row(x, function):
    """A callback for cases x (C, N) and a function of whole rows."""

    def many(case, coordinate, value):
        rows = x[case].copy()
        rows[np.arange(len(case)), coordinate] = value
        return function(rows)

    return many


def test_conditioning_of_a_cancelling_pair() -> None:
    # 1e9 - 1e9 + 1: each of the large two alone moves the sum by an ulp of 1e9, which is 64.
    x = np.array([[1e9, -1e9, 1.0]])
    explained = conditioning(row(x, lambda rows: rows.sum(axis=1)), x)
    assert explained[0] == 16 * (64 + 64 + 2.0**-23)


def test_conditioning_takes_the_max_norm_over_outputs() -> None:
    x = np.array([[1.0, 2.0], [4.0, 8.0]])
    explained = conditioning(row(x, lambda rows: np.stack([rows[:, 0], 3 * rows[:, 1]], 1)), x)
    unit = 2.0**-23
    np.testing.assert_array_equal(explained, [16 * (1 + 6) * unit, 16 * (4 + 24) * unit])


def test_conditioning_is_infinite_where_the_value_is() -> None:
    x = np.array([[0.0], [1.0]])
    with np.errstate(divide="ignore"):
        explained = conditioning(row(x, lambda rows: np.log(rows[:, 0])), x)
    assert explained[0] == np.inf
    assert 0 < explained[1] < 1e-5
