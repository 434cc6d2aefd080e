"""Jumps, selections, dead gradients and ties: what is a fault, and what only looks like one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import tensorflow as tf

import losscheck
from losscheck.model import LossReport
from tests.verdicts import codes, errors, found
from tests.wild import ties_losses as wild

ROW = ("real", "(B, D)")
NUMBER = ("real", "(B,)")


def _check(loss: Callable[..., Any], arguments: dict[str, Any], *select: str) -> LossReport:
    return losscheck.check(loss, arguments=arguments, select=select)


def _pair(loss: Callable[..., Any], *select: str, given: Any = ROW) -> LossReport:
    names = loss.__code__.co_varnames[:2]
    return _check(loss, dict.fromkeys(names, given), *select)


# Each is a maximum of two continuous functions that are equal on an interval.
@pytest.mark.parametrize(
    "loss",
    [
        wild.clip_twice,
        wild.policy_ratio,
        wild.policy_by_where,
        wild.dead_zone,
        wild.larger_branch,
        wild.met_by_mask,
        wild.reversed_huber,
    ],
)
def test_what_is_equal_on_an_interval_does_not_jump_between_its_ends(loss: Any) -> None:
    assert not found(_pair(loss, "LC105"), "LC105")


def test_potentials_that_are_held_do_not_make_a_jump() -> None:
    report = _pair(wild.transport, "LC105", given=("real", "(B, 3, 2)"))
    assert not found(report, "LC105")


@pytest.mark.parametrize("loss", [wild.torn_by_mask, wild.torn_reversed_huber])
def test_branches_that_do_not_meet_are_an_error_however_they_are_written(loss: Any) -> None:
    assert found(_pair(loss, "LC105"), "LC105", "error")


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred", "line"),
    [
        (wild.beyond_the_positive, ("class_index", "(B,)"), ("unit_vector", "(B, D)"), "d > pos"),
        (wild.beyond_by_where, ("class_index", "(B,)"), ("unit_vector", "(B, D)"), "d > pos"),
        (wild.worse_than_usual, ROW, ROW, "each > tf.reduce_mean"),
    ],
)
def test_a_selection_among_samples_is_a_warning_at_its_comparison(
    loss: Any, y_true: Any, y_pred: Any, line: str
) -> None:
    report = _check(loss, {"y_true": y_true, "y_pred": y_pred}, "LC105")
    assert errors(report) == []
    [finding] = found(report, "LC105", "warning", line)
    if y_pred[0] == "unit_vector":
        rows = finding.inputs["y_pred"]
        assert (rows**2).sum(axis=-1) == pytest.approx(1.0, abs=1e-6)


def test_a_clipped_objective_is_not_dead_where_it_is_at_its_best() -> None:
    # min(r A, clip(r) A): 0 for an advantage of 0, and -1.2 A is the lowest of a positive one.
    for loss in (wild.policy_ratio, wild.policy_by_where):
        # At 1e9 times exp(-90) float32 rounds to 0 what is not: that is told, as a warning.
        report = _pair(loss, "LC103", given=NUMBER)
        assert {f.range for f in found(report, "LC103")} <= {"working"}
        assert errors(report) == []
    old = {"domain": "real", "shape": "(B,)", "role": "input"}
    report = _check(wild.clipped_value, {"y_true": NUMBER, "y_pred": NUMBER, "old": old}, "LC103")
    assert {f.range for f in found(report, "LC103")} <= {"working"}
    assert errors(report) == []


@pytest.mark.parametrize("loss", [wild.rounded_error, wild.clipped_ratio])
def test_a_slope_of_zero_where_another_prediction_is_better_is_an_error(loss: Any) -> None:
    assert found(_pair(loss, "LC103"), "LC103", "error")


def test_a_weight_does_not_hide_a_dead_gradient() -> None:
    arguments = {"weight": ("weight", "(B,)"), "y_pred": NUMBER}
    assert found(_check(wild.scaled_and_clipped, arguments, "LC103"), "LC103", "error")


# Slopes: 1 / p^2 and less at 1e15, p^-1.5 at 1e30, exp(-100).
@pytest.mark.parametrize(
    ("loss", "domain"),
    [
        (wild.one_over_both, "[1, 1e15]"),
        (wild.difference_of_roots, "[1, 1e30]"),
        (wild.far_tail, "[0, 300]"),
    ],
)
def test_a_slope_too_small_for_float32_is_a_note(loss: Any, domain: str) -> None:
    arguments = {"y_true": ("[1, 2]", "(B,)"), "y_pred": (domain, "(B,)")}
    report = _check(loss, arguments, "LC103")
    assert not codes(report, "error", "warning")
    assert {f.kind for f in found(report, "LC103")} <= {"inherent"}


# Of several equal operands any may be taken, and float32 has more of them than float64.
@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred"),
    [
        pytest.param(wild.nearest, "(B, 3, 3)", "(B, 4, 3)", marks=pytest.mark.slow),
        (wild.worst_three, "(B, 8)", "(B, 8)"),
        (wild.middle, "(B, 8)", "(B, 8)"),
        (wild.best_hypothesis, "(B, 2)", "(B, 4, 2)"),
    ],
)
def test_a_choice_among_equal_operands_is_neither_wrong_nor_lost(
    loss: Any, y_true: str, y_pred: str
) -> None:
    arguments = {"y_true": ("real", y_true), "y_pred": ("real", y_pred)}
    report = _check(loss, arguments, "LC101", "LC302", "LC503")
    assert not codes(report, "error", "warning")


@pytest.mark.slow
def test_a_choice_that_is_differentiated_wrongly_is_an_error() -> None:
    report = _pair(wild.doubled_maximum, "LC101")
    assert found(report, "LC101", "error", "taken")
    # No error is put into a gradient that is wrong anyway.
    assert report.gradient is not None
    assert report.gradient.self_test == ()


def test_digits_lost_beside_a_choice_are_lost() -> None:
    report = _pair(wild.far_from_the_largest, "LC302")
    assert found(report, "LC302", "error", "lost = (1.0 - tf.cos(d))")


def test_a_gradient_of_zero_is_no_large_one() -> None:
    # log1p(-p) / log1p(p) is -1 near 0, and 0 / 0 within; where float32 gives 0 it is 0.
    def quotient(y_true: Any, y_pred: Any) -> Any:
        return y_true * tf.math.log1p(-y_pred) / tf.math.log1p(y_pred)

    arguments = {"y_true": ("[1, 2]", "(B,)"), "y_pred": ("[-0.99, 0.99]", "(B,)")}
    report = _check(quotient, arguments, "LC107")
    assert not any("gradient is 0," in f.message for f in found(report, "LC107"))


def test_the_value_of_a_choice_among_equal_logits_is_not_lost() -> None:
    arguments = {"y_true": ("one_hot", "(B, 4)"), "y_pred": ("logits", "(B, 4)")}
    report = _check(wild.hard_choice, arguments, "LC1", "LC3", "LC503")
    assert errors(report) == []
    assert found(report, "LC101", "warning", "tf.stop_gradient")
    assert found(report, "LC105", "warning", "tf.argmax")


# Where both are flat, float32 takes numbers for equal that are not: their tie is no lost digit.
@pytest.mark.parametrize(
    ("loss", "seed"),
    [
        (wild.levels_apart, 2),
        (wild.excess_of_size, 0),
        pytest.param(wild.excess_of_size, 3, marks=pytest.mark.slow),
    ],
)
def test_what_rounding_makes_equal_near_a_tie_has_the_slope_of_the_tie(
    loss: Any, seed: int
) -> None:
    given = ("[-1, 1]", "(B, 4)")
    arguments = {"y_true": given, "y_pred": given}
    report = losscheck.check(loss, arguments=arguments, select=["LC302"], seed=seed)
    assert not found(report, "LC302")


# 1e6 + 0.003 is 1e6 in float32, far from where labels and predictions are equal.
@pytest.mark.parametrize("loss", [wild.apart_far_from_zero, wild.excess_far_from_zero])
def test_a_difference_that_has_lost_its_digits_is_no_tie(loss: Any) -> None:
    assert found(_pair(loss, "LC302", given=("[-1, 1]", "(B,)")), "LC302", "error")


# Where a whole image is flat, windows choose one by one, and some pair stays near when all move.
@pytest.mark.slow
@pytest.mark.parametrize(
    "loss", [wild.range_of_pools, pytest.param(wild.opened_image, marks=pytest.mark.slow)]
)
def test_windows_that_tie_all_at_once_are_no_wrong_gradient(loss: Any) -> None:
    report = _pair(loss, "LC101", given=("real", "(B, 3, 3, 2)"))
    assert errors(report) == []
    assert found(report, "LC101", "warning") or not report.findings


@pytest.mark.slow
def test_a_pool_that_is_differentiated_wrongly_is_an_error() -> None:
    report = _pair(wild.doubled_pool, "LC101", given=("real", "(B, 3, 3, 1)"))
    assert found(report, "LC101", "error")
