"""What is found, and what is not alarmed, of losses of which nobody declares anything."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("tensorflow")

import losscheck
from losscheck.infer import infer
from losscheck.targets import from_callable
from tests.verdicts import codes, errors, found
from tests.wild import undeclared_losses as losses


@pytest.mark.parametrize(
    ("loss", "label", "prediction"),
    [
        (losses.steps_of_sixteen_rows, "(B, 7, D)", "(B, 7, D)"),
        (losses.cells_of_four_images, "(B, 2, 2, C)", "(B, 2, 2, C)"),
        (losses.cells_of_any_images, "(B, 2, 2, C)", "(B, 2, 2, C)"),
        (losses.along_rays, "(B, 7, 9, 2)", "(B, 7, 9, 2)"),
        (losses.interval, "(B, 1)", "(B, 2)"),
        (losses.scaled_distance, "(B, 1)", "(B, 2)"),
        (losses.share_of_power, "(B, D)", "(B, D)"),
        (losses.worst_returns, "(B, T, D)", "(B, D)"),
        (losses.nearest_of_many, "(B, T, D)", "(B, D)"),
        (losses.second_differences, "(B, H, W, 1)", "(B, H, W, 1)"),
        (losses.edges_of_shades, "(B, H, W, 1)", "(B, H, W, 1)"),
        (losses.cells_of_names, "(B, 2)", "(B, H, W, C)"),
        (losses.cells_of_one_name, "(B, K)", "(B, H, W, C)"),
        (losses.centre_of_heat, "(B, K, 2)", "(B, K, N, N)"),
    ],
)
def test_sizes_are_followed_from_one_message_to_the_next(
    loss: Any, label: str, prediction: str
) -> None:
    made = infer(from_callable(loss), {}, home=".", base=".")
    assert made.error is None
    assert tuple(a.shape for a in made.spec.arguments) == (label, prediction)


def test_windows_that_do_not_fit_make_the_axis_longer() -> None:
    made = infer(from_callable(losses.share_of_power), {}, home=".", base=".")
    assert made.spec.sizes["D"] >= 32


# A batch of two is refused by a table for 16 rows or 4 images; a batch of 16 or 4 is not.
@pytest.mark.parametrize(
    ("loss", "line"),
    [(losses.steps_of_sixteen_rows, "weights *"), (losses.cells_of_four_images, "tf.repeat")],
)
def test_a_batch_that_alone_runs_is_an_error(loss: Any, line: str) -> None:
    assert found(losscheck.check(loss, select=["LC402"]), "LC402", "error", line)


@pytest.mark.parametrize("loss", [losses.steps_of_any_batch, losses.cells_of_any_images])
def test_any_batch_is_none(loss: Any) -> None:
    assert not errors(losscheck.check(loss, select=["LC402"]))


# Weights 1 and 3 of two samples give another number than the mean of the weighted losses.
@pytest.mark.parametrize("loss", [losses.weights_inside_a_sigmoid, losses.weights_on_the_errors])
def test_what_is_named_as_keras_names_weights_of_samples_must_weigh_them(loss: Any) -> None:
    assert codes(losscheck.check(loss, select=["LC602"]), "error") == {"LC602"}


def test_another_name_is_worth_a_warning() -> None:
    report = losscheck.check(losses.mask_on_the_errors, select=["LC602"])
    assert codes(report, "error", "warning") == {"LC602"}
    assert not errors(report)


def test_weights_of_samples_that_weigh_them_are_none() -> None:
    assert not losscheck.check(losses.weights_outside, select=["LC602"]).findings


# At a spread of 0 it is NaN or infinite; whether one ever comes nobody said.
@pytest.mark.slow
def test_a_spread_of_zero_is_no_error_where_nobody_declared_one() -> None:
    report = losscheck.check(losses.scaled_distance, select=["LC2"])
    assert codes(report, "warning")
    assert not errors(report)


def test_a_spread_of_zero_is_an_error_where_it_is_declared() -> None:
    declared: Any = {"y_true": ("real", "(B, 1)"), "y_pred": (["real", "nonnegative"], "(B, 2)")}
    report = losscheck.check(losses.scaled_distance, arguments=declared, select=["LC2"])
    assert errors(report)


@pytest.mark.parametrize("loss", [losses.seen_from_elsewhere, losses.apart_by_covariance])
def test_a_matrix_a_sample_is_one_of_the_shapes_of_an_input(loss: Any) -> None:
    made = infer(from_callable(loss), {}, home=".", base=".")
    assert made.error is None
    assert [a.shape for a in made.spec.arguments if a.role == "input"] == ["(B, 3, 3)"]


@pytest.mark.parametrize(
    ("loss", "unfit"), [(losses.rows_beside_a_column, True), (losses.rows_beside_rows, False)]
)
def test_samples_that_meet_others_in_the_best_layout_are_told(loss: Any, unfit: bool) -> None:
    assert infer(from_callable(loss), {}, home=".", base=".").spec.unfit is unfit


# Both sum over the samples of each class, axis 0: of a column of labels that is no sum of samples.
@pytest.mark.parametrize("loss", [losses.balance_of_classes, losses.middle_of_each_class])
def test_a_column_of_labels_is_a_warning_where_axes_are_those_of_a_vector(loss: Any) -> None:
    report = losscheck.check(loss, select=["LC401"])
    assert not errors(report)
    [finding] = found(report, "LC401", "warning")
    assert "nobody declared the shape of y_true" in finding.cause


def test_a_column_of_labels_is_an_error_where_each_sample_has_a_loss_of_its_own() -> None:
    report = losscheck.check(losses.share_of_the_right_class, select=["LC401"])
    assert found(report, "LC401", "error")


# The widths are those of columns of their own beside a mean: they end at 0, where it is infinite.
@pytest.mark.parametrize("loss", [losses.normal_by_columns, losses.laplace_by_columns])
def test_a_spread_that_may_end_above_zero_is_no_error(loss: Any) -> None:
    made = infer(from_callable(loss), {}, home=".", base=".")
    prediction = made.spec.prediction
    assert "nonnegative" in prediction.domain
    assert all("positive" in other for other in prediction.plausible)


def test_samples_that_meet_others_at_every_batch_are_an_error() -> None:
    report = losscheck.check(losses.lead_over_the_rivals, select=["LC401"])
    assert found(report, "LC401", "error", "rivals")


# Of reals half are below 0, where the logarithm is of a negative density.
@pytest.mark.parametrize(
    ("loss", "domain"),
    [
        (losses.density_over_a_floor, "[positive, real]"),
        (losses.densities_over_a_floor, "[real, real, real, positive, positive, positive]"),
    ],
)
def test_a_spread_alone_is_above_zero_where_reals_are_not_finite(loss: Any, domain: str) -> None:
    made = infer(from_callable(loss), {}, home=".", base=".")
    assert made.spec.prediction.domain == domain
