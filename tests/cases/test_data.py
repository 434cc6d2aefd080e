"""Cases from data: their rows as they are, what lies near them, and their range."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from losscheck.cases import search
from losscheck.cases.data import from_data
from losscheck.cases.user_data import Data
from losscheck.model import Met, Range
from tests.cases.arguments import SPARSE, pair

RNG = np.random.default_rng(1)
TRUE = RNG.normal(size=(40, 6)).astype(np.float32)
PRED = (TRUE + RNG.normal(size=(40, 6)) * 1e4).astype(np.float32)
ROWS = {"y_true": TRUE, "y_pred": PRED}


def learnt():
    met = {
        name: Met(least=a.min(), low=a.min(), high=a.max(), greatest=a.max())
        for name, a in ROWS.items()
    }
    return [attrs.evolve(a, met=met[a.name], origin="inferred") for a in pair("real", "real")]


def test_rows_of_a_batch_stay_together(problem) -> None:
    at = problem(pair("real", "real"), {"B": 4, "D": 6})
    found = from_data(at, pair("real", "real"), ROWS, 100, 0)
    own = found.cases.take(slice(found.own))
    assert (found.own, found.used) == (10, 40)
    assert np.array_equal(own.inputs["y_pred"].reshape(40, 6), PRED)
    assert np.array_equal(own.inputs["y_true"].reshape(40, 6), TRUE)


def test_one_sample_takes_numbers_of_the_same_places(problem) -> None:
    at = problem(pair("real", "real"), {"B": 1, "D": 1})
    found = from_data(at, pair("real", "real"), ROWS, 100, 0)
    own = found.cases.take(slice(found.own))
    pairs = set(zip(TRUE.ravel().tolist(), PRED.ravel().tolist(), strict=True))
    taken = zip(own.inputs["y_true"].ravel(), own.inputs["y_pred"].ravel(), strict=True)
    assert found.own == 100
    assert all((float(a), float(b)) in pairs for a, b in taken)
    assert "windows" in found.reason


def test_rows_that_are_one_thing_are_not_cut(problem) -> None:
    shares = np.full((8, 5), 0.2, np.float32)
    rows = {
        "y_true": np.arange(8, dtype=np.float32) % 5,
        "y_pred": shares,
        "sample_weight": np.ones(8, np.float32),
    }
    small = from_data(problem(SPARSE, {"B": 1, "C": 2}), SPARSE, rows, 100, 0)
    assert (len(small.cases), small.used) == (0, 0)
    assert "larger or smaller" in small.reason
    assert from_data(problem(SPARSE, {"B": 4, "C": 5}, classes=5), SPARSE, rows, 100, 0).own == 2


def test_labels_of_no_class_are_left_out_and_counted(problem) -> None:
    rows = {
        "y_true": np.array([0, 1, -1, 2, 0, 1, 2, 1], np.float32),
        "y_pred": np.full((8, 4), 0.25, np.float32),
        "sample_weight": np.ones(8, np.float32),
    }
    at = problem(SPARSE, {"B": 4, "C": 4}, classes=4)
    found = from_data(at, SPARSE, rows, 100, 0)
    assert (found.own, found.used) == (1, 4)
    assert "1 left out, with labels of no class" in found.reason


def test_the_rows_with_the_ends_are_among_few(problem) -> None:
    at = problem(pair("real", "real"), {"B": 2, "D": 6})
    found = from_data(at, pair("real", "real"), ROWS, 5, 0)
    own = found.cases.take(slice(found.own))
    assert found.own == 5
    for name, array in ROWS.items():
        assert own.inputs[name].min() == array.min()
        assert own.inputs[name].max() == array.max()


def test_neighbours_and_ends_stand_beside_rows(problem) -> None:
    at = problem(pair("real", "real"), {"B": 1, "D": 1})
    found = from_data(at, pair("real", "real"), ROWS, 240, 0)
    own = set(found.cases.inputs["y_pred"][: found.own].ravel().tolist())
    near = found.cases.inputs["y_pred"][found.own :].ravel()
    assert {float(np.nextafter(np.float32(x), np.float32(np.inf))) for x in own} & set(
        near.tolist()
    )
    assert np.nextafter(PRED.max(), np.float32(np.inf)) in near  # an ulp beyond the greatest


@pytest.mark.parametrize("seed", [0, 1])
def test_learnt_rows_are_ordinary_and_the_same_each_time(seed: int) -> None:
    data = Data(source="the data", rows=ROWS, total=40)
    sizes = {"B": 4, "D": 6}
    found, again = (search(learnt(), sizes, seed=seed, budget=2_000, data=data) for _ in range(2))
    assert found.rows is not None
    assert (found.rows.ranges == Range.ORDINARY).all()  # up to 1e4, where `real` ends at 3
    declared = search(pair("real", "real"), sizes, seed=seed, budget=2_000, data=data)
    assert declared.rows is not None
    assert (declared.rows.ranges == Range.WORKING).all()
    (stage,) = (part for part in found.coverage if part.stage == "data")
    assert (stage.covered, stage.of) == (40, 40)
    for name in ROWS:
        assert np.array_equal(found.cases.inputs[name], again.cases.inputs[name])
