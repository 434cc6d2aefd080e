"""What a loss keeps from call to call is put back behind a run."""

from __future__ import annotations

import math
import threading
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from losscheck.program.modes import EagerProgram, Runner
from losscheck.program.tracing.trace import Call
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


class _Refusing:
    """Holds what cannot be copied, or looked at."""

    @property
    def variables(self) -> Any:
        raise RuntimeError("not now")

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


class _Uncopied(list[float]):
    """A list with a lock, as the lists of Keras have the module of their layer."""

    def __init__(self, members: list[float]) -> None:
        super().__init__(members)
        self.lock = threading.Lock()
        self.module = math


class _Holder:
    def __init__(self) -> None:
        self.scales = _Uncopied([1.0, 2.0])
        self.seen: dict[str, Any] = {"calls": 0}
        self.latest: tuple[Any, ...] = (0.0,)
        self.parts = (_Refusing(), math, threading.Lock(), (n for n in range(3)))
        self.refusing = _Refusing()

    def loss(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        self.scales.append(3.0)
        self.seen["calls"] += 1
        self.seen["numbers"] = np.ones(2)
        self.latest = (np.ones(2),)
        return tf.reduce_sum(y_pred - y_true) + float(len(self.scales) + self.seen["calls"])


def test_what_cannot_be_copied_is_no_error_of_the_loss() -> None:
    holder = _Holder()
    scales = holder.scales
    assert _run(call(holder.loss), "eager") == [4.0, 4.0]
    assert holder.scales is scales
    assert scales == [1.0, 2.0]
    assert holder.seen == {"calls": 0}
    assert holder.latest == (0.0,)


class _Lazy:
    """Makes its variable at the first call, and says so in Python."""

    def __init__(self) -> None:
        self.made = False
        self.scale: Any = None

    def loss(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        if not self.made:
            assert self.scale is None
            self.made, self.scale = True, tf.Variable(2.0)
        return self.scale * tf.reduce_sum(y_pred - y_true)


class _Layer(keras.Layer):
    """Builds what it is made of, once."""

    def __init__(self) -> None:
        super().__init__(name="of_two")
        self.recurrent = keras.layers.GRU(2, name="recurrent")

    def build(self, shape: Any) -> None:
        assert not self.recurrent.built
        self.recurrent.build(shape)
        super().build(shape)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return self.recurrent(x)


def test_what_is_built_at_the_first_call_is_built_once() -> None:
    lazy, layer = _Lazy(), _Layer()
    assert _run(call(lazy.loss), "eager") == [0.0, 0.0]
    assert lazy.made

    def loss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(layer(y_pred[:, None, :]) - layer(y_true[:, None, :]))

    assert _run(call(loss), "eager") == [0.0, 0.0]
    assert len(layer.weights) == 3
