"""What the inputs' rounding explains, measured number by number and, of wide cases, together."""

from __future__ import annotations

import numpy as np
import pytest

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.precision import disagreement
from losscheck.evidence.precision.disagreement import WIDE, evaluations, explained


def block(width: int, seed: int = 0) -> CaseBlock:
    rng = np.random.default_rng(seed)
    inputs = {name: rng.normal(size=(3, width)) * 10 for name in ("y_true", "y_pred")}
    return CaseBlock(inputs, np.zeros(3, np.uint8))


def squares(cases: CaseBlock) -> tuple[np.ndarray, np.ndarray]:
    error = cases.inputs["y_pred"] - cases.inputs["y_true"]
    return (error**2).sum(axis=1), 2 * error


def kinked(cases: CaseBlock) -> tuple[np.ndarray, np.ndarray]:
    x = cases.inputs["y_pred"]
    return np.abs(x).sum(axis=1), np.sign(x)


@pytest.mark.parametrize("part", [0, 1])
def test_moved_together_they_explain_no_less(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = block(60)
    each = explained(squares, cases, 0)
    monkeypatch.setattr(disagreement, "WIDE", 10)
    together = explained(squares, cases, 0)
    # At random signs the mean square has an error of its own: a third, of twelve trials.
    assert (together > 0.6 * each).all()
    assert (together < 20 * each).all()


def test_numbers_that_cancel_explain_what_each_of_them_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The difference of 1e9 and 1e9 moves by 128 with each: moved together they may hide it."""
    inputs = {"y_pred": np.full((1, 400), 1e9)}
    cases = CaseBlock(inputs, np.zeros(1, np.uint8))

    def difference(given: CaseBlock) -> tuple[np.ndarray, np.ndarray]:
        x = given.inputs["y_pred"]
        return x[:, 0] - x[:, 1], np.zeros_like(x)

    assert explained(difference, cases, 0)[0] >= 16 * 64


def test_a_kink_within_some_ulps_of_any_number_is_seen() -> None:
    cases = block(WIDE)
    cases.inputs["y_pred"][:, 17] = 1e-45
    assert (explained(kinked, cases, 1) >= 2.0).all()


def test_wide_cases_take_few_runs() -> None:
    assert evaluations(WIDE) == 3 * WIDE
    assert evaluations(10**6) < 30
