"""Numbers evenly spread over the bits of a type, beside labels."""

from __future__ import annotations

import numpy as np
import pytest

from losscheck import domains
from losscheck.cases.exhaustive import CASES, NUMBERS, lattice
from losscheck.cases.problem import Problem
from losscheck.domains.floats import evenly_by_bits
from losscheck.domains.numbers import Numbers
from losscheck.model import Range
from tests.cases.arguments import pair

ONE, ROWS = {"y_true": (1, 1), "y_pred": (1, 1)}, {"y_true": (3, 3), "y_pred": (3, 3)}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("ends", [(0.0, 1.0), (-1.0, 3.0), (-1e30, 1e30), (0.5, 0.75)])
def test_numbers_lie_equally_many_numbers_apart(dtype: str, ends: tuple[float, float]) -> None:
    numbers, step = evenly_by_bits(*ends, 1 << 12, dtype)
    assert numbers.dtype == dtype
    # What half types hold and subnormals are left out: about one in 2^10, and a few.
    assert 0.99 * (1 << 12) < len(numbers) <= (1 << 12) + 1
    low, high = np.asarray(ends, dtype)
    assert low <= numbers[0] < numbers[-1] <= high
    positive = numbers[numbers > 0]
    bits = positive.view(f"i{positive.dtype.itemsize}").astype(np.int64)
    assert step % 2 == 1
    assert set(np.unique(np.diff(bits) // step).tolist()) <= {1, 2}
    small = numbers[np.abs(numbers) < 6e4]
    assert not (small.astype(np.float16).astype(dtype) == small).any()


@pytest.mark.parametrize("name", ["real", "probability", "positive", "[-1, 1]", "(2, inf)"])
def test_numbers_lie_inside_the_domain(name: str) -> None:
    domain = domains.parse(name)
    assert isinstance(domain, Numbers)
    for working, reach in ((False, Range.EXTREME), (True, Range.WORKING)):
        numbers, _ = domain.spread(1 << 12, "float32", working=working)
        assert (domain.classify(numbers, "float32") <= reach).all()


def test_where_all_labels_fit_beside_half_numbers_finer_ones_are_taken() -> None:
    found = lattice(Problem.of(pair("binary", "probability"), ONE, "float32", 2), 0)
    assert found is not None
    inputs = list(found.parts())
    label, value = (np.concatenate([part[n].ravel() for part in inputs]) for n in ONE)
    assert 0.98 * CASES < len(value) <= CASES + 2
    assert np.unique(label).tolist() == [0.0, 1.0]
    assert (label == 0).sum() == (label == 1).sum()
    assert len(np.unique(value[label == 1])) == (label == 1).sum()
    assert "one float32 number in 2,033" in found.what  # 2^23 * 127 numbers in [0, 1] / 2^19


def test_where_there_is_little_room_predictions_are_left_out_evenly() -> None:
    found = lattice(Problem.of(pair("binary", "probability"), ONE, "float32", 2), 0)
    assert found is not None
    assert found.thinned(CASES * 2) is found
    thin = found.thinned(1 << 12)
    inputs = list(thin.parts())
    label, value = (np.concatenate([part[n].ravel() for part in inputs]) for n in ONE)
    assert 0.98 * (1 << 12) < len(value) <= (1 << 12) + 2
    assert (label == 0).sum() == (label == 1).sum()
    assert value.min() < 1e-30
    assert value.max() > 0.9
    assert "one prediction in 254 of them" in thin.what


def test_where_labels_do_not_fit_the_half_numbers_meet_more_of_them() -> None:
    found = lattice(Problem.of(pair("real", "real"), ONE, "float32", 2), 0)
    assert found is not None
    labels = {float(part["y_true"].ravel()[0]) for part in found.parts()}
    assert len(labels) == 8  # 2^20 cases / 120,064 half numbers
    assert "beside 8 of" in found.what


def test_of_more_numbers_each_case_holds_distant_ones() -> None:
    problem = Problem.of(pair("real", "real"), ROWS, "float32", 2)
    found = lattice(problem, 0)
    assert found is not None
    assert len(found.values) == pytest.approx(NUMBERS / 9, rel=0.01)
    block = problem.judge(next(iter(found.parts())))
    assert (block.ranges <= Range.WORKING).all()
    signs = np.sign(block.inputs["y_pred"].reshape(len(block), -1))
    assert (np.abs(signs.sum(axis=1)) < 9).mean() > 0.9  # not all from one end


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_types_have_no_finer_numbers(dtype: str) -> None:
    assert lattice(Problem.of(pair("binary", "probability"), ONE, dtype, 2), 0) is None


def test_nothing_is_drawn_where_label_and_prediction_are_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # 1,024 backgrounds of a million numbers would take a minute, and none of them would be used.
    wide = {"y_true": (1, 30_000), "y_pred": (1, 30_000)}
    found = lattice(Problem.of(pair("real", "real"), wide, "float32", 2), 0)
    assert found is not None
    monkeypatch.setattr(Problem, "draw", lambda *_: pytest.fail("backgrounds were drawn"))
    part = next(found.thinned(2).parts())
    assert {name: array.shape[1:] for name, array in part.items()} == wide


def test_labels_have_no_lattice() -> None:
    rows = {"y_true": (1, 3), "y_pred": (1, 3)}
    assert lattice(Problem.of(pair("one_hot", "simplex"), rows, "float32", 3), 0) is None
