"""What a fourth set of losses of public projects showed, none of which had been seen before."""

from __future__ import annotations

from typing import Any

import pytest

import losscheck
from losscheck.model import LossReport
from tests.verdicts import errors, found
from tests.wild import markets_losses as wild

QUICK = ("LC201", "LC202", "LC203", "LC204")


def _check(loss: Any, *select: str, **arguments: Any) -> LossReport:
    report = losscheck.check(loss, arguments=arguments, select=select or QUICK)
    assert not report.faults
    return report


def test_what_is_right_to_be_too_large_to_train_with_is_a_note() -> None:
    # Its squares overflow where the loss is right to be above 1e35: Adam squares slopes, and the
    # square of one above the root of 3.4e38 is no float32 number.
    report = _check(wild.by_factor, y_true=("real", "(B, 2)"), y_pred=("real", "(B, 5)"))
    assert errors(report) == []
    assert found(report, "LC202", "note")


def test_what_overflows_on_the_way_to_a_usable_number_is_an_error() -> None:
    report = _check(wild.squared_too_early, y_true=("real", "(B, 3)"), y_pred=("real", "(B, 3)"))
    assert found(report, "LC202", "error", "1e12) / 1e24")


@pytest.mark.slow
def test_a_least_of_nothing_is_told_on_its_line_within_a_loop() -> None:
    declared = {"y_true": ("binary", "(B, 3)"), "y_pred": ("probability", "(B, 3)")}
    (told,) = found(_check(wild.nearest_marked, "LC201", **declared), "LC201", "error")
    assert told.location is not None
    assert told.location.source.strip() == "near = tf.reduce_min(marked, axis=1)"
    # The least of no numbers is Inf (TensorFlow's documentation), and 0 * Inf is NaN.
    assert told.cause.startswith("Of no elements the smallest is Inf")
    assert (told.inputs["y_true"] <= 0.5).all(axis=-1).any()


@pytest.mark.slow
def test_a_least_of_what_is_marked_and_a_largest_distance_is_sound() -> None:
    declared = {"y_true": ("binary", "(B, 3)"), "y_pred": ("probability", "(B, 3)")}
    assert errors(_check(wild.nearest_or_far, "LC201", **declared)) == []


def test_what_xla_dies_of_is_examined_and_told() -> None:
    report = _check(
        wild.cumulated,
        "LC201",
        "LC503",
        "LC506",
        y_true=("simplex", "(B, 3)"),
        y_pred=("simplex", "(B, 3)"),
    )
    assert errors(report) == []
    assert any("nothing was run under XLA" in note for note in report.notes)
    checked = losscheck.check(wild.cumulated, modes=("eager", "graph"), select=("LC201",))
    assert not any("XLA" in note for note in checked.notes)
