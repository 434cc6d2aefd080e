"""What is left out of a prediction, and what belongs to a batch and to no sample of it."""

from __future__ import annotations

from typing import Any

import pytest

import losscheck
from losscheck.model import LossReport
from tests.verdicts import codes, errors, found
from tests.wild import parts_losses as wild


def _check(loss: Any, y_true: Any, y_pred: Any, *select: str) -> LossReport:
    return losscheck.check(loss, arguments={"y_true": y_true, "y_pred": y_pred}, select=select)


VOLUME = "(B, 2, 3, 3, 2)"


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred", "shape", "line", "part"),
    [
        # Of the columns of a volume the first two: of three, one gets nothing.
        (wild.two_channels, "one_hot", "simplex", VOLUME, "p[:, :, :, 0]", "[:, :, :, -1]"),
        (wild.three_colours, "[0, 1]", "[0, 1]", "(B, 3, 3, 4)", "colour", "[:, :, :, -1]"),
        (wild.one_pair, "real", "real", "(B, 4)", "y_pred[:, :2]", "y_pred[:, 2:]"),
    ],
)
def test_a_part_that_the_labels_hold_and_the_loss_never_looks_at_is_an_error(
    loss: Any, y_true: str, y_pred: str, shape: str, line: str, part: str
) -> None:
    report = _check(loss, (y_true, shape), (y_pred, shape), "LC102")
    [finding] = found(report, "LC102", "error", line)
    assert part in finding.message


def test_samples_that_are_never_looked_at_are_an_error_whatever_was_guessed() -> None:
    report = losscheck.check(wild.first_of_batch, select=["LC102"])
    assert "y_pred[1:]" in found(report, "LC102", "error", "y_pred[0]")[0].message


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred"),
    [
        (wild.two_channels_twin, ("one_hot", VOLUME), ("simplex", VOLUME)),
        (wild.without_background, ("one_hot", "(B, 3, 3, 4)"), ("simplex", "(B, 3, 3, 4)")),
        (wild.picked, ("class_index", "(B,)"), ("logits", "(B, C)")),
    ],
)
def test_what_all_get_in_some_case_is_not_told(loss: Any, y_true: Any, y_pred: Any) -> None:
    assert not found(_check(loss, y_true, y_pred, "LC102"), "LC102")


def test_the_end_of_a_sequence_is_a_note() -> None:
    shape = ("real", "(B, T, 2)")
    assert codes(_check(wild.next_step, shape, shape, "LC102"), "note") == {"LC102"}


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred", "line"),
    [
        (wild.last_step, "(B, D)", "(B, T, D)", "y_pred[:, -1]"),
        (wild.gated, "(B, 2)", "(B, 3)", "y_pred[..., 0] > 0.5"),
    ],
)
def test_what_no_label_asks_for_is_a_warning(
    loss: Any, y_true: str, y_pred: str, line: str
) -> None:
    report = _check(loss, ("real", y_true), ("real", y_pred), "LC1")
    assert errors(report) == []
    assert found(report, "LC102", "warning", line)
    # Of the rest of the prediction the other rules still speak.
    assert {c.code for c in report.checks if c.reason == "see LC102"} == set()


@pytest.mark.parametrize("loss", [wild.three_colours, wild.one_pair, wild.last_step])
def test_a_guessed_width_is_blamed_before_the_loss(loss: Any) -> None:
    assert not found(losscheck.check(loss, select=["LC102"]), "LC102")


@pytest.mark.parametrize(
    "loss", [wild.overlap_and_entropy, wild.error_and_penalty, wild.above_the_mean]
)
def test_of_coupled_samples_no_weight_is_judged(loss: Any) -> None:
    report = losscheck.check(loss, select=["LC403", "LC602"])
    assert codes(report, "note") == {"LC403"}
    [check] = [c for c in report.checks if c.code == "LC602"]
    assert (check.outcome, "depend on each other" in check.reason) == ("skip", True)
