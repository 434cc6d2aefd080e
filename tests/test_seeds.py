"""Every loss of the seed documents: the verdict, the codes and the line that SEEDS.md names."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import losscheck
from losscheck.model import LossReport
from losscheck.report.text import loss_text
from losscheck.report.verdicts import View
from tests.verdicts import codes, errors, found

SEEDS = "examples.seed_losses"


@functools.cache
def _report(target: str, shape: str = "") -> LossReport:
    pair = {"y_true": ("real", shape), "y_pred": ("real", shape)} if shape else {}
    return losscheck.check(target if ":" in target else f"{SEEDS}:{target}", arguments=pair)


def test_weighted_mse_broadcasts_its_weights() -> None:
    report = _report("weighted_mse")
    line = "sample_weights * squares"
    assert report.verdict == "fail"
    (broadcast,) = found(report, "LC401", "error", line)
    assert found(report, "LC402", "error", line)
    assert "reshape(sample_weights, (-1, 1))" in broadcast.fix or "newaxis" in broadcast.fix
    assert broadcast.location is not None
    assert broadcast.location.source[broadcast.location.column - 1 :].startswith(line)  # type: ignore[operator]


def test_weighted_mse_at_one_output_is_what_seeds_md_measured() -> None:
    import tensorflow as tf

    from examples.seed_losses import weighted_mse

    # Errors 1, 0, 0, 0, 0: 0.02 is right, (B,) against (B, 1) gives 0.104 (SEEDS.md).
    y_true, y_pred = tf.constant([[1.0], [0], [0], [0], [0]]), tf.zeros((5, 1))
    weights = tf.constant([0.1, 0.5, 0.2, 1.0, 0.8])
    assert float(weighted_mse(y_true, y_pred, weights)) == pytest.approx(0.104)
    assert float(weighted_mse(y_true, y_pred, weights[:, None])) == pytest.approx(0.02)


def test_weighted_mae_passes_and_its_kink_at_the_fit_is_no_finding() -> None:
    report = _report("weighted_mae")
    assert report.verdict == "pass"
    assert not found(report, "LC104")


def test_robust_weighted_loss_hides_an_overflow() -> None:
    report = _report("robust_weighted_loss")
    (hidden,) = found(report, "LC205", "error")
    assert report.verdict == "fail"
    assert hidden.location is not None
    assert "tf.where(broken" in hidden.location.source
    assert np.isfinite(hidden.observed.value).all()


@pytest.mark.parametrize("name", ["custom_mse", "weighted_mae"])
def test_what_passes_is_told_in_a_few_lines(name: str) -> None:
    # The ten seeds that pass may print 120 lines together.
    assert len(loss_text(_report(name), View()).splitlines()) <= 12


@pytest.mark.parametrize("name", ["custom_mse", "plain_mse"])
def test_mse_passes_with_the_note_on_ranks(name: str) -> None:
    report = _report(name)
    assert report.verdict == "pass"
    assert found(report, "LC401", "note")
    assert codes(report, "warning") == {"LC602"}


def test_constant_weights_pass_for_their_own_width() -> None:
    assert _report("custom_loss_with_weights", "(B, 3)").verdict == "pass"


def test_constant_weights_are_broadcast_to_a_single_output() -> None:
    report = _report("custom_loss_with_weights", "(B, 1)")
    assert found(report, "LC401", "error", "* weights")
    assert codes(report, "error") == {"LC401"}


def test_constant_weights_reject_other_widths() -> None:
    assert found(_report("custom_loss_with_weights", "(B, D)"), "LC402", "error", "* weights")


def test_undeclared_constant_weights_give_the_width() -> None:
    report = _report("custom_loss_with_weights")
    assert report.verdict == "pass"
    assert {a.shape for a in report.arguments} == {"(B, 3)"}


def test_conditional_loss_passes_with_its_kink_named() -> None:
    report = _report("custom_loss_conditional")
    assert report.verdict == "pass"
    (kink,) = found(report, "LC104", "note", "tf.where(size < 1.0")
    assert "error of 1" in kink.message
    # Slopes of |e| and of e² at e = 1, in size.
    assert {"1", "2"} <= set(kink.expected.text.replace("-", "").replace(",", "").split())


def test_the_lambda_passes_for_two_outputs_and_is_named_by_its_line() -> None:
    report = _report("class_weighted_mse", "(B, 2)")
    assert report.verdict == "pass"
    assert report.source is not None
    assert report.source.file.endswith("seed_losses.py")
    with open(report.source.file, encoding="utf-8") as file:
        assert "lambda y_true, y_pred" in file.readlines()[report.source.line - 1]


def test_a_loss_that_reads_a_missing_model_says_so() -> None:
    report = _report("custom_huber_loss_with_regularization")
    (missing,) = found(report, "LC901", "error", "model.layers[0].kernel")
    assert "model" in missing.message
    assert codes(report, "error") == {"LC901"}


@pytest.mark.slow
def test_a_loss_that_reads_its_model_passes() -> None:
    target = "examples.seed_model:custom_huber_loss_with_regularization"
    assert _report(target).verdict == "pass"


def test_weighted_binary_crossentropy_passes_in_float32() -> None:
    report = _report("weighted_binary_crossentropy([0.1, 0.9])")
    assert report.verdict == "pass"
    assert found(report, "LC103", "warning", "tf.clip_by_value(y_pred")
    (dtypes,) = found(report, "LC502", "warning")
    assert dtypes.location is not None
    assert "labels * tf.math.log(p)" in dtypes.location.source


@pytest.mark.parametrize("delta", ["", "delta=2.0", "delta=0.5"])
def test_huber_passes_for_any_delta(delta: str) -> None:
    report = _report(f"huber_loss_custom({delta})")
    assert report.verdict == "pass"
    assert not found(report, "LC104")  # its join is smooth
    assert not found(report, "LC105")


def test_focal_loss_broadcasts_labels_with_an_axis_too_many() -> None:
    report = _report("focal_loss(gamma=2.0)")
    (broadcast,) = found(report, "LC401", "error")
    assert report.verdict == "fail"
    assert broadcast.location is not None
    assert "one_hot" in broadcast.location.source or "labels" in broadcast.location.source
    assert found(report, "LC103", "warning", "tf.clip_by_value(y_pred")
    assert found(report, "LC502", "warning")
    assert codes(report, "error") == {"LC401"}


def test_weighted_mae_with_constant_weights_passes() -> None:
    assert _report("weighted_mae_constant").verdict == "pass"


def test_adaptive_huber_couples_the_batch() -> None:
    report = _report("adaptive_huber_loss")
    assert report.verdict == "pass"
    assert found(report, "LC403", "note")


def test_temporal_loss_names_what_exists_instead_of_tf_diff() -> None:
    report = _report("temporal_loss")
    (missing,) = found(report, "LC901", "error", "tf.diff(")
    assert "keras.ops.diff" in missing.fix + missing.cause
    assert codes(report, "error") == {"LC901"}


def test_every_error_has_a_line_a_cause_a_fix_and_a_program() -> None:
    for target in ("weighted_mse", "robust_weighted_loss", "focal_loss(gamma=2.0)"):
        for finding in _report(target).findings:
            if finding.severity == "error":
                assert finding.location is not None, finding.id
                assert all((finding.message, finding.cause, finding.fix, finding.reproduce))


def test_reports_count_at_least_a_hundred_thousand_cases() -> None:
    counts: Mapping[str, Any] = {n: _report(n).cases for n in ("custom_mse", "adaptive_huber_loss")}
    assert all(count >= 100_000 for count in counts.values()), counts


def test_no_passing_seed_has_an_error() -> None:
    assert errors(_report("custom_mse")) == []
