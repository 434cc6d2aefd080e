"""Domains and layouts that are learnt from data, and what of them does not give way."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")
import keras  # noqa: E402

from losscheck.cases.user_data import read  # noqa: E402
from losscheck.infer import Asked, infer  # noqa: E402
from losscheck.model import Met, UsageError  # noqa: E402
from losscheck.settings.settings import argument  # noqa: E402
from losscheck.targets import from_callable  # noqa: E402

HOME = os.path.dirname(__file__)
RNG = np.random.default_rng(0)
NORMAL = RNG.normal(size=(64, 3))
SHARES = np.exp(NORMAL) / np.exp(NORMAL).sum(axis=1, keepdims=True)
UNIT = NORMAL / np.linalg.norm(NORMAL, axis=1, keepdims=True)
CLASSES = RNG.integers(0, 3, 64)
BITS = RNG.integers(0, 2, (64, 3))


def mse(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def entropy(y_true, y_pred):
    return -tf.reduce_sum(y_true * tf.math.log(y_pred), axis=-1)


def sigmoid(labels, logits):
    return tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)


def sparse(y_true, y_pred):
    return -tf.gather(tf.math.log(y_pred), tf.cast(y_true, tf.int32), batch_dims=1)


def picks(y_true, y_pred):
    return -tf.reduce_sum(y_true[:, None] * y_pred, axis=-1)


def three_columns(y_true, y_pred):
    a, b, c = tf.unstack(y_pred, 3, axis=-1)
    return a * b * c - tf.reduce_sum(y_true, axis=-1)


def weighted(y_true, y_pred, mask, weight=None):
    loss = tf.reduce_mean(tf.square(y_true - y_pred), axis=-1) * mask
    return loss if weight is None else loss * weight


def of(loss: Any, data: Any, **declared: Any) -> Any:
    given = {name: argument(text, name) for name, text in declared.items()}
    asked = Asked(batches=read(data, Path.cwd()))
    return infer(from_callable(loss), given, home=HOME, base=HOME, data=asked)


def domains(loss: Any, *arrays: Any, **declared: Any) -> tuple[str, ...]:
    return tuple(a.domain for a in of(loss, arrays, **declared).spec.arguments)


@pytest.mark.parametrize(
    ("loss", "true", "pred", "found"),
    [
        (mse, NORMAL, NORMAL * 9, ("real", "real")),  # nothing limits either
        (mse, np.abs(NORMAL) * 9, np.abs(NORMAL) * 9, ("nonnegative", "nonnegative")),
        (mse, BITS, SHARES[:, :2].repeat(2, 1)[:, :3], ("binary", "probability")),
        (mse, CLASSES, np.abs(NORMAL[:, 0]), ("count", "nonnegative")),
        (mse, 2 * BITS - 1, np.tanh(NORMAL), ("sign", "real")),
        (mse, UNIT, UNIT[::-1], ("unit_vector", "unit_vector")),
        (entropy, np.eye(3)[CLASSES], SHARES, ("one_hot", "simplex")),
        (entropy, SHARES, SHARES, ("simplex", "simplex")),
        (entropy, BITS, 3 * SHARES, ("binary", "nonnegative")),  # a log alone, and above 1
        (sigmoid, BITS, SHARES, ("binary", "logits")),  # the sigmoid says more than the numbers
        (sparse, CLASSES, SHARES, ("class_index", "simplex")),
        (picks, CLASSES, NORMAL, ("class_index", "real")),
        (mse, NORMAL[:4], np.abs(NORMAL[:4]), ("real", "real")),  # too few to tell
    ],
)
def test_domains(loss: Any, true: Any, pred: Any, found: tuple[str, str]) -> None:
    assert domains(loss, true, pred) == found


def test_the_report_says_what_was_learnt() -> None:
    true, pred = of(mse, (BITS, NORMAL * 9)).spec.arguments
    low, high = np.float32(NORMAL.min() * 9), np.float32(NORMAL.max() * 9)
    assert (true.origin, pred.origin) == ("inferred", "inferred")
    assert true.why == "learnt from data: 192 numbers in [0, 1]"
    assert pred.why == f"learnt from data: 192 numbers in [{low:.3g}, {high:.3g}]"
    assert true.met is None
    assert isinstance(pred.met, Met)
    assert (pred.met.least, pred.met.greatest) == (low, high)


def test_an_optional_argument_with_data_is_a_tensor() -> None:
    arrays = {
        "y_true": NORMAL,
        "y_pred": NORMAL,
        "mask": BITS[:, 0],
        "weight": np.abs(NORMAL[:, 0]),
    }
    spec = of(weighted, arrays).spec
    found = {a.name: (a.domain, a.shape) for a in spec.arguments}
    assert found["mask"] == ("mask", "(B,)")
    assert found["weight"] == ("weight", "(B,)")


@pytest.mark.parametrize(
    ("loss", "true", "pred", "shapes"),
    [
        (mse, (8,), (8,), ("(B,)", "(B,)")),
        (mse, (8, 1), (8, 1), ("(B, 1)", "(B, 1)")),
        (mse, (8, 6), (8, 6), ("(B, D)", "(B, D)")),
        (mse, (8, 6, 7), (8, 6, 7), ("(B, T, D)", "(B, T, D)")),
        (mse, (8, 6, 7, 2), (8, 6, 7, 2), ("(B, H, W, C)", "(B, H, W, C)")),
        (mse, (8, 1, 6), (8, 7, 6), ("(B, 1, D)", "(B, T, D)")),
        (three_columns, (8, 2), (8, 3), ("(B, 2)", "(B, 3)")),  # it runs at no other width
    ],
)
def test_layouts(loss: Any, true: Any, pred: Any, shapes: tuple[str, str]) -> None:
    spec = of(loss, (np.ones(true), np.ones(pred))).spec
    assert tuple(a.shape for a in spec.arguments) == shapes
    assert spec.shapes(spec.sizes)["y_pred"][1:] == pred[1:]


def test_the_batch_has_the_size_of_no_other_axis() -> None:
    sizes = of(mse, (np.ones((9, 4)), np.ones((9, 4)))).spec.sizes
    assert sizes["D"] == 4
    assert sizes["B"] != 4


def test_images_are_looked_at_through_a_window() -> None:
    spec = of(mse, (np.ones((4, 64, 64, 3)), np.ones((4, 64, 64, 3)))).spec
    assert spec.sizes == {"B": 4, "H": 9, "W": 9, "C": 3}  # 972 numbers, and at most 1,024


def test_what_is_declared_goes_before_data() -> None:
    spec = of(mse, (BITS, BITS), y_pred=("probability", "(B, D)")).spec
    true, pred = spec.arguments
    assert (pred.domain, pred.origin) == ("probability", "declared")
    assert pred.why == "data: 192 numbers in [0, 1]"
    assert pred.met is None
    assert (true.domain, true.origin) == ("binary", "inferred")


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"y_pred": "probability"}, r"declared as probability, but 6\d of 64 rows.*--arg y_pred="),
        ({"y_pred": ("real", "(B, 4)")}, r"declared as \(B, 4\), but its array.* is \(N, 3\)"),
        ({"y_pred": ("real", "(B,)")}, "2 axes, the batch included"),
        ({"y_pred": {"value": 2.0}}, "declared as the constant 2.0"),
    ],
)
def test_data_against_a_declaration(declared: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        of(mse, {"y_true": NORMAL, "y_pred": NORMAL * 9}, **declared)


def test_data_against_what_is_known() -> None:
    with pytest.raises(UsageError, match=r"known to take probability.*--arg y_pred=real"):
        of(keras.losses.BinaryCrossentropy(), (BITS, NORMAL * 9))


def test_an_argument_without_data() -> None:
    with pytest.raises(UsageError, match=r"no array for mask of .*weighted; it has y_true, y_pred"):
        of(weighted, (NORMAL, NORMAL))
