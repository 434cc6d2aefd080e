"""The ladder on functions whose derivatives are known, and the checks that must be able to fail.

The rates are over every point of `smooth_families`; truth comes from mpmath at 60 digits.
"""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from losscheck.model import Array
from losscheck.numerics.ladder import Derivatives, derivatives
from losscheck.numerics.verdict import (
    RETRACED_FLOOR,
    SAFETY,
    Agreement,
    Point,
    classify_point,
    compare,
)
from tests.numerics.smooth_families import FAMILIES, NOISY, Family, evaluate


@attrs.frozen(eq=False)
class Population:
    family: Array
    x: Array
    truth: Array
    scale: Array  # the median size of the derivative in its family
    found: Derivatives

    def outcomes(self, gradient: Array) -> Array:
        return compare(gradient, self.found, RETRACED_FLOOR, self.scale).outcome


def population(families: tuple[Family, ...]) -> Population:
    sizes = [len(family.points) for family in families]
    number = np.repeat(np.arange(len(families)), sizes)
    lower = np.array([family.lower for family in families])[number]
    upper = np.array([family.upper for family in families])[number]
    x = np.concatenate([family.points for family in families])
    truths = [family.truth for family in families]
    scale = np.array([np.median(np.abs(truth)) for truth in truths])[number]
    found = derivatives(evaluate(families), number, np.zeros_like(number), x, lower, upper)
    return Population(number, x, np.concatenate(truths), scale, found)


@pytest.fixture(scope="module")
def smooth() -> Population:
    return population(FAMILIES)


def at(function, x, lower=-np.inf, upper=np.inf, **options) -> Derivatives:
    """The derivative of one function at some points."""
    x = np.atleast_1d(np.asarray(x, dtype=np.float64))
    zero = np.zeros(x.shape, dtype=np.int64)
    with np.errstate(all="ignore"):
        return derivatives(
            lambda case, coordinate, v: function(v), zero, zero, x, lower, upper, **options
        )


def test_population_is_large(smooth: Population) -> None:
    assert len(FAMILIES) >= 20
    assert len(smooth.x) >= 500


def test_ten_times_the_error_covers_the_truth(smooth: Population) -> None:
    covered = np.abs(smooth.found.value - smooth.truth) <= SAFETY * smooth.found.error
    assert covered.mean() >= 0.995


def test_errors_are_small_enough_to_decide(smooth: Population) -> None:
    size = np.fmax(np.abs(smooth.truth), smooth.scale)
    decided = SAFETY * smooth.found.error <= 1e-3 * size
    assert decided.mean() >= 0.98
    # Ten digits are what thirteen rungs give; six at the median would be a broken table.
    assert np.median(smooth.found.error / size) <= 1e-8


def test_no_false_alarms(smooth: Population) -> None:
    outcome = smooth.outcomes(smooth.truth)
    alarms = (outcome == Agreement.MISMATCH) | (outcome == Agreement.OUTSIDE)
    assert alarms.mean() <= 0.002
    assert (outcome == Agreement.VERIFIED).mean() >= 0.98


def test_one_sided_errors_cover_the_truth(smooth: Population) -> None:
    for value, error in (
        (smooth.found.left, smooth.found.left_error),
        (smooth.found.right, smooth.found.right_error),
    ):
        inside = np.isfinite(error)
        assert inside.mean() > 0.95
        assert (np.abs(value - smooth.truth) <= SAFETY * error)[inside].mean() >= 0.995


@pytest.mark.parametrize("fault", [0.1, 1e-2, 1e-3, -1e-3])
def test_planted_faults_are_found(smooth: Population, fault: float) -> None:
    # Where the gradient is far below its ordinary size a fault of its own size means nothing.
    counts = np.abs(smooth.truth) >= 1e-2 * smooth.scale
    assert counts.mean() > 0.8
    outcome = smooth.outcomes(smooth.truth * (1 + fault))
    missed = (outcome[counts] == Agreement.VERIFIED).mean()
    assert missed <= 0.015
    assert (outcome[counts] == Agreement.MISMATCH).mean() >= 0.97


def test_a_missing_gradient_is_found(smooth: Population) -> None:
    counts = np.abs(smooth.truth) >= 1e-2 * smooth.scale
    outcome = smooth.outcomes(np.zeros_like(smooth.truth))
    assert (outcome[counts] == Agreement.MISMATCH).mean() >= 0.98


def test_a_millionth_is_mostly_found(smooth: Population) -> None:
    counts = np.abs(smooth.truth) >= 1e-2 * smooth.scale
    outcome = smooth.outcomes(smooth.truth * (1 + 1e-6))
    assert (outcome[counts] == Agreement.MISMATCH).mean() >= 0.9


def test_noise_makes_inconclusive_not_wrong() -> None:
    noisy = population(NOISY)
    outcome = noisy.outcomes(noisy.truth)
    assert np.isin(outcome, (Agreement.VERIFIED, Agreement.INCONCLUSIVE)).all()
    offset = noisy.family == [family.name for family in NOISY].index("offset 1e6")
    assert (outcome[offset] == Agreement.VERIFIED).all()
    # 1e6 leaves ten digits of the value; a bound below 1e-9 would not know of it.
    assert (noisy.found.error[offset] > 1e-9).all()


def test_swallowed_slope_is_within_the_error() -> None:
    # The exact slope of the cross-entropy of logits [20, x, 0] at x = -20 is exp(-40)/(1 + ...).
    found = at(lambda v: np.logaddexp(np.logaddexp(20.0, v), 0.0) - 20, -20.0, magnitude=20.0)
    assert abs(found.value[0] - np.exp(-40)) <= found.error[0]
    assert found.error[0] <= 1e-12


def test_a_constant_has_slope_zero_with_an_error() -> None:
    found = at(lambda v: 0 * v + 7, [0.0, 3.0, -1e5])
    assert (found.value == 0).all()
    assert ((found.error > 0) & (found.error < 1e-9)).all()


@pytest.mark.parametrize("offset", [1e-3, 1e-5, 1e-6, 6e-8, 1e-9, 2.3e-10])
def test_a_kink_close_by_never_misleads(offset: float) -> None:
    # Beside the kink of |x - 1| the slope is 1; steps across it must not pass for an answer.
    found = at(lambda v: np.abs(v - 1), 1 + offset)
    outcome = compare(np.array([1.0]), found, RETRACED_FLOOR, 1.0).outcome[0]
    assert outcome in (Agreement.VERIFIED, Agreement.INCONCLUSIVE)
    if offset >= 6e-8:  # a float32 ulp below 1
        assert outcome == Agreement.VERIFIED
        wrong = compare(
            np.array(
                [
                    -1.0,
                ]
            ),
            found,
            RETRACED_FLOOR,
            1.0,
        ).outcome[0]
        assert wrong == Agreement.MISMATCH


@pytest.mark.parametrize("x", [1e-3, 1e-8, 1e-10, 1e-17, 1e-30, -1e-30])
def test_tiny_points_have_their_own_scale(x: float) -> None:
    for function, slope in (
        (np.abs, np.sign(x)),
        (lambda v: np.log(np.abs(v)), 1 / x),
        (lambda v: np.sqrt(np.abs(v)), np.sign(x) / (2 * np.sqrt(abs(x)))),
    ):
        found = at(function, x)
        assert found.value[0] == pytest.approx(slope, rel=1e-6)
        assert found.error[0] <= 1e-5 * abs(slope)


def test_steps_stay_in_an_open_domain() -> None:
    x = np.array([1e-300, 1e-40, 1e-8, 0.3, 1 - 1e-6, 1 - 2.0**-24])
    seen: list[Array] = []

    def log_odds(case: Array, coordinate: Array, value: Array) -> Array:
        seen.append(value)
        return np.log(value) - np.log1p(-value)

    zero = np.zeros(x.shape, dtype=np.int64)
    found = derivatives(log_odds, zero, zero, x, 0.0, 1.0)
    values = np.concatenate(seen)
    assert ((values > 0) & (values < 1)).all()
    truth = 1 / x + 1 / (1 - x)
    assert (np.abs(found.value - truth) <= SAFETY * found.error).all()
    assert (SAFETY * found.error <= 1e-3 * truth).all()


def test_at_an_edge_the_derivative_is_one_sided() -> None:
    found = at(lambda v: np.exp(v) * (v >= 0) * (v <= 1), [0.0, 1.0], 0.0, 1.0)
    np.testing.assert_allclose(found.value, [1.0, np.e], rtol=1e-7)
    assert (np.abs(found.value - [1.0, np.e]) <= SAFETY * found.error).all()
    assert np.isnan(found.left[0])
    assert np.isinf(found.left_error[0])
    assert np.isnan(found.right[1])
    assert np.isinf(found.jump_error).all()


@pytest.mark.parametrize("guard", [1e-7, 1e-10, 1e-12])
def test_a_guarded_log_at_its_edge(guard: float) -> None:
    found = at(lambda v: np.log(v + guard), 0.0, 0.0, 1.0)
    assert abs(found.value[0] * guard - 1) <= SAFETY * found.error[0] * guard <= 1e-3


def test_points_outside_their_domain_are_undecided() -> None:
    found = at(np.square, [-1.0, np.nan, 0.5], 0.0, 1.0)
    assert np.isinf(found.error[:2]).all()
    assert found.value[2] == pytest.approx(1.0)


def test_non_finite_rungs_fall_out() -> None:
    # Widest steps leave the square root's domain, which nobody declared.
    found = at(np.sqrt, 0.01)
    assert abs(found.value[0] - 5) <= SAFETY * found.error[0] <= 1e-3


def test_a_non_finite_centre_is_undecided() -> None:
    found = at(lambda v: np.log(np.abs(v)), 0.0)
    assert np.isinf(found.error[0])
    assert classify_point(found)[0] == Point.UNDECIDED


def test_cases_and_coordinates_are_handed_through() -> None:
    weights = np.array([[1.0, 2.0], [3.0, 4.0]])
    case, coordinate = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    found = derivatives(
        lambda n, k, v: weights[n, k] * v**2, case, coordinate, np.array([1.0, 1.0, 2.0, -1.0])
    )
    np.testing.assert_allclose(found.value, [2.0, 4.0, 12.0, -8.0], rtol=1e-10)


def test_points_do_not_influence_each_other() -> None:
    # An edge, points beside it, a flat stretch, a kink, a root: alone and together.
    x = np.array([0.0, 1e-9, 1e-30, 0.1, 0.25, 0.3, 0.5, 0.75, 1 - 1e-8, 1.0])

    def patchwork(v: Array) -> Array:
        return np.where(v < 0.25, 0.5, np.where(v < 0.5, 2 * v, 1 + np.sqrt(np.abs(v - 0.75))))

    together = at(patchwork, x, 0.0, 1.0)
    for number, point in enumerate(x):
        alone = at(patchwork, point, 0.0, 1.0)
        for field in attrs.fields(Derivatives):
            np.testing.assert_array_equal(
                getattr(together, field.name)[number], getattr(alone, field.name)[0], field.name
            )


def test_no_points_are_no_error() -> None:
    assert at(np.square, np.zeros(0)).value.shape == (0,)
