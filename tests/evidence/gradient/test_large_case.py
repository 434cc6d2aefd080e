"""Gradients of one case: each way of checking it, and faults that each way must find."""

from __future__ import annotations

import numpy as np
import pytest

from losscheck.evidence.gradient.large_case import check_case
from tests.evidence.gradient.large_case_losses import (
    Loss,
    case,
    centred,
    correlation,
    distances,
    programs,
    rows,
    squares,
    two_terms,
    with_faults,
)

MILLION = (1000, 1000)


@pytest.mark.parametrize(
    ("loss", "shape", "how"),
    [
        (squares, (4, 3), "dense"),
        (correlation, (8, 8), "dense"),
        (squares, (32, 10), "coloured"),
        (two_terms, (64, 64), "coloured"),
        (rows, (32, 10), "coloured"),
        (rows, (64, 64), "projected"),
        (correlation, (32, 10), "projected"),
        (centred, (64, 64), "projected"),
    ],
)
def test_a_sound_gradient_is_verified(loss: Loss, shape: tuple[int, int], how: str) -> None:
    verdict = check_case(programs(loss), case(*shape))
    assert (verdict.outcome, verdict.how) == ("verified", how)
    # A rewritten graph's floor is 2^-22; directions add the rounding of the whole loss.
    assert verdict.resolution <= 1e-4


@pytest.mark.parametrize("factor", [2.0, 0.0, -1.0, 1.001])
@pytest.mark.parametrize(
    ("loss", "shape"),
    [
        (squares, (4, 3)),
        (two_terms, (32, 10)),
        (rows, (32, 10)),
        (rows, (64, 64)),
        (correlation, (32, 10)),
        (centred, (64, 64)),
    ],
)
def test_one_wrong_element_is_found(loss: Loss, shape: tuple[int, int], factor: float) -> None:
    inputs = case(*shape)
    gradient = check_case(programs(loss), inputs).gradient
    element = int(np.argsort(np.abs(gradient))[len(gradient) * 3 // 4])  # no small one
    verdict = check_case(programs(with_faults(loss, {element: factor})), inputs)
    assert verdict.outcome == "wrong"
    assert verdict.wrong.tolist() == [element]
    # What it should be: the gradient is wrong by the factor that was planted.
    right = verdict.value[element] * (factor if factor else 0.0)
    assert verdict.gradient[element] == pytest.approx(right, rel=1e-4, abs=1e-12)


def test_errors_that_cancel_along_equal_steps_are_found() -> None:
    # Opposite errors of one size vanish along half of all directions of ±1 alone.
    inputs = case(48, 48)
    gradient = check_case(programs(correlation), inputs).gradient
    first, second = 5, 1700
    factor = 1.0 - gradient[first] / gradient[second]
    faults = {first: 2.0, second: float(factor)}
    verdict = check_case(programs(with_faults(correlation, faults)), inputs)
    assert verdict.outcome == "wrong"
    assert set(verdict.wrong) <= set(faults)


def test_a_wholly_wrong_gradient_is_found() -> None:
    verdict = check_case(programs(with_faults(rows, dict.fromkeys(range(256), 2.0))), case(16, 16))
    assert verdict.outcome == "wrong"


def test_a_case_at_the_ends_of_its_domain_stays_inside() -> None:
    inputs = case(64, 64)
    inputs["y_pred"] = np.clip(np.abs(inputs["y_pred"]), 0.0, 1.0)  # many are exactly 1
    verdict = check_case(programs(correlation), inputs, low=0.0, high=1.0)
    assert verdict.outcome == "verified"
    on_edge = inputs["y_pred"].ravel() == 1.0
    assert np.isnan(verdict.value[on_edge]).all()  # not moved, so nothing is said of them
    assert not np.isnan(verdict.value[~on_edge]).any()


def test_a_non_finite_gradient_decides_nothing() -> None:
    inputs = case(4, 3)
    inputs["y_pred"][0, 0] = np.inf
    assert check_case(programs(squares), inputs).outcome == "inconclusive"


@pytest.mark.parametrize("loss", [squares, distances, correlation], ids=lambda loss: loss.__name__)
def test_a_sound_million_elements_cost_few_passes(loss: Loss) -> None:
    verdict = check_case(programs(loss), case(*MILLION))
    assert verdict.outcome == "verified"
    # Each evaluation counted as a whole forward-and-backward pass, though it is a forward one.
    assert verdict.passes["forward"] + verdict.passes["gradient"] <= 60


@pytest.mark.parametrize("loss", [squares, correlation], ids=lambda loss: loss.__name__)
def test_a_doubled_element_among_a_million_is_found(loss: Loss) -> None:
    element = 654_321
    inputs = case(*MILLION)
    verdict = check_case(programs(with_faults(loss, {element: 2.0})), inputs)
    assert verdict.wrong.tolist() == [element]
    assert verdict.value[element] == pytest.approx(verdict.gradient[element] / 2, rel=1e-3)
    # Fine rungs, twenty halvings and the confirmation: at most 40 beyond what a sound one may cost.
    assert verdict.passes["forward"] + verdict.passes["gradient"] <= 100


def test_the_same_seed_gives_the_same_verdict() -> None:
    made = programs(correlation)
    first, second = (check_case(made, case(32, 10), seed=5) for _ in range(2))
    assert first.resolution == second.resolution
    assert np.array_equal(first.value, second.value)
