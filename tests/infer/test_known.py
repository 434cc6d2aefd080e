"""Keras' own losses: their domains, by class name and by the name of the function."""

import inspect

import pytest

from losscheck import domains
from losscheck.infer.known import known

PAIRS = [
    # class, function as Keras 3.15 names it, labels, predictions (from Keras' documentation)
    ("MeanSquaredError", "mean_squared_error", "real", "real"),
    ("MeanAbsoluteError", "mean_absolute_error", "real", "real"),
    ("MeanAbsolutePercentageError", "mean_absolute_percentage_error", "real", "real"),
    (
        "MeanSquaredLogarithmicError",
        "mean_squared_logarithmic_error",
        "nonnegative",
        "nonnegative",
    ),
    ("Huber", "huber", "real", "real"),
    ("LogCosh", "log_cosh", "real", "real"),
    ("CosineSimilarity", "cosine_similarity", "real", "real"),
    ("Poisson", "poisson", "count", "nonnegative"),
    ("KLDivergence", "kl_divergence", "simplex", "simplex"),
    ("Hinge", "hinge", "sign", "real"),
    ("SquaredHinge", "squared_hinge", "sign", "real"),
    ("CategoricalHinge", "categorical_hinge", "one_hot", "real"),
    ("BinaryCrossentropy", "binary_crossentropy", "binary", "probability"),
    ("BinaryFocalCrossentropy", "binary_focal_crossentropy", "binary", "probability"),
    ("CategoricalCrossentropy", "categorical_crossentropy", "one_hot", "simplex"),
    ("CategoricalFocalCrossentropy", "categorical_focal_crossentropy", "one_hot", "simplex"),
    (
        "SparseCategoricalCrossentropy",
        "sparse_categorical_crossentropy",
        "class_index",
        "simplex",
    ),
    (
        "CategoricalGeneralizedCrossEntropy",
        "categorical_generalized_cross_entropy",
        "class_index",
        "simplex",
    ),
    ("Dice", "dice", "binary", "probability"),
    ("Tversky", "tversky", "binary", "probability"),
    ("Circle", "circle", "class_index", "unit_vector"),
]


@pytest.mark.parametrize(("cls", "function", "label", "prediction"), PAIRS)
def test_class_and_function_are_the_same_loss(cls, function, label, prediction):
    by_class, by_function = known(f"keras.losses.{cls}", {}), known(f"keras.losses.{function}", {})
    assert by_class == by_function
    assert by_class["y_true"][0] == label
    assert by_class["y_pred"] == (prediction, "(B, D)")
    assert by_class["y_true"][1] == ("(B,)" if label == "class_index" else "(B, D)")


@pytest.mark.parametrize(
    ("function", "prediction"),
    [
        ("binary_crossentropy", "logits"),
        ("BinaryFocalCrossentropy", "logits"),
        ("categorical_focal_crossentropy", "logits"),
        ("SparseCategoricalCrossentropy", "logits"),
        ("mean_squared_error", "real"),  # takes no such argument
    ],
)
def test_from_logits_widens_the_prediction(function, prediction):
    assert known(function, {"from_logits": True})["y_pred"][0] == prediction
    assert known(function, {"from_logits": False}) == known(function, {})


@pytest.mark.parametrize("name", [None, "", "keras.losses.Triplet", "my_module:binary"])
def test_any_other_loss_is_unknown(name):
    assert known(name, {}) == {}


def test_every_domain_named_exists():
    for cls, *_ in PAIRS:
        for config in ({}, {"from_logits": True}):
            for domain, _ in known(cls, config).values():
                assert domains.parse(domain).name == domain


def test_every_loss_of_the_installed_keras_but_ctc_is_known():
    keras = pytest.importorskip("keras")
    others = {"get", "serialize", "deserialize", "ctc", "Loss", "CTC"}
    public = {
        name
        for name, obj in vars(keras.losses).items()
        if (inspect.isfunction(obj) or inspect.isclass(obj)) and name not in others
    }
    assert len(public) > 30  # Keras 3.3 lacks a few of `PAIRS`
    assert [name for name in sorted(public) if not known(f"keras.losses.{name}", {})] == []
