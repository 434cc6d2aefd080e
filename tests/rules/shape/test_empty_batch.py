"""A batch of no sample: what a loss makes of it, and what LC405 says of that."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from losscheck.model import Suspect
from losscheck.program.quiet import tensorflow
from losscheck.rules.shape.empty_batch import EmptyBatchRule
from tests.desks import desk

tf = tensorflow()


def mean_of_all(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_mean(tf.square(y_true - y_pred))


def guarded_mean(y_true: Any, y_pred: Any) -> Any:
    error = tf.square(y_true - y_pred)
    return tf.math.divide_no_nan(tf.reduce_sum(error), tf.cast(tf.size(error), error.dtype))


def each_sample(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def against_the_first(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_mean(tf.square(y_pred - tf.gather(y_true, [0])))


def suspects(loss: Any) -> list[Suspect]:
    return list(EmptyBatchRule().judge(desk(loss).get("empty_batch")))


def test_the_mean_of_nothing_is_told() -> None:
    (suspect,) = suspects(mean_of_all)
    assert suspect.form == "nonfinite"
    assert np.isnan(suspect.value)
    assert suspect.location is not None
    assert "tf.reduce_mean(" in suspect.location.source
    assert suspect.inputs["y_pred"].shape[0] == 0


def test_a_loss_that_needs_a_row_fails_on_none() -> None:
    (suspect,) = suspects(against_the_first)
    assert suspect.form == "fails"
    assert "indices" in suspect.facts["exception"]


@pytest.mark.parametrize("loss", [guarded_mean, each_sample])
def test_a_loss_that_counts_its_samples_passes(loss: Any) -> None:
    assert not suspects(loss)
