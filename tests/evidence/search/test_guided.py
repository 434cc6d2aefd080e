"""Singularities hidden at roots of inner expressions are found, and none is where there is none."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from losscheck.cases.blocks import CaseBlock
from losscheck.cases.problem import Problem
from losscheck.evidence.gather import Evidence
from losscheck.evidence.search.guided import Guided, Hunt, Outcome, guided
from losscheck.model import Array, Range
from losscheck.program.running.program import Program
from losscheck.rules.nonfinite.nonfinite import backward
from tests.desks import desk
from tests.zoo.hidden import HIDDEN, Hidden, Loss


def _evidence(loss: Loss, of: Hidden) -> Evidence:
    return desk(loss, y_true=of.y_true, y_pred=of.y_pred).evidence


def _bad(evidence: Evidence, block: CaseBlock) -> int:
    """How many cases of one sample, up to the working range, are not finite."""
    instance = evidence.instances[0]
    outcome = instance.program.run(block.inputs)
    gradient = np.asarray(outcome.gradient, float).reshape(len(block), -1)
    bad: Array = ~np.isfinite(outcome.total) | ~np.isfinite(gradient).all(axis=1)
    return int((bad & (block.ranges < Range.EXTREME)).sum())


def _search(evidence: Evidence) -> tuple[CaseBlock, Guided]:
    """The other stages' cases of one sample, and what the guided search adds to them."""
    instance = evidence.instances[0]
    block = evidence.cases(instance, "float32")
    assert isinstance(instance.program, Program)
    assert instance.wiring is not None
    problem = Problem.of(evidence.spec.arguments, instance.shapes, "float32", 2)
    return block, guided(instance.program, instance.wiring, problem, block, 0)


def _found(loss: Loss, of: Hidden) -> tuple[int, int]:
    """Bad cases of one sample: from the other stages, and from the guided search."""
    evidence = _evidence(loss, of)
    block, search = _search(evidence)
    return _bad(evidence, block), 0 if search.cases is None else _bad(evidence, search.cases)


def test_nine_of_ten_hidden_singularities_are_found() -> None:
    found = {name: _found(of.faulty, of) for name, of in HIDDEN.items()}
    for name, (before, after) in found.items():
        print(f"{name:10}  corners and mixtures {before:4}   guided {after:4}")
    alone = sum(before > 0 for before, _ in found.values())
    together = sum(before + after > 0 for before, after in found.values())
    print(f"corners and mixtures alone find {alone} of 10, with the guided search {together}")
    assert together >= 9
    assert together > alone


@pytest.mark.parametrize("name", HIDDEN)
def test_the_twin_stays_finite(name: str) -> None:
    assert _found(HIDDEN[name].sound, HIDDEN[name]) == (0, 0)


def _hunts(loss: Loss) -> tuple[Hunt, ...]:
    return _search(_evidence(loss, Hidden(loss, loss)))[1].hunts


def test_what_no_number_reaches_is_said_to_be_out_of_reach() -> None:
    # No float32 number has a square that rounds to 2: every one between 1.4 and 1.5 is tried.
    ends = np.array([1.4, 1.5], np.float32).view(np.int32)
    numbers = np.arange(*ends, dtype=np.int32).view(np.float32)
    away = np.abs(numbers * numbers - np.float32(2.0)).min()
    assert away > 0.0

    def loss(y_true: Array, y_pred: Array) -> Array:
        return tf.reduce_mean(tf.square(y_true) / (tf.square(y_pred) - 2.0))

    (hunt,) = _hunts(loss)
    assert hunt.outcome is Outcome.SHORT
    assert hunt.nearest == away


def test_what_the_domains_exclude_is_not_searched() -> None:
    def loss(y_true: Array, y_pred: Array) -> Array:
        size = 1.0 + tf.square(y_pred)
        return tf.reduce_mean(tf.math.log(size) + tf.square(y_true) / size)

    assert {hunt.outcome for hunt in _hunts(loss)} == {Outcome.BEYOND}


def test_a_loss_without_an_operation_that_fails_is_not_searched() -> None:
    def loss(y_true: Array, y_pred: Array) -> Array:
        return tf.reduce_mean(tf.square(y_true - y_pred))

    _, search = _search(_evidence(loss, Hidden(loss, loss)))
    assert search.cases is None
    assert "no operation" in search.reason


def test_the_operations_of_a_custom_gradient_are_searched() -> None:
    @tf.custom_gradient
    def steep(x: Array) -> tuple[Array, object]:
        return tf.square(x), lambda upstream: upstream * 2.0 * x / (x - 0.37) * (x - 0.37)

    def loss(y_true: Array, y_pred: Array) -> Array:
        return tf.reduce_mean(steep(y_pred) + tf.square(y_true))

    evidence = _evidence(loss, Hidden(loss, loss))
    sweep = evidence.sweeps[0]
    assert Outcome.DRIVEN in {hunt.outcome for hunt in evidence.guided["narrow"].hunts}
    assert (backward(sweep) & (sweep.ranges == Range.ORDINARY)).any()
