"""Directional derivatives, on functions whose derivatives are known in closed form."""

from __future__ import annotations

import numpy as np

from losscheck.model import Array
from losscheck.numerics.projection import best_step, climb_along, directions, summed
from losscheck.numerics.quotients import derive

FAST = np.array([1.0, 2.0, -0.5])


def exponentials(probe: Array, t: Array) -> Array:
    """Three blocks exp(k·t), whose slopes at 0 are k; the second direction is twice as fast."""
    return np.exp((1 + probe)[:, None] * t[:, None] * FAST)


def settled(samples: object) -> Array:
    return np.ones(2, bool)


def test_the_bound_covers_the_slope_of_every_block() -> None:
    found = derive(climb_along(exponentials, 2, settled), np.ones(6), np.zeros(6))
    truth = np.concatenate([FAST, 2 * FAST])
    assert (np.abs(found.value - truth) <= 10 * found.error).all()
    # Seven rungs of a function that four times the step takes through e: six digits and more.
    assert (found.error <= 1e-6 * np.abs(truth)).all()


def test_blocks_add_up_to_the_whole() -> None:
    samples = summed(climb_along(exponentials, 2, settled), 3)
    found = derive(samples, np.ones(2), np.zeros(2))
    assert (np.abs(found.value - [2.5, 5.0]) <= 10 * found.error).all()


def test_what_is_not_settled_gets_fine_steps() -> None:
    count = [0]

    def kinked(probe: Array, t: Array) -> Array:
        count[0] += len(t)
        return np.abs(t - 1e-6)[:, None]  # a kink that the wide steps cross

    samples = climb_along(kinked, 1, lambda samples: np.zeros(1, bool))
    found = derive(samples, np.ones(1), np.zeros(1))
    assert abs(found.value[0] + 1.0) <= 10 * found.error[0] <= 1e-3
    assert count[0] == 6 + 2 * 13


def test_directions_are_exact_and_differ_in_size() -> None:
    x = np.array([0.3, -2.0, 1.0, 0.0])
    scale = np.array([1.0, 2.0, 1.0, 1.0])
    drawn = directions(
        scale, 64, 0, np.full(4, -np.inf), np.array([np.inf, np.inf, 1.0, np.inf]), x
    )
    assert (drawn[:, 2] == 0).all()  # at the end of its domain
    moving = np.abs(drawn[:, [0, 1, 3]] / scale[[0, 1, 3]])
    assert ((moving >= 0.5) & (moving < 1.0)).all()
    assert (moving * 256 == np.round(moving * 256)).all()
    assert len(np.unique(moving)) > 64
    assert 0.3 < (drawn[:, 0] > 0).mean() < 0.7


def test_the_best_step_is_as_good_as_the_ladder() -> None:
    samples = climb_along(exponentials, 2, settled)
    step = best_step(samples, 0, 1.0, off=1e-3)
    assert not step.central  # close enough for what is looked for
    assert abs(np.expm1(step.size) / step.size - 1.0) <= 1e-3 / 16
    assert best_step(samples, 0, 1.0, off=1e-12).central
