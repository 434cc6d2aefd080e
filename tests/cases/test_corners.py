import numpy as np

from losscheck.cases.stages import corners
from losscheck.model import Range
from tests.cases.arguments import SPARSE, pair


def test_single_numbers_are_crossed_fully(problem):
    at = problem(pair("real", "real"), {"B": 1, "D": 1})
    cases = corners(at, 100_000, seed=0)
    assert len(cases) == len(at.variables[0].tokens) * len(at.variables[1].tokens)
    crossed = {
        (float(t), float(p))
        for t, p in zip(cases.inputs["y_true"].ravel(), cases.inputs["y_pred"].ravel(), strict=True)
    }
    for combination in [(0.0, 104.0), (1.0, 1.0), (-1e9, 1e9), (0.5, -1.0)]:
        assert combination in crossed


def test_larger_arrays_hold_combinations_everywhere_and_at_one_shared_place(problem):
    cases = corners(problem(pair("real", "real"), {"B": 3, "D": 2}), 30_000, seed=0)
    assert 20_000 < len(cases) <= 30_000
    true, pred = (cases.inputs[name].reshape(len(cases), -1) for name in ("y_true", "y_pred"))
    everywhere = (true == true[:, :1]).all(axis=1) & (pred == pred[:, :1]).all(axis=1)
    assert everywhere.sum() > 5_000
    far = [np.abs(values) > 1e8 for values in (true, pred)]
    planted = (far[0] == far[1]).all(axis=1) & (far[0].sum(axis=1) == 1)
    others = np.where(far[0], 0, true)
    assert (planted & (np.abs(others) <= 3).all(axis=1)).any()


def test_a_limited_choice_is_not_mostly_extreme(problem):
    cases = corners(problem(pair("real", "positive"), {"B": 3, "D": 3}), 3_000, seed=0)
    assert len(cases) <= 3_000
    assert (cases.ranges < Range.EXTREME).mean() > 0.4


def test_planting_meets_the_same_sample_in_arguments_of_different_widths(problem):
    at = problem(SPARSE, {"B": 4, "C": 3})
    cases = corners(at, 30_000, seed=1)
    weights, rows = cases.inputs["sample_weight"], cases.inputs["y_pred"]
    special = [(rows < 1e-3).any(axis=2), (weights < 0.1) | (weights > 10)]
    planted = (special[0].sum(axis=1) == 1) & (special[1].sum(axis=1) == 1)
    together = (special[0] == special[1]).all(axis=1)
    # Scattered landmarks meet by chance, in a quarter of such cases.
    assert planted.sum() > 1000
    assert together[planted].mean() > 0.9
