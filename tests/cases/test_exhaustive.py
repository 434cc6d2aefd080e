import numpy as np
import pytest

from losscheck.cases.exhaustive import exhaustive, half_numbers, halves_met
from losscheck.domains import parse
from tests.cases.arguments import argument, pair

EVERY_PROBABILITY = 15 * 2**10 + 2 + 127 * 2**7 + 2 - (14 * 2**7 + 511 + 3)  # as counted below

# Counted by hand. A float16 has 2^16 bit patterns, of which 2 * 2^10 are NaN or infinite; a
# bfloat16 2^16, of which 2 * 2^7 are. Of one sign, both types hold 30 exponents of 2^7 numbers, the
# 511 subnormal float16 numbers of 8 significant bits at most, and 0.
BOTH = 30 * 2**7 + 511 + 1


@pytest.mark.parametrize(
    ("text", "float16", "bfloat16", "both"),
    [
        ("real", 2**16 - 2 * 2**10, 2**16 - 2 * 2**7, 2 * BOTH),
        # 0 to 1: 15 exponents (subnormals' among them) of 2^10 numbers, 1 itself, and -0; 127 of
        # 2^7 numbers and the same two; of both, 14 exponents, 511 subnormals, 1 and both zeros.
        ("probability", 15 * 2**10 + 2, 127 * 2**7 + 2, 14 * 2**7 + 511 + 3),
        # Greater than 0.
        ("positive", 2**15 - 2**10 - 1, 2**15 - 2**7 - 1, BOTH - 1),
    ],
)
def test_every_half_number_inside(text, float16, bfloat16, both):
    counts = {"float16": float16, "bfloat16": bfloat16, "float32": float16 + bfloat16 - both}
    for dtype, count in counts.items():
        numbers = half_numbers(parse(text), dtype)
        assert len(numbers) == count
        assert len(np.unique(numbers)) >= count - 1  # both zeros are equal
        assert (np.diff(numbers.astype(np.float64)) >= 0).all()


def test_every_number_meets_every_label_where_there_is_room(problem):
    at = problem(pair("binary", "probability"), {"B": 1, "D": 1})
    cases = exhaustive(at, 60_000, seed=0)
    assert len(cases) == 2 * EVERY_PROBABILITY
    for label in (0, 1):
        met = cases.inputs["y_pred"][cases.inputs["y_true"] == label]
        assert len(met) == EVERY_PROBABILITY


def test_labels_take_turns_where_there_is_not(problem):
    at = problem(pair("real", "real"), {"B": 1, "D": 1})
    cases = exhaustive(at, 120_064, seed=0)
    assert len(cases) == 120_064
    assert len(np.unique(cases.inputs["y_pred"])) == 120_063
    met = halves_met(at.variables[1], cases, "float32")
    assert met == {"float16": (63_488, 63_488), "bfloat16": (65_280, 65_280)}
    labels, counts = np.unique(cases.inputs["y_true"], return_counts=True)
    assert len(labels) == len(np.unique(at.variables[0].tokens))
    assert counts.min() > 800


def test_numbers_are_thinned_evenly_to_the_limit(problem):
    at = problem(pair("binary", "probability"), {"B": 1, "D": 1})
    cases = exhaustive(at, 1000, seed=0)
    assert len(cases) == 1000
    met, every = halves_met(at.variables[1], cases, "float32")["float16"]
    assert 400 < met < 600 < every
    assert {0.0, 1.0} <= set(cases.inputs["y_pred"].ravel().tolist())


def test_rows_of_two_classes(problem):
    at = problem(pair("one_hot", "simplex", "(B, C)"), {"B": 1, "C": 2})
    rows = exhaustive(at, 40_000, seed=0).inputs["y_pred"][:, 0].astype(np.float64)
    assert len(np.unique(rows[:, 0])) == EVERY_PROBABILITY - 1
    np.testing.assert_array_equal(rows[:, 1], (1 - rows[:, 0]).astype(np.float32))


@pytest.mark.parametrize("sizes", [{"B": 2, "D": 1}, {"B": 1, "D": 3}])
def test_nothing_where_a_case_holds_more(problem, sizes):
    assert len(exhaustive(problem(pair("one_hot", "simplex"), sizes), 1000, seed=0)) == 0
    assert len(exhaustive(problem(pair("real", "real"), sizes), 1000, seed=0)) == 0


def test_other_arguments_are_ordinary(problem):
    arguments = [*pair("binary", "logits"), argument("weight", "weight", "(B,)")]
    cases = exhaustive(problem(arguments, {"B": 1, "D": 1}), 63_488, seed=0)
    weights = cases.inputs["weight"]
    assert np.float32(0.1) <= weights.min() < 0.12
    assert 9 < weights.max() <= 10
