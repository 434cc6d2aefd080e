"""What a loss keeps from call to call is put back behind a run."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from losscheck.program.modes import EagerProgram, Runner
from losscheck.program.trace import Call
from tests.program.calling import PAIR, SHAPE, call, program

INPUTS = {name: np.ones(SHAPE, np.float32) for name in PAIR}
_seen = tf.Variable(1.0)
_mean = keras.metrics.Mean()


class _Kept:
    """Counts its calls in Python, in a list, and in a variable of Keras."""

    def __init__(self) -> None:
        self.calls = 0
        self.history: list[int] = []
        self.count = keras.Variable(0.0, trainable=False)

    def loss(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        self.calls += 1
        self.history.append(self.calls)
        self.count.assign_add(1.0)
        return tf.reduce_sum(y_pred - y_true) + self.count.value


def _by_globals(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    _seen.assign_add(1.0)
    _mean.update_state(y_pred)
    return tf.reduce_sum(y_pred - y_true) + _seen + _mean.result()


def _run(made: Call, mode: str) -> list[float]:
    runner = Runner(made)
    return [float(runner.run(INPUTS, mode).value) for _ in range(2)]


def test_two_runs_of_a_loss_that_was_traced_give_the_same() -> None:
    kept = _Kept()
    program(kept.loss)
    for mode in ("eager", "graph", "xla"):
        made = call(kept.loss)
        assert _run(made, mode) == [1.0, 1.0]
    assert float(kept.count.numpy()) == 0.0


def test_what_python_keeps_is_put_back() -> None:
    kept = _Kept()
    history = kept.history
    assert _run(call(kept.loss), "eager") == [1.0, 1.0]
    assert kept.calls == 0
    assert history == []
    assert kept.history is history


def test_variables_of_a_loss_that_is_never_traced_are_found() -> None:
    kept = _Kept()
    made = EagerProgram(call(kept.loss), "float32")
    given = {name: np.ones((3, *SHAPE)) for name in PAIR}
    assert made.run(given).value.tolist() == [1.0, 1.0, 1.0]
    assert _run(call(_by_globals), "eager") == [3.0, 3.0]
    assert float(_seen.numpy()) == 1.0
    assert float(_mean.total.numpy()) == 0.0
