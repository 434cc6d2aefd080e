"""Losses of dicts and tuples of tensors: asked for in one line, and no error of theirs."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("tensorflow")

import losscheck
from losscheck.model import LossReport
from tests.verdicts import codes, errors, found
from tests.wild import structures_losses as losses


def report_of(loss: Any, **options: Any) -> LossReport:
    return losscheck.check(loss, select=["LC901", "LC501"], **options)


@pytest.mark.parametrize(
    ("loss", "takes"),
    [
        (losses.boxes_and_classes, "y_pred as a dict with the keys 'box' and 'class'"),
        (losses.mean_and_scale, "y_pred as a tuple of 2 tensors"),
        (losses.labels_alone, "y_true as a tuple of 3 tensors"),
        (losses.two_labels, "y_true as a tuple of 2 tensors"),
        (losses.every_head, "y_true as a dict of tensors and y_pred as a dict of tensors"),
    ],
)
def test_a_loss_of_a_dict_or_a_tuple_is_no_error(loss, takes):
    report = report_of(loss)
    assert errors(report) == []
    assert report.verdict == "inconclusive"
    assert takes in report.reason
    (finding,) = found(report, "LC901")
    assert takes in finding.message
    assert "domain" not in finding.cause


@pytest.mark.parametrize(
    "loss", [losses.boxes_and_classes, losses.mean_and_scale, losses.two_labels]
)
def test_the_advice_is_a_loss_that_can_be_checked(loss):
    (finding,) = found(report_of(loss), "LC901")
    names: dict[str, Any] = {loss.__name__: loss}
    exec(finding.fix, names)
    report = losscheck.check(names["of_tensors"], select=["LC102", "LC901"])
    assert report.verdict == "pass"


@pytest.mark.parametrize("loss", [losses.no_such_function, losses.no_such_index])
def test_what_raises_whatever_it_is_given_stays_an_error(loss):
    report = report_of(loss)
    assert report.verdict == "fail"
    assert codes(report, "error") == {"LC901"}


def test_a_declared_tensor_that_is_indexed_with_a_string_is_an_error():
    shapes = dict.fromkeys(("y_true", "y_pred"), ("real", "(B, 4)"))
    assert report_of(losses.boxes_and_classes, arguments=shapes).verdict == "fail"


@pytest.mark.slow
def test_a_loop_over_samples_is_no_tuple():
    assert "tuple" not in report_of(losses.rows_in_a_loop).reason


def test_a_loss_that_never_fits_asks_for_a_shape():
    report = report_of(losses.never_fits)
    assert report.verdict == "inconclusive"
    assert "the prediction is too short" in report.reason
    assert "--arg y_pred='real:(B, 8)'" in report.reason
