"""Which of the changes that hold is taken, and what a search of its own finds against one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from losscheck.fixes.agreement import VALUE, Pair, is_slight
from losscheck.fixes.bench import Bench, Verified
from losscheck.fixes.candidates import candidates
from losscheck.fixes.cure import compromise, cures
from losscheck.model import Range
from tests.fixes import faulty_losses as losses
from tests.fixes.explained import explained
from tests.wild.raising_losses import binned

NONFINITE = ("LC201", "LC202", "LC203", "LC204")


def test_a_change_that_brings_an_error_does_not_hold():
    # A root of what a real number is: below 0 any bound has slope 0, whatever the loss there.
    found = explained(losses.bare_root, NONFINITE, y_true="nonnegative", y_pred="real")
    tried = cures(found.bench, found.desk, found.explanations)
    assert not any(cure.verified.holds for cure in tried)
    assert "LC103 gradient-dead would be found" in [c for t in tried for c in t.verified.complaints]


@pytest.mark.slow
def test_a_power_keeps_the_sign_of_its_base():
    found = explained(losses.fractional_power, NONFINITE, y_true="nonnegative", y_pred="real")
    best = cures(found.bench, found.desk, found.explanations)[-1]
    assert best.verified.holds
    assert best.edit.new == "tf.sign(base) * tf.pow(tf.maximum(tf.abs(base), 1e-7), 0.7)"


@pytest.mark.slow
def test_a_quotient_by_an_exponential_becomes_a_product():
    shapes = {"y_true": ("real", "(B, 1)"), "y_pred": ("real", "(B, 2)")}
    found = explained(losses.weighed_by_precision, NONFINITE, **shapes)
    best = cures(found.bench, found.desk, found.explanations)[-1]
    assert best.verified.holds
    assert best.edit.new.endswith("* tf.exp(tf.minimum(-y_pred[:, 1], 88.7))")


def test_one_that_keeps_every_right_number_comes_before_a_bound():
    found = explained(losses.angle, NONFINITE, y_true="unit_vector", y_pred="unit_vector")
    bound = next(candidates(found.explanations[0], found.desk))
    assert "1e-6" in bound.new
    verified = found.bench.verify([bound], found.explanations)
    assert verified.holds
    assert verified.bounds  # at equal vectors, whose angle is 0, it gives arccos(1 - 1e-6)
    tried = cures(found.bench, found.desk, found.explanations)
    assert tried[-1].verified.holds
    assert tried[-1].verified.departs == 0
    # The values at both ends are those of the arc cosine itself.
    assert "tf.where(tf.abs(inside) < 1.0, tf.acos(safe), end)" in tried[-1].edit.new


def test_a_bound_that_cures_at_a_price_is_told_with_the_price():
    # Of vectors that are not unit ones most angles are 0 or pi: the loss is not 0 there any more.
    found = explained(
        losses.angle, ("LC203",), y_true=("real", "(B, D)"), y_pred=("real", "(B, D)")
    )
    errors = [each for each in found.explanations if each.finding.severity == "error"]
    tried = cures(found.bench, found.desk, errors)
    assert not tried[-1].verified.holds
    least = compromise(found.bench, tried, errors)
    assert least is not None
    assert "1e-6" in least.edit.new
    assert {each.finding.id for each in errors} <= set(least.verified.clears)
    # arccos(1 - 1e-6) = 1.4e-3, by the series of the arc cosine sqrt(2e-6).
    assert "the loss would change" in least.verified.complaints[0]


@pytest.mark.parametrize(
    ("after", "slight"),
    [([1.001] * 40, True), ([1.5] * 40, False), ([5.0, *[1.0] * 39], True)],
    ids=["a little everywhere", "much everywhere", "much in one case"],
)
def test_what_a_compromise_may_change(after: list[float], slight: bool):
    ones = np.ones((40, 1))
    moved = np.asarray(after)[:, np.newaxis]
    ranges = np.full(40, Range.ORDINARY)
    evidence: Any = None
    sweep: Any = None
    assert is_slight(evidence, [Pair(sweep, ones, moved, ones, ranges, 1.0, VALUE)]) is slight


def test_a_cosine_by_hand_is_written_with_unit_vectors():
    # A bound of the quotient alone leaves the slopes of the norms, which are infinite at 0.
    shape = ("real", "(B, 5)")
    found = explained(losses.pearson, ("LC201",), y_true=shape, y_pred=shape)
    first = next(candidates(found.explanations[0], found.desk))
    assert first.new == (
        "tf.reduce_sum(tf.math.l2_normalize(labels, axis=-1) * "
        "tf.math.l2_normalize(guesses, axis=-1), axis=-1)"
    )


def test_what_is_wrong_in_every_case_is_held_against_what_is_right():
    # (B,) beside (B, 1): the fix must give other numbers than the loss, those of pairs.
    found = explained(
        losses.column_against_row, ("LC401",), y_true=("real", "(B,)"), y_pred=("real", "(B, 1)")
    )
    errors = [each for each in found.explanations if each.finding.severity == "error"]
    cure = cures(found.bench, found.desk, errors)[-1]
    assert cure.verified.holds
    assert "y_true = tf.reshape(y_true, tf.shape(y_pred))" in cure.verified.diff


def test_a_guard_at_0_alone_is_sound():
    # It has slope 0 where the square of a difference is no float32 number: below 1e-19, where the
    # numbers of no model lie.
    found = explained(losses.guarded_norm, (*NONFINITE, "LC302"), y_true="real", y_pred="real")
    assert {each.finding.severity for each in found.explanations} <= {"note"}


@pytest.mark.slow
def test_two_places_that_fail_alike_are_changed_together():
    shape = ("real", "(B, 3)")
    found = explained(losses.there_and_back, ("LC203",), y_true=shape, y_pred=shape)
    cure = cures(found.bench, found.desk, found.explanations)[-1]
    assert cure.verified.holds
    assert len(cure.edit.steps) == 2
    assert cure.verified.clears == tuple(each.finding.id for each in found.explanations)
    changed = [line for line in cure.verified.diff.splitlines() if line.startswith("-    ")]
    assert changed == [
        "-    first = tf.sqrt(tf.reduce_sum(tf.square(y_true - y_pred), axis=-1))",
        "-    other = tf.sqrt(tf.reduce_sum(tf.square(y_pred - y_true), axis=-1))",
    ]


def test_a_fix_may_take_cases_on_which_the_loss_raises():
    found = explained(binned, ("LC507",), y_true="probability", y_pred="probability")
    best = cures(found.bench, found.desk, found.explanations)[-1]
    assert best.verified.holds
    assert best.verified.departs == 0
    assert best.edit.new == "tf.gather(table, tf.clip_by_value(quarter, 0, tf.shape(table)[0] - 1))"


@pytest.mark.slow
def test_what_brings_the_warning_of_another_is_not_searched(monkeypatch: pytest.MonkeyPatch):
    # Whatever is written for a label of length 0, nothing is learned from it.
    searched: list[str] = []
    search = Bench.searched

    def noted(self: Bench, edits: Any, *given: Any) -> Verified:
        searched.append(edits[0].new)
        return search(self, edits, *given)

    monkeypatch.setattr(Bench, "searched", noted)
    found = explained(losses.cosine_of_any, NONFINITE)
    labels = [e for e in found.explanations if "y_true" in e.blame.expression]
    best = cures(found.bench, found.desk, labels)[-1]
    assert best.verified.holds
    assert "LC103" in best.verified.adds
    assert searched == ["tf.math.divide_no_nan(y_true, tf.norm(y_true, axis=-1, keepdims=True))"]
    assert best.edit.new == searched[0]
