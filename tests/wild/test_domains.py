"""Domains that nobody declared: boxes in order, columns of their own, logits behind a scale.

What is right of each loss follows from its formula: on ordered boxes an intersection over union has
a slope wherever the boxes meet, a density has none at a scale of 0, a logarithm none below -1.
"""

from __future__ import annotations

import functools
from typing import Any

import pytest

pytest.importorskip("tensorflow")

import losscheck
from losscheck.model import LossReport
from tests.desks import desk
from tests.verdicts import errors, found
from tests.wild import domains_losses as losses

FOUR = {"shape": "(B, 4)"}
RULES = ["LC101", "LC103", "LC2"]


@functools.cache
def checked(name: str, **arguments: str) -> LossReport:
    loss = getattr(losses, name)
    declared: dict[str, Any] = {n: {"shape": shape} for n, shape in arguments.items()}
    return losscheck.check(loss, arguments=declared, select=RULES)


def of_boxes(name: str) -> LossReport:
    return checked(name, y_true="(B, 4)", y_pred="(B, 4)")


def assumed(loss: Any, **arguments: Any) -> dict[str, str]:
    return {a.name: a.domain for a in desk(loss, **arguments).evidence.spec.arguments}


@pytest.mark.parametrize(
    ("loss", "label", "prediction"),
    [
        (losses.hull_overlap, "box", "box"),
        (losses.distant_overlap, "box", "box"),
        (losses.overlap_by_side, "box of x2, x1, y2, y1", "box of x2, x1, y2, y1"),
        (losses.centred_overlap, *["[real, real, nonnegative, nonnegative]"] * 2),
    ],
)
def test_boxes_are_known_by_where_they_meet(loss, label, prediction):
    assert assumed(loss, y_true=FOUR, y_pred=FOUR) == {"y_true": label, "y_pred": prediction}


@pytest.mark.slow
def test_a_box_may_have_columns_beside_it():
    five = {"shape": "(B, 5)"}
    assert assumed(losses.overlap_and_confidence, y_true=five, y_pred=five) == {
        "y_true": "[box, binary]",
        "y_pred": "[box, probability]",
    }
    report = losscheck.check(
        losses.overlap_and_confidence, arguments={"y_true": five, "y_pred": five}, select=RULES
    )
    assert errors(report) == []


@pytest.mark.parametrize(
    ("loss", "prediction"),
    [
        (losses.squashed_scale, "[real, real, real, logits, logits, logits]"),
        (losses.warm_softmax, "logits"),
        (losses.shifted_sigmoid, "logits"),
        (losses.confused_softmax, "logits"),
    ],
)
def test_columns_and_scaled_logits_are_seen_in_the_graph(loss, prediction):
    assert assumed(loss)["y_pred"] == prediction


@pytest.mark.parametrize(
    "name", ["hull_overlap", pytest.param("distant_overlap", marks=pytest.mark.slow)]
)
def test_a_sound_loss_of_boxes_has_no_error(name):
    report = of_boxes(name)
    assert errors(report) == []
    assert report.verdict == "pass"


@pytest.mark.slow
def test_boxes_apart_from_each_other_have_no_slope():
    report = of_boxes("plain_overlap")
    assert found(report, "LC103", "error")
    assert len(errors(report)) == 1


def test_how_often_boxes_meet_is_not_known_where_nothing_is_declared():
    report = losscheck.check(losses.plain_overlap, select=["LC103"])
    assert found(report, "LC103", "warning")
    assert errors(report) == []


@pytest.mark.slow
def test_two_boxes_of_no_area_without_a_guard():
    assert found(of_boxes("bare_overlap"), "LC201", "error", "shared / covered")


def test_a_scale_through_a_softplus_is_sound_and_a_bare_one_needs_a_declaration():
    assert errors(checked("squashed_scale")) == []
    bare = checked("bare_scale", y_true="(B,)", y_pred="(B, 2)")
    assert [a.domain for a in bare.arguments] == ["real", "[real, nonnegative]"]
    [finding] = found(bare, "LC202", "warning", "scale")
    assert "declare the domain" in finding.cause
    assert errors(bare) == []


def test_a_column_that_is_declared_positive_has_no_zero():
    report = losscheck.check(losses.declared_scale, select=RULES)
    assert [a.domain for a in report.arguments] == ["real", "[real, positive]"]
    assert errors(report) == []


@pytest.mark.parametrize(
    "name", ["warm_softmax", pytest.param("confused_softmax", marks=pytest.mark.slow)]
)
def test_scaled_logits_do_not_leave_their_range(name):
    report = losscheck.check(getattr(losses, name), select=["LC2", "LC503"])
    assert errors(report) == []


@pytest.mark.parametrize("name", ["relative_size", "powered"])
def test_a_domain_that_a_use_narrowed_is_told(name):
    report = checked(name)
    told = found(report, "LC201", "warning")
    assert len(told) == 1
    assert (told[0].inputs["y_pred"] < 0.0).any()
    assert "Declare the domain of y_pred." in told[0].cause
    assert report.verdict == ("pass" if name == "relative_size" else "fail")


def test_who_declares_the_domain_is_told_of_no_other():
    declared = {"y_true": "nonnegative", "y_pred": "nonnegative"}
    report = losscheck.check(losses.relative_size, arguments=declared, select=["LC201"])
    assert not found(report, "LC201")
