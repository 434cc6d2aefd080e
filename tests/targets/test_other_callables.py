"""What is called as a loss is, and is none of Keras 3's: functions of tf.nn, metrics, densities."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import keras
import pytest
import tensorflow as tf

from losscheck.infer import Inferred, infer
from losscheck.model import UsageError
from losscheck.rules import find
from losscheck.settings.settings import argument
from losscheck.targets import Loss, from_callable, resolve
from tests.desks import desk

HOME = os.path.dirname(__file__)


def named(target: str) -> Loss:
    (loss,), _ = resolve(target, Path.cwd())
    return loss


def of(loss: Loss, **declared: Any) -> Inferred:
    given = {name: argument(text, name) for name, text in declared.items()}
    return infer(loss, given, home=HOME, base=HOME)


@pytest.mark.parametrize(
    ("target", "found"),
    [
        (
            "tensorflow.nn:sigmoid_cross_entropy_with_logits",
            {"labels": "y_true binary (B, D)", "logits": "y_pred logits (B, D)"},
        ),
        (
            "tensorflow.nn:softmax_cross_entropy_with_logits",
            {"labels": "y_true one_hot (B, D)", "logits": "y_pred logits (B, D)"},
        ),
        (
            "tensorflow.nn:log_poisson_loss",
            {"targets": "y_true real (B, D)", "log_input": "y_pred real (B, D)"},
        ),
        (
            "tensorflow.nn:weighted_cross_entropy_with_logits",
            {
                "labels": "y_true binary (B, D)",
                "logits": "y_pred logits (B, D)",
                "pos_weight": "weight weight (B, D)",
            },
        ),
        (
            "keras.ops:sparse_categorical_crossentropy",
            {"target": "y_true class_index (B,)", "output": "y_pred simplex (B, D)"},
        ),
    ],
)
def test_functions_of_libraries(target: str, found: dict[str, str]) -> None:
    inferred = of(named(target))
    assert inferred.error is None
    arguments = inferred.spec.arguments
    assert {a.name: f"{a.role} {a.domain} {a.shape}" for a in arguments} == found


def test_arguments_by_keyword_alone() -> None:
    def loss(*, logits, labels):
        return tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)

    inferred = of(from_callable(loss))
    assert {a.name: a.role for a in inferred.spec.arguments} == {
        "logits": "y_pred",
        "labels": "y_true",
    }
    assert inferred.programs.call.positional == 0


def test_a_function_of_one_tensor_is_no_loss() -> None:
    with pytest.raises(UsageError, match="at least a label and a prediction"):
        named("tensorflow.nn:l2_loss")


def density(value, loc, scale):
    return tf.math.log(scale) + 0.5 * tf.square((value - loc) / scale) + 0.5 * math.log(2 * math.pi)


@pytest.mark.parametrize("prediction", ["loc", "scale"])
def test_a_density_by_declared_roles(prediction: str) -> None:
    other = "scale" if prediction == "loc" else "loc"
    domains = {"loc": "real", "scale": "positive"}
    inferred = of(
        from_callable(density),
        value={"domain": "real", "role": "y_true"},
        **{
            prediction: {"domain": domains[prediction], "role": "y_pred"},
            other: {"domain": domains[other], "role": "input"},
        },
    )
    assert inferred.spec.prediction.name == prediction
    ones = {name: tf.ones((1, 4, 3)).numpy() for name in ("value", "loc")}
    outcome = inferred.programs.at(inferred.spec.shapes(inferred.spec.sizes)).run(
        {**ones, "scale": 2.0 * ones["loc"]}
    )
    # d/dloc is (loc - value) / scale^2 = 0; d/dscale is 1/scale - (value - loc)^2/scale^3 = 1/2.
    assert outcome.gradient.ravel().tolist() == pytest.approx(
        [0.0 if prediction == "loc" else 0.5] * 12
    )


class OwnAverage(keras.metrics.MeanMetricWrapper):
    def __init__(self):
        super().__init__(lambda y_true, y_pred, power=2.0: tf.abs(y_true - y_pred) ** power)


@pytest.mark.parametrize(
    ("target", "domain", "known"),
    [
        ("keras.metrics:mean_squared_error", "real", "keras.losses.mean_squared_error"),
        ("keras.metrics:MeanSquaredError", "real", "keras.losses.mean_squared_error"),
        (
            "keras.metrics:BinaryCrossentropy(from_logits=True)",
            "logits",
            "keras.losses.binary_crossentropy",
        ),
        (f"{__name__}:OwnAverage", "real", None),
    ],
)
def test_metrics_are_what_they_average(target: str, domain: str, known: str | None) -> None:
    loss = named(target)
    assert loss.known == known
    assert (loss.form == "metric") == (target[target.index(":") + 1].isupper())
    inferred = of(loss)
    assert inferred.error is None
    assert inferred.spec.prediction.domain == domain


@pytest.mark.parametrize("name", ["RootMeanSquaredError", "AUC", "Mean"])
def test_metrics_that_collect_otherwise_are_no_losses(name: str) -> None:
    with pytest.raises(UsageError, match=r"is a metric.*no gradient passes"):
        named(f"keras.metrics:{name}")


class Legacy:
    """The losses of tf_keras, and those of many projects: `call` a sample, `__call__` reduced."""

    def __init__(self, reduction="auto", name=None):
        self.reduction = reduction

    def __call__(self, y_true, y_pred, sample_weight=None):
        losses = self.call(y_true, y_pred)
        if sample_weight is not None:
            losses = losses * sample_weight
        return tf.reduce_mean(losses)

    def call(self, y_true, y_pred):
        raise NotImplementedError


class LegacySquares(Legacy):
    def call(self, y_true, y_pred):
        return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def test_a_loss_that_is_made_like_keras_is_called_per_sample() -> None:
    loss = from_callable(LegacySquares())
    assert (loss.form, loss.source and loss.source.file.endswith("test_other_callables.py")) == (
        "loss-instance",
        True,
    )
    inferred = of(loss)
    program = inferred.programs.at(inferred.spec.shapes(inferred.spec.sizes))
    assert program.traced.value.shape == (4,)  # one value a sample


def whole_labels_only(y_true, y_pred):
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y_true, logits=y_pred)


def cast_labels(y_true, y_pred):
    labels = tf.cast(y_true, tf.int32)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=y_pred)


def test_a_loss_that_takes_integer_labels_alone() -> None:
    laid = desk(whole_labels_only)
    true, pred = laid.evidence.spec.arguments
    assert (true.domain, true.shape, pred.domain) == ("class_index", "(B,)", "logits")
    needs = {name: laid.get(name) for name in find("LC502").needs}
    (suspect,) = find("LC502").judge(**needs)
    assert suspect.form == "labels"
    assert "float32" in suspect.facts["exception"]
    assert suspect.location is not None
    assert "labels=y_true" in suspect.location.source


def test_its_twin_casts() -> None:
    laid = desk(cast_labels)
    needs = {name: laid.get(name) for name in find("LC502").needs}
    assert list(find("LC502").judge(**needs)) == []
