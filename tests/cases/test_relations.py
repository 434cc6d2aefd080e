import numpy as np
import pytest

from losscheck.cases.relations import relations
from losscheck.model import Range
from tests.cases.arguments import SPARSE, argument, pair


def of(problem, arguments, sizes, dtype="float32"):
    return relations(problem(arguments, sizes, dtype), 20_000, seed=0)


def some(condition):
    """Whether a condition (n, ...) holds throughout some case."""
    return bool(condition.reshape(len(condition), -1).all(axis=1).any())


@pytest.fixture
def real(problem):
    return of(problem, pair("real", "real"), {"B": 3, "D": 2})


def test_predictions_equal_and_oppose_their_labels(real):
    true, pred = real.inputs["y_true"], real.inputs["y_pred"]
    equal = (true == pred).all(axis=(1, 2))
    assert equal.any()
    assert (real.ranges[equal] >= Range.WORKING).all()
    assert some(true == -pred)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_predictions_an_ulp_beside_their_labels(problem, dtype):
    cases = of(problem, pair("real", "real"), {"B": 1, "D": 1}, dtype)
    true, pred = (cases.inputs[name].astype(np.float64) for name in ("y_true", "y_pred"))
    eps = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52}
    apart = np.abs(true - pred) / np.where(true == 0, np.nan, np.abs(true))
    beside = (apart > 0) & (apart <= eps[dtype])
    # Their distance from the label: one ulp, which is eps or half of it relative to the label.
    assert beside.sum() > 50
    ordinary = beside.ravel() & (np.abs(true) <= 3).ravel() & (np.abs(pred) <= 3).ravel()
    assert (cases.ranges[ordinary] == Range.ORDINARY).all()


@pytest.mark.parametrize("size", [1e-3, 1e-4])
def test_near_duplicates_of_ordinary_labels_are_ordinary(real, size):
    true, pred = (real.inputs[name].astype(np.float64) for name in ("y_true", "y_pred"))
    relative = np.isclose(np.abs(pred - true), size * np.abs(true), rtol=0.01, atol=0)
    near = relative.all(axis=(1, 2)) & (np.abs(true) <= 2.9).all(axis=(1, 2))
    assert near.any()
    assert (real.ranges[near] == Range.ORDINARY).all()


def test_samples_equal_each_other_and_rows_are_level_and_zero(real):
    pred = real.inputs["y_pred"]
    same = (pred == pred[:, :1]).all(axis=(1, 2))
    two = (pred[:, 0] == pred[:, 1]).all(axis=1) & ~same
    level = (pred == pred[..., :1]).all(axis=(1, 2)) & ~same
    zero_row = (pred[:, 0] == 0).all(axis=1) & (pred[:, 1:] != 0).all(axis=(1, 2))
    zero = (pred == 0).all(axis=(1, 2))
    for found in (same, two, level, zero_row, zero):
        assert found.any()
        assert (real.ranges[found] >= Range.WORKING).all()


def test_near_duplicate_samples_of_ordinary_ones_are_ordinary(real):
    pred, true = real.inputs["y_pred"].astype(np.float64), real.inputs["y_true"]
    apart = np.abs(pred[:, 0] - pred[:, 1])
    near = ((apart > 0) & (apart < 2e-3)).all(axis=1)
    usual = (np.abs(pred) <= 3).all(axis=(1, 2)) & (np.abs(true) <= 3).all(axis=(1, 2))
    # Without these the samples differ everywhere: entries, samples, labels and predictions.
    equal = (pred == true).any(axis=(1, 2))
    for values in (pred, true):
        equal |= (values[..., 0] == values[..., 1]).any(axis=1)
        equal |= (values == np.roll(values, 1, axis=1)).all(axis=2).any(axis=1)
    assert (near & usual & ~equal).sum() > 50
    assert (real.ranges[near & usual & ~equal] == Range.ORDINARY).all()


def test_large_near_duplicates_exist(real):
    """A squared distance by way of a² + b² - 2ab cancels there (catalogue, row 17)."""
    pred = real.inputs["y_pred"].astype(np.float64)
    apart, size = np.abs(pred[:, 0] - pred[:, 1]), np.abs(pred[:, 0])
    assert ((apart < 2e-3 * size) & (apart > 0) & (size > 1e3)).all(axis=1).any()


def test_a_logit_of_one_does_not_equal_a_label_of_one(problem):
    at = problem(pair("binary", "logits"), {"B": 1, "D": 1})
    judged = at.judge({"y_true": np.ones((1, 1, 1)), "y_pred": np.ones((1, 1, 1))})
    assert judged.ranges.tolist() == [Range.ORDINARY]


def test_logits_are_confidently_right_and_wrong(problem):
    cases = of(problem, pair("binary", "logits"), {"B": 3, "D": 2})
    sign = 2 * cases.inputs["y_true"] - 1
    for size in (10, 20, 104, 1e4):
        assert some(cases.inputs["y_pred"] == size * sign)
        assert some(cases.inputs["y_pred"] == -size * sign)


def test_simplex_predictions_are_perfect_and_worst(problem):
    cases = of(problem, pair("one_hot", "simplex"), {"B": 3, "D": 3})
    true, pred = cases.inputs["y_true"], cases.inputs["y_pred"]
    assert some(pred == true)
    assert some((pred * true).sum(axis=2) == 0)
    right = (pred * true).sum(axis=2)
    assert ((right < 1) & (right >= 1 - 2e-7)).all(axis=1).any()
    assert ((right > 0) & (right <= 1e-7)).all(axis=1).any()


@pytest.mark.parametrize("shape", ["(B,)", "(B, 1)"])
def test_class_indices_have_perfect_and_worst_rows(problem, shape):
    arguments = [argument("y_true", "class_index", shape), SPARSE[1]]
    cases = of(problem, arguments, {"B": 3, "C": 3})
    classes = cases.inputs["y_true"].reshape(-1, 3).astype(int)
    right = np.take_along_axis(cases.inputs["y_pred"], classes[..., np.newaxis], axis=2)
    assert some(right == 1)
    assert some(right == 0)
    assert some(classes == classes[:, :1])


def test_weights_are_zero_everywhere_and_in_single_samples(problem):
    cases = of(problem, SPARSE, {"B": 3, "C": 3})
    weights = cases.inputs["sample_weight"]
    zero = (weights == 0).sum(axis=1)
    assert set(zero) == {0, 1, 2, 3}
    assert (cases.ranges[zero > 0] >= Range.WORKING).all()
    assert some(weights == 1)


def test_masks_are_empty(problem):
    arguments = [*pair("real", "real"), argument("mask", "mask", role="input")]
    cases = of(problem, arguments, {"B": 2, "D": 3})
    empty = ~cases.inputs["mask"].any(axis=(1, 2))
    assert empty.any()
    assert (cases.ranges[empty] >= Range.WORKING).all()


def test_directions_stay_directions(problem):
    cases = of(problem, pair("unit_vector", "unit_vector"), {"B": 2, "D": 3})
    true, pred = cases.inputs["y_true"], cases.inputs["y_pred"]
    assert some(true == pred)
    assert some(true == -pred)
    assert np.square(pred).sum(axis=2) == pytest.approx(1, abs=2e-6)
    assert some((true != pred) & (np.abs(true - pred) < 1e-6))


def test_discrete_pairs_of_one_number_have_no_relation(problem):
    assert len(of(problem, pair("binary", "binary"), {"B": 1, "D": 1})) == 0
