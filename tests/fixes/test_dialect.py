"""Changes in the words of modules that call TensorFlow otherwise, or do not name it at all."""

from __future__ import annotations

import math
from typing import Any

import keras
import pytest
import tensorflow as tf

from losscheck.advice.base import Change
from losscheck.findings.code import Names
from losscheck.fixes.candidates import in_words_of

CHANGE = Change(
    "log(p)",
    "tf.math.log(tf.clip_by_value(safe, 0.0, 1.0))",
    ("safe = tf.cast(tf.reduce_sum(p, axis=-1), tf.float32)",),
)


def written(**module: Any) -> list[str]:
    found = in_words_of(Names(module, frozenset()), CHANGE)
    return ["; ".join([*each.before, each.new]) for each in found]


def test_by_the_name_that_it_has():
    assert written(flow=tf, keras=keras) == [
        "safe = flow.cast(flow.reduce_sum(p, axis=-1), flow.float32); "
        "flow.math.log(flow.clip_by_value(safe, 0.0, 1.0))"
    ]


@pytest.mark.parametrize("module", [{"ops": keras.ops}, {"keras": keras}])
def test_by_the_operations_of_keras(module: dict[str, Any]):
    name = "ops" if "ops" in module else "keras.ops"
    first, _ = written(**module)
    assert first == (
        f'safe = {name}.cast({name}.sum(p, axis=-1), "float32"); '
        f"{name}.log({name}.clip(safe, 0.0, 1.0))"
    )


def test_imported_where_nothing_is_known():
    assert written(math=math, log=tf.math.log) == [
        "import tensorflow as tf; safe = tf.cast(tf.reduce_sum(p, axis=-1), tf.float32); "
        "tf.math.log(tf.clip_by_value(safe, 0.0, 1.0))"
    ]


def test_what_calls_nothing_needs_no_import():
    change = Change("1.0 / n", "0.5")
    assert list(in_words_of(Names({"math": math}, frozenset()), change)) == [change]


def test_a_second_change_needs_no_second_import():
    assert list(in_words_of(Names({"math": math}, frozenset({"tf"})), CHANGE)) == [CHANGE]
