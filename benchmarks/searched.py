"""What is timed of the search: sweeps, conditioning, a full check, and a test written by hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import tensorflow as tf

from losscheck.cases import forget
from losscheck.engine.task import Task, examine
from losscheck.evidence.gather import Evidence
from losscheck.evidence.precision.disagreement import explained
from losscheck.infer import infer
from losscheck.model import LossReport
from losscheck.settings.settings import Settings, argument
from losscheck.targets import from_callable

Loss = Callable[[Any, Any], Any]
EXAMPLES = 200  # of the test written by hand


@attrs.frozen(kw_only=True)
class Rate:
    """So many cases in so many seconds."""

    cases: int
    seconds: float

    @property
    def a_second(self) -> float:
        """Cases a second."""
        return self.cases / self.seconds


def squared(y_true: Any, y_pred: Any) -> Any:
    """Mean of squares."""
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def huber(y_true: Any, y_pred: Any) -> Any:
    """Quadratic up to an error of 1, linear beyond."""
    size = tf.abs(y_true - y_pred)
    return tf.reduce_mean(tf.where(size < 1.0, 0.5 * size * size, size - 0.5), axis=-1)


def entropy(y_true: Any, y_pred: Any) -> Any:
    """Binary cross-entropy of clipped probabilities."""
    p = tf.clip_by_value(y_pred, 1e-7, 1.0 - 1e-7)
    both = y_true * tf.math.log(p) + (1.0 - y_true) * tf.math.log(1.0 - p)
    return -tf.reduce_mean(both, axis=-1)


def focal(y_true: Any, y_pred: Any) -> Any:
    """Cross-entropy with less weight on what is right already."""
    p = tf.clip_by_value(y_pred, 1e-7, 1.0 - 1e-7)
    hit = y_true * p + (1.0 - y_true) * (1.0 - p)
    return -tf.reduce_mean(tf.square(1.0 - hit) * tf.math.log(hit), axis=-1)


def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """Log of the hyperbolic cosine of the error, without overflow."""
    error = y_pred - y_true
    return tf.reduce_mean(error + tf.math.softplus(-2.0 * error) - np.log(2.0), axis=-1)


REAL, CHANCE = ("real", "real"), ("binary", "probability")
LOSSES: dict[str, tuple[Loss, tuple[str, str]]] = {
    "squared": (squared, REAL),
    "huber": (huber, REAL),
    "entropy": (entropy, CHANCE),
    "focal": (focal, CHANCE),
    "log_cosh": (log_cosh, REAL),
}


def _evidence(loss: tuple[Loss, tuple[str, str]], shape: str) -> Evidence:
    function, domains = loss
    declared = {
        name: argument((domain, shape), name)
        for name, domain in zip(("y_true", "y_pred"), domains, strict=True)
    }
    inferred = infer(from_callable(function), declared, home=".", base=".")
    dtypes = ("float32", "float64")
    return Evidence(inferred=inferred, dtypes=dtypes, modes_wanted=("graph",), seed=0)


def swept(name: str, loss: tuple[Loss, tuple[str, str]]) -> Rate:
    """Search one prediction in both dtypes, from the bare function on."""
    forget()
    begin = time.perf_counter()
    evidence = _evidence(loss, "(1, 1)")
    cases = sum(map(evidence.cases_in, evidence.dtypes))
    return Rate(cases=cases, seconds=time.perf_counter() - begin)


def conditioned(name: str, loss: tuple[Loss, tuple[str, str]], most: int) -> tuple[Rate, Rate]:
    """Search three rows of three, and measure the conditioning of value and gradient."""
    forget()
    begin = time.perf_counter()
    evidence = _evidence(loss, "(3, 3)")
    sweeps = evidence.sweeps
    block = sweeps[0].cases.take(slice(most))
    for part in (0, 1):
        explained(evidence.double, block, part)
    seconds = time.perf_counter() - begin
    cases = sum(map(evidence.cases_in, evidence.dtypes))
    # Conditioning runs each case once and once a number, and twice more for kinks close by.
    numbers = sum(int(np.prod(array.shape[1:])) for array in block.inputs.values())
    evaluated = cases + 2 * len(block) * (numbers + 1 + 2 * numbers + 1)
    return Rate(cases=cases, seconds=seconds), Rate(cases=evaluated, seconds=seconds)


def checked(target: str) -> tuple[float, float]:
    """Seconds of a full check, and of the training in it."""
    report = examine(Task(target=target, settings=Settings()))
    return report.seconds, trained(report)


def trained(report: LossReport) -> float:
    """Seconds that a small model was trained for."""
    return sum(check.seconds for check in report.checks if check.code == "LC603")


def by_hand(loss: tuple[Loss, tuple[str, str]]) -> Rate:
    """Test the gradient as one would by hand: Hypothesis draws, compute_gradient compares."""
    import hypothesis
    import hypothesis.strategies as st

    function, domains = loss
    low, high = (0.0, 1.0) if domains is CHANCE else (-1e3, 1e3)
    label = st.sampled_from([0.0, 1.0]) if domains is CHANCE else st.floats(low, high)
    seen = 0

    @hypothesis.seed(0)
    @hypothesis.settings(max_examples=EXAMPLES, deadline=None, database=None)
    @hypothesis.given(label, st.floats(low, high))
    def test(truth: float, prediction: float) -> None:
        nonlocal seen
        seen += 1
        y_true = tf.constant([[truth]], tf.float32)
        y_pred = tf.constant([[prediction]], tf.float32)
        tf.test.compute_gradient(lambda p: function(y_true, p), [y_pred])

    begin = time.perf_counter()
    test()
    return Rate(cases=seen, seconds=time.perf_counter() - begin)
