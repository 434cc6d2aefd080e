from typing import Any

import numpy as np
import pytest

from losscheck.cases import CaseBlock, search
from losscheck.domains import OUTSIDE, parse
from losscheck.domains.floats import FORMATS
from losscheck.model import Range, UsageError
from losscheck.settings import shapes
from tests.cases.arguments import PAIRS, SPARSE, argument, pair

BUDGET = 12_000


def generate(*given: Any, budget: int = 20_000, **options: Any) -> CaseBlock:
    """Give the cases alone."""
    return search(*given, budget=budget, **options).cases


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("sizes", [{"B": 1, "D": 1}, {"B": 1, "D": 2}, {"B": 3, "D": 3}])
@pytest.mark.parametrize(("true", "pred"), PAIRS)
def test_cases_are_inside_and_as_wide_as_classify_says(true, pred, sizes, dtype):
    cases = generate(pair(true, pred), sizes, dtype=dtype, seed=3, budget=BUDGET)
    widest = np.zeros(len(cases), np.uint8)
    for name, text in (("y_true", true), ("y_pred", pred)):
        values = cases.inputs[name]
        assert values.shape == (len(cases), sizes["B"], sizes["D"])
        assert values.dtype == FORMATS[dtype].storage
        widest = np.maximum(widest, parse(text).classify(values, dtype))
    assert widest.max() < OUTSIDE
    # A coincidence makes an ordinary case working; nothing else differs from classify.
    differs = cases.ranges != widest
    assert (widest[differs] == Range.ORDINARY).all()
    assert (cases.ranges[differs] == Range.WORKING).all()


@pytest.mark.parametrize("sizes", [{"B": 1, "D": 1}, {"B": 3, "D": 3}])
@pytest.mark.parametrize(
    ("true", "pred"), [("real", "real"), ("binary", "logits"), ("binary", "probability")]
)
def test_ordinary_cases_come_first(true, pred, sizes):
    cases = generate(pair(true, pred), sizes, budget=BUDGET)
    assert (cases.ranges[:4096] == Range.ORDINARY).all()
    assert set(cases.ranges) == set(Range)


def test_ordinary_cases_fill_the_square_of_label_and_prediction():
    cases = generate(pair("real", "real"), {"B": 1, "D": 1}, budget=BUDGET).take(slice(4096))
    boxes, _, _ = np.histogram2d(
        cases.inputs["y_true"].ravel(), cases.inputs["y_pred"].ravel(), bins=16, range=[[-3, 3]] * 2
    )
    # 16 cases a box; Sobol's two-dimensional points miss that by a few only.
    assert boxes.min() >= 10
    assert boxes.max() <= 22


def test_a_small_budget_is_kept_and_half_of_it_ordinary():
    # What runs a case a call cannot afford 4,096 ordinary ones: they took it minutes.
    cases = generate(pair("real", "real"), {"B": 2, "D": 2}, budget=100)
    assert len(cases) <= 150
    assert (cases.ranges == Range.ORDINARY).sum() >= 50


def test_a_usual_budget_has_enough_ordinary_cases():
    cases = generate(pair("real", "real"), {"B": 2, "D": 2}, budget=20_000)
    assert (cases.ranges == Range.ORDINARY).sum() >= 4096


@pytest.mark.parametrize("budget", [20_000, 60_000])
@pytest.mark.parametrize("sizes", [{"B": 1, "D": 1}, {"B": 3, "D": 3}])
def test_the_budget_is_about_kept(sizes, budget):
    cases = generate(pair("real", "real"), sizes, budget=budget)
    assert 0.95 * budget <= len(cases) <= 1.05 * budget


def test_a_case_counts_once():
    cases = generate(pair("binary", "probability"), {"B": 1, "D": 1}, budget=BUDGET)
    rows = np.concatenate([values.reshape(len(cases), -1) for values in cases.inputs.values()], 1)
    assert len(np.unique(rows.view(np.uint32), axis=0)) == len(cases)


def test_labels_alone_give_all_their_combinations_and_no_more():
    cases = generate(pair("binary", "binary"), {"B": 1, "D": 2}, budget=BUDGET)
    assert len(cases) == 2**4


@pytest.mark.parametrize("label", ["(B,)", "(B, 1)"])
def test_class_indices_come_as_floats(label):
    arguments = [argument("y_true", "class_index", label), *SPARSE[1:]]
    sizes = {"B": 3, "C": 4}
    cases = generate(arguments, sizes, classes=4, budget=BUDGET)
    labels = cases.inputs["y_true"]
    assert labels.dtype == np.float32
    assert labels.shape[1:] == shapes.parse(label).at(sizes)
    assert set(labels.ravel().tolist()) == {-1, 0, 1, 2, 3, 4}
    wrong = ((labels == -1) | (labels == 4)).reshape(len(cases), -1).any(axis=1)
    assert (cases.ranges[wrong] == Range.EXTREME).all()
    assert (cases.ranges[:4096] == Range.ORDINARY).all()


@pytest.mark.parametrize("arguments", [pair("real", "real"), SPARSE])
def test_the_seed_settles_everything(arguments):
    sizes = {"B": 2, "D": 2, "C": 3}
    first, same, other = (
        generate(arguments, sizes, classes=3, seed=seed, budget=6_000) for seed in (1, 1, 2)
    )
    for name, values in first.inputs.items():
        np.testing.assert_array_equal(values, same.inputs[name])
    assert not np.array_equal(first.inputs["y_pred"][:64], other.inputs["y_pred"][:64])


def test_a_domain_without_numbers_of_the_dtype_is_refused():
    arguments = pair("real", "[1e6, 2e6]")
    with pytest.raises(
        UsageError, match=r"No ordinary case exists in float16.*\[1000000, 2000000\]"
    ):
        generate(arguments, {"B": 1, "D": 1}, dtype="float16", budget=BUDGET)


def test_scalar_arguments():
    arguments = [*pair("real", "real", "(B,)"), argument("margin", "positive", "()", role="input")]
    cases = generate(arguments, {"B": 2}, budget=BUDGET)
    assert cases.inputs["margin"].shape == (len(cases),)
    assert (cases.ranges[:4096] == Range.ORDINARY).all()
