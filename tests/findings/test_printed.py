from __future__ import annotations

import pytest
import tensorflow as tf

from losscheck.advice.blamed import Blame
from losscheck.findings.code import Names, known, printable
from losscheck.model import Direction

NAMES = Names({"tf": tf, "EPSILON": 1e-7}, frozenset({"y_pred"}))


@pytest.mark.parametrize(
    "fix",
    [
        "tf.math.log(tf.maximum(y_pred, EPSILON))",
        "safe = tf.where(y_pred > 0.0, y_pred, 1.0)\nreturn tf.math.log(safe)\n# Or from logits.",
        "# Words alone.",
        "def call(self, y_true, y_pred):  # in place of __call__",
    ],
)
def test_what_can_be_pasted_is_left_as_it_is(fix: str) -> None:
    assert printable(fix, NAMES) == fix


@pytest.mark.parametrize(
    "fix",
    [
        "tf.math.cholesky(y_pred)",  # tf.linalg.cholesky
        "tf.nn.softmax(logits)",  # whose name nobody knows
        "return\ntf.sqrt(",
        "for row in y_pred:",
    ],
)
def test_what_cannot_is_a_comment(fix: str) -> None:
    told = printable(f"{fix}\n# Or so.", NAMES)
    assert told.splitlines() == [*(f"# {line}" for line in fix.splitlines()), "# Or so."]


def test_the_names_of_the_loss_are_known() -> None:
    def loss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        error = y_true - y_pred
        return tf.square(error)

    blame = Blame(
        location=None,
        op="",
        direction=Direction.FORWARD,
        expression="",
        operands=(),
        operand_values=(),
        result=None,
    )
    names = known(blame, loss, ["y_true"])
    assert not names.unknown("tf.abs(error) + NAMES.module['x'] + y_true - y_pred")
    assert names.unknown("errors") == "errors"
