"""Whatever TensorFlow differentiates is checked: no fault of ours, no error on what is sound.

What a loss should give stands beside it; those without a word are sound on the domains declared.
"""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf

import losscheck
from losscheck.model import LossReport
from tests.verdicts import errors, found
from tests.wild import breadth_layers_losses as layers
from tests.wild import breadth_losses as wild

DECLARED = {**wild.DECLARED, **layers.DECLARED}
WIDE = ("real", "(B, 192)")
SMALL = ("[-2, 2]", "(B, 3)")
PART = ("[0, 1]", "(B, 3)")
SIGNAL = ("[-1, 1]", "(B, 8)")


def _check(loss: Any, *select: str, **arguments: Any) -> LossReport:
    made = loss() if isinstance(loss, type) else loss
    report = losscheck.check(made, arguments=arguments, select=select)
    assert not report.faults
    return report


def _declared(loss: Any, *select: str) -> LossReport:
    y_true, y_pred = DECLARED[loss]
    return _check(loss, *select, y_true=y_true, y_pred=y_pred)


@pytest.mark.slow
@pytest.mark.parametrize("loss", DECLARED, ids=lambda loss: loss.__name__)
def test_a_sound_loss_of_any_kind_has_no_error(loss: Any) -> None:
    report = _declared(loss)
    assert errors(report) == []
    assert report.verdict == "pass"


@pytest.mark.parametrize(
    "loss",
    [wild.spectrum, wild.smoothed_by_scan, wild.curvature, layers.RunningScale],
    ids=lambda loss: loss.__name__,
)
def test_gradients_of_these_are_verified(loss: Any) -> None:
    report = _declared(loss, "LC101", "LC2")
    assert errors(report) == []
    assert report.verdict == "pass"
    assert report.gradient is not None
    assert report.gradient.points > 500


def test_python_that_keeps_to_float32_is_not_looked_at_in_more_digits() -> None:
    report = _check(layers.python_beside_lost_digits, "LC101", "LC3", y_true=PART, y_pred=PART)
    assert errors(report) == []


@pytest.mark.parametrize("declared", [{}, {"y_true": wild.SMALL, "y_pred": wild.SMALL}])
def test_no_kernel_is_handed_ranks_that_end_the_process(declared: Any) -> None:
    # The shapes are found, or that the call raises is told; either way the process goes on.
    report = _check(layers.convolved, "LC1", "LC402", "LC9", **declared)
    assert report.verdict == ("fail" if declared else "pass")


def test_a_loss_is_first_run_on_numbers_of_the_declared_domain() -> None:
    # The logarithm of less than 1 is not finite, and what holds NaN has no inverse.
    report = _check(layers.solved_by_rows, "LC501", y_true=("[3, 4]", "(B, 3)"), y_pred=SMALL)
    assert report.verdict == "pass"


@pytest.mark.parametrize(
    "loss",
    [
        wild.log_spectrum,
        pytest.param(wild.log_power_of_frames, marks=pytest.mark.slow),
        pytest.param(wild.log_cosines, marks=pytest.mark.slow),
    ],
)
def test_the_logarithm_of_silence_is_an_error(loss: Any) -> None:
    # The spectrum of nothing is 0, and log(0) is no number: so it is in any precision.
    report = _check(loss, "LC202", y_true=SIGNAL, y_pred=SIGNAL)
    assert found(report, "LC202", "error", "tf.math.log")


@pytest.mark.parametrize(
    "loss",
    [wild.floored_log_spectrum, pytest.param(wild.floored_log_cosines, marks=pytest.mark.slow)],
)
def test_with_a_floor_it_is_none(loss: Any) -> None:
    assert errors(_check(loss, "LC2", y_true=SIGNAL, y_pred=SIGNAL)) == []


@pytest.mark.parametrize(
    "loss",
    [
        wild.squared_error,
        layers.frozen_network,
        pytest.param(wild.huge_margin, marks=pytest.mark.slow),
    ],
)
def test_what_is_too_wide_for_a_ladder_of_each_number_is_checked_weighted(loss: Any) -> None:
    report = _check(loss, "LC101", y_true=WIDE, y_pred=WIDE)
    assert report.verdict == "pass"


@pytest.mark.parametrize(
    "loss",
    [
        wild.boxes_and_class,
        wild.value_and_class,
        pytest.param(wild.row_of_a_table, marks=pytest.mark.slow),
    ],
)
def test_a_column_that_is_a_class_beside_numbers_is_no_layout_of_classes(loss: Any) -> None:
    assert errors(_check(loss, "LC401", "LC402")) == []


def test_nothing_is_left_in_what_a_loss_assigns() -> None:
    loss = layers.Counted()
    y_true, y_pred = layers.DECLARED[layers.Counted]
    report = _check(loss, "LC1", "LC2", "LC5", y_true=y_true, y_pred=y_pred)
    assert errors(report) == []
    assert float(tf.convert_to_tensor(loss.steps)) == 0.0
    assert layers.seen.numpy() == 0.0


def test_a_mean_of_predictions_in_a_variable_is_told_of_and_no_error() -> None:
    # TensorFlow sends no gradient through a variable, whatever it was assigned.
    report = _check(layers.RunningMean, "LC1", "LC2", y_true=wild.SMALL, y_pred=wild.SMALL)
    assert errors(report) == []
    assert any("variable" in f.message for f in found(report, "LC101", "warning"))
