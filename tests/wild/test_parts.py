"""What is left out of a prediction, and what belongs to a batch and to no sample of it."""

from __future__ import annotations

from typing import Any

import pytest

import losscheck
from losscheck.model import LossReport
from tests.verdicts import codes, errors, found
from tests.wild import parts_losses as wild

SLOW = pytest.mark.slow  # further variants of a kind


def _check(loss: Any, y_true: Any, y_pred: Any, *select: str) -> LossReport:
    return losscheck.check(loss, arguments={"y_true": y_true, "y_pred": y_pred}, select=select)


VOLUME = "(B, 2, 3, 3, 2)"


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred", "shape", "line", "part"),
    [
        # Of the columns of a volume the first two: of three, one gets nothing.
        (wild.two_channels, "one_hot", "simplex", VOLUME, "p[:, :, :, 0]", "[:, :, :, -1]"),
        (wild.three_colours, "[0, 1]", "[0, 1]", "(B, 3, 3, 4)", "colour", "[:, :, :, -1]"),
        pytest.param(
            wild.one_pair, "real", "real", "(B, 4)", "y_pred[:, :2]", "y_pred[:, 2:]", marks=SLOW
        ),
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


@pytest.mark.parametrize("loss", [wild.one_pair, wild.last_step])
def test_a_guessed_width_is_blamed_before_the_loss(loss: Any) -> None:
    assert not found(losscheck.check(loss, select=["LC102"]), "LC102")


@pytest.mark.parametrize(
    "loss",
    [
        wild.overlap_and_entropy,
        wild.error_and_penalty,
        pytest.param(wild.above_the_mean, marks=pytest.mark.slow),
    ],
)
def test_of_coupled_samples_no_weight_is_judged(loss: Any) -> None:
    report = losscheck.check(loss, select=["LC403", "LC602"])
    assert codes(report, "note") == {"LC403"}
    [check] = [c for c in report.checks if c.code == "LC602"]
    assert (check.outcome, "depend on each other" in check.reason) == ("skip", True)


@pytest.mark.parametrize(
    ("loss", "line"),
    [
        (wild.Decorrelated, "/ (n - 1.0)"),
        pytest.param(wild.beside_the_others, "/ (n - 1.0)", marks=SLOW),
        pytest.param(wild.unbiased, "/ (n - 1.0)", marks=SLOW),
    ],
)
def test_a_batch_of_one_is_judged_at_its_usual_width(loss: Any, line: str) -> None:
    # (x - x) * (x - x) / (1 - 1) is 0 / 0 for one sample, whatever its width.
    report = losscheck.check(loss, select=["LC201"])
    [finding] = found(report, "LC201", "error", line)
    assert finding.inputs["y_pred"].shape == (1, 3)


@pytest.mark.slow
def test_a_count_that_is_guarded_leaves_a_batch_of_one_finite() -> None:
    assert errors(losscheck.check(wild.beside_the_others_twin, select=["LC2"])) == []


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred"),
    [
        (wild.total_of_batch, "(B,)", "(B,)"),
        pytest.param(wild.mean_without_axis, "(B,)", "(B, D)", marks=SLOW),
        (wild.LargestOfAll, "(B, D)", "(B, D)"),
    ],
)
def test_one_number_of_a_batch_against_each_label_is_broadcast(
    loss: Any, y_true: str, y_pred: str
) -> None:
    report = _check(loss, ("real", y_true), ("real", y_pred), "LC401")
    assert "one number" in found(report, "LC401", "error")[0].message


@pytest.mark.parametrize(
    "loss",
    [
        wild.total_of_batch,
        wild.concordance,
        wild.over_the_largest,
        wild.against_the_mean_label,
        wild.total_of_sample,
        wild.each_against_the_mean,
    ],
)
def test_normalisers_of_a_batch_are_meant(loss: Any) -> None:
    wrong = loss is wild.total_of_batch
    assert bool(errors(losscheck.check(loss, select=["LC4"]))) is wrong


@pytest.mark.slow
def test_an_error_that_needs_labels_nobody_declared_is_a_warning() -> None:
    # 0 ** (2 - 3) is infinite; of labels in [0, 1], which these may be confined to, nothing is.
    guessed = losscheck.check(wild.heated_labels, select=["LC202"])
    assert errors(guessed) == []
    [finding] = found(guessed, "LC202", "warning")[:1]
    assert "This needs y_true in real; declare the domain if it is so." in finding.cause
    known = _check(wild.heated_labels, ("real", "(B, D)"), ("real", "(B, D)"), "LC202")
    assert found(known, "LC202", "error")


@pytest.mark.slow
def test_a_guard_that_numbers_of_either_sign_pass_by_tells_what_its_author_thought_of() -> None:
    # The mean is -1e-7 for some numbers of either sign, and then it is divided by 0.
    assert errors(losscheck.check(wild.over_the_mean, select=["LC2"])) == []
    known = _check(wild.over_the_mean, ("real", "(B, D)"), ("real", "(B, D)"), "LC2")
    assert any(f.severity == "error" for f in known.findings)


BITS, CHANCES = ("binary", "(B, D)"), ("probability", "(B, D)")


@pytest.mark.parametrize(
    ("loss", "line"),
    [
        (wild.SmoothedFirst, "tf.equal(y_true, 1.0)"),
        (wild.counted_from_one, "shifted > 0.5"),
    ],
)
def test_a_comparison_that_labels_never_pass_is_told(loss: Any, line: str) -> None:
    [finding] = found(_check(loss, BITS, CHANCES, "LC109"), "LC109", "warning", line)
    assert f"{line} is false in all" in finding.message


def test_a_needless_guard_of_the_prediction_is_a_note() -> None:
    assert found(_check(wild.clipped_twice, BITS, CHANCES, "LC109"), "LC109", "note", "p <= 0.0")


@pytest.mark.parametrize(
    ("loss", "y_true"),
    [
        (wild.SmoothedLast, BITS),
        (wild.signs, BITS),
        (wild.unknown_left_out, CHANCES),
        (wild.share_of_hits, ("one_hot", "(B, D)")),
    ],
)
def test_guards_of_what_the_domains_leave_out_are_meant(loss: Any, y_true: Any) -> None:
    assert not found(_check(loss, y_true, CHANCES, "LC109"), "LC109")


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred"),
    [
        (wild.weighted_agreement, ("one_hot", "(B, 3)"), ("simplex", "(B, 3)")),
        pytest.param(wild.correlation, ("binary", "(B,)"), ("probability", "(B,)"), marks=SLOW),
        pytest.param(
            wild.distance_beside_chance, ("binary", "(B,)"), ("probability", "(B,)"), marks=SLOW
        ),
    ],
)
def test_a_batch_of_one_class_teaches_nothing(loss: Any, y_true: Any, y_pred: Any) -> None:
    report = _check(loss, y_true, y_pred, "LC103")
    assert errors(report) == []
    dead = [finding.inputs["y_true"] for finding in found(report, "LC103", "warning")]
    assert dead
    assert all((rows == rows[:1]).all() for rows in dead)


@pytest.mark.slow
def test_the_constant_statistics_of_one_sample_are_no_dead_loss() -> None:
    assert errors(losscheck.check(wild.against_the_mean_label, select=["LC103"])) == []


SCORES = ("logits", "(B, D)")


@pytest.mark.parametrize(
    ("loss", "line"),
    [
        (wild.ranked, "rest + 1e-10"),
        pytest.param(wild.ranked_above, "tf.maximum(rest, 1e-8)", marks=SLOW),
        (wild.margin_by_hand, "tf.exp(-margin) + 1e-6"),
    ],
)
def test_a_constant_in_a_logarithm_that_makes_right_predictions_costly_is_told(
    loss: Any, line: str
) -> None:
    [finding] = found(_check(loss, BITS, SCORES, "LC108"), "LC108", "warning", line)
    assert "sure and right" in finding.message


def test_a_constant_that_caps_the_loss_of_a_smoothed_label_is_meant() -> None:
    assert not found(_check(wild.smoothed, BITS, SCORES, "LC108"), "LC108")


@pytest.mark.slow
def test_windows_leave_out_a_rest_and_no_part() -> None:
    # Windows of 8 every 4 of 14 numbers reach 12; of 16 they reach 12 too, and of 29 they reach 28.
    shape = ("real", "(B, 14)")
    report = _check(wild.windowed, shape, shape, "LC102")
    assert codes(report, "error", "warning", "note") == {"LC102"}
    assert errors(report) == []


def test_squared_weights_are_told_where_nobody_declares_them() -> None:
    report = losscheck.check(wild.weighted_twice, select=["LC602"])
    assert found(report, "LC602", "error", "sample_weight[:, None]")


@pytest.mark.slow
def test_a_loss_without_a_finite_batch_is_no_fault_of_ours() -> None:
    report = losscheck.check(wild.positives_by_hand, select=["LC201", "LC403"])
    assert found(report, "LC201", "error", "tf.reduce_sum(same, axis=1)")


IMAGE = (("binary", "(B, 5, 6, 3)"), ("probability", "(B, 5, 6, 3)"))


def test_one_number_a_sample_and_channel_is_no_error() -> None:
    report = _check(wild.overlap_by_channel, *IMAGE, "LC4", "LC6")
    assert errors(report) == []
    assert found(report, "LC404", "warning")


def test_one_number_a_pixel_of_all_samples_is_an_error() -> None:
    assert found(_check(wild.overlap_by_pixel, *IMAGE, "LC404"), "LC404", "error")
