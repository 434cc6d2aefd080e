"""Kinks, joins, roots and jumps of real losses, at the very point: each told right.

Every loss takes one number; `at` is the prediction where it changes over, the label being `label`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pytest
import tensorflow as tf

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gradient.check import check
from losscheck.evidence.gradient.crossings import crossings
from losscheck.evidence.graph import graph_facts
from losscheck.model import Array, Range
from losscheck.numerics.verdict import Agreement, Point
from losscheck.rules.gradient.gradient_kink import GradientKink
from losscheck.rules.gradient.gradient_mismatch import GradientMismatch
from losscheck.rules.gradient.value_jump import ValueJump
from tests.numerics.direct import Direct, evidence_of

Loss = Callable[[Any, Any], Any]


@attrs.frozen(kw_only=True, eq=False)
class Place:
    loss: Loss
    at: float
    label: float = 0.25
    point: Point
    left: float = np.nan
    right: float = np.nan
    of_error: bool = False  # it moves with the label
    takes: str = ""  # as Crossing.takes; "both" at smooth places
    rules: frozenset[str] = frozenset()  # what is reported


def huber(outer: Callable[[Any], Any], y_true: Any, y_pred: Any) -> Any:
    size = tf.abs(y_true - y_pred)
    return tf.reduce_sum(tf.where(size <= 1.0, 0.5 * tf.square(size), outer(size)), axis=-1)


def both(y_true: Any, y_pred: Any) -> Any:
    inside = tf.logical_and(y_pred > -0.5, y_pred < 0.75)
    return tf.reduce_sum(tf.where(inside, y_pred, 3.0 * y_pred - 1.5) - y_true, axis=-1)


KINK, JUMP = frozenset({"LC104"}), frozenset({"LC105"})
add = tf.reduce_sum
PLACES = {
    "absolute error": Place(
        loss=lambda t, p: add(tf.abs(p - t), -1),
        of_error=True,
        at=0.25,
        point=Point.KINK,
        left=-1,
        right=1,
        takes="between",
    ),
    "abs": Place(
        loss=lambda t, p: add(tf.abs(p - 0.5) + t, -1),
        at=0.5,
        point=Point.KINK,
        left=-1,
        right=1,
        takes="between",
        rules=KINK,
    ),
    "relu": Place(
        loss=lambda t, p: add(tf.nn.relu(p - 0.5) + t, -1),
        at=0.5,
        point=Point.KINK,
        left=0,
        right=1,
        takes="below",
        rules=KINK,
    ),
    "relu of abs": Place(
        loss=lambda t, p: add(tf.nn.relu(tf.abs(p - t) - 0.5), -1),
        of_error=True,
        at=0.75,
        point=Point.KINK,
        left=0,
        right=1,
        takes="below",
        rules=KINK,
    ),
    "relu6, its upper end": Place(
        loss=lambda t, p: add(tf.nn.relu6(8.0 * p) + t, -1),
        at=0.75,
        point=Point.KINK,
        left=8,
        right=0,
        takes="above",
        rules=KINK,
    ),
    "leaky relu": Place(
        loss=lambda t, p: add(tf.nn.leaky_relu(p - 0.5, 0.25) + t, -1),
        at=0.5,
        point=Point.KINK,
        left=0.25,
        right=1,
        takes="below",
        rules=KINK,
    ),
    "maximum": Place(
        loss=lambda t, p: add(tf.maximum(tf.square(p), p) + t, -1),
        at=1.0,
        point=Point.KINK,
        left=1,
        right=2,
        takes="above",
        rules=KINK,
    ),
    "hinge": Place(
        loss=lambda t, p: add(tf.maximum(1.0 - p, 0.0) + t, -1),
        label=1.0,
        at=1.0,
        point=Point.KINK,
        left=-1,
        right=0,
        takes="below",
        rules=KINK,
    ),
    "squared hinge": Place(
        loss=lambda t, p: add(tf.square(tf.maximum(1.0 - p, 0.0)) + t, -1),
        label=1.0,
        at=1.0,
        point=Point.SMOOTH,
        takes="both",
    ),
    "pinball": Place(
        loss=lambda t, p: add(tf.maximum(0.75 * (t - p), 0.25 * (p - t)), -1),
        of_error=True,
        at=0.25,
        point=Point.KINK,
        left=-0.75,
        right=0.25,
        takes="below",
    ),
    "Huber": Place(
        loss=lambda t, p: huber(lambda e: e - 0.5, t, p),
        of_error=True,
        at=1.25,
        point=Point.SMOOTH,
        takes="both",
    ),
    "Huber, wrong slope": Place(
        loss=lambda t, p: huber(lambda e: 2.0 * e - 1.5, t, p),
        of_error=True,
        at=1.25,
        point=Point.KINK,
        left=1,
        right=2,
        takes="below",
        rules=KINK,
    ),
    "Huber, wrong constant": Place(
        loss=lambda t, p: huber(lambda e: e - 0.25, t, p),
        of_error=True,
        at=1.25,
        point=Point.JUMP,
        rules=JUMP,
    ),
    "lower clip": Place(
        loss=lambda t, p: add(tf.square(tf.clip_by_value(p, -0.5, 0.75) - t), -1),
        at=-0.5,
        point=Point.KINK,
        left=0,
        right=-1.5,
        takes="above",
        rules=KINK,
    ),
    "upper clip": Place(
        loss=lambda t, p: add(tf.square(tf.clip_by_value(p, -0.5, 0.75) - t), -1),
        at=0.75,
        point=Point.KINK,
        left=1,
        right=0,
        takes="below",
        rules=KINK,
    ),
    "where of two conditions": Place(
        loss=both,
        at=0.75,
        point=Point.KINK,
        left=1,
        right=3,
        takes="above",
        rules=KINK | JUMP,
    ),
    "where, smooth": Place(
        loss=lambda t, p: add(tf.where(p < 0.5, tf.square(p), p - 0.25) + t, -1),
        at=0.5,
        point=Point.SMOOTH,
        takes="both",
    ),
    "cond": Place(
        loss=lambda t, p: tf.cond(
            p[0, 0] < 0.5, lambda: add(p + t, -1), lambda: add(2 * p + t, -1)
        ),
        at=0.5,
        point=Point.JUMP,
        rules=JUMP,
    ),
    "|x|^1.5": Place(
        loss=lambda t, p: add(tf.abs(p - 0.5) ** 1.5 + t, -1),
        at=0.5,
        point=Point.SMOOTH,
        takes="both",
    ),
    "square root": Place(
        loss=lambda t, p: add(tf.sqrt(tf.abs(p - 0.5)) + t, -1),
        at=0.5,
        point=Point.ROOT,
        left=-np.inf,
        right=np.inf,
        rules=KINK,
    ),
    "selu": Place(
        loss=lambda t, p: add(tf.nn.selu(p - 0.5) + t, -1),
        at=0.5,
        point=Point.KINK,
        left=1.7580993,
        right=1.0507010,
        takes="above",
        rules=KINK,
    ),
}


class Planted(Direct):
    """Evidence of a gradient that lies beyond everything at a kink."""

    def double(self, block: CaseBlock) -> tuple[Array, Array]:
        totals, gradient = super().double(block)
        return totals, gradient + 9.0


@functools.cache
def evidence(name: str) -> Direct:
    return evidence_of(PLACES[name].loss, 1)


def at_tie(place: Place, given: Direct) -> tuple[Any, Agreement, Point]:
    inputs = {"y_true": np.full((1, 1, 1), place.label), "y_pred": np.full((1, 1, 1), place.at)}
    block = CaseBlock(inputs, np.array([Range.ORDINARY], np.uint8))
    checked = check(given, given.instances[0], block, 1.0)
    outcome, point = checked.comparison.outcome[0], checked.comparison.point[0]
    return checked, Agreement(outcome), Point(point)


@pytest.mark.parametrize("name", PLACES)
def test_the_point_itself_is_told_right(name: str) -> None:
    place = PLACES[name]
    checked, outcome, point = at_tie(place, evidence(name))
    assert point == place.point
    if point == Point.KINK:
        sides = [checked.found.left[0], checked.found.right[0]]
        np.testing.assert_allclose(sides, [place.left, place.right], atol=1e-6)
    decided = point in (Point.KINK, Point.SMOOTH)
    assert outcome == (Agreement.VERIFIED if decided else Agreement.INCONCLUSIVE)
    if decided:
        _, wrong, _ = at_tie(place, evidence(name).like(Planted))
        assert wrong == (Agreement.OUTSIDE if point == Point.KINK else Agreement.MISMATCH)


@pytest.mark.parametrize("name", PLACES)
def test_the_report_tells_it_right(name: str) -> None:
    place = PLACES[name]
    found = crossings(evidence(name))
    here = [c for c in found if c.joins and _is(c, place)]
    assert here
    assert {c.kink for c in here if not c.jump} <= {place.point in (Point.KINK, Point.ROOT)}
    assert {c.jump for c in here} == {place.point == Point.JUMP}
    assert {c.takes for c in here} == {place.takes}
    suspects = [*GradientKink().judge(found), *ValueJump().judge(found)]
    assert {suspect.code for suspect in suspects} == place.rules
    checks = [at_tie(place, evidence(name))[0]]
    facts = graph_facts(evidence(name))
    assert not list(GradientMismatch().judge(checks, (), (), None, facts))


def _is(crossing: Any, place: Place) -> bool:
    """Whether a crossing is the place, or the same one for another label."""
    if place.of_error:
        return bool(np.isclose(crossing.error, place.at - place.label, atol=1e-9))
    return bool(np.isclose(crossing.at, place.at, atol=1e-9))
