"""The further twenty losses of public projects, and the kinds that went wrong with them."""

from __future__ import annotations

from typing import Any

import pytest

import losscheck
from benchmarks.stability_projects import look
from losscheck.infer import infer
from losscheck.targets import from_callable
from tests.verdicts import errors, found
from tests.wild import further_losses as wild
from tests.wild.projects import geometry, scores, sequences
from tests.wild.projects.truth import Truth
from tests.wild.projects.verify import FURTHER

PAIR = ("real", "(B, 2)")


def _arguments(loss: Any) -> list[Any]:
    return [*infer(from_callable(loss), {}, home=".", base=".").spec.arguments]


@pytest.mark.slow
@pytest.mark.parametrize("truth", FURTHER, ids=lambda truth: truth.name)
def test_what_is_said_of_a_declared_loss_is_true(truth: Truth) -> None:
    judged = look(truth, declared=True)
    assert (judged.alarms, judged.own) == ((), "")
    assert judged.found is not False


# The labels of one column stand first: their axis of one is not the letter that is widened.
@pytest.mark.parametrize(
    "loss", [wild.mean_and_width, scores.heading_and_concentration, sequences.next_event]
)
def test_two_columns_are_found_beside_labels_of_one(loss: Any) -> None:
    assert [a.shape for a in _arguments(loss)] == ["(B, 1)", "(B, 2)"]


@pytest.mark.parametrize(
    ("loss", "side"),
    [(wild.image_made_flat, 7), pytest.param(geometry.warped_frame, 6, marks=pytest.mark.slow)],
)
def test_an_image_that_is_made_flat_has_the_side_whose_square_is_asked_for(
    loss: Any, side: int
) -> None:
    assert {a.shape.rpartition(",")[0] for a in _arguments(loss)} == {f"(B, {side}, {side}"}


@pytest.mark.parametrize("loss", [wild.gamma_and_share, scores.zero_inflated_counts])
def test_what_is_plausible_of_rows_is_not_of_a_column(loss: Any) -> None:
    assert _arguments(loss)[1].plausible == ("[nonnegative, positive, probability]",)


@pytest.mark.slow
def test_a_gradient_that_has_no_digits_in_float64_is_not_called_wrong() -> None:
    given: dict[str, Any] = dict.fromkeys(("y_true", "y_pred"), PAIR)
    right = losscheck.check(wild.rate_over_time, arguments=given, select=["LC101"])
    assert errors(right) == []
    wrong = losscheck.check(wild.rate_with_a_wrong_slope, arguments=given, select=["LC101"])
    assert found(wrong, "LC101", "error")


def test_a_tie_beside_a_weight_that_is_held_is_no_error() -> None:
    given: dict[str, Any] = dict.fromkeys(("y_true", "y_pred"), ("real", "(B, D)"))
    report = losscheck.check(wild.held_beside_a_tie, arguments=given, select=["LC101"])
    assert errors(report) == []
    assert found(report, "LC101", "warning", "tf.stop_gradient")


@pytest.mark.parametrize(("loss", "told"), [(wild.surest, True), (wild.shares_apart, False)])
def test_shares_are_right_where_they_are_those_of_the_label(loss: Any, told: bool) -> None:
    given: dict[str, Any] = dict.fromkeys(("y_true", "y_pred"), ("simplex", "(B, C)"))
    report = losscheck.check(loss, arguments=given, select=["LC108"])
    assert bool(found(report, "LC108", "warning")) is told


def test_an_infinity_that_is_written_is_blamed_on_what_takes_it() -> None:
    given: dict[str, Any] = dict.fromkeys(("y_true", "y_pred"), ("real", "(B, D)"))
    report = losscheck.check(wild.no_way_to_the_end, arguments=given, select=["LC202"])
    finding = found(report, "LC202", "error", "tf.fill")[0]
    assert "written in the code" in finding.cause
    assert "finite" not in finding.cause.replace("infinite", "")
