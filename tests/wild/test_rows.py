"""What losses are taken for that take columns by number, and what is said of numbers far away.

A box's corners, a mean beside scales and a quaternion have four numbers in their last axis: the
loss of a sample is one number then. Products of several numbers overflow where each is below a
billion, but it is a guess that predictions nobody limited go there; that they reach 89 is none.
"""

from __future__ import annotations

import functools
from typing import Any

import pytest

pytest.importorskip("tensorflow")

import losscheck
from losscheck.model import Argument
from tests.desks import desk
from tests.verdicts import errors, found
from tests.wild import rows_losses as losses

IMAGES = dict.fromkeys(("y_true", "y_pred"), ("real", "(B, 4, 5, 2)"))
FINITE = ["LC201", "LC202", "LC203", "LC204"]


@functools.cache
def _arguments(loss: Any) -> tuple[Argument, ...]:
    return desk(loss).evidence.spec.arguments


def _slow(*some: Any) -> list[Any]:
    """Losses of a kind of which another one is in the quick tests."""
    return [pytest.param(loss, marks=pytest.mark.slow) for loss in some]


@pytest.mark.parametrize(
    ("loss", "shapes"),
    [
        (losses.overlap_and_aspect, ("(B, 4)", "(B, 4)")),
        (losses.mean_and_three_scales, ("(B, 1)", "(B, 4)")),
        (losses.quaternion, ("(B, 4)", "(B, 4)")),
    ],
)
def test_columns_by_number_are_of_the_last_axis(loss, shapes):
    assert tuple(a.shape for a in _arguments(loss)) == shapes


def test_corners_by_number_make_a_box():
    assert {a.domain for a in _arguments(losses.overlap_and_aspect)} == {"box of x2, x1, y2, y1"}


@pytest.mark.parametrize(
    "loss",
    [losses.log_of_eighth_power, *_slow(losses.log_of_scanned_product, losses.log_of_product)],
)
def test_what_overflows_far_away_is_a_warning_that_names_the_domain(loss):
    report = losscheck.check(loss, select=FINITE)
    assert errors(report) == []
    (far,) = found(report, "LC202", "warning")
    assert "in real; declare the domain" in far.cause


def test_declared_it_is_an_error():
    declared = dict.fromkeys(("y_true", "y_pred"), ("real", "(B, D)"))
    report = losscheck.check(losses.log_of_eighth_power, arguments=declared, select=FINITE)
    assert found(report, "LC202", "error")


def test_what_overflows_near_by_is_an_error_undeclared():
    assert found(losscheck.check(losses.log_of_cosh, select=FINITE), "LC202", "error")


@pytest.mark.parametrize(
    "loss",
    [
        losses.smaller,
        *_slow(losses.of_two_scales, losses.larger, losses.smoothed, losses.of_many_neighbours),
    ],
)
def test_the_gradient_of_a_resized_image_is_verified(loss):
    report = losscheck.check(loss, arguments=IMAGES, select=["LC101"])
    assert report.verdict == "pass"
    assert report.gradient is not None


def test_a_wrong_gradient_before_a_resized_image_is_found():
    report = losscheck.check(losses.resized_with_half_the_slope, arguments=IMAGES, select=["LC101"])
    assert found(report, "LC101", "error")


MATRICES = dict.fromkeys(("y_true", "y_pred"), ("[-2, 2]", "(B, 2, 2)"))


@pytest.mark.parametrize(
    "loss", [losses.factor_of_outputs, *_slow(losses.likelihood_of_covariance)]
)
def test_the_gradient_of_a_cholesky_factor_is_right_for_symmetric_matrices(loss):
    # A change of the upper triangle alone changes nothing; TensorFlow's gradient has half of the
    # lower triangle's slope in each of the two.
    report = losscheck.check(loss, arguments=MATRICES, select=["LC101"])
    assert errors(report) == []
    (told,) = found(report, "LC101", "warning", "tf.linalg.cholesky")
    assert "symmetric" in told.message
    assert "tf.linalg.matrix_transpose" in told.fix


@pytest.mark.parametrize("loss", [losses.factor_of_mirrored_outputs, *_slow(losses.logdet_of_gram)])
def test_the_gradient_of_a_factor_of_symmetric_matrices_is_verified(loss):
    report = losscheck.check(loss, arguments=MATRICES, select=["LC101"])
    assert report.verdict == "pass"
    assert not report.findings


def test_a_wrong_gradient_before_a_factor_is_found():
    report = losscheck.check(
        losses.factor_with_half_the_slope, arguments=MATRICES, select=["LC101"]
    )
    assert found(report, "LC101", "error")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("loss", "shape"),
    [(losses.squeezed_over_the_batch, "(B, T, 1)"), (losses.over_one_more, "(B, D)")],
)
def test_a_sample_that_is_another_one_alone_depends_on_no_other(loss, shape):
    # Where (1, T, 1) loses its first axis, too, what was a sum over T is a mean.
    told = _of_batches(loss, shape)
    assert "A sample alone has another loss" in told["LC403"]
    assert "depend on each other" not in told["LC602"]


def test_samples_beside_their_mean_depend_on_each_other():
    told = _of_batches(losses.against_the_mean, "(B, D)")
    assert "depends on the other samples" in told["LC403"]
    assert "depend on each other" in told["LC602"]


def test_an_axis_that_is_named_keeps_the_batch():
    assert "LC403" not in _of_batches(losses.squeezed_by_its_axis, "(B, T, 1)")


def _of_batches(loss: Any, shape: str) -> dict[str, str]:
    """What is said of samples in batches, by code: the message, or why there is none."""
    arguments = dict.fromkeys(("y_true", "y_pred"), ("real", shape))
    report = losscheck.check(loss, arguments=arguments, select=["LC403", "LC602"])
    return {c.code: c.reason for c in report.checks if c.reason} | {
        f.code: f.message for f in report.findings
    }


REAL = dict.fromkeys(("y_true", "y_pred"), ("real", "(B, 2, 2)"))


@pytest.mark.parametrize("loss", [losses.solved, *_slow(losses.sign_and_log_of_determinant)])
def test_cases_on_which_a_kernel_raises_keep_no_other_from_being_judged(loss):
    report = losscheck.check(loss, arguments=REAL, select=["LC101", "LC2"])
    assert not report.faults
    assert found(report, "LC101") == []
    assert report.gradient is not None
    assert report.gradient.points > 100
    assert any("an operation raises on them" in note for note in report.notes)


@pytest.mark.slow
def test_a_wrong_gradient_beside_them_is_found():
    report = losscheck.check(losses.solved_with_half_the_slope, arguments=REAL, select=["LC101"])
    assert found(report, "LC101", "error")
