"""Exported tests whose assertions rules give: of jumps, sizes, labels and what is hidden."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import losscheck
from losscheck.exporting import exported
from tests.exporting.test_export import outcomes

HEAD = """
import tensorflow as tf


"""
JUMP = """
def jump(y_true, y_pred):
    error = tf.abs(y_true - y_pred)
    return tf.reduce_mean(tf.where(error < 1.0, 0.5 * tf.square(error), error), axis=-1)
"""
NO_JUMP = JUMP.replace("error), axis", "error - 0.5), axis")
FROZEN = """
@tf.custom_gradient
def _square(x):
    slope = tf.stop_gradient(2.0 * x)
    return tf.square(x), lambda upstream: upstream * slope

def curved(y_true, y_pred):
    return tf.reduce_mean(_square(y_true - y_pred), axis=-1)
"""
CURVED = FROZEN.replace("tf.stop_gradient(2.0 * x)", "2.0 * x")
STEEP = """
def steep(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred) / (tf.square(y_pred) + 1e-12), axis=-1)
"""
GENTLE = STEEP.replace("1e-12", "1e-1")
SATURATED = """
def saturated(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - tf.sigmoid(y_pred)), axis=-1)
"""
SLOPED = """
def saturated(y_true, y_pred):
    return tf.reduce_mean(tf.math.softplus(y_pred) - y_true * y_pred, axis=-1)
"""
HIDDEN = """
def hidden(y_true, y_pred):
    squares = tf.square(y_true - y_pred)
    squares = tf.where(tf.math.is_finite(squares), squares, tf.zeros_like(squares))
    return tf.reduce_mean(squares, axis=-1)
"""
OPEN = """
def hidden(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
"""
SWALLOWED = """
def swallowed(y_true, y_pred):
    y_pred = tf.where(tf.math.is_nan(y_pred), tf.zeros_like(y_pred), y_pred)
    return tf.reduce_mean(tf.abs(y_true - y_pred), axis=-1)
"""
SEEN = """
def swallowed(y_true, y_pred):
    return tf.reduce_mean(tf.abs(y_true - y_pred), axis=-1)
"""
ANY_LABEL = """
def labels(y_true, y_pred):
    labels = tf.one_hot(tf.cast(tf.reshape(y_true, [-1]), tf.int32), 3)
    return -tf.reduce_sum(labels * tf.nn.log_softmax(y_pred), axis=-1)
"""
REFUSED = ANY_LABEL.replace(
    "    return", "    tf.debugging.assert_non_negative(y_true)\n    return"
)
COUNTED = """
def labels(y_true, y_pred):
    y_true = tf.reshape(y_true, [-1])
    known = tf.cast(y_true >= 0, y_pred.dtype)
    labels = tf.one_hot(tf.cast(y_true, tf.int32), 3)
    losses = -tf.reduce_sum(labels * tf.nn.log_softmax(y_pred), axis=-1)
    return tf.reduce_sum(known * losses) / tf.reduce_sum(known)
"""
LOGITS: dict[str, Any] = {"y_true": ("binary", "(B, D)"), "y_pred": ("logits", "(B, D)")}
CLASSES: dict[str, Any] = {"y_true": ("class_index", "(B,)"), "y_pred": ("logits", "(B, 3)")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "faulty", "mended", "given"),
    [
        ("LC105", JUMP, (NO_JUMP,), {}),
        ("LC106", FROZEN, (CURVED,), {"order": 2}),
        ("LC107", STEEP, (GENTLE,), {}),
        ("LC107", SATURATED, (SLOPED,), {"arguments": LOGITS}),
        ("LC205", HIDDEN, (OPEN,), {}),
        ("LC205", SWALLOWED, (SEEN,), {}),
        ("LC206", ANY_LABEL, (REFUSED, COUNTED), {"arguments": CLASSES}),
    ],
    ids=["jump", "second", "size", "faint", "overflow", "swallowed", "label"],
)
def test_it_fails_and_passes_once_it_is_mended(
    code: str,
    faulty: str,
    mended: tuple[str, ...],
    given: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "my_losses.py"
    file.write_text(HEAD + faulty)
    monkeypatch.chdir(tmp_path)
    name = faulty.rpartition("def ")[2].partition("(")[0]
    made = exported(losscheck.check(f"my_losses.py:{name}", select=[code], **given))
    assert made.tests, made.text
    (tmp_path / "test_pins_it.py").write_text(made.text)
    assert set(outcomes(tmp_path).values()) == {"FAILED"}
    for text in mended:
        file.write_text(HEAD + text)
        assert set(outcomes(tmp_path).values()) == {"PASSED"}
