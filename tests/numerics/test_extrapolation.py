"""Limits of sequences with known limits, and noise of known size."""

from __future__ import annotations

import numpy as np
import pytest

from losscheck.numerics.rungs import OFFSETS, scatter, still
from losscheck.numerics.sides import RATIO, limit

STEPS = RATIO ** -np.arange(8.0)[:, None] / 8


def test_a_series_is_extrapolated_to_its_constant_term() -> None:
    sequence = np.concatenate([3 + STEPS - 2 * STEPS**2, np.exp(STEPS)], axis=1)
    found = limit(sequence, np.full(sequence.shape, 1e-15), RATIO)
    assert (np.abs(found.value - [3, 1]) <= found.error).all()
    assert (found.error <= 1e-8).all()


def test_error_is_never_below_the_noise() -> None:
    found = limit(np.full((8, 1), 2.0), np.full((8, 1), 1e-6), RATIO)
    assert found.value[0] == 2
    assert found.error[0] >= 1e-6


def test_finer_steps_contradict_coarse_agreement() -> None:
    # Four coarse terms agree on 1 and would win; the finer ones say 5.
    sequence = np.array([1, 1, 1, 1, 5, 5, 5, 5.0])[:, None]
    found = limit(sequence, np.full(sequence.shape, 1e-12), RATIO)
    assert abs(found.value[0] - 5) <= 10 * found.error[0]
    noisy = limit(sequence, 1e-3 * RATIO ** np.arange(8.0)[:, None], RATIO)
    assert abs(noisy.value[0] - 5) <= 10 * noisy.error[0]


def test_two_terms_decide_nothing() -> None:
    sequence = np.full((8, 2), np.nan)
    sequence[-2:, 0] = 1
    sequence[-3:, 1] = 1
    found = limit(sequence, np.zeros(sequence.shape), RATIO)
    assert np.isinf(found.error[0])
    assert np.isnan(found.value[0])
    assert found.value[1] == 1


def test_non_finite_terms_fall_out() -> None:
    sequence = 1 + STEPS
    sequence[:2] = [[np.inf], [np.nan]]
    found = limit(sequence, np.zeros(sequence.shape), RATIO)
    assert found.value[0] == pytest.approx(1, abs=1e-12)


def test_scatter_is_the_standard_deviation_of_noise() -> None:
    noise = np.random.default_rng(3).normal(0, 1e-12, (len(OFFSETS), 20_000))
    curve = (7 - 3 * OFFSETS + 2 * OFFSETS**2)[:, None]
    # Two contrasts each of variance 1e-24: their mean square over 20,000 points is known to 1%.
    assert np.sqrt(np.mean(scatter(noise + curve) ** 2)) == pytest.approx(1e-12, rel=0.02)


def test_a_parabola_has_no_scatter() -> None:
    curve = 1e-3 + OFFSETS - OFFSETS**2
    assert scatter(curve[:, None])[0] <= 1e-14


def test_a_flat_function_has_the_noise_of_its_magnitude() -> None:
    change = np.zeros((15, 1))
    eps = np.finfo(np.float64).eps
    assert still(change, np.ones((5, 1)), change, np.array([20.0]))[0] == 80 * eps
    assert still(change, np.arange(5.0)[:, None], change, np.array([20.0]))[0] == 0


def test_a_staircase_has_the_noise_of_its_tread() -> None:
    change = np.zeros((15, 1))
    change[:6, 0] = 1e-3 * RATIO ** -np.arange(6.0)
    fine = np.ones((5, 1))
    tread = 1e-3 * RATIO**-5
    assert still(change, fine, -change, np.ones(1))[0] == pytest.approx(tread)
    # A hinge: one side never moves.
    assert still(change, fine, 0 * change, np.ones(1))[0] < 1e-14
