"""A loss that raises on numbers of its domain ends training as a NaN does."""

from __future__ import annotations

from typing import Any

import pytest

import losscheck
from losscheck.model import LossReport
from tests.verdicts import codes, found

losses = pytest.importorskip("tests.wild.raising_losses")

PAIRS = dict.fromkeys(("y_true", "y_pred"), "real:(B, 2)")
SHARES = dict.fromkeys(("y_true", "y_pred"), "probability:(B, 2)")
SCORES = {"y_true": "binary:(B,)", "y_pred": "probability:(B,)"}


def _raising(loss: Any, arguments: dict[str, str] | None = None) -> LossReport:
    return losscheck.check(loss, arguments=arguments, select=["LC507"]).report.losses[0]


@pytest.mark.parametrize(
    ("loss", "arguments", "line", "written"),
    [
        (losses.whitened, PAIRS, "tf.linalg.inv(covariance)", "tf.eye(tf.shape(covariance)[-1]"),
        (losses.binned, SHARES, "tf.gather(table, quarter)", "tf.clip_by_value(quarter, 0,"),
        (losses.hardest, SCORES, "tf.math.top_k(", "tf.minimum(2, tf.shape(negatives)[-1])"),
    ],
)
def test_an_operation_that_raises_on_numbers_of_the_domain(
    loss: Any, arguments: dict[str, str], line: str, written: str
) -> None:
    report = _raising(loss, arguments)
    (finding,) = found(report, "LC507", "error", line)
    assert "InvalidArgumentError" in finding.cause
    assert finding.count > 1
    assert written in finding.fix
    with pytest.raises(losses.tf.errors.InvalidArgumentError):  # plain TensorFlow, run eagerly
        exec(finding.reproduce, {})


@pytest.mark.parametrize(
    ("loss", "arguments"),
    [
        (losses.whitened_with_room, PAIRS),
        (losses.binned_to_the_last, SHARES),
        (losses.rated, dict.fromkeys(("y_true", "y_pred"), "[1, 5]:(B,)")),
        (losses.asserted, PAIRS),
    ],
)
def test_its_sound_twin_raises_nowhere(loss: Any, arguments: dict[str, str]) -> None:
    assert found(_raising(loss, arguments), "LC507") == []


def test_labels_that_nobody_declared_may_be_others() -> None:
    (finding,) = found(_raising(losses.rated), "LC507")
    assert finding.severity == "warning"
    assert "declare that of y_true and y_pred" in finding.cause


def test_what_the_users_own_code_refuses_is_a_note() -> None:
    report = _raising(losses.refusing, PAIRS)
    (finding,) = found(report, "LC507")
    assert finding.severity == "note"
    assert "raise ValueError" in (finding.location.source if finding.location else "")


def test_training_that_fails_by_the_same_operation_is_told_once() -> None:
    report = losscheck.check(losses.halved, arguments=SHARES, select=["LC507", "LC603"])
    assert codes(report.report.losses[0], "error") == {"LC507"}
    reasons = {c.code: c.reason for c in report.report.losses[0].checks}
    assert reasons["LC603"].startswith("see LC507")


def test_what_raises_on_the_way_back_is_told_of_the_users_line() -> None:
    matrices = {"y_true": "real:(B, 2)", "y_pred": "real:(B, 2, 2)"}
    (finding,) = found(_raising(losses.energy, matrices), "LC507", "error", "tf.linalg.det(y_pred)")
    assert "Input is not invertible" in finding.cause


@pytest.mark.slow
def test_a_kernel_that_sums_in_float32_has_no_wrong_gradient_for_it() -> None:
    texts = {"y_true": "padded_class_index:(B, 2)", "y_pred": "logits:(B, 5, 4)"}
    report = losscheck.check(losses.read, arguments=texts, select=["LC101", "LC303"])
    assert found(report.report.losses[0], "LC101") == []
    assert not report.report.losses[0].faults  # its labels have another size in every case


def test_a_complex_number_without_an_angle_is_to_blame_for_its_slope() -> None:
    numbers = dict.fromkeys(("y_true", "y_pred"), "real:(B, T, 2)")
    report = losscheck.check(losses.phase, arguments=numbers, select=["LC203"])
    (finding,) = found(report.report.losses[0], "LC203", "error", "given = tf.math.angle(")
    assert "A complex number of size 0 has no angle" in finding.cause
    assert "tf.where(tf.complex(" in finding.fix


def test_declared_shapes_are_taken_whatever_numbers_an_operation_refuses() -> None:
    report = _raising(losses.three_hardest, SCORES)
    assert found(report, "LC507", "error", "tf.math.top_k(negatives, k=3)")
