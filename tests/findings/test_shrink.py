"""Shrinking keeps what is suspected, and the range of the case."""

from __future__ import annotations

import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.cases.problem import Problem
from losscheck.findings.shrink import cost, shrink
from losscheck.model import Argument, Array, Range
from losscheck.settings.budget import Budget, spend


def _argument(name: str, domain: str) -> Argument:
    return Argument(
        name=name, role=name, domain=domain, shape="(B, D)", dtype="float32", origin="declared"
    )


ARGUMENTS = (_argument("y_true", "real"), _argument("y_pred", "real"))
PROBLEM = Problem.of(ARGUMENTS, {"y_true": (1, 2), "y_pred": (1, 2)}, "float32", 2)


def _case(y_true: list[float], y_pred: list[float]) -> CaseBlock:
    return PROBLEM.judge(
        {
            "y_true": np.asarray([[y_true]], np.float32),
            "y_pred": np.asarray([[y_pred]], np.float32),
        }
    )


def test_numbers_that_do_not_matter_become_zero() -> None:
    case = _case([1.37, -2.9], [512.3, 0.77])

    def large(cases: CaseBlock) -> Array:
        return cases.inputs["y_pred"][:, 0, 0] > 100

    small, _ = shrink(case, large, PROBLEM)
    assert small.inputs["y_true"].tolist() == [[[0.0, 0.0]]]
    assert small.inputs["y_pred"][0, 0, 1] == 0.0
    assert small.inputs["y_pred"][0, 0, 0] in (500.0, 1000.0)
    assert cost(small)[0] < cost(case)[0]


def test_what_needs_two_arguments_equal_stays_equal() -> None:
    case = _case([1.37, 2.5], [1.37, 2.5])

    def equal(cases: CaseBlock) -> Array:
        same: Array = (cases.inputs["y_true"] == cases.inputs["y_pred"]).all(axis=(1, 2))
        return same

    small, _ = shrink(case, equal, PROBLEM)
    assert small.inputs["y_true"].tolist() == small.inputs["y_pred"].tolist() == [[[0.0, 0.0]]]


def test_a_case_never_widens_its_range() -> None:
    case = _case([0.5, 0.25], [2.5, -1.25])
    assert case.ranges[0] == Range.ORDINARY
    small, _ = shrink(case, lambda cases: cases.inputs["y_pred"][:, 0, 0] > 2, PROBLEM)
    assert small.ranges[0] == Range.ORDINARY
    assert small.inputs["y_pred"][0, 0, 0] <= 3.0  # beyond 3, reals are no longer ordinary


def test_minus_zero_becomes_zero() -> None:
    case = _case([0.0, 0.0], [-0.0, 0.0])
    small, _ = shrink(case, lambda cases: np.ones(len(cases), bool), PROBLEM)
    assert not np.signbit(small.inputs["y_pred"]).any()


def test_a_case_stays_as_it_is_where_there_is_no_time() -> None:
    case = _case([1.37, -2.9], [512.3, 0.77])

    def costly(cases: CaseBlock) -> Array:
        spend()
        return np.ones(len(cases), bool)

    budget = Budget(1e-9)
    while not budget.spent:
        pass
    with budget.running(), budget.held():
        same, cut = shrink(case, costly, PROBLEM)
        spend()  # what was found is told all the same
    assert cut
    assert same is case


def test_samples_beside_the_one_that_fails_become_zero() -> None:
    problem = Problem.of(ARGUMENTS, {"y_true": (4, 2), "y_pred": (4, 2)}, "float32", 2)
    rng = np.random.default_rng(0)
    drawn = {n: rng.normal(0.0, 50.0, (1, 4, 2)).astype(np.float32) for n in ("y_true", "y_pred")}
    drawn["y_pred"][0, :, 0] = 120.0

    def any_large(cases: CaseBlock) -> Array:
        found: Array = (cases.inputs["y_pred"][:, :, 0] > 100).any(axis=1)
        return found

    small, _ = shrink(problem.judge(drawn), any_large, problem)
    assert not small.inputs["y_true"].any()
    assert np.count_nonzero(small.inputs["y_pred"]) == 1
