"""Kinds of points, and gradients judged at them."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from losscheck.model import Array
from losscheck.numerics.ladder import Derivatives, derivatives
from losscheck.numerics.verdict import (
    DECIDABLE,
    DIVERGING,
    RETRACED_FLOOR,
    REWRITTEN_FLOOR,
    SAFETY,
    SIDES,
    STEPPING,
    Agreement,
    Point,
    cautious,
    classify_point,
    compare,
)


def at(function, x, lower=-np.inf, upper=np.inf) -> Derivatives:
    x = np.atleast_1d(np.asarray(x, dtype=np.float64))
    zero = np.zeros(x.shape, dtype=np.int64)
    with np.errstate(all="ignore"):
        return derivatives(lambda case, coordinate, v: function(v), zero, zero, x, lower, upper)


def judge(gradient: float, found: Derivatives, floor: float = RETRACED_FLOOR) -> Agreement:
    return Agreement(compare(np.array([gradient]), found, floor, 1.0).outcome[0])


def huber(delta: float, constant: float):
    """Huber's loss; its branches meet for a constant of 1/2."""

    def loss(v: Array) -> Array:
        size = np.abs(v)
        return np.where(size <= delta, v * v / 2, delta * (size - constant * delta))

    return loss


def spike(v: Array) -> Array:
    return np.where(v == 0, 1.0, 0.0) + np.sin(v)


def entropy(v: Array) -> Array:
    return np.where(v > 0, v * np.log(np.where(v > 0, v, 1.0)), 0.0)


KINKS = {  # function, where, slope on the left, slope on the right
    "abs": (np.abs, 0.0, -1.0, 1.0),
    "abs of a difference": (lambda v: np.abs(v - 1), 1.0, -1.0, 1.0),
    "relu": (lambda v: np.maximum(v, 0), 0.0, 0.0, 1.0),
    "leaky relu": (lambda v: np.where(v > 0, v, 0.1 * v), 0.0, 0.1, 1.0),
    "max": (lambda v: np.maximum(v**2, v), 1.0, 1.0, 2.0),
    "hinge": (lambda v: np.maximum(1 - v, 0), 1.0, -1.0, 0.0),
    "pinball": (lambda v: np.maximum(0.3 * (v - 2), -0.7 * (v - 2)), 2.0, -0.7, 0.3),
    "lower clip": (lambda v: np.clip(v, 0.1, 0.9) ** 2, 0.1, 0.0, 0.2),
    "upper clip": (lambda v: np.clip(v, 0.1, 0.9) ** 2, 0.9, 1.8, 0.0),
    "join": (lambda v: np.where(np.abs(v) < 1, np.abs(v), v * v), 1.0, 1.0, 2.0),
    "faint": (lambda v: v**2 + 1e-5 * np.abs(v - 1), 1.0, 2 - 1e-5, 2 + 1e-5),
    "curved": (lambda v: np.exp(v) * np.abs(np.sin(v)), np.pi, -np.exp(np.pi), np.exp(np.pi)),
}


@pytest.mark.parametrize("name", KINKS)
def test_a_gradient_at_a_kink_lies_between_the_sides(name: str) -> None:
    function, where, left, right = KINKS[name]
    found = at(function, where)
    assert classify_point(found)[0] == Point.KINK
    np.testing.assert_allclose([found.left[0], found.right[0]], [left, right], atol=1e-6)
    for inside in (left, right, (left + right) / 2):
        assert judge(inside, found) == Agreement.VERIFIED
    gap = abs(right - left)
    for outside in (min(left, right) - 0.01 * gap, max(left, right) + 0.01 * gap):
        assert judge(outside, found) == Agreement.OUTSIDE


SMOOTH = {
    "square": (np.square, 0.0),
    "Huber at delta": (huber(1.0, 0.5), 1.0),
    "Huber at -delta": (huber(0.1, 0.5), -0.1),
    "squared hinge at its margin": (lambda v: np.maximum(1 - v, 0) ** 2, 1.0),
    "x·|x|": (lambda v: v * np.abs(v), 0.0),
    "|x|^1.5": (lambda v: np.abs(v) ** 1.5, 0.0),
    "hinge off its margin": (lambda v: np.maximum(1 - v, 0), 1.01),
    "round between its steps": (np.round, 0.3),
    "log cosh at its minimum": (lambda v: np.logaddexp(v, -v) - np.log(2.0), 1e-11),
    "relu, dead": (lambda v: np.maximum(v, 0), -1e-3),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_joins_of_equal_slope_are_smooth(name: str) -> None:
    function, where = SMOOTH[name]
    found = at(function, where)
    assert classify_point(found)[0] == Point.SMOOTH


ROOTS = {
    "square root": (lambda v: np.sqrt(np.abs(v)), 0.0, -np.inf),
    "square root of a difference": (lambda v: np.sqrt(np.abs(v - 1)), 1.0, -np.inf),
    "square root at its edge": (np.sqrt, 0.0, 0.0),
    "cube root": (np.cbrt, 0.0, -np.inf),
    "|x|^0.7": (lambda v: np.abs(v) ** 0.7, 0.0, -np.inf),
    "x log x": (entropy, 0.0, 0.0),
}


@pytest.mark.parametrize("name", ROOTS)
def test_infinite_slopes_are_roots(name: str) -> None:
    function, where, lower = ROOTS[name]
    found = at(function, where, lower)
    assert classify_point(found)[0] == Point.ROOT
    assert judge(0.0, found) == Agreement.INCONCLUSIVE


def test_the_growth_of_a_root_is_its_exponent() -> None:
    # Increments of the quotient of x^p grow like h^(p - 1).
    for power in (0.3, 0.5, 0.7):
        found = at(lambda v, p=power: np.abs(v) ** p, 0.0)
        assert found.right_growth[0] == pytest.approx(1 - power, abs=0.02)


JUMPS = {  # function, where, size
    "step": (lambda v: np.where(v > 0, 1.0, 0.0) + np.sin(v), 0.0, 1.0),
    "small step": (lambda v: np.where(v > 0, 1e-6, 0.0) + np.sin(v), 0.0, 1e-6),
    "round": (np.round, 0.5, 1.0),
    "Huber, wrong constant": (huber(1.0, 0.4), 1.0, 0.1),
    "Huber, nearly right": (huber(1.0, 0.5001), -1.0, 1e-4),
    "spike": (spike, 0.0, 0.0),
}


@pytest.mark.parametrize("name", JUMPS)
def test_branches_that_do_not_meet_are_jumps(name: str) -> None:
    function, where, size = JUMPS[name]
    found = at(function, where)
    assert classify_point(found)[0] == Point.JUMP
    assert found.jump[0] == pytest.approx(size, abs=1e-9)
    assert found.jump_error[0] <= 1e-9
    assert judge(0.0, found) == Agreement.INCONCLUSIVE


def test_a_step_is_seen_from_the_point() -> None:
    found = at(spike, 0.0)
    np.testing.assert_allclose([found.step_left[0], found.step_right[0]], -1.0, atol=1e-9)


def test_no_jump_where_branches_meet() -> None:
    found = at(huber(1.0, 0.5), 1.0)
    assert not found.jump[0] > 0  # no quotient grows, so no step is looked for
    assert classify_point(found)[0] == Point.SMOOTH


def test_a_planted_gradient_fails() -> None:
    found = at(np.square, 1.0)
    assert judge(2.0, found) == Agreement.VERIFIED
    assert judge(2.001, found) == Agreement.MISMATCH
    assert judge(2.000001, found) == Agreement.MISMATCH
    assert judge(-2.0, found) == Agreement.MISMATCH
    assert judge(0.0, found) == Agreement.MISMATCH


def test_the_floor_forgives_rounded_constants() -> None:
    found = at(np.square, 1.0)
    assert judge(2 + 2e-7, found, REWRITTEN_FLOOR) == Agreement.VERIFIED
    assert judge(2 + 2e-7, found, RETRACED_FLOOR) == Agreement.MISMATCH
    assert judge(2 + 1e-6, found, REWRITTEN_FLOOR) == Agreement.MISMATCH


def test_non_finite_gradients_are_not_judged() -> None:
    found = at(np.square, 1.0)
    for gradient in (np.nan, np.inf, -np.inf):
        assert judge(gradient, found) == Agreement.INCONCLUSIVE


def test_large_errors_are_inconclusive() -> None:
    # An offset of 1e14 leaves an ulp of 1/64 of the value.
    found = at(lambda v: 1e14 + v**2, 1.0)
    assert judge(2.0, found) == Agreement.INCONCLUSIVE
    assert judge(2.5, found) == Agreement.INCONCLUSIVE
    assert classify_point(found)[0] == Point.UNDECIDED


def test_digits_are_those_of_the_bound() -> None:
    found = at(np.exp, np.array([0.0, 1.0]))
    exact = np.exp([0.0, 1.0])
    digits = compare(exact, found, RETRACED_FLOOR, 1.0).digits
    assert ((digits > 8) & (digits < 14)).all()
    # A gradient that is off by 1e-5 of itself agrees in five digits, where the floor lets it pass.
    coarse = compare(exact * (1 + 1e-5), found, 1e-4, 1.0)
    assert (coarse.outcome == Agreement.VERIFIED).all()
    np.testing.assert_allclose(coarse.digits, 5.0, atol=0.01)
    assert np.isnan(compare(exact * 2, found, RETRACED_FLOOR, 1.0).digits).all()


def test_zero_gradient_without_a_scale_divides_nothing() -> None:
    found = at(np.square, 0.0)
    result = compare(np.zeros(1), found, RETRACED_FLOOR, 0.0)
    assert np.isfinite(result.bound[0])
    assert result.outcome[0] in (Agreement.INCONCLUSIVE, Agreement.VERIFIED)


def known(**given: float) -> Derivatives:
    """What is known of one point: a smooth one of slope 1, but for what is given."""
    smooth = {"value": 1.0, "left": 1.0, "right": 1.0, "left_growth": -1.0, "right_growth": -1.0}
    steps = dict.fromkeys(("step_left", "step_right", "jump"), np.nan)
    errors = dict.fromkeys(("step_left_error", "step_right_error", "jump_error"), np.inf)
    fields = dict.fromkeys(attrs.fields_dict(Derivatives), 0.0)
    numbers = {**fields, **smooth, **steps, **errors, **given}
    return Derivatives(**{name: np.array([number]) for name, number in numbers.items()})


ABOVE = 1 + 2**-20
LEAST = DECIDABLE / SAFETY  # an error beyond which nothing is decided, of a slope of 1
STEP = {"step_left": 1.0, "centre": 4.0}


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({}, Point.SMOOTH),
        ({"error": LEAST}, Point.SMOOTH),
        ({"error": LEAST * ABOVE}, Point.UNDECIDED),
        ({"error": 4 * LEAST, "value": 4.0}, Point.SMOOTH),  # of itself
        ({"error": LEAST, "value": 0.0}, Point.SMOOTH),  # of the ordinary gradient
        ({"error": LEAST * ABOVE, "value": 0.0}, Point.UNDECIDED),
        # Sides apart by ten times their errors and a quarter of the larger slope.
        ({"left": 1.0, "right": 4.0, "left_error": 0.125, "right_error": 0.075}, Point.SMOOTH),
        ({"left": 1.0, "right": 4.0, "left_error": 0.125, "right_error": 0.07}, Point.KINK),
        ({"left": 3.0, "right": 4.0}, Point.SMOOTH),
        ({"left": 2.9, "right": 4.0}, Point.KINK),
        ({"left_growth": DIVERGING}, Point.ROOT),
        ({"right_growth": DIVERGING - 1e-6}, Point.SMOOTH),
        ({"right_growth": STEPPING}, Point.SMOOTH),  # without a step that is known
        ({"right_growth": STEPPING, **STEP, "step_left_error": 0.0}, Point.SMOOTH),
        ({"right_growth": STEPPING, **STEP, "step_left": 1.1, "step_left_error": 0.0}, Point.JUMP),
        (
            {"right_growth": STEPPING, **STEP, "step_left": 1.1, "step_left_error": 0.1},
            Point.SMOOTH,
        ),
        ({"left_growth": STEPPING, "step_right": -9.0, "step_right_error": 0.5}, Point.JUMP),
        ({"step_right": -9.0, "step_right_error": 0.5}, Point.SMOOTH),  # nothing grows
        ({"left_growth": STEPPING, "step_right": 9.0}, Point.SMOOTH),  # nobody knows how well
    ],
)
def test_a_kind_holds_up_to_its_bound(given: dict[str, float], kind: Point) -> None:
    found = classify_point(known(**given), floor=0.25)
    assert found.dtype == np.int8
    assert Point(found[0]) == kind


@pytest.mark.parametrize(
    ("gradient", "given", "outcome"),
    [
        (1.0, {}, Agreement.VERIFIED),
        (1.25, {}, Agreement.VERIFIED),  # a fifth of the larger, which is 1.25
        (1.3, {}, Agreement.MISMATCH),
        (1.0, {"error": LEAST}, Agreement.VERIFIED),
        (1.0, {"error": LEAST * ABOVE}, Agreement.INCONCLUSIVE),
        (np.inf, {}, Agreement.INCONCLUSIVE),
        (1.0, {"left_growth": DIVERGING}, Agreement.INCONCLUSIVE),
        (
            1.0,
            {"left_growth": STEPPING, "step_right": -9.0, "step_right_error": 0.5},
            Agreement.INCONCLUSIVE,
        ),
        (4.0, {"left": 1.0, "right": 4.0}, Agreement.VERIFIED),
        (6.0, {"left": 1.0, "right": 4.0}, Agreement.OUTSIDE),
    ],
)
def test_a_verdict_holds_up_to_its_bound(
    gradient: float, given: dict[str, float], outcome: Agreement
) -> None:
    found = compare(np.array([gradient]), known(**given), 0.2, 1.0)
    assert found.outcome.dtype == np.int8
    assert Agreement(found.outcome[0]) == outcome
    assert Point(found.point[0]) == classify_point(known(**given), 0.2)[0]
    if np.isfinite(gradient) and not given:
        assert found.difference[0] == gradient - 1.0


def test_digits_are_those_of_the_difference_beside_the_larger_number() -> None:
    def digits(gradient: float, scale: float, **given: float) -> float:
        return float(compare(np.array([gradient]), known(**given), 0.5, scale).digits[0])

    assert digits(1.0, 1.0) == pytest.approx(-np.log10(np.finfo(np.float64).eps))
    assert digits(1.001, 1.0) == pytest.approx(3.0, abs=1e-3)
    assert digits(1.001, 100.0) == pytest.approx(5.0, abs=1e-3)
    assert digits(0.101, 0.0, value=0.1, left=0.1, right=0.1) == pytest.approx(2.0, abs=5e-3)
    zero = {"value": 0.0, "left": 0.0, "right": 0.0}
    assert digits(0.0, 0.0, **zero) == pytest.approx(-np.log10(np.finfo(np.float64).eps))
    assert np.isnan(digits(4.0, 1.0, left=1.0, right=4.0))


def test_the_scale_of_a_gradient_tells_what_is_a_kink_of_it() -> None:
    unsure = known(value=0.0, error=2 * LEAST, left=0.0, right=0.0)
    points = [compare(np.zeros(1), unsure, 0.0, scale).point[0] for scale in (1.0, 2.0)]
    assert points == [Point.UNDECIDED, Point.SMOOTH]


@pytest.mark.parametrize(
    ("given", "scale", "error"),
    [
        ({}, 1.0, 0.0),
        ({"left_error": SIDES, "left": 0.5}, 1.0, 0.0),  # as well as its sides must be known
        ({"left_error": SIDES * ABOVE, "left": 0.5}, 1.0, 0.5),
        ({"right_error": SIDES * ABOVE, "left": 0.5}, 1.0, 0.5),
        ({"right_error": SIDES * ABOVE, "left": 0.5}, 2.0, 0.0),  # of the ordinary gradient
        ({"right_error": 2 * SIDES, "left": 0.5, "value": 2.0}, 1.0, 0.0),  # of itself
        ({"left_error": SIDES * ABOVE, "left": 0.5, "error": 0.7}, 1.0, 0.7),
        ({"left_error": np.inf, "left": np.nan, "error": 0.7}, 1.0, 0.7),  # there is no side
    ],
)
def test_a_central_difference_is_trusted_no_more_than_its_sides(
    given: dict[str, float], scale: float, error: float
) -> None:
    found = cautious(known(**given), scale)
    assert found.error[0] == error
    assert found.value[0] == known(**given).value[0]
