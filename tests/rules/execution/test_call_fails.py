"""A loss that raises (LC901): a fault where its shapes are known, a question where they are not."""

from __future__ import annotations

from typing import Any

import pytest

from losscheck.model import Suspect
from losscheck.program.quiet import tensorflow
from losscheck.rules.execution.call_fails import CallFails
from tests.desks import desk

tf = tensorflow()


def grid(y_true: Any, y_pred: Any) -> Any:
    cells = [tf.reshape(y, (-1, 13, 13, 5)) for y in (y_true, y_pred)]
    return tf.reduce_mean(tf.square(cells[0] - cells[1]), axis=[1, 2, 3])


VOCABULARY = ["word"] * 4181  # a size that stands nowhere in the loss's own code


def of_another_size(y_true: Any, y_pred: Any) -> Any:
    if y_pred.shape[-1] != len(VOCABULARY):
        raise ValueError("the prediction is too short")
    return tf.reduce_mean(tf.square(y_true - y_pred))


def whole_numbers(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_mean(tf.cast(y_true, tf.int32) * y_pred)


def suspect(loss: Any, **arguments: Any) -> Suspect:
    (found,) = CallFails().judge(desk(loss, **arguments).get("call"))
    return found


def test_shapes_that_nobody_declared_may_be_the_reason() -> None:
    assert not suspect(of_another_size).certain


def test_shapes_that_are_declared_are_to_be_taken() -> None:
    shape = {"domain": "real", "shape": "(B, 4)"}
    assert suspect(grid, y_true=shape, y_pred=shape).certain


@pytest.mark.parametrize("loss", [whole_numbers])
def test_types_that_do_not_fit_fit_at_no_shape(loss: Any) -> None:
    assert suspect(loss).certain
