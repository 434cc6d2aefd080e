"""Samples that broadcasting sets against all others: what is no one's will, and what is (LC401)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import losscheck
from losscheck.evidence.shape.layouts import LayoutRun
from losscheck.model import Suspect
from losscheck.program.quiet import tensorflow
from losscheck.program.tracing.trace import CallError
from losscheck.rules.shape.shape_rejected import ShapeRejected
from losscheck.rules.shape.silent_broadcast import SilentBroadcast
from tests.desks import desk

tf = tensorflow()


def flat_label(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_mean(tf.square(tf.reshape(y_true, [-1]) - y_pred))


def weight_of_label(y_true: Any, y_pred: Any) -> Any:
    error = tf.reduce_mean(tf.abs(y_true - y_pred), axis=-1)
    return tf.reduce_mean(error * tf.cast(y_true > 0.0, error.dtype))


def aligned_label(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_mean(tf.square(tf.reshape(y_true, tf.shape(y_pred)) - y_pred))


def every_pair(y_true: Any, y_pred: Any) -> Any:
    """A ranking loss: each prediction against each other one, without an axis written out."""
    flat = tf.reshape(y_pred, [-1])
    order = tf.sign(y_true - tf.transpose(y_true))
    return tf.reduce_mean(tf.nn.softplus(-order * (y_pred - flat)))


def pairs_written_out(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_mean(tf.abs(y_true[:, None] - y_pred[None, :]))


def _actor(advantage: Any, y_true: Any, y_pred: Any) -> Any:
    error = tf.square(y_true - tf.squeeze(y_pred[:, :1], axis=1))
    chance = tf.nn.log_softmax(y_pred[:, 1:])[:, 0]
    return tf.reduce_mean(error) - tf.reduce_mean(advantage * chance)


def actor_in_a_square(y_true: Any, y_pred: Any) -> Any:
    """A value that is squeezed for one term, and not for the other."""
    value = y_pred[:, :1]
    return _actor(y_true - value, y_true, y_pred)


def actor_in_a_row(y_true: Any, y_pred: Any) -> Any:
    """The same, squeezed for both."""
    value = tf.squeeze(y_pred[:, :1], axis=-1)
    return _actor(y_true - value, y_true, y_pred)


def columns(**shapes: str) -> dict[str, dict[str, str]]:
    return {n: {"domain": "real", "shape": s} for n, s in shapes.items()}


def broadcasts(loss: Any, y_true: str = "(B, 1)", y_pred: str = "(B, 1)") -> list[Suspect]:
    runs = desk(loss, **columns(y_true=y_true, y_pred=y_pred)).get("layouts")
    return [s for s in SilentBroadcast().judge(runs) if s.form == "layout"]


def test_a_label_that_lost_its_column_meets_every_prediction() -> None:
    (suspect,) = broadcasts(flat_label)
    assert suspect.facts["argument"] == "y_true"
    assert suspect.facts["result_shape"] == (4, 4)
    assert suspect.location is not None
    assert "tf.reshape(y_true, [-1]) - y_pred" in suspect.location.source
    # By hand: the mean over all pairs, not over the diagonal.
    labels, predictions = (np.ravel(suspect.inputs[n]) for n in ("y_true", "y_pred"))
    pairs = np.square(labels[None, :] - predictions[:, None])
    assert suspect.value == pytest.approx(pairs.mean(), rel=1e-6)
    assert suspect.value != pytest.approx(np.diag(pairs).mean(), rel=1e-3)


def test_a_weight_in_a_column_meets_the_loss_of_every_sample() -> None:
    (suspect,) = broadcasts(weight_of_label)
    assert suspect.facts["shape"] == (4,)
    assert suspect.facts["other_shape"] == (4, 1)


def test_what_is_right_is_the_mean_of_the_samples_own_losses() -> None:
    (suspect,) = broadcasts(actor_in_a_square, "(B,)", "(B, 4)")
    assert suspect.location is not None
    assert "y_true - value" in suspect.location.source
    labels, predictions = (tf.constant(suspect.inputs[n]) for n in ("y_true", "y_pred"))
    own = [actor_in_a_row(labels[i : i + 1], predictions[i : i + 1]) for i in range(len(labels))]
    assert suspect.expected_value == pytest.approx(np.mean(own), rel=1e-5)
    assert suspect.value == pytest.approx(float(actor_in_a_square(labels, predictions)), rel=1e-5)
    assert not broadcasts(actor_in_a_row, "(B,)", "(B, 4)")


@pytest.mark.parametrize("loss", [aligned_label, every_pair])
def test_pairs_that_are_meant_pass(loss: Any) -> None:
    assert not broadcasts(loss)


def test_axes_that_are_written_out_pass() -> None:
    assert not broadcasts(pairs_written_out, "(B,)", "(B,)")


def four_rows(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_mean(tf.ones((4, 1)) * tf.square(y_true - y_pred))


def any_rows(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_mean(tf.ones_like(y_pred[:, :1]) * tf.square(y_true - y_pred))


@pytest.mark.parametrize(("loss", "sizes"), [(four_rows, [2, 7]), (any_rows, [])])
def test_a_batch_of_another_size_is_tried(loss: Any, sizes: list[int]) -> None:
    # A batch of one is broadcast against the four rows and runs.
    asked = desk(loss, **columns(y_true="(B, D)", y_pred="(B, D)"))
    suspects = list(ShapeRejected().judge(asked.get("layouts"), asked.get("call")))
    assert [s.facts["size"] for s in suspects if s.form == "batch-size"] == sizes


def contrastive(y_true: Any, y_pred: Any) -> Any:
    same = tf.cast(y_true[:, None] == y_true[None, :], y_pred.dtype)
    alike = tf.nn.log_softmax(tf.matmul(y_pred, y_pred, transpose_b=True), axis=-1)
    return -tf.reduce_mean(tf.cast(tf.one_hot(tf.cast(y_true, tf.int32), 3), y_pred.dtype)) * (
        tf.reduce_mean(same * alike)
    )


def one_hot_of_any(y_true: Any, y_pred: Any) -> Any:
    labels = tf.one_hot(tf.cast(y_true, tf.int32), tf.shape(y_pred)[-1], dtype=y_pred.dtype)
    return -tf.reduce_mean(labels * tf.nn.log_softmax(y_pred))


@pytest.mark.parametrize(("loss", "certain"), [(contrastive, False), (one_hot_of_any, True)])
def test_labels_that_get_axes_by_hand_are_meant_as_a_vector(loss: Any, certain: bool) -> None:
    # Nothing is declared: the labels may come as (B,) and as (B, 1).
    [suspect] = SilentBroadcast().judge(desk(loss).get("layouts"))
    assert suspect.certain is certain


def test_a_layout_that_does_not_fit_is_no_proof_of_what_it_fails_on() -> None:
    failure = CallError(ValueError("two sizes"), None)
    run = LayoutRun(form="batch-of-one", changed="y_pred", shapes={}, error=failure, certain=False)
    [suspect] = ShapeRejected().judge((run,), desk(any_rows).get("call"))
    assert not suspect.certain


def weighed(y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
    return tf.reduce_mean(tf.reduce_mean(tf.square(y_true - y_pred), axis=-1) * sample_weight)


def weighed_flat(y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
    weights = tf.reshape(sample_weight, [-1])
    return tf.reduce_mean(tf.reduce_mean(tf.square(y_true - y_pred), axis=-1) * weights)


@pytest.mark.parametrize(("loss", "count"), [(weighed, 1), (weighed_flat, 0)])
def test_weights_in_a_column_are_tried_where_nobody_declared_them(loss: Any, count: int) -> None:
    found = list(SilentBroadcast().judge(desk(loss).get("layouts")))
    of_weights = [s for s in found if s.facts["argument"] == "sample_weight"]
    assert [s.form for s in of_weights] == ["rank"] * count


def squared(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


class Squared(tf.keras.losses.Loss):
    def call(self, y_true: Any, y_pred: Any) -> Any:
        return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


@pytest.mark.parametrize(("loss", "severity"), [(squared, "note"), (Squared(), "warning")])
def test_mixed_ranks_are_a_note_where_keras_keeps_them_from_the_loss(
    loss: Any, severity: str
) -> None:
    # Keras squeezes (B, 1) beside (B,) for a function, and hands a Loss both as they are.
    pair = {"y_true": ("real", "(B, D)"), "y_pred": ("real", "(B, D)")}
    found = losscheck.check(loss, arguments=pair, select=["LC401"]).findings
    assert [finding.severity for finding in found] == [severity]


def test_a_shape_that_is_declared_is_what_a_function_of_weights_is_called_with() -> None:
    pair = {"y_true": ("real", "(B, D)"), "y_pred": ("real", "(B, D)")}
    weights = {"sample_weight": ("weight", "(B,)")}
    found = losscheck.check(weighed_flat, arguments={**pair, **weights}, select=["LC401"]).findings
    assert {finding.severity for finding in found} == {"note"}
