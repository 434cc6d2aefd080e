"""Keras' own losses: no error but the verified one."""

from __future__ import annotations

import keras
import pytest

import losscheck
from tests.verdicts import codes, errors, found

LOSSES = keras.losses
CLEAN = [
    LOSSES.MeanSquaredError(),
    LOSSES.MeanAbsoluteError(),
    LOSSES.Huber(),
    LOSSES.LogCosh(),
    LOSSES.BinaryCrossentropy(),
    LOSSES.BinaryCrossentropy(from_logits=True),
    LOSSES.CategoricalCrossentropy(),
    LOSSES.CategoricalCrossentropy(from_logits=True),
    LOSSES.SparseCategoricalCrossentropy(),
    LOSSES.SparseCategoricalCrossentropy(from_logits=True),
    LOSSES.KLDivergence(),
    LOSSES.Poisson(),
    LOSSES.Hinge(),
    LOSSES.SquaredHinge(),
    LOSSES.CategoricalHinge(),
    LOSSES.Dice(),
    LOSSES.Tversky(),
]


def _name(loss: keras.losses.Loss) -> str:
    logits = "-logits" if loss.get_config().get("from_logits") else ""
    return f"{type(loss).__name__}{logits}"


# `make accuracy` checks them all: these stand for them here.
QUICK = {
    "BinaryCrossentropy",
    "SparseCategoricalCrossentropy",
    "Poisson",
}


@pytest.mark.parametrize(
    "loss",
    [
        pytest.param(one, marks=() if _name(one) in QUICK else pytest.mark.slow, id=_name(one))
        for one in CLEAN
    ],
)
def test_a_keras_loss_has_no_error(loss: keras.losses.Loss) -> None:
    report = losscheck.check(loss)
    assert errors(report) == []
    assert report.verdict == "pass"
    assert {argument.origin for argument in report.arguments} == {"known"}


@pytest.mark.slow
def test_cosine_similarity_has_its_nan_gradient_under_xla_alone() -> None:
    # keras-team/keras 23075: NaN where a squared norm is zero or underflows, under XLA only.
    report = losscheck.check(LOSSES.CosineSimilarity())
    assert codes(report, "error") == {"LC503"}
    for finding in found(report, "LC503", "error"):
        assert finding.mode == "xla"
        assert finding.kind == "avoidable"
        assert any((abs(array) < 1e-18).all() for array in finding.inputs.values())
