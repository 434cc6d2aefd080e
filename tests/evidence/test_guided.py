"""Singularities hidden at roots of inner expressions are found, and none is where there is none."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import tensorflow as tf

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gather import Evidence
from losscheck.evidence.guided import Hunt, Outcome
from losscheck.model import Array, Range
from losscheck.rules.nonfinite import backward
from tests.desks import desk
from tests.zoo.hidden import HIDDEN, REAL, Hidden, Loss


def _evidence(loss: Loss, of: Hidden) -> Evidence:
    return desk(loss, y_true=of.y_true, y_pred=of.y_pred).evidence


def _bad(evidence: Evidence, block: CaseBlock) -> int:
    """How many cases of one sample, up to the working range, are not finite."""
    instance = evidence.instances[0]
    outcome = instance.program.run(block.inputs)
    gradient = np.asarray(outcome.gradient, float).reshape(len(block), -1)
    bad: Array = ~np.isfinite(outcome.total) | ~np.isfinite(gradient).all(axis=1)
    return int((bad & (block.ranges < Range.EXTREME)).sum())


@functools.cache
def _found(name: str) -> tuple[int, int]:
    """Bad cases of one sample: from the other stages, and from the guided search."""
    evidence = _evidence(HIDDEN[name].faulty, HIDDEN[name])
    instance = evidence.instances[0]
    before = _bad(evidence, evidence.cases(instance, "float32"))
    _ = evidence.sweeps
    guided = evidence.guided[instance.name].cases
    return before, 0 if guided is None else _bad(evidence, guided)


def test_nine_of_ten_hidden_singularities_are_found() -> None:
    found = {name: _found(name) for name in HIDDEN}
    for name, (before, after) in found.items():
        print(f"{name:10}  corners and mixtures {before:4}   guided {after:4}")
    alone = sum(before > 0 for before, _ in found.values())
    together = sum(before + after > 0 for before, after in found.values())
    print(f"corners and mixtures alone find {alone} of 10, with the guided search {together}")
    assert together >= 9
    assert together > alone


@pytest.mark.parametrize("name", HIDDEN)
def test_the_twin_stays_finite(name: str) -> None:
    of = HIDDEN[name]
    evidence = _evidence(of.sound, of)
    for sweep in evidence.sweeps:
        assert not (backward(sweep) & (sweep.ranges < Range.EXTREME)).any()


def _hunts(loss: Loss) -> tuple[Hunt, ...]:
    evidence = _evidence(loss, Hidden(loss, loss))
    _ = evidence.sweeps
    return evidence.guided["narrow"].hunts


def test_what_no_number_reaches_is_said_to_be_out_of_reach() -> None:
    # No float32 number has a square that rounds to 3: those of the neighbours of its root are
    # 2.9999998 and 3.0000002. (Checked over all numbers between 1.73 and 1.74.)
    numbers = np.arange(*np.array([1.73, 1.74], np.float32).view(np.int32), dtype=np.int32)
    roots = numbers.view(np.float32)
    assert not (roots * roots == np.float32(3.0)).any()

    def loss(y_true: Array, y_pred: Array) -> Array:
        return tf.reduce_mean(tf.square(y_true) / (tf.square(y_pred) - 3.0))

    (hunt,) = _hunts(loss)
    assert hunt.outcome is Outcome.SHORT
    assert hunt.nearest == pytest.approx(2.4e-7, rel=0.1)


def test_what_the_domains_exclude_is_not_searched() -> None:
    def loss(y_true: Array, y_pred: Array) -> Array:
        size = 1.0 + tf.square(y_pred)
        return tf.reduce_mean(tf.math.log(size) + tf.square(y_true) / size)

    assert {hunt.outcome for hunt in _hunts(loss)} == {Outcome.BEYOND}


def test_a_loss_without_an_operation_that_fails_is_not_searched() -> None:
    def loss(y_true: Array, y_pred: Array) -> Array:
        return tf.reduce_mean(tf.square(y_true - y_pred))

    evidence = desk(loss, y_true=REAL, y_pred=REAL).evidence
    _ = evidence.sweeps
    assert evidence.guided["narrow"].cases is None
    assert "no operation" in evidence.guided["narrow"].reason


def test_the_operations_of_a_custom_gradient_are_searched() -> None:
    @tf.custom_gradient
    def steep(x: Array) -> tuple[Array, object]:
        return tf.square(x), lambda upstream: upstream * 2.0 * x / (x - 0.37) * (x - 0.37)

    def loss(y_true: Array, y_pred: Array) -> Array:
        return tf.reduce_mean(steep(y_pred) + tf.square(y_true))

    evidence = desk(loss, y_true=REAL, y_pred=REAL).evidence
    sweep = evidence.sweeps[0]
    assert Outcome.DRIVEN in {hunt.outcome for hunt in evidence.guided["narrow"].hunts}
    assert (backward(sweep) & (sweep.ranges == Range.ORDINARY)).any()
