"""What the values of a loss cannot show: oscillation, rounding that drowns it, unseen kinks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gradient.check import check
from losscheck.evidence.gradient.second_look import second_look
from losscheck.model import Array, Range
from losscheck.numerics.ladder import derivatives
from losscheck.numerics.verdict import RETRACED_FLOOR, Agreement, compare
from losscheck.program.inner import rounding
from tests.numerics.direct import Direct, evidence_of

EPS = np.finfo(float).eps


def at(function: Any, x: float, **options: Any) -> Any:
    zero = np.zeros(1, np.int64)
    return derivatives(lambda case, k, v: function(v), zero, zero, np.array([x]), **options)


@pytest.mark.parametrize("speed", [1e12, 1e30, 1e100])
def test_an_oscillation_within_the_finest_step_is_undecided(speed: float) -> None:
    found = at(lambda v: np.cos(speed * v), 0.7)
    slope = np.array([-speed * np.sin(speed * 0.7)])
    assert compare(slope, found, RETRACED_FLOOR, 1.0).outcome[0] == Agreement.INCONCLUSIVE


def test_rounding_larger_than_all_that_is_seen_decides_nothing() -> None:
    assert np.isfinite(at(np.sin, 0.7, rounding=1e-12).error[0])
    assert np.isinf(at(np.sin, 0.7, rounding=2.0).error[0])


def test_known_rounding_enters_the_error() -> None:
    assert at(np.sin, 0.7, rounding=1e-6).error[0] >= 1e-6
    assert at(np.sin, 0.7).error[0] <= 1e-9


def test_a_kink_that_noise_hides_is_within_the_error() -> None:
    # The slope jumps by 2e-4 at 1e-4; rounding of 1e8 is 1e-8, which at steps of 1e-5 is 1e-3.
    found = at(lambda v: 1e8 + 1e-4 * np.abs(v - 1e-4), 0.0)
    assert abs(found.value[0] + 1e-4) <= 10 * found.error[0]


def _inputs(x: float) -> dict[str, Array]:
    return {"y_true": np.zeros((1, 1, 1)), "y_pred": np.full((1, 1, 1), x)}


def _bound(function: Any, x: float) -> float:
    evidence = evidence_of(lambda y_true, y_pred: function(y_pred) + y_true, 1)
    program: Any = evidence.programs.double(evidence.instances[0].shapes)
    return float(rounding(program, _inputs(x))[0])


def test_rounding_follows_what_is_done_with_a_number() -> None:
    taken_out = _bound(lambda p: tf.math.log(tf.exp(p)), 300.0)
    left_in = _bound(lambda p: tf.cos(tf.exp(p)), 300.0)
    assert 300 * EPS <= taken_out <= 3_000 * EPS
    assert left_in >= 1e100


def _judged(loss: Any, x: float, kind: type[Direct] = Direct) -> Agreement:
    evidence = evidence_of(loss, 1).like(kind)
    block = CaseBlock(_inputs(x), np.array([Range.ORDINARY], np.uint8))
    instance = evidence.instances[0]
    first = check(evidence, instance, block, 1.0)
    last = second_look(evidence, instance, block, first.gradient, first.comparison, 1.0)
    return Agreement(last.outcome[0])


class Faulty(Direct):
    """Evidence of a gradient that is out by a thousandth."""

    def double(self, block: CaseBlock) -> tuple[Array, Array]:
        totals, gradient = super().double(block)
        return totals, gradient * 1.001


def cancelling(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Has a gradient of 1 + 1e5·(1/p - p/p²), whose bracket is 0 but for rounding."""
    return y_pred + 1e5 * (y_pred / y_pred) + y_true


def test_rounding_of_the_gradient_is_no_mismatch() -> None:
    assert _judged(cancelling, 3.4e-6) != Agreement.MISMATCH
    assert _judged(cancelling, 3.4e-6, Faulty) == Agreement.MISMATCH


def test_a_swallowed_argument_is_no_mismatch() -> None:
    def swallowed(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return tf.cos(tf.square(1e40 - y_pred)) / (y_pred + 3.0) + y_true

    assert _judged(swallowed, 0.5) == Agreement.INCONCLUSIVE


def test_a_kink_is_not_explained_by_rounding() -> None:
    class Outside(Direct):
        def double(self, block: CaseBlock) -> tuple[Array, Array]:
            totals, gradient = super().double(block)
            return totals, gradient + 2.5

    def absolute(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return tf.abs(y_pred - 0.5) + y_true

    assert _judged(absolute, 0.5) == Agreement.VERIFIED
    assert _judged(absolute, 0.5, Outside) == Agreement.OUTSIDE
