"""Lost digits: what is lost, what conditioning explains, and where the digits went.

Expected severities are DESIGN.md's, by the ordinary scale; the numbers of (1 - cos d) / d^2 come
from its series 1/2 - d^2/24.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pytest
import tensorflow as tf

import losscheck
from losscheck.evidence.desk import Desk
from losscheck.evidence.precision.lost_digits import Part, Precision
from losscheck.evidence.precision.truth import exact_numbers
from losscheck.findings import locate
from losscheck.model import DigitCurve, Direction, Range
from losscheck.rules.precision.lost_digits import GradientPrecision, ValuePrecision
from tests.desks import desk
from tests.verdicts import errors
from tests.zoo import planted_precision as planted

PAIRS = {
    "real": {"y_true": ("real", "(B, D)"), "y_pred": ("real", "(B, D)")},
    "classes": {"y_true": ("one_hot", "(B, C)"), "y_pred": ("logits", "(B, C)")},
    "binary": {"y_true": ("binary", "(B, D)"), "y_pred": ("logits", "(B, D)")},
    "unit": {"y_true": ("unit_vector", "(B, D)"), "y_pred": ("unit_vector", "(B, D)")},
}
Loss = Callable[..., Any]


@functools.cache
def laid_out(function: Loss, domains: str = "real") -> Desk:
    evidence = desk(function, **PAIRS[domains]).evidence
    return Desk(attrs.evolve(evidence, modes_wanted=("eager",)))  # XLA takes long, and no part


def forms(function: Loss, domains: str = "real") -> dict[str, set[str]]:
    """What the two rules name: the sizes found in the ordinary range, and elsewhere."""
    runs = laid_out(function, domains).get("precision")
    crowds = [*ValuePrecision().judge(runs), *GradientPrecision().judge(runs)]
    found: dict[str, set[str]] = {"ordinary": set(), "elsewhere": set()}
    for crowd in crowds:
        ordinary = (crowd.population.ranges[crowd.members] == Range.ORDINARY).any()
        found["ordinary" if ordinary else "elsewhere"].add(f"{crowd.code} {crowd.form}")
    return found


def lost(part: Part, run: Precision) -> np.ndarray[Any, Any]:
    return np.flatnonzero(part.lost & (run.ranges == Range.ORDINARY))


def test_a_near_duplicate_of_ordinary_points_loses_an_ordinary_value_and_gradient() -> None:
    assert {"LC301 large", "LC302 large"} <= forms(planted.cosine_gap)["ordinary"]
    run = laid_out(planted.cosine_gap).get("precision")[0]
    assert run.gradient is not None
    members = lost(run.gradient, run)
    d = np.abs(run.cases.inputs["y_pred"].astype(float) - run.cases.inputs["y_true"])
    near = members[(d[members] > 5e-4).ravel() & (d[members] < 2e-3).ravel()]
    assert len(near)
    # The slope is -d/12 up to terms in d^3, of which float64 has two digits left here.
    size = np.abs(run.gradient.truth[near]).ravel()
    assert np.allclose(size, d[near].ravel() / 12, rtol=0.05)
    # Half an ulp of 1 over d^3 / 2: 60 at 1e-3.
    assert np.median(run.gradient.error[near]) > 1.0


@pytest.mark.parametrize(
    ("function", "size"),
    [
        (planted.expanded_distance, "LC302 large"),
        (planted.one_pass_deviation, "LC302 large"),
        (planted.shifted_root, "LC301 slight"),
        (planted.linear_exponential, "LC301 slight"),
        (planted.bare_log_cosh, "LC301 slight"),
        (planted.bare_log_one_plus, "LC301 slight"),  # eagerly: the graph computes log1p
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_sizes_follow_the_ordinary_scale(function: Loss, size: str) -> None:
    found = forms(function)
    assert size in found["ordinary"]
    if size.endswith("slight"):
        assert not {"LC301 large", "LC302 large"} & found["ordinary"]


def test_what_tensorflow_rewrites_in_the_graph_is_lost_eagerly_alone() -> None:
    runs = laid_out(planted.bare_log_one_plus).get("precision")
    assert {run.mode for run in runs if run.value.lost.any()} == {"eager"}


def softmax(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.nn.softmax_cross_entropy_with_logits(y_true, y_pred)


def sigmoid(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    losses = tf.nn.sigmoid_cross_entropy_with_logits(y_true, y_pred)
    return tf.reduce_mean(losses, axis=-1)


def cosine(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    unit = [tf.nn.l2_normalize(x, axis=-1) for x in (y_true, y_pred)]
    return 1.0 - tf.reduce_sum(unit[0] * unit[1], axis=-1)


def info_nce(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    similar = tf.matmul(y_pred, y_true, transpose_b=True) / 0.1
    return -tf.linalg.diag_part(tf.nn.log_softmax(similar, axis=-1))


def shifted_sum(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """1e9 - 1e9 + 1: what cancels are the inputs."""
    return tf.square(tf.reduce_sum(y_pred, axis=-1) - tf.reduce_sum(y_true, axis=-1) + 1.0)


@pytest.mark.parametrize(
    ("function", "domains"),
    [
        (softmax, "classes"),
        (sigmoid, "binary"),
        (cosine, "real"),
        (info_nce, "unit"),
        (shifted_sum, "real"),
        (planted.cosine_gap_twin, "real"),
        (planted.expanded_distance_twin, "real"),
        (planted.one_pass_deviation_twin, "real"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_sound_loss_loses_nothing_that_is_an_error(function: Loss, domains: str) -> None:
    assert not {"LC301 large", "LC302 large"} & forms(function, domains)["ordinary"]


def test_a_truth_of_zero_has_no_digits_to_lose() -> None:
    # The cosine of two numbers is 1 or -1: the slope is 0, and what float32 gives is rounding.
    run = laid_out(cosine).get("precision")[0]
    assert run.gradient is not None
    exactly = np.abs(run.gradient.truth).max(axis=1) == 0
    assert not run.gradient.lost[exactly].any()


def test_exact_numbers_are_those_of_the_series() -> None:
    evidence = laid_out(planted.cosine_gap).evidence
    run = laid_out(planted.cosine_gap).get("precision")[0]
    member = lost(run.value, run)[0]
    case = run.cases.take(np.asarray([member]))
    d = float(case.inputs["y_pred"].ravel()[0]) - float(case.inputs["y_true"].ravel()[0])
    (value, *_) = exact_numbers(evidence, case, Direction.FORWARD)
    (slope, *_) = exact_numbers(evidence, case, Direction.BACKWARD)
    assert value.item() == pytest.approx(0.5 - d**2 / 24 + d**4 / 720, rel=1e-9)
    assert slope.item() == pytest.approx(-d / 12 + d**3 / 180, rel=1e-6)


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (planted.cosine_gap, "1.0 - tf.cos(d)"),
        (planted.expanded_distance, "a + b - 2.0 * tf.reduce_sum(y_true * y_pred, axis=-1)"),
        (planted.shifted_root, "tf.sqrt(1.0 + d * d) - 1.0"),
        (planted.bare_log_cosh, "tf.math.log(tf.cosh(y_pred - y_true))"),
        (planted.bare_log_one_plus, "tf.math.log(1.0 + tf.abs(y_pred - y_true))"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_operation_that_lost_the_digits_is_blamed(function: Loss, text: str) -> None:
    table = laid_out(function)
    runs = table.get("precision")
    judged = [*GradientPrecision().judge(runs), *ValuePrecision().judge(runs)]
    crowd = next(c for c in judged if (c.population.ranges[c.members] == Range.ORDINARY).any())
    ordinary = crowd.members[crowd.population.ranges[crowd.members] == Range.ORDINARY]
    case = crowd.population.cases.take(ordinary[:1])
    _, blame = locate.blame(table.evidence, crowd, case)
    assert blame.expression == text


def test_the_curve_falls_where_digits_are_lost() -> None:
    curve: DigitCurve = laid_out(planted.shifted_root).get("digits")
    assert curve.along == "|y_pred - y_true|"
    value = {decade.exponent: decade.value_median for decade in curve.decades}
    slope = {decade.exponent: decade.gradient_median for decade in curve.decades}
    # d^2 / 2 beside 1 in float32: 24 bits less those of d^2 / 2.
    assert value[-6] == 0.0
    assert value[-2] is not None
    assert 3.0 < value[-2] < 5.0
    assert value[0] is not None
    assert value[0] > 6.5
    assert all(digits is not None and digits > 6.5 for digits in slope.values())


def test_a_loss_without_like_labels_is_followed_along_its_prediction() -> None:
    curve: DigitCurve = laid_out(sigmoid, "binary").get("digits")
    assert curve.along == "|y_pred|"


def test_the_other_side_of_a_corner_is_no_loss_of_digits() -> None:
    # 1 + 2e-8 is 1 in float32, so that the hinge has the slope of the other side there.
    def hinges(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        above = tf.where(y_true[:, None] > tf.range(3.0)[None], 1.0, -1.0)
        margin = above * (y_pred - tf.constant([-1.0, 0.0, 1.0]))
        return tf.reduce_sum(tf.maximum(0.0, 1.0 - margin), axis=-1)

    arguments = {"y_true": ("class_index", "(B,)"), "y_pred": ("real", "(B, 1)")}
    report = losscheck.check(hinges, arguments=arguments, select=["LC302"])
    assert errors(report) == []
