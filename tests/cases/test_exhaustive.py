import numpy as np
import pytest

from losscheck.cases.exhaustive import exhaustive, half_numbers
from losscheck.domains import parse
from tests.cases.arguments import argument, pair


@pytest.mark.parametrize(
    ("text", "count"),
    [
        # A float16 has 2^16 bit patterns, of which 2 * 2^10 are NaN or infinite.
        ("real", 2**16 - 2 * 2**10),
        # 0 to 1: 15 exponents (subnormals' among them) of 2^10 numbers, 1 itself, and -0.
        ("probability", 15 * 2**10 + 2),
        # Greater than 0.
        ("positive", 2**15 - 2**10 - 1),
    ],
)
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_every_half_number_inside(text, count, dtype):
    numbers = half_numbers(parse(text), dtype)
    assert len(numbers) == count
    assert numbers.dtype == dtype
    assert len(np.unique(numbers)) >= count - 1  # both zeros are equal


def test_every_number_meets_every_label_where_there_is_room(problem):
    at = problem(pair("binary", "probability"), {"B": 1, "D": 1})
    cases = exhaustive(at, 40_000, seed=0)
    assert len(cases) == 2 * (15 * 2**10 + 2)
    for label in (0, 1):
        met = cases.inputs["y_pred"][cases.inputs["y_true"] == label]
        assert len(met) == 15 * 2**10 + 2


def test_labels_take_turns_where_there_is_not(problem):
    at = problem(pair("real", "real"), {"B": 1, "D": 1})
    cases = exhaustive(at, 63_488, seed=0)
    assert len(cases) == 63_488
    assert len(np.unique(cases.inputs["y_pred"])) == 63_487
    labels, counts = np.unique(cases.inputs["y_true"], return_counts=True)
    assert len(labels) == len(np.unique(at.variables[0].tokens))
    assert counts.min() > 800


def test_numbers_are_thinned_evenly_to_the_limit(problem):
    at = problem(pair("binary", "probability"), {"B": 1, "D": 1})
    cases = exhaustive(at, 1000, seed=0)
    assert len(cases) == 1000
    assert {0.0, 1.0} <= set(cases.inputs["y_pred"].ravel().tolist())


def test_rows_of_two_classes(problem):
    at = problem(pair("one_hot", "simplex", "(B, C)"), {"B": 1, "C": 2})
    rows = exhaustive(at, 40_000, seed=0).inputs["y_pred"][:, 0].astype(np.float64)
    assert len(np.unique(rows[:, 0])) == 15 * 2**10 + 1
    np.testing.assert_array_equal(rows[:, 1], 1 - rows[:, 0])


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
